"""Networks as plain arrays and settings, to be stored without pickle."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from clamlab.io import FileError, explained
from clamlab.models import ConvAutoencoder, DeepClustering

_CONFIG = "config.json"


def weights_of(model: nn.Module) -> dict[str, NDArray]:
    """Return the network's weights as named arrays, ready for a .safetensors file.

    Parameters
    ----------
    model : ConvAutoencoder, DeepClustering, or any module

    Returns
    -------
    dict of str to array
        By the names that torch gives them. On the CPU they are views: training the network goes on
        changing them.

    Examples
    --------
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> weights_of(model)["to_features.weight"].shape
    (3, 8)
    """
    return {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}


def load_autoencoder(weights: dict[str, NDArray], config: dict[str, Any]) -> ConvAutoencoder:
    """Rebuild an autoencoder from its stored weights and its ``config``.

    Parameters
    ----------
    weights : dict of str to array
        From :func:`weights_of`.
    config : dict
        The network's ``config``; a stored ``n_clusters`` or ``scaling`` is passed over.

    Returns
    -------
    ConvAutoencoder
        In evaluation mode, on the CPU, with a copy of the weights.

    Raises
    ------
    ValueError
        If weights hold NaN or infinity, the settings are damaged, or the two are not of one
        network.

    Examples
    --------
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> again = load_autoencoder(weights_of(model), model.config)
    >>> bool((again.to_features.weight == model.to_features.weight).all())
    True
    """
    return _load(lambda: _autoencoder(config), weights)


def load_clustering(weights: dict[str, NDArray], config: dict[str, Any]) -> DeepClustering:
    """Rebuild a clustering network from its stored weights and its ``config``.

    Parameters
    ----------
    weights : dict of str to array
        From :func:`weights_of`.
    config : dict
        The network's ``config``, with ``n_clusters``; a stored ``scaling`` is passed over.

    Returns
    -------
    DeepClustering
        In evaluation mode, on the CPU, with a copy of the weights.

    Raises
    ------
    ValueError
        If weights hold NaN or infinity, the settings are damaged, or the two are not of one
        network.

    Examples
    --------
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3), 2)
    >>> _ = torch.nn.init.ones_(model.centroids)
    >>> load_clustering(weights_of(model), model.config).centroids.tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    return _load(lambda: DeepClustering(_autoencoder(config), config["n_clusters"]), weights)


def _autoencoder(config: dict[str, Any]) -> ConvAutoencoder:
    # A stored config also says how many clusters there are and how scans were scaled.
    own = {name: v for name, v in config.items() if name not in ("n_clusters", "scaling")}
    return ConvAutoencoder(own.pop("shape"), **own)


def _load(make: Callable[[], Any], weights: dict[str, NDArray]) -> Any:
    _check_shapes(make, weights)
    for name, values in weights.items():
        if not np.isfinite(values).all():
            raise ValueError(
                f"the stored weights {name} hold NaN or infinity: the network cannot be used; "
                "train it again"
            )
    model = make()
    # Stored arrays are read-only; torch wants its own copy.
    model.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in weights.items()})
    return model.eval()


def _check_shapes(make: Callable[[], Any], weights: dict[str, NDArray]) -> None:
    """Hold the settings against the weights before memory is taken for what they describe."""
    settings, advice = "the settings of the stored network", "train it again"
    with explained(_CONFIG, settings, advice), torch.device("meta"):
        described = {name: tuple(value.shape) for name, value in make().state_dict().items()}
    stored = {name: values.shape for name, values in weights.items()}
    if described == stored:
        return
    name = next(n for n in (described | stored) if described.get(n) != stored.get(n))
    raise FileError(
        _CONFIG, f"{settings}, whose weights {name} are {stored.get(name, 'none')}",
        f"those of another, whose are {described.get(name, 'none')}", advice,
    )  # fmt: skip
