"""Patterns of lung disease with voxel-wise truth, in any pair of lungs.

Every pattern is a score per lung voxel (a smooth random field plus a preference for some place);
the highest scores become lesion until the drawn extent is reached. So each subject has exactly the
extent that was drawn for it, and place and shape differ between subjects of one pattern.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clamlab.simulate.fields import Axes, smooth_field

# What a lesion adds to the lung: at least LEAST_HU, at most the subject's own contrast.
LEAST_HU = 100.0
CONTRAST_HU = (220.0, 300.0)
SOLID_HU = 40.0  # nothing in the lung gets denser than soft tissue by a lesion


@dataclass(frozen=True)
class Pattern:
    """One way in which a lung is ill.

    Attributes
    ----------
    name : str
    extent : (float, float, float)
        Share of the lung that is lesion: least, median and greatest over subjects.
    reticular : bool
        A net of lines rather than an even haze.
    description : str
    """

    name: str
    extent: tuple[float, float, float]
    reticular: bool
    description: str


PATTERNS = (
    Pattern(
        "diffuse",
        (0.24, 0.34, 0.50),
        True,
        "reticular patches all over the lungs, mostly in the upper zones",
    ),
    Pattern("hilar", (0.04, 0.07, 0.11), False, "even densities around the hila only"),
    Pattern(
        "basal", (0.05, 0.12, 0.30), True, "reticular, at the back of the lung bases, far from hila"
    ),
    Pattern("right-sided", (0.04, 0.10, 0.20), False, "even patches in the right lung only"),
    Pattern("nodular", (0.02, 0.05, 0.10), False, "many small nodules in both lungs"),
)
"""The patterns of disease that simulated lungs may have, the first for cluster 1 and so on."""


def draw_extent(pattern: Pattern, rng: np.random.Generator) -> float:
    """Draw a subject's share of diseased lung: log-normal around the median, few severe."""
    least, median, greatest = pattern.extent
    spread = np.log(greatest / median) / 2
    return float(np.clip(median * np.exp(spread * rng.standard_normal()), least, greatest))


def implant(
    volume: NDArray,
    lungs: NDArray,
    axes: Axes,
    *,
    pattern: Pattern,
    extent: float,
    contrast_hu: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Put one subject's lesions into its lungs.

    Parameters
    ----------
    volume : array of float, shape (x, y, z)
        HU, without scanner noise.
    lungs : array of int, shape (x, y, z)
        1 right, 2 left.
    axes : three arrays of float
        Voxel positions, mm.
    pattern : Pattern
    extent : float
        Share of the lung voxels that become lesion.
    contrast_hu : float
        The most that is added, HU. The least is 100, but vessels inside a lesion stop at soft
        tissue.
    rng : numpy.random.Generator

    Returns
    -------
    volume : array of float32
        HU with lesions.
    lesion : array of bool
        Where they are; no voxel outside has changed.
    """
    inside = np.nonzero(lungs)
    score = _SCORES[pattern.name](lungs, axes, inside, rng)
    score = score + 1e-6 * rng.standard_normal(len(score))  # no ties
    count = round(extent * len(score))
    chosen = np.argpartition(score, -count)[-count:] if count else np.array([], dtype=int)
    lesion = np.zeros(lungs.shape, bool)
    lesion[tuple(axis[chosen] for axis in inside)] = True

    texture = smooth_field(axes, 7 if pattern.reticular else 14, rng)[lesion]
    # Where a random field crosses zero it draws a net of thin sheets.
    share = np.exp(-2 * texture**2) if pattern.reticular else np.clip(0.6 + 0.25 * texture, 0, 1)
    result = volume.astype(np.float32)
    before = result[lesion]
    added = LEAST_HU + (contrast_hu - LEAST_HU) * share
    result[lesion] = np.maximum(before, np.minimum(before + added, SOLID_HU))
    return result, lesion


def zones(lungs: NDArray, axes: Axes, inside: tuple[NDArray, ...]) -> dict[str, NDArray]:
    """Describe where each lung voxel lies: ``height`` and ``depth`` (0 to 1), ``hilar_mm``."""
    place = np.stack([axis[index] for axis, index in zip(axes, inside, strict=True)])
    side = lungs[inside]
    midline = np.mean([place[0, side == label].mean() for label in np.unique(side)])
    hilar = np.empty(len(side), np.float32)
    for label in np.unique(side):
        own = place[:, side == label]
        hilar[side == label] = np.linalg.norm(own - hilum(own, midline)[:, None], axis=0)
    _, y, z = place
    return {
        "height": (z - z.min()) / np.ptp(z),
        "depth": (y.max() - y) / np.ptp(y),
        "hilar_mm": hilar,
    }


def hilum(lung: NDArray, midline: float) -> NDArray:
    """Find where vessels enter a lung (3, voxels): its inner edge, a little above the middle."""
    _, y, z = lung
    low, high = np.percentile(z, [50, 64])
    back, front = np.percentile(y, [42, 58])
    middle = lung[:, (z >= low) & (z <= high) & (y >= back) & (y <= front)]
    inwards = np.abs(middle[0] - midline)
    return middle[:, inwards <= np.percentile(inwards, 5)].mean(axis=1)


def _diffuse(lungs, axes, inside, rng) -> NDArray:
    place = zones(lungs, axes, inside)
    # Most subjects prefer the upper zones, some hardly.
    preference = rng.normal(3.0, 0.6)
    patches = smooth_field(axes, 22, rng)[inside]
    around_hilum = 2.5 * rng.uniform() * np.exp(-0.5 * (place["hilar_mm"] / 25) ** 2)
    return patches + preference * place["height"] + around_hilum


def _hilar(lungs, axes, inside, rng) -> NDArray:
    distance = zones(lungs, axes, inside)["hilar_mm"]
    uneven = rng.normal(0, 5) * (lungs[inside] == 1)  # one side more than the other
    return -distance + uneven + 7 * smooth_field(axes, 16, rng)[inside]


def _basal(lungs, axes, inside, rng) -> NDArray:
    place = zones(lungs, axes, inside)
    outer = np.clip(place["hilar_mm"] / 80, 0, 1)
    patches = 0.7 * smooth_field(axes, 18, rng)[inside]
    return patches - 4 * place["height"] + 1.5 * place["depth"] + 1.5 * outer


def _right_sided(lungs, axes, inside, rng) -> NDArray:
    return smooth_field(axes, 26, rng)[inside] + 100 * (lungs[inside] == 1)


def _nodular(lungs, axes, inside, rng) -> NDArray:
    return smooth_field(axes, 8, rng)[inside]


_SCORES = {
    "diffuse": _diffuse,
    "hilar": _hilar,
    "basal": _basal,
    "right-sided": _right_sided,
    "nodular": _nodular,
}
