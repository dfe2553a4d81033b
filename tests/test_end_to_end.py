"""The whole path on a real anatomy: DICOM and a table in, clusters, maps, tables and figures out.

The scans are one real chest CT, deformed smoothly into 12 people, with lesions of +100 to +300 HU
implanted: two patterns whose extent and place vary from person to person. They come as a hospital
hands them over: names, dates and numbers in headers, folders and the table.
"""

import io
import os
import runpy
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from clamlab import traces
from clamlab.cli import main
from clamlab.evaluation import adjusted_rand
from clamlab.study import Study
from studies.hospital import HEADERS, PLANTED, hand_over

ANATOMY = "cptac_3mm/cptac_pda_C3N-00249_3mm.nii.gz"
N_SUBJECTS = 12
# Half the paper's width on a 10 mm grid: what two cores do in minutes.
SMALL = {
    "SPACING_MM": 10,
    "REGISTRATION": "affine",
    "CHANNELS": (16, 32, 64),
    "BATCH_SIZE": 8,
    "EPOCHS": 100,
    # 12 scans are too few for the cautious rule to prove two clusters: a person decides.
    "N_CLUSTERS": 2,
    "N_BOOTSTRAP": 200,
    "TRUST_SCANS": 3,
}


def parameters(values):
    return [part for name, value in values.items() for part in ("-p", f"{name}={value}")]


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """Refuse the network to this process, its kernels and workers; name what notes every try."""
    guard, log = Path(__file__).parent / "offline", tmp_path_factory.mktemp("offline") / "tried"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(guard), prepend=os.pathsep)
        patch.setenv("OFFLINE_LOG", str(log))
        runpy.run_path(str(guard / "sitecustomize.py"))
        yield log


@pytest.fixture(scope="module")
def said():
    """All that the commands print."""
    return io.StringIO()


@pytest.fixture(scope="module")
def study(real_data, offline, said, tmp_path_factory):
    """A study of the semi-synthetic cohort after notebooks 00 to 09, made without a network."""
    folder = tmp_path_factory.mktemp("whole")
    cohort = {"ANATOMY": real_data / ANATOMY, "N_SUBJECTS": N_SUBJECTS}
    root = str(folder / "study")
    with redirect_stdout(said), redirect_stderr(said):
        assert main(["simulate", root, *parameters(cohort)]) == 0, said.getvalue()[-2000:]
        hand_over(Study.open(root), folder)
        assert main(["run", root, *parameters(SMALL)]) == 0, said.getvalue()[-2000:]
    return Study.open(root)


def test_every_stage_is_complete_and_fresh(study):
    status = study.status()
    assert status["status"].tolist() == ["fresh"] * 10, status.to_string()


def test_no_stage_asks_for_the_network(study, offline):
    guarded = Path(f"{offline}.processes").read_text().splitlines()
    kernels = [line for line in guarded if "ipykernel_launcher" in line]
    assert len(kernels) >= 10, guarded  # one for each stage
    assert any("loky" in line for line in guarded), guarded  # and their workers
    assert not offline.exists(), offline.read_text()


def test_nothing_of_a_person_is_where_it_does_not_belong(study, said, tmp_path):
    """Paths stand in study.json and in the cohort's column of scans; the rest stays outside."""
    found = traces.find(study.root, PLANTED.values())
    assert {file for file, _ in found} == {"study.json", "01_cohort/cohort.csv"}, found
    cohort = pd.read_csv(study.path("cohort"), dtype=str, keep_default_na=False)
    (tmp_path / "rest").mkdir()
    cohort.drop(columns="scan").to_csv(tmp_path / "rest" / "cohort.csv")
    (tmp_path / "rest" / "log.txt").write_text(said.getvalue())
    assert "09_associations: done" in said.getvalue()
    assert traces.find(tmp_path / "rest", PLANTED.values()) == []
    folder = Path(study.settings["scans"]).parent
    assert {text for _, text in traces.find(folder, PLANTED.values())} >= {*HEADERS.values()}


def test_nobody_got_lost(study):
    assert len(study.read("scans")) == N_SUBJECTS
    assert study.read("exclusions").empty
    qc = study.read("qc").set_index("subject_id")
    assert (qc["dice"] > 0.85).all(), qc["dice"].describe()


def test_the_two_clusters_are_recovered(study):
    truth = study.read("assignments").merge(
        study.read("true_labels"), on="subject_id", suffixes=("", "_true")
    )
    assert adjusted_rand(truth["cluster_true"], truth["cluster"]) >= 0.95


def test_maps_overlay_the_scans_in_any_viewer(study):
    grid = study.read("grid")
    averages = sorted(study.path("averages").glob("*.nii.gz"))
    names = {path.name.removesuffix(".nii.gz") for path in averages}
    assert {"hu_overall", "clam_overall", "clam_cluster_1", "contrast_cluster_2"} <= names
    for path in averages:
        image = nibabel.load(path)
        assert image.shape == tuple(grid["shape"])
        assert np.allclose(image.affine, grid["affine"])
        assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    assert np.allclose(study.read("template").affine, grid["affine"])


