"""Networks as plain arrays and settings, to be stored without pickle."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from clamlab.models import ConvAutoencoder, DeepClustering


def weights_of(model: nn.Module) -> dict[str, NDArray]:
    """Return the network's weights as named arrays, ready for a .safetensors file.

    Examples
    --------
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> weights_of(model)["to_features.weight"].shape
    (3, 8)
    """
    return {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}


def load_autoencoder(weights: dict[str, NDArray], config: dict[str, Any]) -> ConvAutoencoder:
    """Rebuild an autoencoder from its stored weights and its ``config``.

    Examples
    --------
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> again = load_autoencoder(weights_of(model), model.config)
    >>> bool((again.to_features.weight == model.to_features.weight).all())
    True
    """
    config = dict(config)
    model = ConvAutoencoder(config.pop("shape"), **config)
    return _load(model, weights)


def load_clustering(weights: dict[str, NDArray], config: dict[str, Any]) -> DeepClustering:
    """Rebuild a clustering network from its stored weights and its ``config``."""
    config = dict(config)
    n_clusters = config.pop("n_clusters")
    autoencoder = ConvAutoencoder(config.pop("shape"), **config)
    return _load(DeepClustering(autoencoder, n_clusters), weights)


def _load(model: Any, weights: dict[str, NDArray]) -> Any:
    # Stored arrays are read-only; torch wants its own copy.
    model.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in weights.items()})
    return model.eval()
