"""How quickly viewers of a whole cohort answer through Python, and what an hour of use leaves.

    make bench exploring      about five minutes; needs Chromium

300 scans of 88^3 voxels, three clusters. From a key on a control, through Python, to changed
pixels: medians and ninth deciles. Then moves at random, as many as an hour of one every three
seconds holds, and the memory of the page. Results stay in exploring.csv beside this file.
"""

import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import chromium, jupyterlab, new_page, run_notebook, write_notebook

RESULT = Path(__file__).with_suffix(".csv")
N, SHAPE, K = 300, (88, 88, 88), 3
TIMES, MOVES = 20, 1200
COHORT = f"""
import numpy as np, pandas as pd
from clamlab import viewers
hu = np.load("volumes.npy", mmap_mode="r")
rng = np.random.default_rng(1)
clusters = np.arange({N}) % {K}
features = rng.normal(size=({N}, 60)) + 6 * np.eye(60)[clusters]
soft = np.full(({N}, {K}), 0.1)
soft[np.arange({N}), clusters] = 0.8
maps = rng.random(({N}, {K}, 11, 11, 11)).astype("float32")
names = [f"P{{i:03}}" for i in range({N})]
look = dict(affine=np.diag([3.0, 3, 3, 1]), mask=np.ones(hu.shape[1:], bool))
"""
SHOWN = {
    "cohort": """
table = pd.DataFrame(rng.normal(size=(len(hu), 9))).add_prefix("value ").assign(subject_id=names)
kinds = {"One": maps, "Other": maps[::-1], "Third": maps[:, ::-1]}
viewers.CohortViewer(hu, features, soft, maps=kinds, table=table, **look)
""",
    "averages": """
hu_of = {f"Cluster {k + 1}": hu[k].astype(float) for k in range(soft.shape[1])}
all_maps = {name: np.indices(hu.shape[1:]).mean(0) / 87 for name in hu_of}
spread = np.full(hu.shape[1:], 60.0)
viewers.ClusterAverages(hu_of, all_maps, rest_hu=hu_of, spread_hu=spread, **look)
""",
    "numbers": """
rows = [
    pd.DataFrame({"n_clusters": k, "subject_id": names, "cluster": np.arange(len(hu)) % k})
    for k in range(2, 9)
]
partitions = pd.concat(rows).assign(jaccard=0.9, apart=True)
viewers.PartitionViewer(features, partitions, hu, affine=look["affine"], n_clusters=3)
""",
    "way": """
from types import SimpleNamespace
def way(scan, rival):
    for t in np.linspace(0, 1, 9):
        image = (hu[scan] + t * 200).astype("float32")
        yield SimpleNamespace(
            fraction=t, image=image, drawn=image, soft_assignment=soft[scan], read_again=soft[scan]
        )
viewers.Way(hu, soft, way, names=names, **look)
""",
}
# What is pressed, and where: a control's label, or the kind of control.
PRESSED = {
    "the next scan": ("cohort", "Least certain", "ArrowDown"),
    "another map": ("cohort", "Map", "ArrowDown"),
    "the next cluster": ("averages", "slider", "ArrowRight"),
    "the next cluster, less the rest": ("averages", "slider", "ArrowRight"),
    "another number of clusters": ("numbers", "slider", "ArrowRight"),
    "a step of a way": ("way", "slider", "ArrowRight"),
}
WATCH = """() => {
    // The first that is seen: of several side by side, the one that leads shows no picture.
    const axial = 'canvas[data-plane=axial]';
    const seen = () => document.querySelector(`.clam-picture ${axial}`)
        ?? document.querySelector(`.clam-viewer[data-ready] ${axial}`);
    const pixels = () => {
        const canvas = seen();
        const middle = canvas?.getContext('2d')
            .getImageData(canvas.width / 2 - 20, canvas.height / 2 - 20, 40, 40).data;
        return middle?.some((value) => value) ? middle.join() : before;
    };
    let before = '';
    before = pixels();
    let began = null;
    const press = () => { began = performance.now(); };
    document.addEventListener('keydown', press, { once: true, capture: true });
    window.taken = new Promise((done) => {
        const look = () => began !== null && pixels() !== before
            ? done(performance.now() - began) : requestAnimationFrame(look);
        look();
    });
}"""


