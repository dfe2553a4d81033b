"""The same input gives the same bytes: whenever, wherever and by whomever a file is written."""

import datetime
import hashlib
import os
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

WRITE = """
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from clamlab import figures, viewers
from clamlab.stats import outcomes, tables
from clamlab.study.files import write_file
from clamlab.volumes import save_nifti

folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
scan, affine = rng.integers(-1000, 0, (6, 5, 4)).astype("int16"), np.diag([3.0, 3, 3, 1])
people = pd.DataFrame({"cluster": np.arange(30) % 2, "fvc": rng.normal(3, 1, 30)})
people["site"] = rng.choice(["b", "a"], 30)
rules = {"fvc": {"title": "FVC", "x-role": "outcome"}}
rules["site"] = {"type": "string", "x-role": "demographic"}
contract = {"properties": rules}

tidy = tables.table_one(people, contract)
paths = [folder / f"table.{ending}" for ending in ("csv", "xlsx", "html", "tex", "docx")]
rendered = tables.render_table_one(tidy)
tables.export_table(rendered, paths, caption="Table 2", notes=tables.table_notes(tidy))

found = outcomes.outcome_associations(people, contract)
panel = figures.outcome_panel(outcomes.adjusted_means(people, contract), found)
figures.save_figure(panel, folder / "panel")
figures.save_figure(figures.montage({"Overall": scan, "Cluster 1": scan}), folder / "montage")
points = people.assign(x=rng.normal(size=30)).rename(columns={"fvc": "y"})
scatter = figures.latent_scatter(points[["x", "y"]].to_numpy(), points["cluster"])
figures.save_figure(scatter, folder / "scatter")

maps = {"Map": (scan > -500) / 2}
viewers.to_html(scan, maps, folder / "viewer.html", affine=affine, title="Cluster 1")

save_nifti(folder / "average.nii.gz", scan, affine)
save_nifti(folder / "average.nii", scan, affine)
write_file(folder / "people.csv", people)
write_file(folder / "maps.npy", rng.normal(size=(3, 4)))
weights = {name: rng.normal(size=5).astype("float32") for name in "zebra"}
write_file(folder / "weights.safetensors", weights)
write_file(folder / "settings.json", {"kinds": sorted(weights), "n": np.int64(3)})
"""
FIGURES = ("panel", "montage", "scatter")
FILES = [
    *(f"table.{kind}" for kind in ("csv", "xlsx", "html", "tex", "docx")),
    *(f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg", "png")),
    *("viewer.html", "average.nii.gz", "average.nii", "people.csv", "maps.npy"),
    *("weights.safetensors", "settings.json"),
]
PEOPLE = ("planted-surgeon", "planted-nurse")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    """Write everything twice: another process, order of sets, person, folder and second."""
    folders, started = [], []
    for seed, person in enumerate(PEOPLE):
        folder = tmp_path_factory.mktemp(f"kept-by-{person}")
        names = dict.fromkeys(["USER", "LOGNAME", "USERNAME"], person)
        known = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
        settings = {**known, **names, "PYTHONHASHSEED": str(seed)}
        started.append(time.time())
        subprocess.run([sys.executable, "-c", WRITE, folder], check=True, env=settings, cwd=folder)
        folders.append(folder)
    assert started[1] - started[0] > 2, "archives keep time in steps of two seconds"
    return folders


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_is_left_out(written):
    assert {path.name for path in written[0].iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_the_same_input_gives_the_same_bytes(written, name):
    first, second = (digest(folder / name) for folder in written)
    assert first == second


def unpacked(path: Path) -> bytes:
    """All that a file holds, and the members of an archive in the clear."""
    if path.suffix not in (".docx", ".xlsx"):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return b"\n".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("name", FILES)
def test_no_file_tells_who_wrote_it_where_or_when(written, name):
    held = unpacked(written[0] / name).lower()
    today = datetime.datetime.now(datetime.UTC)
    dates = [today.strftime(form) for form in ("%Y-%m-%d", "%Y%m%d", "%Y:%m:%d", "%d %b %Y")]
    secrets = [*PEOPLE, "kept-by", str(Path.home()), socket.gethostname(), *dates]
    told = [text for text in secrets if len(text) > 5 and text.lower().encode() in held]
    assert not told


def test_documents_name_no_author_and_pictures_no_program(written):
    for name in ("table.docx", "table.xlsx"):
        with zipfile.ZipFile(written[0] / name) as archive:
            properties = archive.read("docProps/core.xml") + archive.read("docProps/app.xml")
        assert b"creator" not in properties and b"Application" not in properties, name
    assert set(Image.open(written[0] / "panel.png").info) == {"dpi"}
    for key in (b"/CreationDate", b"/ModDate", b"/Author", b"/Creator", b"/Producer", b"/ID"):
        assert key not in (written[0] / "panel.pdf").read_bytes(), key


def test_a_compressed_volume_holds_neither_name_nor_time(written):
    header = (written[0] / "average.nii.gz").read_bytes()[:10]
    flags, when = header[3], header[4:8]
    assert flags == 0 and when == bytes(4)
