"""Take anything that lies in a scan's own space to the grid, the way its scan went."""

import os
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.files import read_json
from clamlab.ingest.transforms import Transform, warp_image
from clamlab.volumes import load_nifti


def read_transform(folder: str | os.PathLike) -> Transform:
    """Read back how a subject's scan was registered, from its folder ``scans/<subject>``."""
    record = read_json(Path(folder) / "transform.json")
    warp = None
    if record["warp"] is not None:
        stored = np.asarray(
            nibabel.Nifti1Image.from_filename(Path(folder) / record["warp"]).dataobj, "float32"
        )
        warp = stored.squeeze() * np.array([-1, -1, 1], "float32")  # kept in LPS, as ITK does
    return Transform(np.array(record["affine"]), warp)


def follow(
    mask: str | os.PathLike, folder: str | os.PathLike, *, template: NDArray, affine: NDArray
) -> NDArray[np.bool_]:
    """See a mask drawn on a scan, a lesion for instance, on the study's grid.

    Parameters
    ----------
    mask : path
        NIfTI in the scan's own space.
    folder : path
        The subject's folder ``scans/<subject>``.
    template, affine
        The study's template and its affine.

    Returns
    -------
    array of bool, shape of the template
        Voxels that the mask fills at least by half.
    """
    drawn, own = load_nifti(mask)
    transform = read_transform(folder)
    share = warp_image(
        drawn > 0, own, transform, shape=template.shape, grid_affine=affine, fill=0.0
    )
    return share >= 0.5
