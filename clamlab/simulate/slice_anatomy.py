"""The healthy slice behind the 2-D simulation: outline, smooth profile, vessels and texture."""

from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.io import open_nifti

SIZE = 64
OUTSIDE_HU = -1000.0
LUNG_HU = -870.0
BACK_HU = 60.0  # from the front of the lung to its back, lying on the back
HILUM_HU = 80.0
HILUM_SPREAD_PX = 5.0
FIT_PX = 61  # a real template's wider side, leaving a margin
VESSEL_HU = 40.0
IN_PLANE = 0.2  # the share of a vessel's width that one slice of its course shows
STEP_PX = 0.2
CROSSING = 20
# The drawing is one fixed lung, as a template is: it does not change with the cohort's seed.
ANATOMY_SEED = 20211


def healthy_slice(
    anatomy: str, template_labels: str | Path | NDArray | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Draw the template: HU (-1000 outside the lung) and labels (1 right, 2 left), both 64x64."""
    if anatomy not in ("smooth", "sharp"):
        raise ValueError(f"anatomy must be 'smooth' or 'sharp'; found {anatomy!r}")
    labels = drawn_labels() if template_labels is None else _real_labels(template_labels)
    volume = _smooth_profile(labels)
    if anatomy == "sharp":
        volume = _sharpened(volume, labels)
    return np.where(labels > 0, volume, OUTSIDE_HU).astype(np.float32), labels


def scaled_slice(
    template: NDArray, labels: NDArray, size: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shrink a slice around the centre of the picture: HU of the lung, and its share per pixel.

    Pixels at the new edge are part lung and part not, as a scanner sees them. An edge that jumped
    by whole pixels would sort a continuum of sizes into groups that nobody put there.
    """
    middle = (SIZE - 1) / 2
    offset = middle - middle / size
    matrix = np.eye(2) / size
    lung = labels > 0
    share = ndimage.affine_transform(lung.astype(float), matrix, offset, order=1)
    share[~lung] = 0  # inner edges move towards the middle: keep within the template
    # HU spread over the border first, so that no outside value is blended into the small lung.
    nearest = ndimage.distance_transform_edt(~lung, return_indices=True)[1]
    filled = template[tuple(nearest)]
    volume = ndimage.affine_transform(filled, matrix, offset, order=1, mode="nearest")
    return volume.astype(np.float32), share.astype(np.float32)


def drawn_labels() -> NDArray[np.uint8]:
    """Two lungs at the level of the carina: a rib cage less heart, great vessels and spine."""
    y, x = np.indices((SIZE, SIZE)) - 31.5
    cage = np.abs(x / 30.2) ** 2.2 + np.abs((y - 1) / 24.0) ** 2.2 < 1
    heart = ((x - 5) / 12.5) ** 2 + ((y + 9) / 15.5) ** 2 < 1
    great_vessels = (x / 9.5) ** 2 + ((y - 2) / 15.0) ** 2 < 1
    spine = (x / 8.0) ** 2 + ((y - 21) / 11.0) ** 2 < 1
    hila = np.hypot(np.abs(x - 1) - 10.5, y - 4) < 4
    septum = np.abs(x) < 2
    lungs = cage & ~(heart | great_vessels | spine | hila | septum)
    return np.where(lungs, np.where(x < 0, 1, 2), 0).astype(np.uint8)


def _real_labels(source: str | Path | NDArray) -> NDArray[np.uint8]:
    """Median axial slice of a template's labels, as displayed, fitted into the frame."""
    if isinstance(source, np.ndarray):
        labels, spacing = source, np.ones(3)
    else:
        image = nibabel.as_closest_canonical(open_nifti(source))
        labels, spacing = np.asarray(image.dataobj), np.array(image.header.get_zooms()[:3])
    if labels.ndim != 3 or not {1, 2} <= set(np.unique(labels)):
        raise ValueError(
            "template_labels must be a 3-D map with 1 in the right and 2 in the left lung; found "
            f"shape {labels.shape} with values {np.unique(labels)[:6]}"
        )
    levels = np.flatnonzero((labels > 0).any(axis=(0, 1)))
    axial = labels[:, :, int(np.median(levels))]
    axial = axial[ndimage.find_objects((axial > 0).astype(int))[0]]
    # RAS+ grows to the right and to the front; a picture grows to the left and to the back.
    picture = axial[::-1, ::-1].T
    pixel = max(np.array(picture.shape) * spacing[[1, 0]]) / FIT_PX
    steps = pixel / spacing[[1, 0]]
    offset = np.array(picture.shape) / 2 - steps * SIZE / 2
    fitted = [
        ndimage.affine_transform(
            ndimage.uniform_filter((picture == side).astype(float), steps),
            np.diag(steps),
            offset + steps / 2 - 0.5,
            output_shape=(SIZE, SIZE),
            order=1,
        )
        for side in (1, 2)
    ]
    return np.where(sum(fitted) >= 0.5, 1 + np.argmax(fitted, axis=0), 0).astype(np.uint8)


def hilum(labels: NDArray, side: int) -> tuple[int, int]:
    """Where vessels enter a lung: its inner edge, a little behind the middle (row, column)."""
    rows = np.flatnonzero((labels == side).any(axis=1))
    row = round(rows[0] + 0.56 * np.ptp(rows))
    columns = np.flatnonzero(labels[row] == side)
    return row, int(columns[-1] if side == 1 else columns[0])


def _smooth_profile(labels: NDArray) -> NDArray:
    y, x = np.indices(labels.shape)
    rows = np.nonzero(labels)[0]
    volume = LUNG_HU + BACK_HU * ((y - rows.min()) / np.ptp(rows) - 0.5)
    for side in (1, 2):
        row, column = hilum(labels, side)
        distance = np.hypot(y - row, x - column)
        volume = volume + HILUM_HU * np.exp(-0.5 * (distance / HILUM_SPREAD_PX) ** 2)
    return volume


def _sharpened(volume: NDArray, labels: NDArray) -> NDArray:
    """Add what one patient's scan has and a mean image has not."""
    rng = np.random.default_rng(ANATOMY_SEED)
    texture = ndimage.gaussian_filter(rng.standard_normal(labels.shape), 1.2)
    volume = volume + 25 * texture / texture.std()
    share = np.zeros(labels.shape)
    for side in (1, 2):
        share += _vessels(labels, side, rng)
    share = np.clip(share, 0, 0.75)  # a pixel of 4 mm is rarely all vessel
    return volume + share * (VESSEL_HU - volume)


def _vessels(labels: NDArray, side: int, rng: np.random.Generator) -> NDArray:
    """Share of each pixel that is vessel: branches from the hilum, thinner at every fork."""
    share = np.zeros(labels.shape)
    outwards = -1 if side == 1 else 1
    angles = np.linspace(-1.2, 1.2, 5) + rng.normal(0, 0.1, 5)
    branches = [(*hilum(labels, side), angle, 1.3) for angle in angles]
    while branches:
        row, column, angle, width = branches.pop()
        steps = np.arange(0, 4.0 * width**0.3 * rng.uniform(0.8, 1.3), STEP_PX)
        rows = np.clip(row + steps * np.sin(angle), 0, SIZE - 1)
        columns = np.clip(column + outwards * steps * np.cos(angle), 0, SIZE - 1)
        at = (rows.round().astype(int), columns.round().astype(int))
        np.add.at(share, at, STEP_PX * width * IN_PLANE)
        turn = rng.choice([-1, 1]) * rng.uniform(0.15, 0.5)
        forks = [turn] if rng.random() < 0.6 else [turn, -turn]
        if width > 0.4:
            branches += [(rows[-1], columns[-1], angle + fork, 0.7 * width) for fork in forks]
    # Vessels that cross the slice show as dots.
    lung = np.argwhere(labels == side)
    share[tuple(rng.choice(lung, CROSSING).T)] += rng.uniform(0.1, 0.35, CROSSING)
    return share
