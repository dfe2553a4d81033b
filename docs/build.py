"""Build the site: these pages, a page for each room of the library, and the demo as it ran.

    python docs/build.py [STUDY [SITE]]      into site/, without any network

STUDY is a simulated study that has been run; without one the site says how to make it. Of a study
with patients no page is made.
"""

import importlib
import inspect
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

from names import ROOMS, gain
from notebook_pages import notebook_page
from sphinx.cmd.build import build_main

HERE = Path(__file__).parent
MADE = HERE / "made"
NOT_RUN = """# Not run yet

The notebooks of the demo are shown here once it has run: `make demo`, then `make docs`.
"""


def build(study: Path, site: Path) -> int:
    """Write the pages that are made, then the site; return what Sphinx returns."""
    settings = study / "study.json"
    if settings.exists() and not json.loads(settings.read_text("utf-8"))["simulated"]:
        raise SystemExit(f"{study} holds patients: pages are made of a simulated study only")
    shutil.rmtree(MADE, ignore_errors=True)
    write_library(MADE / "library")
    write_demo(MADE / "demo", study, pages=MADE / "pages")
    return build_main(["-q", "-W", "--keep-going", "-E", str(HERE), str(site)])


def write_library(folder: Path) -> None:
    """Write a page for each room: its names, with what each takes and gives."""
    folder.mkdir(parents=True)
    for number, room in enumerate(ROOMS):
        module = importlib.import_module(f"clamlab.{room}")
        parts = [f".. automodule:: clamlab.{room}"]
        parts += [_entry(module, room, name) for name in module.__all__]
        page = "\n\n".join([f"# {room}", "```{eval-rst}", *parts, "```\n"])
        (folder / f"{number:02d}_{room}.md").write_text(page, encoding="utf-8")


def _entry(module: ModuleType, room: str, name: str) -> str:
    thing = getattr(module, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        kind = "autoclass" if inspect.isclass(thing) else "autofunction"
        return f".. {kind}:: clamlab.{room}.{name}"
    return f".. py:data:: clamlab.{room}.{name}\n\n   {gain(module, name)}"


def write_demo(folder: Path, study: Path, *, pages: Path) -> None:
    """Write a page for each notebook of a simulated study."""
    folder.mkdir(parents=True)
    pages.mkdir()
    if not (study / "study.json").exists():
        (folder / "not_run.md").write_text(NOT_RUN, encoding="utf-8")
        return
    for notebook in sorted((study / "notebooks").glob("[0-9]*.ipynb")):
        notebook_page(notebook, folder, study=study, pages=pages)


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:]]
    sys.exit(build(*given, *[HERE.parent / "demo_study", HERE.parent / "site"][len(given) :]))
