"""All that is empty in a chest CT, sorted by what it is: segmentation and measures both ask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.lungs.air import body_air
from clamlab.ingest.lungs.airways import find_airways
from clamlab.ingest.lungs.gas import Gas, find_gas
from clamlab.ingest.lungs.morphology import Mask, grow
from clamlab.ingest.lungs.outside import find_outside


@dataclass(frozen=True)
class Air:
    """The air of one scan."""

    outside: Mask  # never measured: filling, and slices without the patient
    lungs: Mask  # inside the body without the airways; free gas is still among it
    airways: Mask
    gas: Gas


def find_air(volume: NDArray, spacing: NDArray) -> Air:
    """Sort the air of a scan.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU in RAS+ order at about 2.5 mm.
    spacing : array, shape (3,)
        Voxel sides in mm.
    """
    outside = find_outside(volume)
    inside = body_air(volume, outside, spacing)
    airways = find_airways(volume, inside, spacing)
    lungs = inside & ~grow(airways, 1.01 * spacing.max(), spacing)
    # Filling is no gas but the image's end.
    gas = find_gas(np.where(outside, 0, volume), lungs, spacing)
    return Air(outside, lungs, airways, gas)
