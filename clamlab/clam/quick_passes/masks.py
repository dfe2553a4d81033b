"""A mask of eq. 8 told by a few numbers: its height at each cell of the layer it comes from."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def hat_matrix(n_voxels: int, n_cells: int) -> Tensor:
    """Return linear interpolation along one axis as a matrix (n_voxels, n_cells).

    Its columns are hats: 1 at a cell's middle, 0 from the next cell's on. Enlarging a map is
    adding hats, each as high as the map is at its cell.

    >>> hat_matrix(4, 2)[:, 0].tolist()
    [1.0, 0.75, 0.25, 0.0]
    """
    cells = torch.eye(n_cells)[None]
    return nn.functional.interpolate(cells, size=n_voxels, mode="linear")[0].T.contiguous()


def mask_heights(channels: Tensor, shape: Sequence[int]) -> Tensor:
    """Bring channels (n, 1, *layer_grid) to masks from 0 to 1, without enlarging them.

    The result, (n, *layer_grid), enlarged linearly to the scan's grid, the last axes of ``shape``,
    gives the masks of eq. 8.
    """
    channels = channels.squeeze(1)
    corners = channels
    grid = shape[1 - channels.ndim :]
    for axis, size in enumerate(grid, start=1):
        hats = hat_matrix(size, channels.shape[axis])[_bends(size, channels.shape[axis])]
        corners = torch.tensordot(corners, hats.to(corners), dims=([1], [1]))
    low, high = corners.flatten(1).amin(dim=1), corners.flatten(1).amax(dim=1)
    span = high - low
    column = (-1, *[1] * len(grid))
    return (channels - low.view(column)) / torch.where(span > 0, span, 1).view(column)


def _bends(n_voxels: int, n_cells: int) -> Tensor:
    """Voxels on both sides of every cell's middle: a linear map is highest and lowest there."""
    middles = (torch.arange(n_cells) + 0.5) * n_voxels / n_cells - 0.5
    beside = torch.cat([middles.floor(), middles.ceil()]).long().unique()
    return beside.clamp(0, n_voxels - 1)
