"""The two steps a subject goes through: read and segment; register to the template.

Each step leaves its results in the subject's folder and a record in ``state.json``. A record whose
key still fits is not computed again, so that an interrupted cohort goes on where it stopped.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.atomic import whole_file
from clamlab.ingest.alignment.filling import fill_lungs
from clamlab.ingest.alignment.registration import register
from clamlab.ingest.alignment.resampling import coarser_grid, resample
from clamlab.ingest.alignment.transforms import (
    Transform,
    dice,
    warp_image,
    warp_labels,
)
from clamlab.ingest.cohort.files import (
    file_stamp,
    fingerprint,
    read_json,
    write_json,
    writing,
)
from clamlab.ingest.cohort.qc_pictures import draw_subject
from clamlab.ingest.cohort.subjects import STATE, Settings, Subject, Template, recorded
from clamlab.ingest.errors import IngestError
from clamlab.ingest.lungs.given import given_labels
from clamlab.ingest.lungs.quality import lung_qc, measure_lungs, registration_flags
from clamlab.ingest.lungs.segmentation import (
    WORKING_MM,
    label_lungs,
    resample_labels,
    segment_lungs,
)
from clamlab.ingest.lungs.sorted_air import find_air
from clamlab.ingest.reading.checks import LOWEST_HU, to_hu
from clamlab.ingest.reading.nifti import load_volume
from clamlab.ingest.reading.read import is_nifti, read_scan
from clamlab.volumes import load_nifti, save_nifti

VERSION = 3  # raise it when a step's results change, so that old ones are not taken for new
REGISTERED = ["registered.nii.gz", "registered_lungs.nii.gz"]


def prepare(subject: Subject, settings: Settings) -> dict[str, Any]:
    """Read a subject's scan, find its lungs and measure them."""
    return recorded(subject, "read", _prepare_key(subject, settings), _prepare, settings)


def align(subject: Subject, settings: Settings, template: Template) -> dict[str, Any]:
    """Register a prepared subject to the template and write it on the grid."""
    read = read_json(subject.folder / STATE).get("read", {})
    key = fingerprint(VERSION, read.get("key"), settings, template.key)
    return recorded(subject, "register", key, _align, settings, template, read)


def _prepare_key(subject: Subject, settings: Settings) -> str:
    stamps = [
        file_stamp(path) if path.exists() else None
        for path in (subject.scan, subject.lung_mask or subject.scan)
    ]
    ready_made = settings.registration == "none"
    given = settings.mask_labels if subject.lung_mask else None
    rules = (settings.spacing_mm, settings.min_coverage_mm, ready_made, settings.segment, given)
    return fingerprint(VERSION, subject.series_number, subject.study, stamps, rules)


def _prepare(subject: Subject, settings: Settings) -> dict[str, Any]:
    _picture(subject).unlink(missing_ok=True)  # it may show another scan, or another series
    if settings.registration == "none":
        return _prepare_ready_made(subject, settings)
    scan = read_scan(
        subject.scan,
        min_coverage_mm=settings.min_coverage_mm,
        series_number=subject.series_number,
        study=subject.study,
    )
    shape, affine = coarser_grid(scan.volume.shape, scan.affine, WORKING_MM)
    working, sides = resample(scan.volume, scan.affine, shape, affine), voxel_sizes(affine)
    air = find_air(working, sides)
    doubts: list[str] = []
    if subject.lung_mask:
        labels, scan.facts["lung_mask"], doubts = given_labels(
            subject.lung_mask, working, affine, settings.mask_labels
        )
    else:
        labels = label_lungs(working, air, sides)
    measures = measure_lungs(working, labels, air, sides)
    image, image_labels, image_affine = _kept_image(
        scan.volume, scan.affine, labels, affine, settings
    )
    with writing(subject.folder):
        save_nifti(subject.folder / "image.nii.gz", image, image_affine)
        save_nifti(subject.folder / "lungs.nii.gz", image_labels, image_affine)
    record = {
        "files": ["image.nii.gz", "lungs.nii.gz"],
        "facts": scan.facts,
        "log": scan.log,
        "flags": _no_series(subject) + scan.notes + doubts + measures.pop("flags"),
        "measures": measures,
        "pixels": _pixel_hash(scan.volume),
    }
    missing = [side for side in ("right", "left") if not measures[f"{side}_ml"]]
    if missing:
        draw_subject(_picture(subject), subject.subject_id, (image, image_labels, image_affine))
        raise IngestError(
            f"expected two lungs, the {' and the '.join(missing)} lung was not found: dense "
            "disease on both sides, gas beside the lung, one lung, or no chest; look at the "
            "picture, and give a lung mask in the cohort table's column lung_mask where the lungs "
            "are there"
        )
    return record


def _kept_image(volume, affine, labels, labels_affine, settings) -> tuple:
    """Keep the scan at half the study's voxel, smoothed for it: registration samples it once."""
    shape, grid = coarser_grid(volume.shape, affine, settings.spacing_mm / 2)
    image = to_hu(resample(volume, affine, shape, grid, width_mm=settings.spacing_mm))
    return image, resample_labels(labels, labels_affine, shape, grid), grid


