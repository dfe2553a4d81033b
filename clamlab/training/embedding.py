"""Features of a whole cohort, on one process or on many."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clamlab.clustering.checks import check_answers, check_scans, check_whole
from clamlab.models import evaluation_mode

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def embed(model: Any, images: NDArray, *, batch_size: int = 32) -> NDArray[np.float32]:
    """Turn every scan into its latent features.

    Parameters
    ----------
    model : ConvAutoencoder, DeepClustering, or any module with ``encode``
        It is put in evaluation mode for the call and left as it was.
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the scale the network was trained on.
    batch_size : int
        Scans per pass; bounds memory, and changes the result by rounding only.

    Returns
    -------
    array of float32, shape (n_scans, n_features)

    Raises
    ------
    ValueError
        If a scan holds NaN or infinity, or the network gives no finite features for it; the
        message names its row.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> embed(model, np.zeros((5, 8, 8), "float32")).shape
    (5, 3)
    """
    check_whole("the number of scans", len(images))
    check_whole("batch_size", batch_size)
    return _encode_rows(model, images, np.arange(len(images)), batch_size).cpu().numpy()


def embed_cohort(fabric: "Fabric", model: Any, images: NDArray, batch_size: int) -> Tensor:
    """Give every process the features of the whole cohort; each of them encodes its share."""
    n, world = len(images), fabric.world_size
    share = -(-n // world)
    # Shares must be equally long to be gathered: the last one takes some rows a second time.
    rows = (np.arange(share) + fabric.global_rank * share) % n
    own = _encode_rows(model, images, rows, batch_size)
    return cast(Tensor, fabric.all_gather(own)).reshape(world * share, -1)[:n]


def read_batch(images: NDArray, rows: NDArray, like: nn.Module) -> Tensor:
    """Copy some scans to where the network is (a read-only memory map must not go to torch)."""
    scans = np.array(images[rows], dtype="float32")
    check_scans(scans, rows)
    return torch.from_numpy(scans).to(next(like.parameters()).device)


def _encode_rows(model: Any, images: NDArray, rows: NDArray, batch_size: int) -> Tensor:
    with evaluation_mode(model):
        batches = [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
        features = torch.cat([model.encode(read_batch(images, some, model)) for some in batches])
    check_answers(features, rows, model)
    return features
