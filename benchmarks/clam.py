"""How fast, how exact and how small cluster activation maps are, beside their peers.

    make bench clam      two minutes

One thread, processor time, pairs in turn, medians of their ratios. The lungs are those of a real
template; the network is trained for a moment, since how often units change sign is what the time
depends on. Results stay in clam.csv beside this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import copy
import json
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from torchcam.methods import ScoreCAM

from clamlab.clam import channel_confidence, cluster_activation_map, importance
from clamlab.clam.network import interpolate
from clamlab.clam.quick_passes.features import QuickPasses  # noqa: F401 - so that all is imported
from clamlab.clustering import soft_assignment
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.training import fit_clusters, pretrain

RESULT = Path(__file__).with_suffix(".csv")
DATA = Path(os.environ.get("CLAMLAB_DATA", Path(__file__).parents[2] / "shared" / "data"))
SMALL, WIDE, PAPER, FLAT = (48, 48, 48), (96, 64, 96), (88, 88, 88), (64, 64)
MULTIPLICATIONS_A_SIDE = 1536


def lungs(shape: tuple[int, ...]) -> np.ndarray:
    """Bring the template's lungs to a grid that they fill."""
    image = nibabel.load(DATA / "lungct_template" / "lung_template_mask.nii.gz")
    mask = np.asarray(nibabel.as_closest_canonical(image).dataobj) > 0
    mask = mask[ndimage.find_objects(mask.astype(int))[0]]
    if len(shape) == 2:
        mask = mask[:, mask.shape[1] // 2]
    zoom = [new / old for new, old in zip(shape, mask.shape, strict=True)]
    return ndimage.zoom(mask.astype("float32"), zoom, order=1, grid_mode=True, mode="nearest") > 0.5


def cohort(shape: tuple[int, ...], n_scans: int, seed: int) -> np.ndarray:
    """Draw lungs with vessels all share, texture of their own, and a lesion at one of two sites."""
    rng = np.random.default_rng(seed)
    mask, axes = lungs(shape), np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    vessels = ndimage.gaussian_filter(rng.normal(size=shape), 1.2)
    vessels = 3.0 * (vessels > np.quantile(vessels, 0.93))
    scans = np.zeros((n_scans, *shape), "float32")
    for i, scan in enumerate(scans):
        texture = ndimage.gaussian_filter(rng.gamma(2, size=shape), 0.6)
        drift = 40 * ndimage.gaussian_filter(rng.normal(size=shape), 5)
        off_site = sum((axis - (0.3 if i % 2 else 0.7)) ** 2 for axis in axes)
        drawn = (vessels + texture + drift + 2.5 * (off_site < 0.15**2))[mask]
        scan[mask] = (drawn - drawn.mean()) / drawn.std()
    return scans


def trained(shape: tuple[int, ...]) -> tuple[DeepClustering, np.ndarray]:
    """Train a network of the paper's width for a moment."""
    scans = cohort(shape, 16, seed=0)
    encoder = ConvAutoencoder(shape)
    pretrain(encoder, scans, epochs=8, batch_size=8, learning_rate=1e-3, progress=False)
    return fit_clusters(encoder, scans, 2, epochs=1, progress=False)[0], scans[:1]


def widened(model: DeepClustering, shape: tuple[int, ...]) -> tuple[DeepClustering, np.ndarray]:
    """Put trained convolutions to work on another grid; the linear layers are as drawn."""
    wide = DeepClustering(ConvAutoencoder(shape), 2)
    wide.autoencoder.blocks.load_state_dict(model.autoencoder.blocks.state_dict())
    scan = cohort(shape, 1, seed=1)
    with torch.no_grad():
        near = wide.encode(torch.from_numpy(scan))
        wide.centroids.copy_(near + 0.3 * torch.randn(2, near.shape[1]))
    return wide, scan


class Classifier(torch.nn.Module):
    """The network as its peers want it: image channels first, one score for each cluster."""

    def __init__(self, model: DeepClustering) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the clusters' probabilities."""
        return soft_assignment(self.model.encode(images), self.model.centroids)


def ours(model: DeepClustering, scan: np.ndarray) -> np.ndarray:
    """Weigh all channels as the library does."""
    return channel_confidence(model, scan)[0].T


def loop(model: DeepClustering, scan: np.ndarray) -> np.ndarray:
    """Weigh them one at a time, without gradients."""
    with torch.no_grad():
        image, centroids = torch.from_numpy(scan), model.centroids
        return torch.cat(
            [
                soft_assignment(model.encode(image * mask_of(channel, image.shape[1:])), centroids)
                for channel in model.feature_maps(image)[0]
            ]
        ).numpy()


def mask_of(channel: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Enlarge a channel to the scan and bring it to [0, 1]."""
    large = interpolate(channel[None, None], shape)[0]
    return (large - large.min()) / (large.max() - large.min())


def torchcam(model: DeepClustering, scan: np.ndarray) -> None:
    """Make the map of one cluster with torchcam."""
    classifier, image = Classifier(model).eval(), torch.from_numpy(scan)[:, None]
    with (
        ScoreCAM(classifier, model.blocks[-1], input_shape=image.shape[1:]) as peer,
        torch.no_grad(),
    ):
        peer(0, classifier(image))


def seconds(function, *arguments) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def sgemm() -> float:
    """Return operations a second of a matrix product."""
    side = MULTIPLICATIONS_A_SIDE
    square = torch.randn(side, side)
    return 2 * side**3 / seconds(torch.mm, square, square)


def operations(model: DeepClustering, scan: np.ndarray) -> float:
    """Count the encoder's operations, masks times, as eq. 8 spells them out."""
    counted, hidden = 0, torch.from_numpy(scan)[:, None]
    for block in model.blocks:
        convolution = block[-1] if isinstance(block, torch.nn.Sequential) else block
        hidden = block(hidden)
        counted += 2 * hidden.numel() * convolution.weight[0].numel()
    return hidden.shape[1] * (counted + 2 * model.autoencoder.to_features.weight.numel())


def pairs(model: DeepClustering, scan: np.ndarray, n: int) -> dict[str, float]:
    """Time ours and the peers in turn."""
    with torch.no_grad():
        literal = operations(model, scan)
    for function in (ours, loop, torchcam):
        function(model, scan)
    rows = [
        {
            "ours": seconds(ours, model, scan),
            "loop": seconds(loop, model, scan),
            "torchcam": seconds(torchcam, model, scan),
            "sgemm": sgemm(),
        }
        for _ in range(n)
    ]
    told = pd.DataFrame(rows)
    return {
        "seconds": told["ours"].median(),
        "loop / ours": (told["loop"] / told["ours"]).median(),
        "torchcam / ours, same process": (told["torchcam"] / told["ours"]).median(),
        "effective rate / sgemm": (literal / told["ours"] / told["sgemm"]).median(),
    }


def child(task: str, *paths: str) -> dict[str, float]:
    """Run one task in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, task, *paths]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def alone(which: str, path: str) -> dict[str, float]:
    """Time one side in a fresh process, with the memory handling that comes with it."""
    model, scan = torch.load(path, weights_only=False)
    function = {"ours": ours, "torchcam": torchcam}[which]
    function(model, scan)
    return {"seconds": float(np.median([seconds(function, model, scan) for _ in range(3)]))}


def peak() -> dict[str, float]:
    """Return the memory that the maps of three scans take at the paper's grid, above import."""
    model, scans = DeepClustering(ConvAutoencoder(PAPER), 2), cohort(PAPER, 3, seed=2)
    # From here the system counts the highest use anew.
    Path("/proc/self/clear_refs").write_text("5")
    before, taken = highest_use(), []
    for scan in scans:
        channel_confidence(model, scan[None])
        taken.append((highest_use() - before) / 2**20)
    return {"first": taken[0], "third": taken[-1]}


def highest_use() -> int:
    """Return the most memory that this process has held, KiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def error(model: DeepClustering, scan: np.ndarray) -> dict[str, float]:
    """Compare with the loop in double precision."""
    found, exact = ours(model, scan), loop(copy.deepcopy(model).double(), scan.astype("float64"))
    maps = [cluster_activation_map(model, scan, confidence=a.T[None]) for a in (found, exact)]
    return {
        "largest error, confidence": float(np.abs(found - exact).max()),
        "largest error, map": float(np.abs(importance(maps[0]) - importance(maps[1])).max()),
    }


def main() -> None:
    """Measure everything and keep it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, scan = trained(SMALL)
    flat, slices = trained(FLAT)
    wide = widened(model, WIDE)
    kept = RESULT.with_name("clam_network.pt")
    torch.save((model, scan), kept)
    told = {f"48^3: {k}": v for k, v in (pairs(model, scan, 3) | error(model, scan)).items()}
    own, peer = (child("alone", which, str(kept))["seconds"] for which in ("ours", "torchcam"))
    told["48^3: torchcam / ours, each in a process of its own"] = peer / own
    kept.unlink()
    told |= {f"96x64x96: {k}": v for k, v in pairs(*wide, 1).items()}
    told |= {f"64x64: {k}": v for k, v in (pairs(flat, slices, 5) | error(flat, slices)).items()}
    told |= {f"88^3: GiB above import, {k} scan": v for k, v in child("peak").items()}
    table = pd.Series(told, name="value").rename_axis("measure")
    table.to_csv(RESULT, float_format="%.3g")
    print(table.to_string(float_format="%.3g"))


if __name__ == "__main__":
    tasks = {"alone": alone, "peak": peak}
    if sys.argv[1:]:
        torch.set_num_threads(1)
        print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
