"""Find the lungs of chests whose truth is known, and hold what is found and said against it."""

import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from clamlab.ingest import lung_qc, read_scan, segment_lungs
from clamlab.ingest.alignment.resampling import coarser_grid, resample
from clamlab.ingest.lungs.segmentation import WORKING_MM, resample_labels
from clamlab.volumes import load_nifti
from studies.chests import painting
from studies.chests.drawing import LEFT, RIGHT, Chest, draw, random_build, scanned

TRUTH = Path(__file__).parents[3] / "tests" / "data" / "cptac_pda_C3N-00249_lungs.nii.gz"
SCAN = "cptac_3mm/cptac_pda_C3N-00249_3mm.nii.gz"
ARCHIVES = ("cptac_pda_C3N-00249_dicom", "acrin_flt_breast_013_dicom")
NOISE = 12.0  # of the real scan
Disease = Callable[[Chest, int], Chest]
DISEASES: dict[str, Disease] = {
    "gas under the dome": lambda c, s: painting.stomach(
        c, ml=250 + s % 7 * 100, dome_mm=[4.0, 2.0, 0.5][s % 3]
    ),
    "consolidation": lambda c, s: painting.consolidation(c, mm=50, side=1 + s % 2, seed=s),
    "effusion": lambda c, s: painting.effusion(c, ml=250 + s % 5 * 150, side=1 + s % 2),
    "pneumothorax": lambda c, s: painting.pneumothorax(c, ml=150 + s % 4 * 120, side=1 + s % 2),
    "joint": lambda c, s: painting.joint(c, front=s % 4 < 2),
}


def drawn_chests(seeds: list[int], n_jobs: int = 2) -> Iterator[list[dict[str, Any]]]:
    """Measure drawn chests, each clean and with one disease, in turn, as they are done."""
    yield from Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_drawn)(seed) for seed in seeds
    )


def real_chests(folder: Path) -> Iterator[list[dict[str, Any]]]:
    """Measure the real scans: as they are, and one with every disease on either side."""
    for named in _real(folder):
        yield [measured(*named)]


def measured(name: str, painted: str, chest: Chest) -> dict[str, Any]:
    """Find a chest's lungs as ingestion does, and compare."""
    affine = np.diag([*chest.spacing, 1.0])
    shape, working = coarser_grid(chest.volume.shape, affine, WORKING_MM)
    spacing = working.diagonal()[:3]
    volume = resample(chest.volume, affine, shape, working)
    found = segment_lungs(volume, spacing)
    said = lung_qc(volume, found, spacing)
    labels = resample_labels(found, working, chest.volume.shape, affine)
    row: dict[str, Any] = {"chest": name, "painted": painted}
    for word, side in (("right", RIGHT), ("left", LEFT)):
        own, true = labels == side, chest.labels == side
        known = bool(true.any())
        missing = (true & ~own).sum() * chest.spacing.prod() / 1000
        row |= {
            f"dice_{word}": 2 * (own & true).sum() / (own.sum() + true.sum()) if known else None,
            f"{word}_missing_true_ml": missing if known else None,
            f"{word}_missing_said_ml": said[f"{word}_missing_ml"],
        }
    return row | {
        "pleural_air_said_ml": said["pleural_air_ml"],
        "flags": "; ".join(said["flags"]),
    }


def _drawn(seed: int) -> list[dict[str, Any]]:
    build = random_build(seed)
    chest = draw(build, seed)
    disease = list(DISEASES)[seed % len(DISEASES)]
    sick = DISEASES[disease](chest, seed // len(DISEASES))
    return [
        measured(f"drawn {seed}", painted, scanned(one, build, seed=seed))
        for painted, one in (("", chest), (disease, sick))
    ]


def _real(folder: Path) -> Iterator[tuple[str, str, Chest]]:
    volume, affine = load_nifti(folder / SCAN)
    truth, _ = load_nifti(TRUTH)
    chest = Chest(volume, truth, affine.diagonal()[:3], NOISE)
    yield "CPTAC C3N-00249, 3 mm", "", chest
    for painted, disease in DISEASES.items():
        for turn in range(4):
            yield "CPTAC C3N-00249, 3 mm", painted, disease(chest, turn)
    both = painting.effusion(chest, ml=400, side=RIGHT)
    yield (
        "CPTAC C3N-00249, 3 mm",
        "effusion on both sides",
        painting.effusion(both, ml=400, side=LEFT),
    )
    for archive in ARCHIVES:
        with tempfile.TemporaryDirectory() as place:
            with tarfile.open(folder / archive / "dicom.tar.xz") as tar:
                tar.extractall(place, filter="data")
            scan = read_scan(place)
        labels = np.zeros(scan.volume.shape, "uint8")
        if archive.startswith("cptac"):
            labels = resample_labels(truth, affine, scan.volume.shape, scan.affine)
        yield archive, "", Chest(scan.volume, labels, scan.affine.diagonal()[:3], NOISE)
