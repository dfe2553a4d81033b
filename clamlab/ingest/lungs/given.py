"""Lung masks from elsewhere: what their labels mean, and whether they are this scan's."""

from collections.abc import Mapping
from math import floor
from pathlib import Path
from types import MappingProxyType

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.ingest.alignment.transforms import IDENTITY, LEFT, RIGHT, warp_image, warp_labels
from clamlab.ingest.errors import IngestError
from clamlab.ingest.lungs.fit import WORDS, check_fit, label_doubt
from clamlab.ingest.lungs.segmentation import part_sides, segment_lungs
from clamlab.ingest.reading.checks import check_geometry
from clamlab.io import FileError
from clamlab.volumes import load_nifti

# Which side each label lies on.
CONVENTIONS: Mapping[str, Mapping[int, int]] = MappingProxyType(
    {
        "lungs": {1: RIGHT, 2: LEFT},  # ours, and lungmask's R231
        "lungmask-lobes": {1: LEFT, 2: LEFT, 3: RIGHT, 4: RIGHT, 5: RIGHT},
        "totalsegmentator": {10: LEFT, 11: LEFT, 12: RIGHT, 13: RIGHT, 14: RIGHT},
        "totalsegmentator-v1": {13: LEFT, 14: LEFT, 15: RIGHT, 16: RIGHT, 17: RIGHT},
    }
)
BINARY = "binary"
NAMES = (*CONVENTIONS, BINARY)
OTHERS = frozenset({"totalsegmentator", "totalsegmentator-v1"})  # files that hold other organs too
HALF = 0.5
LEAST_INSIDE = 0.9  # of the mask, in the scan's field of view


def given_labels(
    path: Path, volume: NDArray, affine: NDArray, convention: str | None = None
) -> tuple[NDArray[np.uint8], str, list[str]]:
    """Lay a lung mask from elsewhere over a scan, if it can be this scan's.

    Parameters
    ----------
    path : Path
        NIfTI.
    volume : array, shape (x, y, z)
        The scan's HU, RAS+ order, at about 2.5 mm.
    affine : array, shape (4, 4)
        Its voxel to mm.
    convention : str, optional
        What the labels mean, one of ``NAMES``; by default told by the labels and their sides.

    Returns
    -------
    labels : array of uint8, shape (x, y, z)
        1 right, 2 left.
    said : str
        What the mask was taken for.
    doubts : list of str
        What a person should look at: a mask that is moved or too large, a label that is no lung.

    Raises
    ------
    IngestError
        If the mask cannot be read or understood, contradicts the patient's sides, or does not fit
        the scan.
    """
    what = "its lung mask"  # the subject's: a file may be called like a patient
    mask, own = _read(path, what)
    name = convention or _recognised(mask, own, what)
    wanted = CONVENTIONS.get(name, {})
    if wanted:
        _check_labels(mask, name, what)
        _check_sides(mask, own, wanted, f"{what}, read as {name}")
    sided = np.zeros(mask.shape, "uint8")
    for label, side in wanted.items():
        sided[mask == label] = side
    if name == BINARY:
        sided[mask != 0] = RIGHT
    _check_inside(sided > 0, own, volume.shape, affine, what)
    labels = warp_labels(sided, own, IDENTITY, shape=volume.shape, grid_affine=affine)
    if name == BINARY:
        labels = part_sides(labels > 0, volume, voxel_sizes(affine))
    found = segment_lungs(volume, voxel_sizes(affine))
    said = f"{what}, read as {name}"
    doubts = check_fit(labels, found, volume, voxel_sizes(affine), said)
    for label in wanted if len(wanted) > len(WORDS) else ():  # two lungs are held against the scan
        part = _laid(mask == label, own, volume.shape, affine) > HALF
        doubts.append(label_doubt(part, found, volume, f"label {label}", what))
    taken = name if convention else f"{name} (told by its labels)"
    return labels, taken, [doubt for doubt in doubts if doubt]


def _read(path: Path, what: str) -> tuple[NDArray, NDArray]:
    try:
        mask, affine = load_nifti(path)
    except FileError as error:
        raise IngestError(f"{what}: {error.sentence}") from error
    check_geometry(mask.shape, affine)
    if not np.isfinite(mask).all() or (mask != np.rint(mask)).any():
        raise IngestError(
            f"{what}: expected whole numbers as labels, found values between them; was it "
            "resampled with smoothing? Resample by nearest neighbour, or export it again"
        )
    if not mask.any():
        raise IngestError(f"{what}: expected labels of lungs, found an empty mask")
    return mask, affine