def write_cohort(folder: Path) -> None:
    """Write scans that differ from each other and between clusters, and the notebooks."""
    noise = np.random.default_rng(0).normal(0, 60, SHAPE)
    volumes = np.lib.format.open_memmap(
        folder / "volumes.npy", mode="w+", dtype="int16", shape=(N, *SHAPE)
    )
    for i in range(N):
        volumes[i] = np.roll(noise, 7 * i, axis=0) - 850 + 60 * (i % K)
    volumes.flush()
    for name, shown in SHOWN.items():
        write_notebook(folder / f"{name}.ipynb", [COHORT, shown])


def latencies(page, target, key: str, times: int = TIMES) -> list[float]:
    """Press a key on a control again and again; give the ms until the picture was another one."""
    turned = {"ArrowRight": "ArrowLeft", "ArrowDown": "ArrowUp"}
    taken = []
    for i in range(times):
        target.focus()
        page.wait_for_timeout(150)
        page.evaluate(WATCH)
        # To the end of a short slider and back.
        page.keyboard.press(key if i % 4 < 2 else turned[key])
        taken.append(page.evaluate("() => window.taken"))
    return taken


def control(page, label: str):
    """Find a control by its label, or the first handle of a slider."""
    if label == "slider":
        return page.locator(".noUi-handle").first
    if label == "Least certain":
        return page.locator("select[size]").first
    return page.get_by_label(label, exact=True).first


def in_jupyterlab() -> pd.DataFrame:
    """Time each control, then walk at random."""
    folder, home = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    write_cohort(folder)
    rows = []
    with jupyterlab(folder, home) as url, chromium() as browser:
        page = new_page(browser)
        open_now = ""
        for what, (name, label, key) in PRESSED.items():
            if name != open_now:
                run_notebook(page, url, f"{name}.ipynb")
                page.locator(".clam-viewer[data-ready]").first.wait_for()
                page.wait_for_timeout(4000)  # what is worked out behind the first picture
                open_now = name
            if label == "Least certain":
                control(page, label).press(key)  # nothing is chosen in this list at first
                page.wait_for_timeout(1000)
            if what.endswith("less the rest"):
                page.get_by_label("against").select_option("the rest of the scans")
            taken = latencies(page, control(page, label), key)
            rows.append(row(what, taken))
            print(rows[-1], flush=True)
        rows += walk(page, url)
    return pd.DataFrame(rows)


def row(what: str, taken: list[float]) -> dict:
    """Put a control's times together."""
    return {
        "what": what,
        "median": float(np.median(taken)),
        "ninth decile": float(np.quantile(taken, 0.9)),
        "unit": "ms",
    }


def walk(page, url: str) -> list[dict]:
    """Move at random through the cohort, and weigh the page before and after."""
    run_notebook(page, url, "cohort.ipynb")
    page.locator(".clam-viewer[data-ready]").first.wait_for()
    page.wait_for_timeout(3000)
    moves = random.Random(1)
    places = [control(page, "Least certain"), control(page, "Map"), control(page, "for")]
    canvas = page.locator("canvas[data-plane=axial]").first
    before = page_mb()
    for _ in range(MOVES):
        place = moves.choice([*places, canvas, canvas])
        place.focus()
        page.keyboard.press(moves.choice(["ArrowDown", "ArrowUp"]))
        page.wait_for_timeout(60)
    page.wait_for_timeout(3000)
    assert not page.js_errors, page.js_errors
    weights = {"memory of the page at the start": before, f"after {MOVES} moves": page_mb()}
    return [{"what": what, "median": mb, "unit": "MB"} for what, mb in weights.items()]


def page_mb() -> float:
    """Weigh the largest page's own memory, without what it shares with others."""
    mine = psutil.Process().children(recursive=True)
    pages = [p for p in mine if "--type=renderer" in p.cmdline()]
    return max(p.memory_full_info().uss for p in pages) / 1e6


def main() -> None:
    """Measure and keep."""
    table = in_jupyterlab()
    table.to_csv(RESULT, index=False, float_format="%.3g")
    print(table.to_string(index=False, float_format="%.3g"))


if __name__ == "__main__":
    main()