def _no_series(subject: Subject) -> list[str]:
    """Say that a series was chosen where there is none to choose."""
    if subject.series_number is None or not is_nifti(subject.scan):
        return []
    return [f"series {subject.series_number} was asked for, and the scan is one NIfTI volume"]


def _pixel_hash(volume: NDArray) -> str:
    return sha256(np.ascontiguousarray(volume).tobytes()).hexdigest()[:16]


def _picture(subject: Subject) -> Path:
    path = subject.folder.parents[1] / "qc" / f"{subject.folder.name}.png"
    with writing(path.parent):
        path.parent.mkdir(exist_ok=True)
    return path


def _align(
    subject: Subject, settings: Settings, template: Template, read: dict[str, Any]
) -> dict[str, Any]:
    if settings.registration == "none":
        return _adopt(subject, template)
    image, affine = load_nifti(subject.folder / "image.nii.gz")
    labels, _ = load_nifti(subject.folder / "lungs.nii.gz")
    transform = register(
        labels,
        template.labels,
        affine=affine,
        template_affine=template.affine,
        kind=settings.registration,
        seed=settings.seed,
    )
    grid: dict[str, Any] = {"shape": template.labels.shape, "grid_affine": template.affine}
    own = warp_labels(labels, affine, transform, **grid)
    volume = to_hu(warp_image(image, affine, transform, fill=LOWEST_HU, **grid))
    # The lungs are blurred as the image is: a voxel's share of wall is then as its HU show it.
    blurred = resample(labels > 0, affine, labels.shape, affine, width_mm=settings.spacing_mm)
    lung_share = warp_image(blurred, affine, transform, fill=0.0, **grid)
    filled = fill_lungs(volume, lung_share, template.labels > 0)
    share = float((own[template.labels > 0] == 0).mean())
    agreement = dice(own, template.labels)
    with writing(subject.folder):
        _save_transform(subject.folder, transform, template)
        save_nifti(subject.folder / "registered.nii.gz", filled, template.affine)
        save_nifti(subject.folder / "registered_lungs.nii.gz", own, template.affine)
    title = (
        f"{subject.subject_id}    right {read['measures']['right_ml']:.0f} ml, left "
        f"{read['measures']['left_ml']:.0f} ml    Dice {agreement:.3f}    filled {share:.1%}"
    )
    draw_subject(
        _picture(subject),
        title,
        (image, labels, affine),
        (filled, own, template.labels, template.affine),
    )
    return {
        "files": REGISTERED,
        "dice": round(agreement, 4),
        "filled_fraction": round(share, 4),
        "flags": registration_flags(agreement, share, settings.registration),
    }


def _save_transform(folder: Path, transform: Transform, template: Template) -> None:
    """Keep the way to the template in forms other tools read (the warp as ITK's: LPS, mm)."""
    warp = folder / "warp.nii.gz"
    if transform.displacement is None:
        warp.unlink(missing_ok=True)
    else:
        lps = transform.displacement * np.array([-1, -1, 1], "float32")
        image = nibabel.Nifti1Image(lps[:, :, :, None], template.affine)
        image.header.set_intent("vector")
        with whole_file(warp) as temporary:
            nibabel.save(image, temporary)
    write_json(
        folder / "transform.json",
        {
            "meaning": "scan mm = affine x (template mm + warp(template mm)), RAS+",
            "affine": transform.affine.tolist(),
            "warp": warp.name if transform.displacement is not None else None,
        },
    )


def _prepare_ready_made(subject: Subject, settings: Settings) -> dict[str, Any]:
    """Check a volume that already lies on the study's grid."""
    volume, affine, notes = load_volume(subject.scan)
    measures: dict[str, Any] = {}
    flags = _no_series(subject) + notes
    if settings.segment:
        labels = segment_lungs(volume, voxel_sizes(affine))
        measures = lung_qc(volume, labels, voxel_sizes(affine))
        flags += measures.pop("flags")
        with writing(subject.folder):
            save_nifti(subject.folder / "lungs.nii.gz", labels, affine)
    sizes = voxel_sizes(affine)
    return {
        "files": ["lungs.nii.gz"] if settings.segment else [],
        "facts": {
            "format": "NIfTI",
            "slices": volume.shape[2],
            "spacing_mm": " x ".join(f"{size:.3g}" for size in sizes),
        },
        "log": [],
        "flags": flags,
        "measures": measures,
        "pixels": _pixel_hash(volume),
        "shape": list(volume.shape),
        "affine": affine.round(4).tolist(),
    }


def _adopt(subject: Subject, template: Template) -> dict[str, Any]:
    """Take a ready-made volume as it is."""
    volume, affine, _ = load_volume(subject.scan)
    lungs = subject.folder / "lungs.nii.gz"
    own = load_nifti(lungs)[0] if lungs.exists() else template.labels
    with writing(subject.folder):
        save_nifti(subject.folder / "registered.nii.gz", volume, template.affine)
        save_nifti(subject.folder / "registered_lungs.nii.gz", own, template.affine)
    if min(volume.shape) > 1:
        draw_subject(_picture(subject), subject.subject_id, (volume, own, affine))
    agreement = round(dice(own, template.labels), 4) if lungs.exists() else None
    return {"files": REGISTERED, "dice": agreement, "filled_fraction": 0.0, "flags": []}
