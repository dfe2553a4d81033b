"""2-D lung slices with a known lesion in every scan: the simulation study of the paper (§4)."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.simulate.slice_anatomy import OUTSIDE_HU, healthy_slice, scaled_slice

SCENARIOS = ("intensity", "location", "size", "none", "continuum")
"""What may vary between the clusters of simulated slices; two of them have none."""
MAX_CLUSTERS = 5
NOISE_SKEW = 1.4
INTENSITIES_HU = (0, 100, 200, 300, 400)
RADII_PX = (2, 3, 4, 5, 6)
# What a scenario holds still while it varies one thing.
FIXED_HU = 200.0
FIXED_RADIUS_PX = 4
# Lesion centres: how far down the lung, and how far from its inner to its outer edge at that row,
# so that they lie inside lungs of any drawing. Upper is anterior.
SITES = {
    "right upper": ("right", 0.29, 0.56),
    "left lower": ("left", 0.73, 0.56),
    "left upper": ("left", 0.29, 0.56),
    "right lower": ("right", 0.73, 0.56),
    "right hilum": ("right", 0.53, 0.28),
}
"""Where a lesion may lie in a slice: its lung, and how far down and across it."""
# One continuum of disease and no clusters: severity is exponential with this mean, cut at the top.
SEVERITY_MEAN_HU = 120.0
SMALLEST_LUNG = 0.88
NOISE_SPREAD = (0.75, 1.25)


@dataclass(frozen=True)
class SliceCohort:
    """A cohort of 64x64 slices together with the whole truth about it.

    Row 0 of a picture is anterior, column 0 the patient's right.

    Attributes
    ----------
    images : array of float32, shape (n_scans, 64, 64)
        HU with noise in the lung, -1000 outside it.
    noise_free : array of float32, shape (n_clusters, 64, 64) or (n_scans, 64, 64)
        The same without noise: one per cluster, or one per scan where scans of a cluster differ
        (jittered lesions, ``"continuum"``).
    labels : array of int, shape (n_scans,)
        True cluster, from 0.
    lesion_masks : array of bool, shape (n_scans, 64, 64)
        Where the lesion is; empty if it adds 0 HU.
    lung_mask : array of bool, shape (64, 64)
        The lungs of the template.
    template : array of float32, shape (64, 64)
        The healthy lung without noise, HU.
    truth : DataFrame
        One row per scan: ``cluster``, ``site``, ``row``, ``column``, ``radius_px``,
        ``contrast_hu``, ``noise_sd``, ``lung_size``.
    scenario : str
        Which of ``SCENARIOS``.
    """

    images: NDArray[np.float32]
    noise_free: NDArray[np.float32]
    labels: NDArray[np.int64]
    lesion_masks: NDArray[np.bool_]
    lung_mask: NDArray[np.bool_]
    template: NDArray[np.float32]
    truth: pd.DataFrame
    scenario: str


def lung_slices(
    scenario: str,
    n_clusters: int,
    *,
    n_scans: int = 300,
    anatomy: str = "smooth",
    noise_sd: float = 80.0,
    contrast_hu: float | None = None,
    radius_px: int | None = None,
    jitter_px: int = 0,
    template_labels: str | Path | NDArray | None = None,
    seed: int,
) -> SliceCohort:
    """Draw lung slices whose clusters and lesions are known, as in the paper's simulation (§4).

    Noise is gamma-distributed per pixel (skew 1.4, mean 0), as in a healthy lung. Lesions are hard
    discs inside the lung.

    Parameters
    ----------
    scenario : {"intensity", "location", "size", "none", "continuum"}
        What tells the clusters apart. "intensity": 0, 100, ... HU, radius 4 px, one site.
        "location": one of five sites, +200 HU, radius 4 px. "size": radius 2, 3, ... px, +200 HU,
        one site. Fewer clusters than five take the lowest levels, or the first sites.
        "none": healthy scans only. "continuum": one site whose severity is exponential
        (mean 120 HU, at most 400), in lungs of 88 to 100 % of the template's width and height
        and with noise of 75 to 125 % of ``noise_sd``. The last two have one cluster.
    n_clusters : int
        True number of clusters, 1 to 5.
    n_scans : int
        Clusters share the scans equally, as far as the number goes, in random order.
    anatomy : {"smooth", "sharp"}
        "smooth": about -870 HU, denser to the back and by 80 HU around each hilum, as a mean image
        is. "sharp": with vessels, hilum and texture too, as one patient's scan is.
    noise_sd : float
        Standard deviation of the noise, HU.
    contrast_hu : float, optional
        HU that the lesion adds ("location" and "size"), or the step between two clusters
        ("intensity", 100 by default).
    radius_px : int, optional
        Radius of the lesions, at least 1; 4 by default. Not for "size", which varies it.
    jitter_px : int
        Lesion centres move by up to this many pixels per scan, in both directions.
    template_labels : path or array of int, shape (x, y, z), optional
        A real lung template to take the outline from (1 right, 2 left): its median axial slice is
        fitted into the frame and filled with the same profile. An array is taken as RAS+ with
        cubic voxels.
    seed : int
        Same seed, same cohort.

    Returns
    -------
    SliceCohort

    Raises
    ------
    ValueError
        If the scenario or anatomy is unknown, or a number is out of its range.

    Examples
    --------
    >>> cohort = lung_slices("size", 3, n_scans=6, seed=1)
    >>> cohort.images.shape, sorted(cohort.truth["radius_px"].unique().tolist())
    ((6, 64, 64), [2, 3, 4])
    """
    _check(scenario, n_clusters, n_scans, noise_sd, jitter_px)
    _check_radius(scenario, radius_px)
    rng = np.random.default_rng(seed)
    template, lungs = healthy_slice(anatomy, template_labels)
    labels = rng.permutation(np.arange(n_scans) % n_clusters)
    truth = _plan(scenario, labels, contrast_hu, radius_px, jitter_px, noise_sd, lungs, rng)

    scans = [_draw(row, template, lungs) for row in truth.itertuples()]
    clean = np.stack([scan for scan, _, _ in scans])
    masks = np.stack([lesion for _, lesion, _ in scans])
    share = np.stack([share for _, _, share in scans])
    noise = _gamma_noise(clean.shape, rng) * truth["noise_sd"].to_numpy()[:, None, None]
    images = (clean + share * noise).astype(np.float32)
    if scenario != "continuum" and jitter_px == 0:
        clean = clean[[np.flatnonzero(labels == k)[0] for k in range(n_clusters)]]
    return SliceCohort(images, clean, labels, masks, lungs > 0, template, truth, scenario)


def _check(scenario: str, n_clusters: int, n_scans: int, noise_sd: float, jitter_px: int) -> None:
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario must be one of {', '.join(SCENARIOS)}; found {scenario!r}")
    most = 1 if scenario in ("none", "continuum") else MAX_CLUSTERS
    if not 1 <= n_clusters <= most:
        raise ValueError(f"scenario {scenario!r} has 1 to {most} clusters; found {n_clusters}")
    if n_scans < n_clusters:
        raise ValueError(f"{n_clusters} clusters need as many scans; found n_scans={n_scans}")
    if noise_sd < 0 or jitter_px < 0:
        raise ValueError(
            f"noise_sd and jitter_px must not be negative; found {noise_sd} and {jitter_px}"
        )


def _check_radius(scenario: str, radius_px: int | None) -> None:
    if radius_px is None:
        return
    if scenario == "size":
        raise ValueError(
            f"scenario 'size' varies the radius ({', '.join(map(str, RADII_PX))} px); "
            f"found radius_px={radius_px}: leave it out, or take another scenario"
        )
    if radius_px < 1:
        raise ValueError(f"radius_px must be at least 1; found {radius_px}")


def _plan(
    scenario: str,
    labels: NDArray,
    contrast_hu: float | None,
    radius_px: int | None,
    jitter_px: int,
    noise_sd: float,
    lungs: NDArray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Decide what each scan will hold, before anything is drawn."""
    n = len(labels)
    names = list(SITES)
    sites = np.take(names, labels) if scenario == "location" else np.full(n, names[0])
    fixed_radius = FIXED_RADIUS_PX if radius_px is None else radius_px
    radii = np.take(RADII_PX, labels) if scenario == "size" else np.full(n, fixed_radius)
    added = np.full(n, FIXED_HU if contrast_hu is None else float(contrast_hu))
    size, noise = np.ones(n), np.full(n, float(noise_sd))
    if scenario == "intensity":
        step = INTENSITIES_HU[1] if contrast_hu is None else contrast_hu
        added = labels * float(step)
    if scenario == "none":
        added = np.zeros(n)
    if scenario == "continuum":
        mean = SEVERITY_MEAN_HU if contrast_hu is None else contrast_hu
        added = np.minimum(rng.exponential(mean, n), INTENSITIES_HU[-1])
        size = rng.uniform(SMALLEST_LUNG, 1.0, n)
        noise = noise_sd * rng.uniform(*NOISE_SPREAD, n)
    centres = np.array([_centre(site, lungs) for site in sites])
    centres = centres + rng.integers(-jitter_px, jitter_px + 1, size=(n, 2))
    return pd.DataFrame(
        {
            "cluster": labels,
            "site": sites,
            "row": centres[:, 0],
            "column": centres[:, 1],
            "radius_px": radii,
            "contrast_hu": added,
            "noise_sd": noise,
            "lung_size": size,
        }
    )


