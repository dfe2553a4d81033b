"""One page of the whole cohort for a colleague: averages, their differences, other numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.assets import COHORT_PAGE, read_together
from clamlab.viewers.clusters.differences import OVERALL, common_limit
from clamlab.viewers.pages.about import About, scans_in_words
from clamlab.viewers.pages.filling import as_json, compressed, fill, in_steps
from clamlab.viewers.pages.numbers import numbers_told
from clamlab.viewers.pages.persons import Persons
from clamlab.viewers.pages.words import Drawn, words
from clamlab.viewers.slices.packing import pack_scan
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.slices.slice_state import STATE, SliceState, start_state

MAP = "Map of the cluster"
OF_A_SCAN = ("overlay_names", "overlay_kinds")
TEMPLATE = read_together("pages/cohort_page.html")
STYLE = read_together(
    "slice_viewer.css", "slices/together.css", "points/scatter.css", "pages/cohort_page.css"
)
SCRIPT = read_together(*COHORT_PAGE)
TOLD = ("title", "overlay_names", "overlay_kinds", "shape", "affine", "units")


@dataclass(frozen=True, eq=False)
class Averages:
    """What a page draws: averages in HU, their maps, and what they are held against.

    Attributes
    ----------
    hu : dict of str to array
        Of each cluster, and of all scans as "Overall" if there is one.
    maps, rest_hu : dict of str to array
        By the same names; a cluster may have none.
    mask : bool array of the grid
    spread_hu : array of the grid or None
    affine : array (4, 4) or None
    """

    hu: Mapping[str, NDArray]
    maps: Mapping[str, NDArray]
    rest_hu: Mapping[str, NDArray]
    mask: NDArray
    spread_hu: NDArray | None
    affine: ArrayLike | None

    @property
    def names(self) -> list[str]:
        """The clusters."""
        return [name for name in self.hu if name != OVERALL]

    @property
    def known_rest(self) -> dict[str, NDArray]:
        """What is known all over the lung; the rest of a single cluster is nobody."""
        known = {n: v for n, v in self.rest_hu.items() if np.isfinite(v[self.mask]).all()}
        return known if len(self.names) > 1 else {}


def cohort_page(
    averages: Averages,
    about: About,
    path: str | Path | None = None,
    *,
    persons: Persons | None = None,
) -> str | Path:
    """Put the cohort on one page that works without Python and network.

    Raises
    ------
    ValueError
        If an average is of a cluster without scans, or there is not a point for each scan.
    """
    unknown = sorted(set(averages.names) - set(about.sizes))
    if unknown:
        raise ValueError(
            f"expected averages of {', '.join(about.sizes)}, where the scans are; found also "
            f"{', '.join(unknown)}"
        )
    scans = {name: _pack(averages, name) for name in averages.names}
    first = next(iter(scans.values()))
    shown = SliceState(title="", **first, **start_state(first, {}))
    points, places = (None, b"") if persons is None else persons.packed(about)
    extras = _extras(averages)
    state = {name: getattr(shown, name) for name in (*STATE, *TOLD)} | {
        "scans": [
            {"name": name, "of": scans_in_words(about.sizes[name])}
            | {"length": len(scan["overlay_volumes"])}
            | {key: scan[key] for key in OF_A_SCAN}
            for name, scan in scans.items()
        ],
        "extras": list(extras),
        "limits": _limits(averages),
        "numbers": numbers_told(about),
        "points": points,
    }
    data = [in_steps(scan["volume"]) + scan["overlay_volumes"] for scan in scans.values()]
    dense = {name: float(averages.hu[name][averages.mask].mean()) for name in averages.names}
    drawn = Drawn(dense, bool(averages.maps), averages.spread_hu is not None, len(scans) > 1)
    parts = words(about, drawn, persons) | {
        "style": STYLE,
        "state": as_json(state),
        "data": compressed([*data, *map(in_steps, extras.values()), places]),
        "javascript": SCRIPT,
    }
    return fill(TEMPLATE, parts, path)


def _pack(averages: Averages, name: str) -> dict[str, Any]:
    maps: dict[str, ArrayLike | SignedMap] = {}
    if name in averages.maps:
        maps[MAP] = averages.maps[name]
    return pack_scan(averages.hu[name], maps, affine=averages.affine)


def _extras(averages: Averages) -> dict[str, bytes]:
    """Pack what differences are made of in the page: within the lung, whole HU, 0 outside."""
    volumes = {"lung": averages.mask}
    volumes |= {f"rest of {name}": rest for name, rest in averages.known_rest.items()}
    if OVERALL in averages.hu:
        volumes[OVERALL] = averages.hu[OVERALL]
    if averages.spread_hu is not None:  # a small one is not none: it would make all beyond doubt
        volumes["spread"] = np.ceil(averages.spread_hu)
    return {
        name: pack_scan(
            np.where(averages.mask, np.rint(volume), 0), affine=averages.affine
        )["volume"]
        for name, volume in volumes.items()
    }  # fmt: skip


def _limits(averages: Averages) -> dict[str, float]:
    """Give one limit for each thing that clusters are held against: one colour, one amount."""
    hu, lung = averages.hu, averages.mask

    def limit(less: Mapping[str, NDArray]) -> float:
        return common_limit(np.where(lung, hu[name] - less[name], np.nan) for name in less)

    others = [*averages.names, *([OVERALL] if OVERALL in hu else [])]
    limits = {
        other: limit({name: hu[other] for name in averages.names if name != other})
        for other in others
        if len(averages.names) > 1
    }
    rest = averages.known_rest
    return {"the rest": limit(rest), **limits} if rest else limits