def test_left_stays_left(study):
    """The heart lies to the left, so the left lung is the smaller one in this person."""
    template = study.read("template")
    labels, affine = np.asarray(template.dataobj), template.affine
    centre = {side: (np.argwhere(labels == side) @ affine[:3, :3].T + affine[:3, 3]).mean(axis=0)
              for side in (1, 2)}  # fmt: skip
    assert centre[1][0] > centre[2][0]  # the right lung lies to the patient's right
    volumes, mask = study.read("volumes"), study.read("lung_mask")
    side = np.indices(mask.shape)[0] > mask.shape[0] / 2
    middle = volumes[:, :, :, mask.shape[2] // 3]
    left_of_lungs = (~mask & ~side)[None, :, :, mask.shape[2] // 3] & (middle > 0)
    right_of_lungs = (~mask & side)[None, :, :, mask.shape[2] // 3] & (middle > 0)
    assert left_of_lungs.sum() != right_of_lungs.sum()


def test_volumes_are_lungs_in_hu(study):
    volumes, mask = study.read("volumes"), study.read("lung_mask")
    means = np.array([volume[mask].mean() for volume in volumes])
    assert ((means > -950) & (means < -500)).all()
    assert volumes.dtype == np.int16


def test_stored_confidences_give_the_stored_maps(study):
    from clamlab import clam, training, volumes

    config = study.read("deep_clustering_config")
    rule = config.pop("scaling")
    model = training.load_clustering(study.read("deep_clustering"), config)
    images = volumes.scale(study.read("volumes"), study.read("lung_mask"), rule)
    stored = study.read("channel_confidence")
    again = clam.channel_confidence(model, images[:2])
    assert np.abs(stored[:2] - again).max() < 1e-5
    sums = clam.cluster_activation_map(model, images[:2], confidence=stored[:2])
    assert sums == pytest.approx(study.read("maps")[:2], rel=1e-4, abs=1e-5)


def test_tables_and_figures_can_be_opened(study):
    assert (study.root / "08_table_one" / "table_one.docx").stat().st_size > 5000
    page = (study.root / "08_table_one" / "table_one.html").read_text()
    assert "Scadding" in page
    for ending, start in {"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}.items():
        for number in (7, 8, 9):
            figure = study.root / "07_explore" / f"figure_{number}.{ending}"
            assert figure.read_bytes().startswith(start)
        assert (study.root / "09_associations" / f"figure_10.{ending}").is_file()
    comparison = study.read("model_comparison")
    assert comparison["outcome"].nunique() == 12


def test_maps_are_never_tested(study):
    """What is derived from the clustered images gets no p-value anywhere."""
    assert not [c for c in study.read("map_measures").columns if c == "p" or c.startswith("p_")]
    trust = study.read("trust")
    assert set(trust["kind"]) == {"activation", "contrast"}
    assert trust["verdict"].str.len().min() > 20


def test_the_summary_holds_the_run_against_the_truth(study, capsys):
    assert main(["run", str(study.root), "--from", "08", "--to", "08"]) == 0
    said = capsys.readouterr().out
    assert "adjusted Rand index" in said
    assert "linear baseline" in said
    assert "figure_10.pdf" in said


def test_an_export_holds_no_single_scan(study, tmp_path):
    assert main(["export", str(study.root), str(tmp_path / "paper")]) == 0
    exported = [p.name for p in (tmp_path / "paper").rglob("*") if p.is_file()]
    assert "figure_10.pdf" in exported
    assert "hu_cluster_1.nii.gz" in exported
    assert not [n for n in exported if n.startswith(("figure_8", "figure_9"))]
    assert "volumes.npy" not in exported
    ids = study.read("scans")["subject_id"]
    assert traces.find(tmp_path / "paper", [*PLANTED.values(), *ids]) == []


def test_a_person_can_overrule_the_number_of_clusters(study):
    choice = study.read("choice")
    study.write("choice", {**choice, "n_clusters": 3, "decided_by": "reader", "reason": "a try"})
    assert study.status().set_index("stage")["status"]["05_clusters"] == "stale"
    assert main(["run", str(study.root), "--from", "04", "--to", "04"]) == 0
    assert study.read("choice")["n_clusters"] == 3
    tested, rule = study.read("choice")["test"], study.read("choice")["recommended"]
    assert tested["stability"] in ("stable", "doubtful", "unstable")
    assert tested["p_value"] is None or 0 < tested["p_value"] <= 1
    assert {"answer", "n_clusters", "p_value", "seen_from_sd", "n_scans_needed"} <= set(rule)
