"""3-D chest CT cohorts with known patterns of disease, one scan at a time."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from clamlab.simulate.chest import Person, draw_chest
from clamlab.simulate.clinical import clinical_table, cluster_sizes
from clamlab.simulate.fields import grid_axes
from clamlab.simulate.lesions import CONTRAST_HU, PATTERNS, draw_extent, implant
from clamlab.simulate.real_anatomy import RealChest, bend_chest, read_chest

FIELD_OF_VIEW_MM = (384.0, 384.0, 336.0)
REFERENCE_HEIGHT_IN = 67.1
# Scanners differ in noise: standard deviation against ``noise_sd``.
SCANNER_NOISE = {
    "Discovery CT750": 0.90,
    "iCT 128": 0.95,
    "LightSpeed VCT": 1.15,
    "Optima CT660": 1.05,
    "Sensation 64": 1.20,
    "Definition": 1.00,
    "Definition AS+": 0.95,
    "Definition Flash": 0.90,
}
NOISE_BLUR_VOXELS = 0.6  # neighbours share noise, as a reconstruction kernel makes them
HU_RANGE = (-1024, 3071)

Scan = tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.bool_], NDArray[np.uint8]]


@dataclass(frozen=True)
class LungCohort:
    """A cohort of simulated chest CTs; a scan exists only while it is looked at.

    Attributes
    ----------
    labels : array of int, shape (n_subjects,)
        True cluster, from 0; cluster k has pattern ``PATTERNS[k]``.
    participants : DataFrame
        Clinical table (see ``clinical_table``).
    truth : DataFrame
        One row per subject: ``subject_id``, ``cluster`` (from 0), ``pattern``, ``extent`` (share
        of the lung that is lesion) and ``contrast_hu`` (the most that a lesion adds).
    shape : (int, int, int)
        Voxels along right, front and up.
    affine : array of float, shape (4, 4)
        Voxel to world, mm, RAS+.
    noise_sd : float
        Noise of an average scanner, HU.
    seed : int
    chest : RealChest or None
        The real scan that every subject is made from, or None for drawn ones.
    """

    labels: NDArray[np.int64]
    participants: pd.DataFrame
    truth: pd.DataFrame
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    noise_sd: float
    seed: int
    chest: RealChest | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def scan(self, i: int) -> Scan:
        """Draw scan ``i``: always the same one, whatever was drawn before.

        Parameters
        ----------
        i : int
            Row of ``participants`` and ``labels``.

        Returns
        -------
        volume_hu : array of int16, shape (x, y, z)
        affine : array of float, shape (4, 4)
        lesion_mask : array of bool, shape (x, y, z)
        lung_labels : array of uint8, shape (x, y, z)
            1 right, 2 left; lesions belong to the lung.
        """
        if not 0 <= i < len(self):
            raise IndexError(f"scan {i} of a cohort of {len(self)}: count from 0")
        # Separate streams: more random numbers in one step leave the others as they were.
        anatomy, disease, noise = np.random.default_rng([self.seed, i]).spawn(3)
        axes = grid_axes(self.shape, np.diag(self.affine)[:3].tolist())
        subject, truth = self.participants.iloc[i], self.truth.iloc[i]
        if self.chest is None:
            volume, lungs = draw_chest(axes, _person(subject, anatomy), anatomy)
        else:
            volume, lungs = bend_chest(self.chest, axes, anatomy)
        volume, lesion = implant(
            volume,
            lungs,
            axes,
            pattern=PATTERNS[truth["cluster"]],
            extent=truth["extent"],
            contrast_hu=truth["contrast_hu"],
            rng=disease,
        )
        volume += self.noise_sd * SCANNER_NOISE[subject["scanner_model"]] * _noise(volume, noise)
        stored = np.clip(np.rint(volume), *HU_RANGE).astype(np.int16)
        return stored, self.affine.copy(), lesion, lungs


def lung_cohort(
    n_subjects: int = 301,
    *,
    n_clusters: int = 2,
    spacing_mm: float | Sequence[float] | None = None,
    shape: Sequence[int] | None = None,
    anatomy: str | os.PathLike | tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    lung_labels: ArrayLike | Callable[[NDArray, NDArray], NDArray] | None = None,
    noise_sd: float = 22.0,
    seed: int,
) -> LungCohort:
    """Simulate a chest CT cohort whose clusters, lesions and clinical effects are all known.

    Cluster k has the k-th of ``PATTERNS``: diffuse (mostly upper zones), hilar, basal,
    right-sided, nodular. Lesions add 100 HU up to a contrast that is drawn per subject between
    220 and 300 HU; extent and place vary between subjects. Diffuse disease also makes the whole
    lung denser, so that a linear baseline does well. Lung size follows height and sex, noise the
    scanner.

    Parameters
    ----------
    n_subjects : int
        301, as in the paper, reproduces its Table 2 (with two clusters).
    n_clusters : int
        1 to 5. One cluster is a continuum of diffuse disease, few severe.
    spacing_mm : float or three floats, optional
        Voxel size; 3 mm by default, or that of the real scan.
    shape : three ints, optional
        Voxels along right, front and up; by default the field of view of 384 x 384 x 336 mm, or
        that of the real scan.
    anatomy : path or (volume_hu, affine, lung_labels), optional
        A real scan to make every subject from, by smooth random deformation: a NIfTI file, or
        arrays. By default chests are drawn.
    lung_labels : array or callable, optional
        Lungs of a scan given as a file (1 right, 2 left): an array on its own grid, or a function
        ``(volume_hu, spacing_mm) -> labels`` for the RAS+ volume, as ``ingest.segment_lungs`` is.
    noise_sd : float
        Noise of an average scanner, HU; scanner models lie between 90 and 120 % of it.
    seed : int
        Same seed, same cohort, scan by scan.

    Returns
    -------
    LungCohort

    Raises
    ------
    ValueError
        If a number is out of range, or the real scan has no usable lungs.

    Examples
    --------
    >>> cohort = lung_cohort(10, spacing_mm=12, seed=1)
    >>> volume, affine, lesion, lungs = cohort.scan(3)
    >>> volume.shape, volume.dtype.name, bool(lesion[lungs == 0].any())
    ((32, 32, 28), 'int16', False)
    """
    if not 1 <= n_clusters <= len(PATTERNS):
        raise ValueError(f"n_clusters must be 1 to {len(PATTERNS)}; found {n_clusters}")
    if noise_sd < 0:
        raise ValueError(f"noise_sd must not be negative; found {noise_sd}")
    chest = None if anatomy is None else read_chest(anatomy, lung_labels)
    spacing, grid = _grid(spacing_mm, shape, chest)
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_clusters), cluster_sizes(n_subjects, n_clusters))
    labels = rng.permutation(labels)
    extent = np.array([draw_extent(PATTERNS[k], rng) for k in labels])
    participants = clinical_table(labels, severity=extent, seed=seed)
    truth = pd.DataFrame(
        {
            "subject_id": participants["subject_id"],
            "cluster": labels,
            "pattern": [PATTERNS[k].name for k in labels],
            "extent": extent,
            "contrast_hu": rng.uniform(*CONTRAST_HU, n_subjects),
        }
    )
    affine = np.diag([*spacing, 1.0])
    middle = np.zeros(3) if chest is None else chest.middle
    affine[:3, 3] = middle - spacing * (np.array(grid) - 1) / 2
    return LungCohort(labels, participants, truth, grid, affine, float(noise_sd), seed, chest)


def _grid(
    spacing_mm: float | Sequence[float] | None,
    shape: Sequence[int] | None,
    chest: RealChest | None,
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    own = np.full(3, 3.0) if chest is None else chest.spacing_mm
    spacing = np.array(np.broadcast_to(own if spacing_mm is None else spacing_mm, 3), float)
    if not (spacing > 0).all():
        raise ValueError(f"spacing_mm must be positive; found {spacing_mm}")
    view = FIELD_OF_VIEW_MM if chest is None else own * chest.volume.shape
    grid = np.rint(view / spacing).astype(int) if shape is None else np.asarray(shape)
    if grid.shape != (3,) or grid.min() < 8:
        raise ValueError(f"shape must be three numbers of at least 8 voxels; found {shape}")
    right, front, up = grid.tolist()
    return spacing, (right, front, up)


def _person(subject: pd.Series, rng: np.random.Generator) -> Person:
    """Derive a healthy body from height, sex and body mass index, and chance."""
    tall = subject["height_in"] / REFERENCE_HEIGHT_IN
    sex = 1.02 if subject["sex"] == "male" else 0.98
    wide, deep, high = rng.normal(1, 0.03, 3)
    size = 0.95 * sex * np.array([tall**0.6 * wide, tall**0.6 * deep, tall * high])
    return Person(
        # Taller chests are longer rather than wider, and must stay inside the field of view.
        size=tuple(np.clip(size, 0.8, 1.1).tolist()),
        fat_mm=float(np.clip(14 + 1.4 * (subject["bmi"] - 30.5), 5, 40)),
        lung_hu=float(rng.normal(-872, 14)),
        gravity_hu=float(rng.normal(70, 12)),
        deformation_mm=float(rng.uniform(3, 5)),
        heart=float(rng.normal(1, 0.04)),
        diaphragm_mm=float(rng.normal(0, 5)),
    )


def _noise(volume: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    white = rng.standard_normal(volume.shape, dtype=np.float32)
    blurred = ndimage.gaussian_filter(white, NOISE_BLUR_VOXELS, truncate=3)
    return blurred / blurred.std()
