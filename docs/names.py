"""Write names.md: what the library offers, room by room, each with what its reader gains.

python docs/names.py
"""

import ast
import importlib
import inspect
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).with_name("names.md")
# In the order in which data go through a study.
ROOMS = (
    "study", "io", "schema", "simulate", "ingest", "volumes", "models", "training", "selection",
    "clustering", "baselines", "clam", "contrast", "evaluation", "stats.tables", "stats.outcomes",
    "stats.maps", "stats.readers", "stats.disclosure", "figures", "viewers", "viewers.groups",
    "viewers.following", "viewers.reading", "viewers.pages",
    "experiments", "figures.validation", "report",
)  # fmt: skip
HEAD = """# Names

What there is to learn, room by room, in the order in which data go through a study. The module
qualifies the function: `from clamlab import clam`, then `clam.importance(maps)`. `help(...)` tells
shapes, units and an example. What is not listed here is the library's own business.

*Made by `python docs/names.py` from the rooms' own lists.*
"""


def page() -> str:
    """Put the page together from each room's ``__all__`` and first lines."""
    return "\n".join([HEAD, *(_section(room) for room in ROOMS)])


def _section(room: str) -> str:
    module = importlib.import_module(f"clamlab.{room}")
    rows = [f"| `{name}` | {gain(module, name)} |" for name in module.__all__]
    title = f"## `{room}`\n\n{_first_line(module.__doc__)}\n"
    return "\n".join([title, "| name | |", "|---|---|", *rows, ""])


def gain(module: ModuleType, name: str) -> str:
    """Say in a line what a reader gains by a name."""
    thing = getattr(module, name)
    documented = inspect.isclass(thing) or inspect.isroutine(thing)
    return _first_line(thing.__doc__ if documented else _said_of_constant(module, name))


def _said_of_constant(module: ModuleType, name: str) -> str:
    """Find the text that stands under a constant where it is assigned."""
    for file in Path(str(module.__file__)).parent.glob("*.py"):
        body = ast.parse(file.read_text("utf-8")).body
        for statement, after in pairwise(body):
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            if name in [getattr(target, "id", None) for target in targets]:
                value = getattr(after, "value", None)
                return str(value.value) if isinstance(value, ast.Constant) else ""
    return ""


def _first_line(text: str | None) -> str:
    line = " ".join((text or "").strip().split("\n\n")[0].split())
    return re.sub(r":\w+:(?=`)", "", line).replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