def _recognised(mask: NDArray, affine: NDArray, what: str) -> str:
    """Tell a convention by the set of labels; where several have it, by the sides."""
    present = set(np.unique(mask[mask != 0]).astype(int).tolist())
    fitting = [
        name
        for name, sides in CONVENTIONS.items()
        if set(sides) & present
        and (present <= set(sides) or (name in OTHERS and set(sides) <= present))
        and {sides[label] for label in present & set(sides)} == {RIGHT, LEFT}
    ]
    if len(present) == 1:
        return BINARY
    if len(fitting) > 1:
        right = [name for name in fitting if not _contradictions(mask, affine, CONVENTIONS[name])]
        fitting = right or fitting
    if len(fitting) == 1:
        _check_strays(mask, affine, present, fitting[0], what)
        return fitting[0]
    known = "; ".join(f"{n} {', '.join(map(str, s))}" for n, s in CONVENTIONS.items())
    listed = ", ".join(map(str, sorted(present)[:12])) + ", ..." * (len(present) > 12)
    raise IngestError(
        f"{what}: expected the labels of one convention ({known}; {BINARY} one label), found "
        f"{listed}; name it (init --mask-labels), or write 1 for right and 2 for left"
    )


def _check_strays(mask: NDArray, affine: NDArray, present: set[int], name: str, what: str) -> None:
    """Refuse the two lungs with a third label, which look like lobes on the wrong sides."""
    lungs = CONVENTIONS["lungs"]
    if (
        set(lungs) < present
        and _contradictions(mask, affine, CONVENTIONS[name])
        and not _contradictions(mask, affine, lungs)
    ):
        raise IngestError(_strays(sorted(present - set(lungs)), f"{what}, read as lungs"))


def _strays(stray: list[int], what: str) -> str:
    labels = "labels" if len(stray) > 1 else "label"
    them, are = ("them", "are") if len(stray) > 1 else ("it", "is")
    return (
        f"{what}: {labels} {', '.join(map(str, stray[:12]))} {are} of no convention here; remove "
        f"{them} from the mask, or name the convention (init --mask-labels)"
    )


def _contradictions(mask: NDArray, affine: NDArray, sides: Mapping[int, int]) -> list[str]:
    """Name the labels that lie on the other side of the patient than they should."""
    centres = {
        label: float((affine[:3, :3] @ np.argwhere(mask == label).mean(axis=0))[0])
        for label in sides
        if (mask == label).any()
    }
    ends = [[x for label, x in centres.items() if sides[label] == s] for s in (RIGHT, LEFT)]
    middle = np.mean([np.mean(x) for x in ends]) if all(ends) else np.nan
    return [
        f"label {label} ({WORDS[sides[label]]}) lies on the {WORDS[side]}"
        for label, x in centres.items()
        if (side := RIGHT if x > middle else LEFT) != sides[label]
    ]


def _check_labels(mask: NDArray, name: str, what: str) -> None:
    stray = sorted(set(np.unique(mask[mask != 0]).astype(int).tolist()) - set(CONVENTIONS[name]))
    if stray and name not in OTHERS:
        raise IngestError(_strays(stray, f"{what}, read as {name}"))


def _check_sides(mask: NDArray, affine: NDArray, sides: Mapping[int, int], what: str) -> None:
    found = {sides[label] for label in sides if (mask == label).any()}
    if not found:
        raise IngestError(
            f"{what}: expected labels of lungs, found none of them; name the convention "
            "(init --mask-labels)"
        )
    # One lung has no other to lie beside: the lungs that are found in the scan tell its side.
    if len(found) == 2 and (wrong := _contradictions(mask, affine, sides)):
        raise IngestError(
            f"{what}: labels and place contradict each other: {'; '.join(wrong)} of the patient. "
            "Exchange the labels if they mean something else, or export the mask again if it is "
            "mirrored"
        )


def _check_inside(
    mask: NDArray, own: NDArray, shape: tuple[int, ...], affine: NDArray, what: str
) -> None:
    whole = mask.sum() * abs(np.linalg.det(own[:3, :3]))
    over = _laid(mask, own, shape, affine)
    share = over.sum() * abs(np.linalg.det(affine[:3, :3])) / whole
    if share < LEAST_INSIDE:
        raise IngestError(
            f"{what}: expected at least {LEAST_INSIDE:.0%} of it within the scan's field of view, "
            f"found {floor(100 * share)}% of it there: it belongs to another scan, or its position "
            "was lost; export it with the scan's grid"
        )


def _laid(mask: NDArray, own: NDArray, shape: tuple[int, ...], affine: NDArray) -> NDArray:
    return warp_image(mask, own, IDENTITY, shape=shape, grid_affine=affine, fill=0.0)
