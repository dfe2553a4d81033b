"""What neighbouring places of the first two convolutions see and reach, axis by axis."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from clamlab.clam.quick_passes.masks import hat_matrix
from clamlab.models import ConvAutoencoder

POOL: dict[int, Any] = {2: nn.functional.max_pool2d, 3: nn.functional.max_pool3d}


class Axis:
    """One axis of a scan on its way through two convolutions of kernel 4 that pad one in front.

    Sites are the first convolution's outputs. Neighbouring sites that reach the same outputs of the
    second make a group: group i reaches outputs i to i + reach - 1, counted from ``margin`` outputs
    before the first one. Sites, voxels and outputs beyond the ends are listed but do not exist.

    Parameters
    ----------
    n_voxels : int
    n_cells : int
        Of the layer whose channels are the masks.
    strides : sequence of int
        Of the two convolutions.

    Examples
    --------
    >>> axis = Axis(16, 2, (2, 2))
    >>> axis.sites[:2].tolist(), axis.outputs[:2].tolist(), axis.voxels[0].tolist()
    ([[-1, 0], [1, 2]], [[-1, 0], [0, 1]], [-3, -2, -1, 0, 1, 2])
    """

    kernel = 4

    def __init__(self, n_voxels: int, n_cells: int, strides: Sequence[int]) -> None:
        self.n_voxels = n_voxels
        self.step, self.n_together = strides
        self.reach = self.kernel // self.n_together
        self.margin = self.reach // 2
        self.n_sites = n_voxels // self.step
        self.n_outputs = self.n_sites // self.n_together
        self.n_groups = self.n_outputs + self.n_together - 1
        self.n_cells, self.outputs_a_cell = n_cells, self.n_outputs // n_cells
        group = torch.arange(self.n_groups)[:, None]
        self.sites = self.n_together * (group - 1) + 1 + torch.arange(self.n_together)
        self.n_seen = self.step * (self.n_together - 1) + self.kernel
        self.voxels = self.step * self.sites[:, :1] - 1 + torch.arange(self.n_seen)
        self.outputs = group - self.margin + torch.arange(self.reach)
        there = (self.voxels >= 0) & (self.voxels < n_voxels)
        hats = hat_matrix(n_voxels, n_cells)[self.voxels.clamp(0, n_voxels - 1)]
        self.hats = hats * there[..., None]
        """Height of each cell's hat over the voxels of a group (n_groups, n_seen, n_cells)."""
        touched = (self.hats > 0).any(dim=1)
        # Two at least, so that groups at the ends are like others and worked out with them.
        self.n_touched = touched.sum(dim=1).clamp(min(2, n_cells))
        self.first_cell = touched.int().argmax(dim=1).clamp(max=n_cells - self.n_touched)
        there = (self.outputs >= 0) & (self.outputs < self.n_outputs)
        self.cell = self.outputs // self.outputs_a_cell
        ends = torch.stack([self.first_cell, self.first_cell + self.n_touched - 1])
        self.spread = int((ends[..., None] - self.cell)[:, there].abs().max())
        """How many cells away the farthest hat stands that an output still sees."""
        self.n_near = 2 * self.spread + 1
        self.output_exists = there
        self.site_exists = (self.sites >= 0) & (self.sites < self.n_sites)

    @property
    def inside(self) -> slice:
        """The outputs between the margins."""
        return slice(self.margin, self.margin + self.n_outputs)

    def touched(self, groups: Tensor) -> Tensor:
        """Cells whose hats some groups, equal in their number, see (n_groups, n_hats)."""
        return self.first_cell[groups][:, None] + torch.arange(int(self.n_touched[groups[0]]))

    def near(self) -> Tensor:
        """Cells around each cell (n_cells, n_near), held to the ends."""
        around = torch.arange(-self.spread, self.spread + 1)
        return (torch.arange(self.n_cells)[:, None] + around).clamp(0, self.n_cells - 1)

    def tap(self, site: int, output: int) -> int:
        """Position in the second kernel through which a group's site adds to its output."""
        return site + 2 - self.n_together * (1 - self.margin + output)


def axes_of(encoder: ConvAutoencoder, cells: Sequence[int]) -> list[Axis]:
    """Describe the axes of a scan for masks that come from a layer of so many cells."""
    strides = tuple(encoder.config["strides"][:2])
    return [_axis(n, m, strides) for n, m in zip(encoder.shape, cells, strict=True)]


@cache
def _axis(n_voxels: int, n_cells: int, strides: tuple[int, ...]) -> Axis:
    """Describe an axis once: it is the same for every scan."""
    return Axis(n_voxels, n_cells, strides)