def _centre(site: str, lungs: NDArray) -> tuple[int, int]:
    side, down, outwards = SITES[site]
    lung = lungs == (1 if side == "right" else 2)
    rows = np.flatnonzero(lung.any(axis=1))
    row = round(rows[0] + down * np.ptp(rows))
    columns = np.flatnonzero(lung[row])
    # The right lung lies on the left of the picture: its inner edge is its last column.
    share = 1 - outwards if side == "right" else outwards
    return row, round(columns[0] + share * np.ptp(columns))


def _draw(row, template: NDArray, lungs: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """One scan without noise, its lesion, and the share of each pixel that is its own lung."""
    hu, share = template, (lungs > 0).astype(np.float32)
    if row.lung_size != 1:
        hu, share = scaled_slice(template, lungs, row.lung_size)
    lesion = _disc(row.radius_px) if row.contrast_hu else _disc(-1)
    lesion = np.roll(lesion, (row.row - 32, row.column - 32), axis=(0, 1)) & (share > 0.5)
    clean = share * (hu + row.contrast_hu * lesion) + (1 - share) * OUTSIDE_HU
    return clean.astype(np.float32), lesion, share


@lru_cache
def _disc(radius: int) -> NDArray[np.bool_]:
    rows, columns = np.indices((64, 64)) - 32
    return rows**2 + columns**2 <= radius * abs(radius)


def _gamma_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """Mean 0, standard deviation 1, skew 1.4; a gamma variable of shape k has skew 2 / sqrt(k)."""
    k = (2 / NOISE_SKEW) ** 2
    return (rng.gamma(k, size=shape) - k) / np.sqrt(k)
