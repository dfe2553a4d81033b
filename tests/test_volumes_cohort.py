"""Faults of some scans exclude exactly those, and change nothing of the others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hospital_series import slices, tilted, write_series
from ingest_phantom import chest

from clamlab.ingest import ingest_cohort
from clamlab.simulate.dicom import write_dicom
from clamlab.volumes import load_nifti, save_nifti

GRID = np.diag([6.0, 6.0, 6.0, 1.0])
GRID[:3, 3] = -177, -120, -165
SHAPE = (60, 41, 56)
POSITIONS = 3.0 * np.arange(96) - 142.5
GOOD, FAULTY = 8, 8


def without(found, numbers):
    return [one for i, one in enumerate(found) if i not in numbers]


# (slices, what the reason says)
FAULTS = [
    (without(slices(), range(1, 96, 3)), "slices are missing: expected at most 10%"),
    (without(slices(), range(50, 56)), "slices are missing: expected at most 10 mm"),
    (slices(stored="int16", intercept=0, change=lambda hu: hu - 1024), "muscle near 50"),
    (slices(stored="int16", intercept=0, change=lambda hu: hu * 10), "muscle near 50"),
    (slices() + slices(above=30.0), "export the phases or reconstructions as series"),
    (slices(POSITIONS[:30]), "too short for whole lungs"),
    (slices(slope=None, intercept=None), "rescale intercept was lost"),
    (
        [replace(one, change=lambda hu: hu + 900) if i == 60 else one
         for i, one in enumerate(tilted(10))],
        "HU go on from one to the next",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Sixteen people as DICOM; in every second folder something is wrong."""
    root = tmp_path_factory.mktemp("sixteen")
    rng = np.random.default_rng(5)
    names = [f"P{number:02d}" for number in range(GOOD + FAULTY)]
    for number, name in enumerate(names):
        if number % 2:
            found = [
                replace(one, header=one.header | {"PatientID": name, "InstanceNumber": 1})
                for one in FAULTS[number // 2][0]
            ]
            write_series(root / name, found)
        else:
            volume, _ = chest(SHAPE, GRID, seed=number, scale=rng.uniform(0.93, 1.05, 3))
            write_dicom(volume, root / name, affine=GRID, subject_id=name)
    _, labels = chest(SHAPE, GRID)
    save_nifti(root / "template.nii.gz", labels, GRID)
    return root, names


def test_exactly_the_faulty_are_excluded_and_the_others_are_as_alone(scans, tmp_path):
    root, names = scans
    cohort = pd.DataFrame({"subject_id": names, "scan": names})
    options = {"scans_root": root, "spacing_mm": 12.0, "registration": "affine", "n_jobs": 1,
               "template": root / "template.nii.gz", "progress": False}  # fmt: skip
    qc = ingest_cohort(cohort, tmp_path / "all", **options)
    faulty = names[1::2]
    assert qc.loc[qc["status"] == "excluded", "subject_id"].tolist() == faulty
    for name, (_, said) in zip(faulty, FAULTS, strict=True):
        assert said in qc.set_index("subject_id")["reason"][name]
    good = cohort[~cohort["subject_id"].isin(faulty)]
    alone = ingest_cohort(good, tmp_path / "alone", **options)
    kept = qc[qc["status"] != "excluded"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.drop(columns="seconds"), alone.drop(columns="seconds"))
    assert (kept["hu_difference"] == 0).all() and (kept["status"] == "ok").all()
    for name in good["subject_id"]:
        for file in ("image.nii.gz", "lungs.nii.gz", "registered.nii.gz"):
            one, other = (
                load_nifti(tmp_path / folder / "scans" / name / file) for folder in ("all", "alone")
            )
            assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])
