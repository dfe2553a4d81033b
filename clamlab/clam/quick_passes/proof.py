"""Whether a network is exactly the one that the quick passes are worked out for.

They do not run the network, they use what it is made of. So nothing of it may be other than this
library builds it, but for its weights: no subclass, no hook, no layer or setting exchanged, no
method replaced, nothing added. A twin built anew from the network's own settings tells.
"""

from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as all_modules

from clamlab.models import ConvAutoencoder, DeepClustering

# What may differ without changing a feature: the mode, and the parts, which are compared one by
# one.
NOT_COMPARED = {"training", "_parameters", "_modules"}


def is_as_built(model: Any) -> bool:
    """Tell whether a model differs in nothing but its weights from what this library builds.

    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> is_as_built(model)
    True
    >>> model.autoencoder.activation = nn.GELU()
    >>> is_as_built(model)
    False
    """
    if type(model) is not DeepClustering or all_modules._has_any_global_hook():
        return False
    encoder = model.autoencoder
    if type(encoder) is not ConvAutoencoder:
        return False
    try:
        with torch.device("meta"):  # a twin without weights costs no memory
            twin = DeepClustering(ConvAutoencoder(**encoder.config), model.n_clusters)
        return _alike(model, twin)
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return False  # its settings are missing, make no network, or cannot be compared


def _alike(one: Any, other: Any) -> bool:
    """Compare two modules and all within them: types, settings, hooks and shapes of weights."""
    if type(one) is not type(other) or vars(one).keys() != vars(other).keys():
        return False
    for name in vars(one).keys() - NOT_COMPARED:
        a, b = vars(one)[name], vars(other)[name]
        if type(a) is not type(b) or a != b:
            return False
    if list(one._modules) != list(other._modules):
        return False
    if _shapes(one) != _shapes(other):
        return False
    return all(_alike(one._modules[name], other._modules[name]) for name in one._modules)


def _shapes(module: nn.Module) -> list[tuple[Any, ...]]:
    """Describe a module's own weights."""
    return [
        (name, type(weight), getattr(weight, "shape", None), getattr(weight, "dtype", None))
        for name, weight in module._parameters.items()
    ]
