"""Hand a viewer to somebody without Python: one page, no network, no kernel."""

import html
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from clamlab.viewers.assets import SLICE_VIEWER, read_together
from clamlab.viewers.pages.filling import as_json, compressed, fill, in_steps
from clamlab.viewers.slices.packing import pack_scan
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.slices.slice_state import STATE, SliceState, start_state
from clamlab.viewers.slices.slice_viewer import STYLE

if TYPE_CHECKING:
    from IPython.display import HTML

WARNING = (
    "This page holds the CT of one person. Treat it as patient data: store and pass it on "
    "only as your ethics approval allows, and never publish it."
)
WARNING_OF_SEVERAL = (
    "This page holds the CT of several persons, or averages of so few that one may be told from "
    "them. Treat it as patient data: store and pass it on only as your ethics approval allows, "
    "and never publish it."
)
PAGE = read_together("pages/page.html")
SCRIPT = read_together(
    *SLICE_VIEWER, "pages/page_model.js", "pages/page_choice.js", "pages/page.js"
)
PAGE_TRAITS = ("title", "overlay_names", "overlay_kinds", "shape", "affine", "units")
OUTSIDE = -2048  # HU where a mask leaves the scan out: black in every window


def to_html(
    volume_hu: ArrayLike | Mapping[str, ArrayLike],
    overlays: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    *,
    affine: ArrayLike | None = None,
    title: str = "",
    patient_data: bool = True,
    mask: ArrayLike | None = None,
    **state: Any,
) -> str | Path:
    """Give a colleague the slice viewer as one file that opens in any browser, offline.

    The page holds the scan and its maps, compressed, and the same viewer as the notebook. It asks
    nothing of any network, and its own content policy forbids it to.

    Parameters
    ----------
    volume_hu, overlays, affine, title, **state
        As in `SliceViewer`. A dict of volumes on one grid, and of overlays by the same names,
        makes a page with a slider from one to the next: ``{"Cluster 1": hu, "Cluster 2": hu}``
        with ``{"Cluster 1": {"Map": values}}``. Give a kind of map one name in all of them, and
        it stays chosen.
    path : str or Path, optional
        File to write, whole or not at all. Default: return the page as text.
    patient_data : bool
        Whether `volume_hu` is a person's scan: the page then says so in a banner. Set it to False
        only for cluster averages and simulated scans.
    mask : bool array of the volume's shape, optional
        Voxels to keep; the others become black (-2048 HU) and get no colour. Keeping only the
        lungs makes the page much smaller and leaves out the body's surface.

    Returns
    -------
    Path or str
        The file written, or the page's text.

    Raises
    ------
    ValueError
        As `SliceViewer`, if the mask has another shape than the volume, or if several volumes
        differ in shape or overlays name a volume that is not there.

    Examples
    --------
    >>> import numpy as np
    >>> page = to_html(np.zeros((8, 8)), patient_data=False)
    >>> page.startswith("<!doctype html>"), "http://" in page
    (True, False)
    """
    several = isinstance(volume_hu, Mapping)
    scans = _pack(
        volume_hu if isinstance(volume_hu, Mapping) else {"": volume_hu},
        (overlays or {}) if several else {"": overlays},
        affine=affine,
        mask=mask,
    )
    first = next(iter(scans.values()))
    shown = SliceState(title=title, **first, **start_state(first, state))
    traits = {name: getattr(shown, name) for name in (*STATE, *PAGE_TRAITS)}
    if several:
        traits["scans"] = [_described(name, scan) for name, scan in scans.items()]
    banner = WARNING_OF_SEVERAL if several else WARNING
    warning = f'<p class="clam-warning" role="note">{banner}</p>' if patient_data else ""
    parts = {
        "title": html.escape(title or "Slices"),
        "style": STYLE,
        "warning": warning,
        "state": as_json(traits),
        "data": compressed(
            in_steps(scan["volume"]) + scan["overlay_volumes"] for scan in scans.values()
        ),
        "javascript": SCRIPT,
    }
    return fill(PAGE, parts, path)


def embed(page: str | Path, *, height: int = 560) -> "HTML":
    """Show an exported page in a notebook so that `jupyter nbconvert --to html` keeps it alive.

    A widget is blank in such a file; this frame holds the whole page and needs no kernel.

    Parameters
    ----------
    page : str or Path
        What `to_html` returned: a page's text, or the path of its file.
    height : int
        Height of the frame in screen pixels.

    Returns
    -------
    IPython.display.HTML
        The frame; a notebook shows it as the last line of a cell.

    Examples
    --------
    >>> import numpy as np
    >>> frame = embed(to_html(np.zeros((8, 8)), patient_data=False))
    >>> "<iframe" in frame.data
    True
    """
    from IPython.display import HTML

    text = page.read_text(encoding="utf-8") if isinstance(page, Path) else page
    style = f"width: 100%; height: {height}px; border: 0"
    return HTML(f'<div><iframe srcdoc="{html.escape(text)}" style="{style}"></iframe></div>')


def _pack(
    volumes: Mapping[str, ArrayLike],
    overlays: Mapping[str, Any],
    *,
    affine: ArrayLike | None,
    mask: ArrayLike | None,
) -> dict[str, dict[str, Any]]:
    """Pack every scan of a page with its maps, by its name."""
    if not volumes or not set(overlays) <= set(volumes):
        raise ValueError(f"expected maps of {list(volumes)}, found those of {list(overlays)}")
    scans = {}
    for name, volume in volumes.items():
        maps = overlays.get(name)
        if mask is not None:
            volume, maps = _keep(np.asarray(mask, dtype=bool), volume, maps)
        scans[name] = pack_scan(volume, maps, affine=affine)
    shapes = {name: tuple(scan["shape"]) for name, scan in scans.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"expected volumes of one shape, found {shapes}")
    return scans


def _described(name: str, scan: dict[str, Any]) -> dict[str, Any]:
    """Tell of one scan what the page needs to find it in its data."""
    length = len(scan["volume"]) + len(scan["overlay_volumes"])
    names = {key: scan[key] for key in ("overlay_names", "overlay_kinds")}
    return {"name": name, "length": length, **names}


def _keep(
    mask: np.ndarray, volume_hu: ArrayLike, overlays: Mapping[str, ArrayLike | SignedMap] | None
) -> tuple[np.ndarray, dict[str, ArrayLike | SignedMap]]:
    volume = np.asarray(volume_hu)
    if mask.shape != volume.shape:
        raise ValueError(f"the mask has shape {mask.shape}, the volume {volume.shape}")
    maps = {name: _keep_map(mask, values) for name, values in (overlays or {}).items()}
    return np.where(mask, volume, OUTSIDE), maps


def _keep_map(mask: np.ndarray, values: ArrayLike | SignedMap) -> ArrayLike | SignedMap:
    if isinstance(values, SignedMap):
        return replace(values, values=np.where(mask, values.values, np.nan))
    return np.where(mask, values, 0)
