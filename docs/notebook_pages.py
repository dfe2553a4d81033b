"""A notebook that has run, as a page for somebody who runs nothing."""

import copy
import re
import shutil
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
NEEDS_PYTHON = (
    "*Here the notebook has something to move by hand: open it in JupyterLab and run it down to "
    "this cell.*"
)
# Viewers that a study keeps as a page, too: they scroll without Python.
KEPT = {"ClusterAverages": "07_explore/averages.html"}
FRAME = '<iframe src="../../{}" style="width: 100%; height: 940px; border: 0"></iframe>'
# The first that an output has is shown.
SHOWN = ["text/html", "text/markdown", "image/png", "text/plain"]


def notebook_page(path: Path, folder: Path, *, study: Path, pages: Path) -> Path:
    """Write a notebook with its outputs as a page, its pictures beside it; return the page.

    Viewers that the study keeps as pages are copied into ``pages``, which is the site's root.
    """
    notebook = nbformat.read(path, as_version=4)
    exporter = MarkdownExporter()
    exporter.register_filter("filter_data_type", _first_of)
    text, resources = exporter.from_notebook_node(
        _without_widgets(notebook, study, pages),
        resources={"output_files_dir": path.stem, "unique_key": path.stem},
    )
    (folder / path.stem).mkdir()
    for name, data in resources["outputs"].items():
        (folder / name).write_bytes(data)
    page = folder / f"{path.stem}.md"
    page.write_text(_named_by_number(text, path.stem), encoding="utf-8")
    return page


def _first_of(data: dict) -> list[str]:
    return [next((kind for kind in SHOWN if kind in data), "text/plain")]


def _named_by_number(text: str, stem: str) -> str:
    """Put the notebook's number in front of its title, as the list of notebooks shows it."""
    return re.sub(r"^# ", f"# {stem[:2]} ", text, count=1, flags=re.MULTILINE)


def _without_widgets(notebook: NotebookNode, study: Path, pages: Path) -> NotebookNode:
    shown = copy.deepcopy(notebook)
    shown.metadata.pop("widgets", None)
    for cell in shown.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = _instead(output.data, study, pages)
    return shown


def _instead(data: dict, study: Path, pages: Path) -> dict:
    """Give what stands in a widget's place: the page that the study keeps of it, or a sentence."""
    name = str(data.get("text/plain", "")).partition("(")[0]
    kept = study / KEPT.get(name, "-")
    if kept.exists():
        shutil.copyfile(kept, pages / kept.name)
        return {"text/html": FRAME.format(kept.name)}
    html = data.get("text/html", "")
    return {"text/markdown": f"{html}\n\n{NEEDS_PYTHON}"}
