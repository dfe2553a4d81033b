"""Double precision where single is not enough.

On the z scale, single precision is a hundred times finer than is asked for. It is not where
features are large beside what sets the clusters apart (networks of unscaled HU), or where a channel
or a map hardly varies beside its own height.
"""

import copy
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from clamlab.clam.network import evaluation_mode

T = TypeVar("T")


def in_double(model: Any, work: Callable[[Any], T]) -> T | None:
    """Have work done by a copy of a network in double precision; None where it cannot be."""
    try:
        exact = copy.deepcopy(model).double()
        with evaluation_mode(exact):
            return work(exact)
    except (TypeError, RuntimeError):  # it cannot be copied, or computes in single precision only
        return None


def in_double_or_warn(model: Any, work: Callable[[Any], T], single: T) -> T:
    """Have work done in double precision, or give what single precision gave, and say so."""
    found = in_double(model, work)
    if found is None:
        warnings.warn(
            "confidences or maps may be off by more than 1e-5: single precision is not enough for "
            "this network on these scans, and it does not work in double precision",
            stacklevel=3,
        )
        return single
    return found


def vary_enough(maps: Tensor, least_span: float) -> bool:
    """Tell whether all maps (n, ...) that vary do so by a fair share of their height.

    Others' shapes are rounded too coarsely in single precision; in double precision none is.

    >>> vary_enough(torch.tensor([[0.0, 1.0], [5.0, 5.0]]), 0.2)
    True
    >>> vary_enough(torch.tensor([[0.0, 1.0], [99.0, 100.0]]), 0.2)
    False
    """
    flat = maps.flatten(start_dim=1)
    span, level = flat.amax(dim=1) - flat.amin(dim=1), flat.abs().amax(dim=1)
    too_even = (span > 0) & (span < least_span * level)
    return maps.dtype != torch.float32 or not bool(too_even.any())
