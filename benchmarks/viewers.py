"""How quickly the viewers answer, in a real JupyterLab and a real browser.

    make bench viewers      about a minute; needs Chromium

A scan of 88^3 voxels with noise everywhere and one map; then the same as a slab of 20 mm under a
signed map with evidence, with a ruler and a region on two planes. Latency runs from a key press to
changed pixels, measured inside the page. Results stay in viewers.csv beside this file.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from clamlab import viewers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import ask_kernel, chromium, jupyterlab, new_page, run_notebook, write_notebook

RESULT = Path(__file__).with_suffix(".csv")
SHAPE = (88, 88, 88)
SCAN = f"""
import numpy as np
from clamlab.viewers import SliceViewer
rng = np.random.default_rng(0)
hu = rng.normal(-800, 60, {SHAPE}).astype("int16")
spread = np.indices({SHAPE}).mean(0) / 87
viewer = SliceViewer(hu, {{"Map": spread}}, affine=np.diag([3.0, 3, 3, 1]), title="Noise")
"""
SHOW = "viewer"
SIGNED = """
from clamlab.viewers import SignedMap
change = SignedMap(rng.normal(0, 90, hu.shape), limit=200, evidence=rng.random(hu.shape))
viewer.show(hu, {"Change": change}, affine=np.diag([3.0, 3, 3, 1]), title="Noise, signed")
"""
MEASURES = """[
    {"kind": "ruler", "plane": "coronal", "ends": [[20, 44, 20], [60, 44, 60]]},
    {"kind": "region", "plane": "sagittal", "ends": [[44, 20, 20], [44, 70, 70]]},
]"""
SLABS = ("mean", "MIP")
STEPS, FAST_STEPS, FAST_MS = 20, 20, 50
PAINT = """() => new Promise((done) => {
    const begin = performance.now();
    window.jupyterapp.commands.execute('notebook:run-all-cells');
    const look = () => document.querySelector('.clam-viewer[data-ready]')
        ? done(performance.now() - begin) : requestAnimationFrame(look);
    look();
})"""
LATENCY = """async (steps) => {
    const canvas = document.querySelector('canvas[data-plane=axial]');
    const pixels = () => canvas.getContext('2d')
        .getImageData(canvas.width / 2 - 20, canvas.height / 2 - 20, 40, 40).data.join();
    const press = (key) => canvas.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    const taken = [];
    for (let i = 0; i < steps; i++) {
        await new Promise((rested) => setTimeout(rested, 120));
        const before = pixels();
        const begin = performance.now();
        press('ArrowDown');
        await new Promise((done) => {
            const look = () => pixels() !== before ? done() : requestAnimationFrame(look);
            requestAnimationFrame(look);
        });
        taken.push(performance.now() - begin);
    }
    return taken;
}"""
SHOWN = """async ([steps, pace]) => {
    const canvas = document.querySelector('canvas[data-plane=axial]');
    const count = canvas.closest('.clam-pane').querySelector('output');
    const seen = new Set();
    let going = true;
    const look = () => { seen.add(count.textContent); if (going) requestAnimationFrame(look); };
    look();
    for (let i = 0; i < steps; i++) {
        canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}));
        await new Promise((rested) => setTimeout(rested, pace));
    }
    await new Promise((rested) => setTimeout(rested, 200));
    going = false;
    return seen.size - 1;
}"""


def in_jupyterlab() -> dict[str, float]:
    """Time a slice viewer in a notebook."""
    folder, home = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    write_notebook(folder / "scan.ipynb", [SCAN, SHOW])
    received = []
    with jupyterlab(folder, home) as url, chromium() as browser:
        page = new_page(browser)
        count = lambda frame: received.append(len(frame))  # noqa: E731 - one of many handlers
        page.on("websocket", lambda socket: socket.on("framereceived", count))
        run_notebook(page, url, "scan.ipynb")
        page.locator(".clam-viewer[data-ready]").wait_for()
        sent = sum(received)
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        page.locator(".clam-viewer").wait_for(state="detached")
        painted = page.evaluate(PAINT)
        page.locator("canvas[data-plane=axial]").focus()
        latency = page.evaluate(LATENCY, STEPS)
        shown = page.evaluate(SHOWN, [FAST_STEPS, FAST_MS])
        slabs = _as_slabs(page)
    return {
        "first paint, both cells run, ms": painted,
        "key press to pixels, median ms": float(np.median(latency)),
        "key press to pixels, 90 %, ms": float(np.quantile(latency, 0.9)),
        f"shown of {FAST_STEPS} fast steps": shown,
        "sent to the browser, MB": sent / 1e6,
        **slabs,
    }


def _as_slabs(page) -> dict[str, float]:
    """Time steps through a slab of 20 mm under a signed map, with measures on two planes."""
    ask_kernel(page, f"exec({SIGNED!r})")
    ask_kernel(page, f"setattr(viewer, 'measures', {MEASURES})")
    page.locator(".clam-title").get_by_text("Noise, signed").wait_for()
    page.locator("canvas[data-plane=axial]").focus()
    taken = {}
    for slab in SLABS:
        ask_kernel(page, f"setattr(viewer, 'slab', {slab!r})")
        page.locator("[data-read=slab]").get_by_text(f"Axial {slab}").wait_for()
        latency = page.evaluate(LATENCY, STEPS)
        taken[f"{slab} of 20 mm, signed map, median ms"] = float(np.median(latency))
        taken[f"{slab} of 20 mm, signed map, 90 %, ms"] = float(np.quantile(latency, 0.9))
    return taken


def on_disk() -> dict[str, float]:
    """Weigh exported pages: one subject's noise, and a smooth average."""
    rng = np.random.default_rng(0)
    smooth = np.indices(SHAPE).mean(0) / 87
    pages = {"subject": rng.normal(-800, 60, SHAPE), "average": -900 + 300 * smooth}
    affine = np.diag([3.0, 3, 3, 1])
    sizes = {k: len(viewers.to_html(hu, {"Map": smooth}, affine=affine)) for k, hu in pages.items()}
    return {f"page of one {name}, MB": size / 1e6 for name, size in sizes.items()}


def main() -> None:
    """Measure and keep."""
    table = pd.Series(in_jupyterlab() | on_disk(), name="value").rename_axis("measure")
    table.to_csv(RESULT, float_format="%.3g")
    print(table.to_string(float_format="%.3g"))


if __name__ == "__main__":
    main()
