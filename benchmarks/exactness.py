"""Which way cluster activation maps are made, and how far they are from eq. 8 and 9 read literally.

    make bench exactness      half a minute

Our own networks, and our own with one thing changed that the quick way does not know of, each on
scans on the z scale and in unscaled HU. The literal loop takes one channel at a time, in double
precision. Results stay in exactness.csv beside this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from clamlab.clam import channel_confidence, cluster_activation_map, importance
from clamlab.clam.network import evaluation_mode, interpolate
from clamlab.clam.weighing import Asked, choose_way, weigh_once
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.training import fit_clusters, pretrain
from studies.altered import CHANGED, SHAPE, WIDTH

RESULT = Path(__file__).with_suffix(".csv")
HU = -1024.0
OWN = {
    "2-D": {"shape": SHAPE},
    "2-D, odd shape": {"shape": (24, 40)},
    "2-D, strides 2 2 2": {"shape": (32, 48), "strides": (2, 2, 2)},
    "2-D, four convolutions": {
        "shape": (32, 32), "channels": (4, 6, 7, 44), "strides": (2, 1, 1, 2),
    },
    "2-D, slope .2": {"shape": SHAPE, "negative_slope": 0.2},
    "2-D, slope 0": {"shape": SHAPE, "negative_slope": 0.0},
    "2-D, two image channels": {"shape": SHAPE, "in_channels": 2},
    "2-D, few channels": {"shape": SHAPE, "channels": (4, 5, 6)},
    "2-D, two convolutions": {"shape": SHAPE, "channels": (6, 44), "strides": (2, 2)},
    "3-D": {"shape": (16, 24, 32)},
    "3-D, cells apart": {"shape": (16, 16, 24), "strides": (2, 2, 1)},
}  # fmt: skip
# Among these, networks whose features in HU are too large for single precision.
TRAINED = [(SHAPE, 0), (SHAPE, 1), (SHAPE, 4), ((16, 24, 16), 0), ((16, 24, 16), 4)]


def cohort(shape: tuple[int, ...], n: int, seed: int, *, in_channels: int = 1) -> np.ndarray:
    """Draw lungs in HU in the middle of nothing; some are denser on one side."""
    rng = np.random.default_rng(seed)
    channels = (in_channels,) * (in_channels > 1)
    scans = rng.normal(-800, 120, size=(n, *channels, *shape)).astype("float32")
    outside = np.ones(shape, bool)
    outside[tuple(slice(side // 5, -side // 6) for side in shape)] = False
    denser = (slice(n // 2, None), ..., slice(shape[0] // 2, None), *[slice(None)] * len(shape[1:]))
    scans[denser] += 200
    scans[..., outside] = HU
    return scans


def on_z_scale(scans: np.ndarray) -> np.ndarray:
    """Bring HU to the scale that networks are trained on; nothing becomes 0."""
    return np.where(scans == HU, 0, (scans + 700) / 150).astype("float32")


def network(scans: np.ndarray, shape: tuple[int, ...], **settings) -> DeepClustering:
    """Make a network for which some scans are well apart, so that confidences differ."""
    encoder = ConvAutoencoder(shape, **{"channels": WIDTH, **settings})
    model = DeepClustering(encoder, 3).requires_grad_(False).eval()
    set_apart(model, scans)
    return model


def set_apart(model: DeepClustering, scans: np.ndarray) -> None:
    """Stretch the features until some scans are well apart, and make these the centroids."""
    last = [m for m in model.autoencoder.to_features.modules() if isinstance(m, nn.Linear)][-1]
    for _ in range(2):
        model.centroids.copy_(model.encode(torch.from_numpy(scans[[0, 1, -1]])))
        stretch = 12 / torch.pdist(model.centroids).min()
        last.weight.mul_(stretch), last.bias.mul_(stretch)
    model.centroids.copy_(model.encode(torch.from_numpy(scans[[0, 1, -1]])))


def literal(model: nn.Module, scan: np.ndarray, *, layer: int = -1, background: float = 0.0):
    """Return confidences and sums of one scan, as eq. 8 and 9 stand there, in double precision."""
    model, image = copy.deepcopy(model).double().eval(), torch.from_numpy(scan).double()[None]
    with torch.no_grad():
        channels = model.feature_maps(image, layer)[0]
        shape = image.shape[1 - channels.ndim :]
        alphas = []
        for channel in channels:
            if channel.max() == channel.min():  # has no shape to look through
                alphas.append(np.zeros(len(model.centroids)))
                continue
            large = interpolate(channel[None, None], shape)[0, 0]
            mask = (large - large.min()) / (large.max() - large.min())
            masked = background + (image - background) * mask
            alphas.append(model.soft_assign(masked)[0].numpy())
    alpha = np.array(alphas).T
    return alpha, np.tensordot(alpha, channels.numpy(), axes=1)


def compare(model: nn.Module, scans: np.ndarray, *, layer: int = -1, background: float = 0.0):
    """Return the way taken, the largest errors, and how much confidences vary at all."""
    asked = {"layer": layer, "background": background}
    alpha = channel_confidence(model, scans, **asked)
    shown = importance(cluster_activation_map(model, scans, confidence=alpha, layer=layer))
    exact = [literal(model, scan, **asked) for scan in scans]
    sums = importance(np.stack([sums for _, sums in exact]).astype("float64"))
    return {
        "way taken": way_taken(model, scans, Asked(layer, True, background, 8, None)),
        "largest error, confidence": max(
            np.abs(a - e).max() for a, (e, _) in zip(alpha, exact, strict=True)
        ),
        "largest error, map": np.abs(shown - sums).max(),
        "spread of confidence": alpha.std(),
    }


def way_taken(model: nn.Module, scans: np.ndarray, asked: Asked) -> str:
    """Tell how scans are weighed: quick or plain, and how many in double precision."""
    way = choose_way(model, scans[:1], 0, asked=asked)
    with evaluation_mode(model):
        sure = [
            weigh_once(model, scans[i : i + 1], i, asked=asked, quick=way.quick)[1]
            for i in range(len(scans))
        ]
    n_double = len(sure) if way.double else len(sure) - sum(sure)
    return ("quick" if way.quick else "plain") + (f", {n_double} in double" if n_double else "")


@contextmanager
def changed(name: str, scans: np.ndarray) -> Iterator[DeepClustering]:
    """Make our network with one thing changed, and clusters among its own features."""
    model = network(scans, SHAPE)
    done = CHANGED[name](model)
    with done if hasattr(done, "__enter__") else nullcontext(), torch.no_grad():
        set_apart(model, scans)
        yield model


def trained(scans: np.ndarray, shape: tuple[int, ...], *, seed: int, n_clusters: int):
    """Train for a while, on whatever scale: centroids then lie near to scans."""
    encoder = ConvAutoencoder(shape, channels=WIDTH, seed=seed)
    pretrain(
        encoder, scans, epochs=20 + 10 * seed, batch_size=6, learning_rate=1e-3, progress=False
    )
    return fit_clusters(encoder, scans, n_clusters, epochs=5, progress=False)[0]


def rows() -> Iterator[dict]:
    """Compare network after network."""
    for name, settings in OWN.items():
        shape, n_channels = settings["shape"], settings.get("in_channels", 1)
        hu = cohort(shape, 6, 0, in_channels=n_channels)
        for scans, background in ((on_z_scale(hu), 0.0), (hu, HU)):
            model = network(scans, **settings)
            told = {"network": name, "scans": "HU" if background else "z"}
            yield told | compare(model, scans[1:3], background=background)
    model = network(on_z_scale(cohort(SHAPE, 6, 0)), SHAPE, channels=(44, 44, 44))
    for layer in range(3):
        told = {"network": f"2-D, layer {layer}", "scans": "z"}
        yield told | compare(model, on_z_scale(cohort(SHAPE, 2, 1)), layer=layer)
    for level in (1, 2):
        model = network(on_z_scale(cohort(SHAPE, 6, 0)), SHAPE)
        model.blocks[-1].bias.add_(level)
        set_apart(model, on_z_scale(cohort(SHAPE, 6, 0)))
        told = {"network": f"2-D, channels raised by {level}", "scans": "z"}
        yield told | compare(model, on_z_scale(cohort(SHAPE, 2, 1)))
    for shape, seed in TRAINED:
        hu = cohort(shape, 12, seed)
        for scans, background in ((on_z_scale(hu), 0.0), (hu, HU)):
            model = trained(scans, shape, seed=seed, n_clusters=6)
            told = {"network": f"{len(shape)}-D, trained, seed {seed}"}
            told["scans"] = "HU" if background else "z"
            yield told | compare(model, scans[::4], background=background)
    for name in CHANGED:
        hu = cohort(SHAPE, 6, 0)
        for scans, background in ((on_z_scale(hu), 0.0), (hu, HU)):
            with changed(name, scans) as model:
                told = {"network": name, "scans": "HU" if background else "z"}
                yield told | compare(model, scans[2:3], background=background)


def main() -> None:
    """Compare everything and keep it."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="two centroids lie|.*clusters are empty")
    table = pd.DataFrame(rows())
    table.to_csv(RESULT, index=False, float_format="%.2g")
    print(table.to_string(float_format="%.2g"))


if __name__ == "__main__":
    main()
