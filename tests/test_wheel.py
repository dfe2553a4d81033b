"""The installed wheel does what the clone does: notebooks and contracts travel with it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel's content, as an installation would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_a_study_can_be_made_from_the_wheel_alone(installed, tmp_path):
    code = (
        "import clamlab.resources as r; from clamlab.study import Study; "
        "print(r.PACKAGE); Study.create('study')"
    )
    # -S leaves the clone's editable installation out of sight; the packages stay within reach.
    packages = [p for p in sys.path if p.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), *packages])}
    said = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert str(installed) in said
    made = {p.name for p in (tmp_path / "study" / "notebooks").iterdir()}
    assert made == {p.name for p in (REPOSITORY / "notebooks").glob("*.ipynb")}
    schemas = {p.name for p in (tmp_path / "study" / "schemas").iterdir()}
    assert "participants.schema.json" in schemas


def test_what_browsers_read_is_in_the_wheel(installed):
    library = REPOSITORY / "clamlab"
    read = [path for kind in ("js", "css", "html") for path in library.rglob(f"*.{kind}")]
    assert {"review.js", "review.css", "qc_index.html"} <= {path.name for path in read}
    for path in read:
        assert (installed / path.relative_to(REPOSITORY)).read_bytes() == path.read_bytes()
