"""Take anything that lies in a scan's own space to the grid, the way its scan went."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.alignment.transforms import Transform, warp_image
from clamlab.io import open_nifti, read_json
from clamlab.volumes import load_nifti


def read_transform(folder: str | os.PathLike) -> Transform:
    """Read back how a subject's scan was registered, from its folder ``scans/<subject>``."""
    place = Path(folder) / "transform.json"
    record = read_json(place, expected="the way of a scan to the template")
    warp = None
    if record["warp"] is not None:
        stored = np.asarray(open_nifti(Path(folder) / record["warp"]).dataobj, "float32")
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

    Examples
    --------
    >>> import json, tempfile
    >>> from clamlab.volumes import save_nifti
    >>> folder, moved = Path(tempfile.mkdtemp()), np.eye(4)
    >>> moved[0, 3] = 2  # the scan lies 2 mm to the right of the template
    >>> way = json.dumps({"affine": moved.tolist(), "warp": None})
    >>> _ = (folder / "transform.json").write_text(way)
    >>> lesion = save_nifti(folder / "lesion.nii.gz", np.eye(6)[3].reshape(6, 1, 1), np.eye(4))
    >>> seen = follow(lesion, folder, template=np.ones((6, 1, 1)), affine=np.eye(4))
    >>> seen.ravel().tolist()
    [False, True, False, False, False, False]
    """
    drawn, own = load_nifti(mask)
    transform = read_transform(folder)
    share = warp_image(
        drawn > 0, own, transform, shape=template.shape, grid_affine=affine, fill=0.0
    )
    return share >= 0.5