def combine(parts: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """Give combinations of positions along the axes one number: (n, k) each, (n, product of k).

    >>> combine([torch.tensor([[0, 1]]), torch.tensor([[2, 3]])], (5, 4)).tolist()
    [[2, 3, 6, 7]]
    """
    flat = parts[0].new_zeros(len(parts[0]), 1)
    for part, size in zip(parts, sizes, strict=True):
        flat = (flat[:, :, None] * size + part[:, None]).flatten(1)
    return flat


def paired(join: Callable, whole: Tensor, along: Tensor) -> Tensor:
    """Join (n, a, b) with (n, k, l) along a further axis, each with each: (n, a x k, b x l)."""
    joined = join(whole[:, :, None, :, None], along[:, None, :, None])
    return joined.flatten(3, 4).flatten(1, 2)


def share_places(axes: Sequence[Axis], groups: Tensor, n_rows: int) -> Tensor:
    """Tell where the outputs of groups keep what they owe to each hat.

    Rows run over cells, then the hats near a cell, then the outputs of a cell. What falls on
    outputs that do not exist goes to the last of ``n_rows``.

    Returns
    -------
    Tensor of int, shape (n_groups, n_hats, n_outputs_reached)
    """
    sizes = [[a.n_cells for a in axes], [a.n_near for a in axes], [a.outputs_a_cell for a in axes]]
    steps = _strides([size for kind in sizes for size in kind])
    places = torch.zeros(len(groups), 1, 1, dtype=torch.long)
    exists = torch.ones(len(groups), 1, 1, dtype=torch.bool)
    for i, (axis, group) in enumerate(zip(axes, groups.T, strict=True)):
        cell, output = axis.cell[group][:, None], axis.outputs[group][:, None]
        hat = axis.touched(group)[..., None] - cell + axis.spread
        within = output % axis.outputs_a_cell
        along = cell * steps[i] + hat * steps[i + len(axes)] + within * steps[i + 2 * len(axes)]
        there = axis.output_exists[group][:, None].expand(along.shape)
        places, exists = paired(torch.add, places, along), paired(torch.logical_and, exists, there)
    return torch.where(exists, places, n_rows - 1)


def _strides(sizes: Sequence[int]) -> list[int]:
    return [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]


def seeing_groups(axes: Sequence[Axis], image: Tensor) -> Tensor:
    """List the groups (n, n_axes) that see anything of a scan (channels, *grid) but zeros.

    One at least: whoever works through them need not think of none.
    """
    seen = (image != 0).any(dim=0).float()[None, None]
    padding = []
    for axis in reversed(axes):
        padding += [-int(axis.voxels.min()), int(axis.voxels.max()) + 1 - axis.n_voxels]
    kernel, stride = [a.n_seen for a in axes], [a.step * a.n_together for a in axes]
    found = POOL[len(axes)](nn.functional.pad(seen, padding), kernel, stride)[0, 0].nonzero()
    return found if len(found) else found.new_zeros(1, len(axes))


def weight_of(block: Any) -> Tensor:
    """Return a convolution's weight, padded by a module of its own or by itself."""
    convolution: Any = block[-1] if isinstance(block, nn.Sequential) else block
    return convolution.weight.detach()


def group_weights(blocks: Any, axes: Sequence[Axis]) -> tuple[Tensor, Tensor]:
    """Lay out the weights of two convolutions for a group of sites as two matrices.

    Returns
    -------
    into : Tensor, shape (image channels x voxels seen, units)
        From what a group sees to its units: its sites' channels.
    out_of : Tensor, shape (units, outputs reached x channels)
    """
    first, second = weight_of(blocks[0]), weight_of(blocks[1])
    every = slice(None)
    together, seen = [a.n_together for a in axes], [a.n_seen for a in axes]
    reach = [a.reach for a in axes]
    into = first.new_zeros(*together, *first.shape[:2], *seen)
    out_of = first.new_zeros(*together, len(first), *reach, len(second))
    for site in product(*map(range, together)):
        window = [slice(a.step * i, a.step * i + a.kernel) for a, i in zip(axes, site, strict=True)]
        to: Any = (*site, every, every, *window)
        into[to] = first
        for output in product(*map(range, reach)):
            tap = [a.tap(i, o) for a, i, o in zip(axes, site, output, strict=True)]
            at: Any = (every, every, *tap)
            to = (*site, every, *output)
            out_of[to] = second[at].T
    n_units = math.prod(together) * len(first)
    return into.reshape(n_units, -1).T.contiguous(), out_of.reshape(n_units, -1)
