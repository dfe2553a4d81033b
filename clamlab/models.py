"""The convolutional autoencoder and its clustering layer, in 2-D or 3-D from one definition."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clamlab.clustering import log_soft_assignment
from clamlab.clustering.checks import check_number, check_seed, check_whole

__all__ = ["ConvAutoencoder", "DeepClustering"]

KERNEL = 4
CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
PADDING = {2: nn.ZeroPad2d, 3: nn.ConstantPad3d}
# The paper's networks: 64 x 64 -> 16 x 16 and 88^3 -> 11^3.
DEFAULT_STRIDES = {2: (2, 1, 2), 3: (2, 2, 2)}


class ConvAutoencoder(nn.Module):
    """Learn a few features from which each scan can be drawn again.

    Three convolutions (kernel 4, leaky ReLU) and one linear layer make the features; the decoder
    mirrors them. Kernel 4 keeps sizes exact: padding 1 at stride 2, and 1 before and 2 after at
    stride 1.

    Parameters
    ----------
    shape : sequence of int
        Grid of one scan, two or three sides; each a multiple of the product of the strides.
    channels : sequence of int
        Filters of each convolution.
    strides : sequence of int, optional
        1 or 2 for each convolution; the paper's (2, 1, 2) in 2-D and (2, 2, 2) in 3-D by default.
    n_features : int
        Length of the latent vector.
    in_channels : int
        Image channels of a scan.
    negative_slope : float
        Slope of the leaky ReLU below zero.
    seed : int
        Seed of the initial weights.

    Raises
    ------
    ValueError
        If the grid is not 2-D or 3-D, or a side does not divide (the message names the nearest
        grid that does); if another setting is no number of its kind.

    References
    ----------
    Ryan et al., section 4.1 (2-D) and 5.2 (3-D).

    Examples
    --------
    >>> model = ConvAutoencoder((16, 8, 24), channels=(2, 3, 4), n_features=5)
    >>> scans = torch.zeros(2, 16, 8, 24)
    >>> model.encode(scans).shape, model.feature_maps(scans).shape, model(scans).shape
    (torch.Size([2, 5]), torch.Size([2, 4, 2, 1, 3]), torch.Size([2, 16, 8, 24]))
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        channels: Sequence[int] = (32, 64, 128),
        strides: Sequence[int] | None = None,
        n_features: int = 60,
        in_channels: int = 1,
        negative_slope: float = 0.01,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_settings(shape, channels, strides)
        strides = DEFAULT_STRIDES.get(len(shape), ()) if strides is None else tuple(strides)
        check_grid(shape, strides, channels)
        check_whole("n_features", n_features)
        check_whole("in_channels", in_channels)
        check_number("negative_slope", negative_slope)
        check_seed(seed)
        shape = tuple(int(side) for side in shape)
        self.config: dict[str, Any] = {
            "shape": list(shape),
            "channels": list(channels),
            "strides": list(strides),
            "n_features": n_features,
            "in_channels": in_channels,
            "negative_slope": negative_slope,
        }
        self.shape, self.in_channels, self.n_features = shape, in_channels, n_features
        total = math.prod(strides)
        self.layer_grid = tuple(side // total for side in shape)
        n_units = channels[-1] * math.prod(self.layer_grid)
        ins, outs = [in_channels, *channels[:-1]], list(channels)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.blocks = nn.ModuleList(
                _down(len(shape), i, o, s) for i, o, s in zip(ins, outs, strides, strict=True)
            )
            self.to_features = nn.Linear(n_units, n_features)
            self.from_features = nn.Linear(n_features, n_units)
            self.up_blocks = nn.ModuleList(
                _up(len(shape), o, i, s)
                for i, o, s in reversed(list(zip(ins, outs, strides, strict=True)))
            )
        self.activation = nn.LeakyReLU(negative_slope)

    def encode(self, images: Tensor) -> Tensor:
        """Turn scans (n, *grid) or (n, channels, *grid) into features (n, n_features)."""
        return self.to_features(self.feature_maps(images).flatten(start_dim=1))

    def feature_maps(self, images: Tensor, layer: int = -1, activated: bool = True) -> Tensor:
        """Return a convolution's channels (n, n_channels, *layer_grid), leaky ReLU applied or not.

        ``layer`` counts the encoder's convolutions from 0, or from -1 backwards.
        """
        n_layers = len(self.blocks)
        if not isinstance(layer, Integral) or not -n_layers <= layer < n_layers:
            raise ValueError(
                f"layer {layer!r} does not exist: the encoder has {len(self.blocks)} convolutions, "
                f"numbered 0 to {len(self.blocks) - 1} (or -1 backwards)"
            )
        last = layer % len(self.blocks)
        hidden = self._with_channel_axis(images)
        for block in self.blocks[:last]:
            hidden = self.activation(block(hidden))
        hidden = self.blocks[last](hidden)
        return self.activation(hidden) if activated else hidden

    def decode(self, features: Tensor) -> Tensor:
        """Draw scans (n, *grid), or (n, channels, *grid) with several channels, from features."""
        hidden = self.activation(self.from_features(features))
        hidden = hidden.unflatten(1, (-1, *self.layer_grid))
        for block in self.up_blocks[:-1]:
            hidden = self.activation(block(hidden))
        images = self.up_blocks[-1](hidden)
        return images.squeeze(1) if self.in_channels == 1 else images

    def forward(self, images: Tensor) -> Tensor:
        """Draw each scan again from its own features."""
        return self.decode(self.encode(images)).reshape(images.shape)

    def _with_channel_axis(self, images: Tensor) -> Tensor:
        if images.ndim == len(self.shape) + 1:
            images = images.unsqueeze(1)
        if tuple(images.shape[1:]) != (self.in_channels, *self.shape):
            raise ValueError(
                f"scans do not fit the network: expected {self.in_channels} channel(s) on the grid "
                f"{self.shape}, found an array of shape {tuple(images.shape)}; bring the scans "
                "to the grid that the network was made for (volumes.fit_to_grid)"
            )
        return images


class DeepClustering(nn.Module):
    """An autoencoder with a clustering layer: the function sigma of the paper (eq. 3).

    Parameters
    ----------
    autoencoder : ConvAutoencoder
        Shared, not copied: training the clusters goes on training it.
    n_clusters : int
        Number of clusters, 1 or more.

    Attributes
    ----------
    centroids : Parameter, shape (n_clusters, n_features)
        Cluster centres; they are trained with the network.

    Examples
    --------
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3), 2)
    >>> model.soft_assign(torch.zeros(4, 8, 8)).shape
    torch.Size([4, 2])
    """

    def __init__(self, autoencoder: ConvAutoencoder, n_clusters: int) -> None:
        super().__init__()
        check_whole("n_clusters", n_clusters)
        self.autoencoder = autoencoder
        self.centroids = nn.Parameter(torch.zeros(n_clusters, autoencoder.n_features))
        self.config = {**autoencoder.config, "n_clusters": n_clusters}

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.centroids)

    @property
    def blocks(self) -> nn.ModuleList:
        """The encoder's convolutions, from the image inwards."""
        return self.autoencoder.blocks

    def encode(self, images: Tensor) -> Tensor:
        """Turn scans into features."""
        return self.autoencoder.encode(images)

    def decode(self, features: Tensor) -> Tensor:
        """Draw scans from features."""
        return self.autoencoder.decode(features)

    def feature_maps(self, images: Tensor, layer: int = -1, activated: bool = True) -> Tensor:
        """Return the channels of an encoder convolution."""
        return self.autoencoder.feature_maps(images, layer, activated)

    def soft_assign(self, images: Tensor) -> Tensor:
        """Tell how probably each scan belongs to each cluster (n, n_clusters)."""
        return log_soft_assignment(self.encode(images), self.centroids).exp()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scans drawn again, and the log-probability of each cluster."""
        features = self.encode(images)
        drawn = self.decode(features).reshape(images.shape)
        return drawn, log_soft_assignment(features, self.centroids)


def check_settings(
    shape: Sequence[int], channels: Sequence[int], strides: Sequence[int] | None
) -> None:
    """Raise ValueError where sides, filters or strides are no whole numbers, or there are none."""
    for name, values in (("shape", shape), ("channels", channels), ("strides", strides)):
        if values is None:
            continue
        if np.ndim(values) != 1 or not len(values):
            raise ValueError(f"{name} must be several whole numbers; found {values!r}")
        for value in values:
            check_whole(f"each number in {name} {tuple(values)}", value)
    if len(shape) not in CONVOLUTION:
        raise ValueError(f"scans must be 2-D or 3-D, found the grid {tuple(shape)}")


def check_grid(shape: Sequence[int], strides: Sequence[int], channels: Sequence[int]) -> None:
    """Raise ValueError where a grid cannot go down the strides and come back whole."""
    if len(strides) != len(channels) or not set(strides) <= {1, 2}:
        raise ValueError(
            f"expected one stride of 1 or 2 for each of {len(channels)} convolutions, "
            f"found {tuple(strides)}"
        )
    total = math.prod(strides)
    if any(side % total for side in shape):
        nearest = tuple(math.ceil(side / total) * total for side in shape)
        raise ValueError(
            f"the grid {tuple(shape)} does not divide: every side must be a multiple of {total} "
            f"(the product of the strides {tuple(strides)}); the next grid that does is {nearest}, "
            "see volumes.fit_to_grid"
        )
    if all(side == total for side in shape):
        raise ValueError(
            f"the grid {tuple(shape)} is too small: the strides {tuple(strides)} leave a single "
            f"cell of it, and no map can point anywhere; one side at least must be {2 * total} or "
            "more"
        )


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Run a model without gradients and in evaluation mode, and leave every part as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def _down(n_dims: int, n_in: int, n_out: int, stride: int) -> nn.Module:
    """Make a convolution that divides every side by its stride exactly."""
    if stride == 2:
        return CONVOLUTION[n_dims](n_in, n_out, KERNEL, stride=2, padding=1)
    pad = PADDING[n_dims]((1, 2) * n_dims, *([0.0] if n_dims == 3 else []))
    return nn.Sequential(pad, CONVOLUTION[n_dims](n_in, n_out, KERNEL))


def _up(n_dims: int, n_in: int, n_out: int, stride: int) -> nn.Module:
    """Make the mirror image of :func:`_down`."""
    if stride == 2:
        return TRANSPOSED[n_dims](n_in, n_out, KERNEL, stride=2, padding=1)
    transposed = TRANSPOSED[n_dims](n_in, n_out, KERNEL)
    # Negative padding crops what the encoder's (1, 2) padding added.
    crop = PADDING[n_dims]((-1, -2) * n_dims, *([0.0] if n_dims == 3 else []))
    return nn.Sequential(transposed, crop)
