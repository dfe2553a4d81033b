"""How the first two convolutions respond to a scan seen through single hats."""

from math import prod

import torch
from torch import Tensor, nn

from clamlab.clam.quick_passes.receptive_fields import (
    Axis,
    combine,
    group_weights,
    paired,
    seeing_groups,
    share_places,
)
from clamlab.models import ConvAutoencoder

# Equal amounts at a time, so that the memory for one is used again for the next.
ROWS_AT_ONCE = 4096


class HatResponses:
    """What any mask's response is a sum of, for one scan.

    Parameters
    ----------
    encoder : ConvAutoencoder
    axes : list of Axis
    image : Tensor, shape (channels, *grid)
        The scan less the background.
    heights : Tensor, shape (n_masks, *cells)
        Of the masks that will be asked about.
    background : float

    Attributes
    ----------
    cells : Tensor of int, shape (n_rows,)
        Whose hats a group sees. Only groups that see the scan are listed, one after another.
    units : Tensor of int, shape (n_changing,)
        A group's units that may change sign from mask to mask.
    negative : Tensor of bool, shape (n_changing,)
        Whether they are below zero under the average mask.
    resting : Tensor, shape (n_changing,)
        The first convolution's responses of these units to the empty scan,
    responses : Tensor
        and to each hat that their group sees, hat after hat.
    first : Tensor of int, shape (n_groups + 1, 3)
        Where in ``cells``, ``units`` and ``responses`` each group begins.
    starts : Tensor of int, shape (n_groups,)
        Where in ``rest`` the outputs that a group reaches begin.
    near : Tensor of int, shape (all cells, n_near)
        Cells whose hats the outputs of a cell may see.
    shares : Tensor, shape (all cells, n_near, outputs a cell x channels)
        The second convolution's responses to those hats, units keeping the slopes of the average
        mask.
    rest : Tensor, shape (*canvas, channels)
        Its response to the empty scan, with the same slopes; margins lie around the outputs.
    """

    def __init__(
        self,
        encoder: ConvAutoencoder,
        axes: list[Axis],
        image: Tensor,
        heights: Tensor,
        background: float,
    ) -> None:
        self.axes, self.image = axes, image
        heights = heights.flatten(1)
        low, high = heights.amin(dim=0), heights.amax(dim=0)
        self.average, self.middle = heights.mean(dim=0), (low + high) / 2
        self.room = (high - low) / 2
        self.activation = encoder.activation
        self.into, self.out_of = group_weights(encoder.blocks, axes)
        resting = encoder.blocks[0](torch.full_like(image, background)[None])
        at_rest = encoder.blocks[1](self.activation(resting))[0].movedim(0, -1)
        self.canvas = [axis.n_groups + axis.reach - 1 for axis in axes]
        self.rest = at_rest.new_zeros(*self.canvas, at_rest.shape[-1])
        self.rest[tuple(axis.inside for axis in axes)] = at_rest
        self.near = self._near()
        n_shares = self.near.numel() * prod(axis.outputs_a_cell for axis in axes)
        # The last row takes what falls on outputs that do not exist.
        self.shares = self.rest.new_zeros(n_shares + 1, self.rest.shape[-1])
        self._tally(seeing_groups(axes, image), resting)
        self.shares = self.shares[:-1].view(*self.near.shape, -1)

    def _near(self) -> Tensor:
        sizes = [axis.n_cells for axis in self.axes]
        cells = torch.cartesian_prod(*map(torch.arange, sizes))
        return combine([a.near()[cells[:, i]] for i, a in enumerate(self.axes)], sizes)

    def _tally(self, groups: Tensor, resting: Tensor) -> None:
        """Go through the groups, those together that see equally many hats along every axis."""
        n_hats = torch.stack([a.n_touched[groups[:, i]] for i, a in enumerate(self.axes)], dim=1)
        kind = n_hats.unique(dim=0, return_inverse=True)[1]
        order = kind.argsort(stable=True)
        groups, n_rows = groups[order], n_hats[order].prod(dim=1)
        corners = combine(groups.T[:, :, None].unbind(), self.canvas)[:, 0]
        self.starts = corners * self.rest.shape[-1]
        kinds = kind.bincount().tolist()
        parts = [
            self._respond(some, resting)
            for alike, n in zip(groups.split(kinds), n_rows.split(kinds), strict=True)
            for some in alike.split(max(1, ROWS_AT_ONCE // int(n[0])))
        ]
        n_units, self.cells, self.units, self.negative, self.resting, self.responses = (
            torch.cat(part) for part in zip(*parts, strict=True)
        )
        lengths = torch.stack([n_rows, n_units, n_rows * n_units], dim=1)
        self.first = nn.functional.pad(lengths.cumsum(dim=0), (0, 0, 1, 0))

    def _respond(self, groups: Tensor, empty: Tensor) -> tuple[Tensor, ...]:
        """Add what groups give to the second convolution's part; return what may change sign.

        That is how many units of each group, and ``cells`` to ``responses``.
        """
        cells, hats = self._hats(groups)
        resting, there = self._resting(groups, empty)
        seen = (self._seen(groups)[:, None] * hats[:, :, None]).flatten(2)
        responses = (seen @ self.into).mul_(there[:, None])
        typical = torch.stack([self.middle, self.average])[:, cells].movedim(0, 1)
        middle, average = torch.baddbmm(resting[:, None], typical, responses).unbind(dim=1)
        # Every mask's height is within so much of the middle, and so is what follows of it.
        room = (self.room[cells][:, None] @ responses.abs())[:, 0]
        negative, changing = average < 0, middle.abs() < room
        told = (
            changing.sum(dim=1),
            cells.flatten(),
            changing.nonzero()[:, 1],
            *(values.masked_select(changing) for values in (negative, resting)),
            responses.masked_select(changing[:, None]),
        )

        n_channels = self.rest.shape[-1]
        slope = torch.where(negative, self.activation.negative_slope, 1.0)
        owed = responses.mul_(slope[:, None]) @ self.out_of
        places = share_places(self.axes, groups, len(self.shares))
        self.shares.index_add_(0, places.flatten(), owed.view(-1, n_channels))
        # The empty scan was passed on with its own slopes: bring it to these.
        moved = (slope * resting - self.activation(resting)) @ self.out_of
        reached = [groups[:, i, None] + torch.arange(a.reach) for i, a in enumerate(self.axes)]
        outputs = combine(reached, self.canvas).flatten()
        self.rest.flatten(0, -2).index_add_(0, outputs, moved.view(-1, n_channels))
        return told

    def _hats(self, groups: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cells whose hats groups see, and the hats there (n, n_hats, n_voxels)."""
        touched = [a.touched(groups[:, i]) for i, a in enumerate(self.axes)]
        hats = torch.ones(len(groups), 1, 1)
        for i, axis in enumerate(self.axes):
            hats = paired(torch.mul, hats, axis.hats[groups[:, i, None], :, touched[i]])
        return combine(touched, [a.n_cells for a in self.axes]), hats

    def _seen(self, groups: Tensor) -> Tensor:
        """Cut out what groups see of the scan (n, image channels, n_voxels)."""
        along = [a.voxels[groups[:, i]].clamp(0, a.n_voxels - 1) for i, a in enumerate(self.axes)]
        voxels = combine(along, [a.n_voxels for a in self.axes])
        return self.image.flatten(1)[:, voxels].movedim(0, 1)

    def _resting(self, groups: Tensor, empty: Tensor) -> tuple[Tensor, Tensor]:
        """Return groups' units for the empty scan, and 1 where their sites exist, otherwise 0."""
        sizes = [a.n_sites for a in self.axes]
        along = [a.sites[groups[:, i]].clamp(0, a.n_sites - 1) for i, a in enumerate(self.axes)]
        exist = [a.site_exists[groups[:, i]].long() for i, a in enumerate(self.axes)]
        resting = empty[0].flatten(1)[:, combine(along, sizes)].movedim(0, -1)
        there = (combine(exist, [2] * len(sizes)) == 2 ** len(sizes) - 1)[..., None]
        return (resting * there).flatten(1), there.expand(resting.shape).flatten(1).to(resting)
