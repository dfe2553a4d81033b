"""Bring every subject's lungs to one template: masks drive the fit, HU never do."""

import os
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.alignment.affine import fit_affine, lungs_box, signed_lungs
from clamlab.ingest.alignment.transforms import Transform, grid_points, warp_image

KINDS = ("syn", "affine", "none")
# The deformation is fitted on voxels twice the template's, and half as coarse before: at full size
# it costs four times more for .01 of Dice.
COARSER = 2
ITERATIONS = (50, 14)
STEP = 0.35
SMOOTHING = 2.5  # of each step, in voxels squared
MARGIN_VOXELS = 8  # ANTs holds the image's border still, and with less room the lungs' beside it
RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def register(
    labels: NDArray,
    template: NDArray,
    *,
    affine: NDArray,
    template_affine: NDArray,
    kind: str = "syn",
    seed: int = 0,
) -> Transform:
    """Find where every point of the template lies in a subject's scan.

    Parameters
    ----------
    labels, template : array of int, shape (x, y, z)
        Lung labels, 1 right and 2 left, of the subject and the template. They may have different
        shapes and voxel sizes.
    affine, template_affine : array, shape (4, 4)
        Their voxel-to-mm matrices (RAS+).
    kind : {"syn", "affine", "none"}
        "syn": affine, then symmetric normalisation (Avants et al. 2008) on the two masks, at the
        template's spacing; "affine": twelve numbers; "none": the scan already lies there.
    seed : int
        For ANTs, which otherwise draws one.

    Returns
    -------
    Transform
        For :func:`warp_image` and :func:`warp_labels`.

    Raises
    ------
    ValueError
        For an unknown kind, or where one of the masks lacks a lung.

    Examples
    --------
    >>> template = np.zeros((24, 16, 16), int)
    >>> template[14:22, 3:13, 3:13], template[2:10, 3:13, 3:13] = 1, 2
    >>> grid, moved = np.diag([10.0, 10, 10, 1]), np.diag([10.0, 10, 10, 1])
    >>> moved[:3, 3] = 25, -40, 7
    >>> found = register(template, template, affine=moved, template_affine=grid, kind="affine")
    >>> bool(np.allclose(found.affine[:3, 3], [25, -40, 7], atol=0.1))
    True
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, found {kind!r}")
    for name, mask in (("labels", labels), ("template", template)):
        if not {1, 2} <= set(np.unique(mask).tolist()):
            raise ValueError(
                f"{name}: expected both lungs (1 right, 2 left), found the labels "
                f"{np.unique(np.asarray(mask, int)).tolist()}"
            )
    if kind == "none":
        return Transform(np.eye(4))
    affine, template_affine = np.asarray(affine, "float64"), np.asarray(template_affine, "float64")
    matrix = fit_affine(labels, affine, template, template_affine)
    if kind == "affine":
        return Transform(matrix)
    return Transform(matrix, _deform(labels, affine, matrix, template, template_affine, seed))


def _deform(
    labels: NDArray,
    affine: NDArray,
    matrix: NDArray,
    template: NDArray,
    template_affine: NDArray,
    seed: int,
) -> NDArray[np.float32]:
    """Fit the displacement that is left after the affine, in mm on the template's grid."""
    ants = _ants(seed)
    spacing = float(np.linalg.norm(template_affine[:3, :3], axis=0).min())
    room = lungs_box(template, template_affine, MARGIN_VOXELS * spacing)
    fixed, grid = signed_lungs(*room, COARSER * spacing)
    moving = warp_image(
        *signed_lungs(*lungs_box(labels, affine, spacing), COARSER * spacing),
        Transform(matrix),
        shape=fixed.shape,
        grid_affine=grid,
        fill=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        found = ants.registration(
            _to_ants(ants, fixed, grid),
            _to_ants(ants, moving, grid),
            type_of_transform="SyNOnly",
            initial_transform="Identity",
            syn_metric="meansquares",
            reg_iterations=ITERATIONS,
            grad_step=STEP,
            flow_sigma=SMOOTHING,
            random_seed=seed + 1,  # ANTs takes 0 for "draw one"
            outprefix=str(Path(folder) / "syn_"),
        )
        warp = next(path for path in found["fwdtransforms"] if path.endswith("Warp.nii.gz"))
        stored: Any = nibabel.load(warp)
        displacement = np.asanyarray(stored.dataobj, "float32")[:, :, :, 0]
    voxels = grid_points(template.shape, np.linalg.inv(grid) @ template_affine)
    finer = [
        ndimage.map_coordinates(side, voxels, order=1, mode="nearest", prefilter=False)
        for side in np.moveaxis(displacement * np.array([-1, -1, 1], "float32"), -1, 0)
    ]
    return np.stack(finer, axis=-1).reshape(*template.shape, 3)


def _ants(seed: int):
    """Import ANTs so that the same masks and seed give the same transform, bit for bit."""
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
    os.environ["ANTS_RANDOM_SEED"] = str(seed + 1)
    import ants

    return ants


def _to_ants(ants, volume: NDArray, affine: NDArray):
    """ANTs speaks left-posterior-superior, nibabel right-anterior-superior."""
    lps = RAS_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    return ants.from_numpy(
        np.ascontiguousarray(volume, "float32"),
        origin=tuple(lps[:3, 3]),
        spacing=tuple(spacing),
        direction=lps[:3, :3] / spacing,
    )
