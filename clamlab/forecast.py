"""What a long stage will take, told before it starts from one step of it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

GIB = 2**30


def forecast(
    step: Callable[[], Any],
    n_steps: float,
    *,
    disk_bytes: float = 0,
    spacing_mm: Sequence[float] | None = None,
) -> str:
    """Say how long a stage will take and what it needs, and what a coarser grid would cost.

    Parameters
    ----------
    step : callable
        One step of the stage; it is run twice, and the second run is timed.
    n_steps : float
        Steps of the whole stage, at most.
    disk_bytes : float
        What the stage will write.
    spacing_mm : sequence of float, optional
        Spacing of the grid, to tell what twice that spacing would save and lose.

    Returns
    -------
    str

    Examples
    --------
    >>> print(forecast(lambda: time.sleep(0.01), 100))
    At most 1 s, ... GiB of memory, 0.0 GiB on disk.
    """
    step()
    start = time.perf_counter()
    step()
    seconds = (time.perf_counter() - start) * n_steps
    memory = psutil.Process().memory_info().rss
    text = (
        f"At most {_duration(seconds)}, {memory / GIB:.1f} GiB of memory, "
        f"{disk_bytes / GIB:.1f} GiB on disk."
    )
    if spacing_mm is None:
        return text
    finest = max(spacing_mm)
    share = 2 ** len(spacing_mm)
    return (
        f"{text} At {2 * finest:g} mm instead of {finest:g} mm it would be about "
        f"{_duration(seconds / share)}; what is smaller than {4 * finest:g} mm would be lost."
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
