"""Features of one scan under any mask, from what its masked copies have in common."""

from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from clamlab.clam.quick_passes.receptive_fields import axes_of
from clamlab.clam.quick_passes.responses import HatResponses
from clamlab.clam.quick_passes.sign_changes import add_sign_changes
from clamlab.models import ConvAutoencoder

MOST_AT_ONCE = 32
ROOM = 24 << 20  # bytes for the masked scans that pass together


class QuickPasses:
    """Give the features of one scan under many masks, at a fraction of the operations.

    Parameters
    ----------
    encoder : ConvAutoencoder
        With three convolutions or more, on the CPU, in single precision.
    scan : Tensor, shape (1, *grid) or (1, channels, *grid)
    heights : Tensor, shape (n_masks, *cells)
        Of the masks (`clamlab.clam.quick_passes.masks.mask_heights`).
    background : float
        Value of a voxel that is masked out.
    """

    def __init__(
        self, encoder: ConvAutoencoder, scan: Tensor, heights: Tensor, background: float
    ) -> None:
        self.encoder, self.slope = encoder, encoder.activation.negative_slope
        self.axes = axes_of(encoder, heights.shape[1:])
        self.heights = heights.flatten(1)
        image = scan.reshape(-1, *encoder.shape) - background
        self.known = known = HatResponses(encoder, self.axes, image, heights, background)
        runs = product(*(range(axis.reach) for axis in self.axes[:-1]))
        self.steps = np.array([np.dot(run, known.rest.stride()[:-2]) for run in runs])
        self.weight = known.out_of.view(len(known.out_of), len(self.steps), -1)
        # Room that is used again for every mask costs less than room asked for anew.
        at_once = max(1, min(MOST_AT_ONCE, ROOM // (2 * known.rest.nbytes)))
        outputs = [axis.n_outputs for axis in self.axes]
        self.sums = known.rest.new_empty(at_once, *known.rest.shape)
        self.hidden = known.rest.new_empty(at_once, *outputs, known.rest.shape[-1])

    def features(self) -> Tensor:
        """Return the features (n_masks, n_features) of the scan under each mask."""
        return torch.cat([self._pass(some) for some in self.heights.split(len(self.sums))])

    def _pass(self, heights: Tensor) -> Tensor:
        sums, hidden = self.sums[: len(heights)], self.hidden[: len(heights)]
        self._second_convolution(heights, sums)
        hidden.copy_(sums[:, *(axis.inside for axis in self.axes)])
        hidden = nn.functional.leaky_relu_(hidden, self.slope).movedim(-1, 1)
        for block in self.encoder.blocks[2:]:
            hidden = nn.functional.leaky_relu_(block(hidden), self.slope)
        return self.encoder.to_features(hidden.flatten(start_dim=1))

    def _second_convolution(self, heights: Tensor, sums: Tensor) -> None:
        """Fill ``sums`` (n_masks, *canvas, n_channels) with its responses to the masked scans."""
        known = self.known
        sums.copy_(known.rest)
        shares = torch.bmm(heights.T[known.near].transpose(1, 2), known.shares)
        self._by_cell(sums[:, *(axis.inside for axis in self.axes)]).add_(self._in_order(shares))
        add_sign_changes(
            heights.numpy(),
            known.cells.numpy(),
            known.units.numpy(),
            known.negative.numpy(),
            known.resting.numpy(),
            known.responses.numpy(),
            known.first.numpy(),
            self.slope,
            self.weight.numpy(),
            known.starts.numpy(),
            self.steps,
            sums.flatten(1).numpy(),
        )

    def _by_cell(self, sums: Tensor) -> Tensor:
        """View sums (n, *outputs, n_channels) by cell and output of a cell, axis after axis."""
        for i, axis in reversed(list(enumerate(self.axes, start=1))):
            sums = sums.unflatten(i, (axis.n_cells, axis.outputs_a_cell))
        return sums

    def _in_order(self, shares: Tensor) -> Tensor:
        """View shares (all cells, n, outputs a cell x n_channels) in the same order."""
        n = len(self.axes)
        cells, outputs = zip(*((a.n_cells, a.outputs_a_cell) for a in self.axes), strict=True)
        shares = shares.unflatten(2, (*outputs, -1)).unflatten(0, cells)
        return shares.permute(n, *(i for axis in range(n) for i in (axis, axis + n + 1)), -1)
