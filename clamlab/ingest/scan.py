"""A chest CT as ingestion sees it, whatever file it came from."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NIFTI_ENDINGS = (".nii", ".nii.gz")


def is_nifti(path: str | os.PathLike) -> bool:
    """Tell a NIfTI file by its name."""
    return os.fspath(path).lower().endswith(NIFTI_ENDINGS)


@dataclass(frozen=True)
class Scan:
    """A chest CT as ingestion sees it.

    Attributes
    ----------
    volume : array of int16, shape (x, y, z)
        HU, RAS+ order, -1024 to 3071.
    affine : array, shape (4, 4)
        Voxel to mm.
    facts : dict
        Acquisition facts from a fixed list; nothing that names a patient, a date or a place.
    notes : list of str
        What a person should look at.
    log : list of str
        Why this series was taken.
    """

    volume: NDArray[np.int16]
    affine: NDArray[np.float64]
    facts: dict[str, Any]
    notes: list[str]
    log: list[str]
