"""Many subjects from one real chest CT, by smooth random deformation."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from clamlab.io import open_nifti
from clamlab.simulate.fields import Axes, smooth_field

DEFORMATION_SCALE_MM = 50.0
# Standard deviation along each axis: most voxels move by 5 to 10 mm, and 50 mm between knots keeps
# the deformation from folding.
DEFORMATION_MM = (3.0, 5.0)
SIZE_SD = 0.03
OUTSIDE_HU = -1000


@dataclass(frozen=True)
class RealChest:
    """A real scan in RAS+ voxel order with its lungs.

    Attributes
    ----------
    volume : array of float32, shape (x, y, z)
        HU.
    lungs : array of uint8, shape (x, y, z)
        1 right, 2 left.
    spacing_mm : array of float, shape (3,)
    middle : array of float, shape (3,)
        World position of the middle of the scan, mm.
    """

    volume: NDArray[np.float32]
    lungs: NDArray[np.uint8]
    spacing_mm: NDArray[np.float64]
    middle: NDArray[np.float64]


def read_chest(
    anatomy: str | os.PathLike | tuple[ArrayLike, ArrayLike, ArrayLike],
    lung_labels: ArrayLike | Callable[[NDArray, NDArray], NDArray] | None,
) -> RealChest:
    """Bring a real scan and its lungs to RAS+ order and check that they can serve.

    Raises
    ------
    ValueError
        If labels are missing, do not fit the scan, or lack a lung.
    """
    if isinstance(anatomy, str | os.PathLike):
        name, labels = Path(anatomy).name, lung_labels
        image = open_nifti(anatomy)
    else:
        volume, affine, labels = anatomy
        name, image = "the given scan", nibabel.Nifti1Image(np.asarray(volume, np.float32), affine)
    if len(image.shape) != 3:
        raise ValueError(f"{name}: expected a 3-D volume, found shape {image.shape}")
    scan = nibabel.as_closest_canonical(image)
    spacing = nibabel.affines.voxel_sizes(scan.affine)
    upright = np.clip(scan.get_fdata(dtype=np.float32), -1024, 3071)
    if callable(labels):
        lungs = np.asarray(labels(upright, spacing))
    elif labels is None:
        raise ValueError(
            f"{name}: its lungs are needed; give lung_labels as an array (1 right, 2 left) or a "
            "function (volume_hu, spacing_mm) -> labels"
        )
    else:
        given = np.asarray(labels)
        if given.shape != image.shape:
            raise ValueError(
                f"{name}: lung_labels of shape {given.shape} for a scan of {image.shape}"
            )
        label_image = nibabel.Nifti1Image(given.astype(np.uint8), image.affine)
        lungs = np.asarray(nibabel.as_closest_canonical(label_image).dataobj)
    if lungs.shape != upright.shape or not {1, 2} <= set(np.unique(lungs).tolist()):
        raise ValueError(
            f"{name}: lung labels must have shape {upright.shape} with 1 (right) and 2 (left); "
            f"found {lungs.shape} with values {np.unique(lungs)[:6]}"
        )
    centre = (np.array(upright.shape) - 1) / 2
    middle = (scan.affine @ [*centre, 1])[:3]
    return RealChest(upright, lungs.astype(np.uint8), spacing, middle)


def bend_chest(
    chest: RealChest, axes: Axes, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Make one subject: the real scan, resized and smoothly deformed, on the wanted grid."""
    size = rng.normal(1, SIZE_SD, 3)
    amplitude = rng.uniform(*DEFORMATION_MM)
    places = np.meshgrid(*axes, indexing="ij", sparse=True)
    source = np.empty((3, *(len(axis) for axis in axes)), np.float32)
    for a in range(3):
        bend = amplitude * smooth_field(axes, DEFORMATION_SCALE_MM, rng)
        source[a] = (places[a] / size[a] + bend) / chest.spacing_mm[a]
        source[a] += (chest.volume.shape[a] - 1) / 2
    # Beyond the first and last slice the body goes on; beyond the sides there is air.
    source[2] = np.clip(source[2], 0, chest.volume.shape[2] - 1)
    volume = ndimage.map_coordinates(chest.volume, source, order=1, cval=OUTSIDE_HU)
    lungs = ndimage.map_coordinates(chest.lungs, source, order=0)
    return volume, lungs
