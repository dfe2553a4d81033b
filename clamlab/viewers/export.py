"""Hand a viewer to somebody without Python: one page, no network, no kernel."""

import base64
import gzip
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .packing import default_state, pack_scan
from .slice_viewer import JAVASCRIPT, STYLE, SliceViewer, complete_state

if TYPE_CHECKING:
    from IPython.display import HTML

WARNING = (
    "This page holds the CT of one person. Treat it as patient data: store and pass it on "
    "only as your ethics approval allows, and never publish it."
)
OUTSIDE = -1024  # HU where a mask leaves the scan out: air, as scanners fill it

# The policy forbids every request: what the page shows is in the page.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 12px; background: #07090c; }}
#clam-page {{ max-width: 1500px; margin: 0 auto; }}
.clam-warning {{ margin: 0 0 10px; padding: 9px 14px; border-left: 4px solid #e69f00;
  background: #241b08; color: #f6d79a; font: 14px/1.4 system-ui, "DejaVu Sans", sans-serif; }}
{style}
</style>
</head>
<body>
<div id="clam-page">{warning}<div id="clam-viewer"></div></div>
<script type="application/json" id="clam-state">{state}</script>
<script type="text/plain" id="clam-data">{data}</script>
<script type="module">
{javascript}
{start}
</script>
</body>
</html>
"""

# A model as the notebook gives one, without a kernel behind it.
START = """
class PageModel extends EventTarget {
  constructor(traits) { super(); this.traits = traits; }
  get(name) { return this.traits[name]; }
  set(name, value) { this.traits[name] = value; this.dispatchEvent(new Event(`change:${name}`)); }
  on(names, handler) { for (const name of names.split(" ")) this.addEventListener(name, handler); }
  off(names, handler) { for (const name of names.split(" ")) this.removeEventListener(name, handler); }
  save_changes() {}
}

async function unpack(traits) {
  const packed = Uint8Array.from(atob(document.getElementById("clam-data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const voxels = traits.shape.reduce((product, n) => product * n, 1);
  const volume = new Uint8Array(2 * voxels); // low bytes and high bytes travel apart: they pack better
  for (let i = 0; i < voxels; i++) {
    volume[2 * i] = bytes[i];
    volume[2 * i + 1] = bytes[voxels + i];
  }
  const view = (array) => new DataView(array.buffer, array.byteOffset, array.byteLength);
  return { ...traits, volume: view(volume), overlay_volumes: view(bytes.subarray(2 * voxels)) };
}

const place = document.getElementById("clam-viewer");
try {
  const traits = await unpack(JSON.parse(document.getElementById("clam-state").textContent));
  mountViewer(new PageModel(traits), place);
} catch (error) {
  place.style.color = "#e6e9ee";
  place.textContent = `This page needs a browser of 2023 or later (${error.message}).`;
}
"""


def to_html(
    volume_hu: ArrayLike,
    overlays: dict[str, ArrayLike] | None = None,
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
        As in `SliceViewer`.
    path : str or Path, optional
        File to write, whole or not at all. Default: return the page as text.
    patient_data : bool
        Whether `volume_hu` is a person's scan: the page then says so in a banner. Set it to False
        only for cluster averages and simulated scans.
    mask : bool array of the volume's shape, optional
        Voxels to keep; the others become air (-1024 HU) and no importance. Keeping the lungs only
        makes the page three times smaller and leaves out the body's surface.

    Returns
    -------
    Path or str
        The file written, or the page's text.

    Raises
    ------
    ValueError
        As `SliceViewer`, or if the mask has another shape than the volume.

    Examples
    --------
    >>> page = to_html(np.zeros((8, 8)), patient_data=False)
    >>> page.startswith("<!doctype html>"), "http://" in page
    (True, False)
    """
    if mask is not None:
        volume_hu, overlays = _keep(np.asarray(mask, dtype=bool), volume_hu, overlays)
    scan = pack_scan(volume_hu, overlays, affine=affine)
    defaults = {n: SliceViewer.class_traits()[n].default_value for n in _plain_state(scan)}
    traits = defaults | complete_state(default_state(scan), state) | {"title": title}
    traits |= {n: scan[n] for n in ("overlay_names", "shape", "affine", "units")}
    warning = f'<p class="clam-warning" role="note">{WARNING}</p>' if patient_data else ""
    page = PAGE.format(
        title=html.escape(title or "Slices"),
        style=STYLE,
        warning=warning,
        state=json.dumps(traits).replace("<", "\\u003c"),
        data=_compress(scan),
        javascript=JAVASCRIPT,
        start=START,
    )
    return page if path is None else _write(Path(path), page)


def embed(page: str | Path, *, height: int = 560) -> "HTML":
    """Show an exported page in a notebook so that `jupyter nbconvert --to html` keeps it alive.

    A widget is blank in such a file; this frame holds the whole page and needs no kernel.

    Parameters
    ----------
    page : str or Path
        What `to_html` returned: a page's text, or the path of its file.
    height : int
        Height of the frame in screen pixels.

    Examples
    --------
    >>> frame = embed(to_html(np.zeros((8, 8)), patient_data=False))
    >>> "<iframe" in frame.data
    True
    """
    from IPython.display import HTML

    text = page.read_text(encoding="utf-8") if isinstance(page, Path) else page
    style = f"width: 100%; height: {height}px; border: 0"
    return HTML(f'<div><iframe srcdoc="{html.escape(text)}" style="{style}"></iframe></div>')


def _plain_state(scan: dict[str, Any]) -> list[str]:
    from .slice_viewer import STATE

    return [name for name in STATE if name != "index"]


def _keep(
    mask: np.ndarray, volume_hu: ArrayLike, overlays: dict[str, ArrayLike] | None
) -> tuple[np.ndarray, dict[str, ArrayLike]]:
    volume = np.asarray(volume_hu)
    if mask.shape != volume.shape:
        raise ValueError(f"the mask has shape {mask.shape}, the volume {volume.shape}")
    maps = {name: np.where(mask, values, 0) for name, values in (overlays or {}).items()}
    return np.where(mask, volume, OUTSIDE), maps


def _compress(scan: dict[str, Any]) -> str:
    low_and_high = np.frombuffer(scan["volume"], np.uint8).reshape(-1, 2).T
    packed = gzip.compress(low_and_high.tobytes() + scan["overlay_volumes"], 9, mtime=0)
    return base64.b64encode(packed).decode("ascii")


def _write(path: Path, page: str) -> Path:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)
    return path
