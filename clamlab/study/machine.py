"""The machine that a stage ran on, as far as numbers may differ for it; never its name."""

import platform
import sys
from typing import Any

from threadpoolctl import threadpool_info

from clamlab.study.provenance import versions


def made_with() -> dict[str, Any]:
    """Return what a record says of the programs and of the machine."""
    return {"versions": versions(), "machine": machine()}


def machine() -> dict[str, Any]:
    """Return what of this machine results may depend on: system, processor, libraries, device.

    Examples
    --------
    >>> sorted(machine())
    ['blas', 'device', 'platform', 'processor', 'threads']
    """
    pools = threadpool_info()
    blas = [pool for pool in pools if pool["user_api"] == "blas"]
    return {
        "platform": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "threads": max((pool["num_threads"] for pool in pools), default=1),
        "blas": sorted({_library(pool) for pool in blas}),
        "device": _device(),
    }


def _library(pool: dict[str, Any]) -> str:
    parts = (pool.get("internal_api"), pool.get("version"), pool.get("architecture"))
    return " ".join(str(part) for part in parts if part)


def _device() -> str:
    """Name the processor that networks run on; who has not loaded torch runs none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    return str(torch.cuda.get_device_name())
