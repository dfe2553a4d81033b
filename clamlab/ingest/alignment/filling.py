"""Fill what the template's lungs have and a scan's lungs lack, so that no network sees it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.errors import IngestError

# With a tenth of chest wall a voxel is 90 HU denser than its lung. If only what lies outside were
# replaced, features would tell how well the lungs fit, whatever the fill (benchmarks/filling.py).
ALL_LUNG = 0.9


def fill_lungs(volume: NDArray, lung_share: NDArray, template: NDArray[np.bool_]) -> NDArray:
    """Let a scan's lungs go on, mirrored at their border, where the template's are larger.

    Where the fit is imperfect, chest wall (40 HU beside -850) would otherwise lie inside the mask
    and outweigh any disease. One value for all, such as the lungs' mean, would be a look that the
    poorly fitting scans share, and so would the lungs' own rim, half wall, in the template's midst.
    Mirrored lung has the scan's own HU and texture, and nothing is drawn by chance.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU on a grid with cubic voxels.
    lung_share : array, same shape
        How much of each voxel is the scan's lung, 0 to 1; what is less than .9 is replaced.
    template : array of bool, same shape
        The template's lungs.

    Returns
    -------
    array, same shape
        A copy; HU outside the template's lungs are untouched.

    Raises
    ------
    IngestError
        If no voxel of the template's lungs is the scan's lung.

    Examples
    --------
    >>> volume = np.array([40, -900, -800, -780, -500, 60])
    >>> share = np.array([0, 1, 1, 1, 0.6, 0])
    >>> fill_lungs(volume, share, np.array([0, 1, 1, 1, 1, 1], bool)).tolist()
    [40, -900, -800, -780, -800, -900]
    """
    own = lung_share >= ALL_LUNG
    if not (own & template).any():
        raise IngestError("the registered lungs do not touch the template's; look at the lung mask")
    missing = template & ~own
    nearest = ndimage.distance_transform_edt(~own, return_distances=False, return_indices=True)
    last = np.reshape(volume.shape, (-1, 1)) - 1
    mirrored = np.clip(2 * nearest[:, missing] - np.nonzero(missing), 0, last)
    # Where the mirrored point is no lung either, the lung nearest to it stands for it.
    filled = volume.copy()
    filled[missing] = volume[tuple(nearest[:, *mirrored])]
    return filled
