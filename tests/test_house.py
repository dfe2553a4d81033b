"""The house is as it was designed: who may know whom, and what opening it costs."""

import ast
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pandas as pd
import pytest

from clamlab.ingest import ingest_cohort

PACKAGE = Path(__file__).parents[1] / "clamlab"
ROOMS = sorted(
    p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
)
ROOMS.remove("__init__")
ROOMS.remove("__main__")

EVERYTHING = set(ROOMS)
FOR_ALL = {"atomic", "cells", "io", "paths"}
MAY_IMPORT = {
    "cli": EVERYTHING,
    "experiments": {
        "simulate", "training", "models", "clustering", "selection", "clam", "contrast",
        "evaluation", "stats", "volumes", "baselines",
    },
    "viewers": {"figures", "clam", "stats"},
    "report": {"figures", "stats", "viewers"},
    "evaluation": {"clam", "contrast", "clustering"},
    "contrast": {"clam", "clustering", "forecast"},
    "clam": {"clustering", "models", "forecast"},
    "training": {"models", "clustering", "forecast"},
    "models": {"clustering"},
    "selection": {"clustering"},
    "baselines": {"selection"},
    "ingest": {"volumes", "forecast"},
    "study": {"schema", "resources", "traces"},  # which ids may be struck from a text
    "schema": {"resources"},
}  # fmt: skip
# Within a room that is split by concept, in the order of the data: who may look back at whom.
MAY_IMPORT_WITHIN = {
    "ingest": {
        "matching": set(), "reading": set(), "alignment": set(), "lungs": {"alignment", "reading"},
        "cohort": {"reading", "lungs", "alignment"},
    },
    "stats": {
        "tables": set(), "outcomes": {"tables"}, "maps": {"tables", "outcomes"},
        "readers": set(), "disclosure": set(),
    },
    "figures": {"validation": set()},
    "clam": {"quick_passes": set()},
}  # fmt: skip
LONGEST = 300
LONGER = {
    "clustering/sparse.py": "one algorithm, from its bound to its many starts",
}
OWNERS = {
    "numba": {"clam"},
    "torch": {"clustering", "models", "training", "clam", "contrast", "evaluation"},
    "lightning_fabric": {"training"},
    "ants": {"ingest"},
    "pydicom": {"ingest", "simulate"},
    "ipyvolume": {"viewers"},
    "anywidget": {"viewers"},
    "statsmodels": {"stats"},
    "matplotlib": {"figures", "ingest"},
}


def files_of(room):
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


def module_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def files_known_by(path, files):
    """Yield which of some files a file imports; a package only where a name of its own is taken."""
    for name in imports_of(path):
        if name in files and (PACKAGE.parent / name.replace(".", "/")).with_suffix(".py").exists():
            yield name
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in files:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in files else node.module


def imports_of(path):
    """Yield every module that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                within = path.relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level]
                yield ".".join([*within, node.module or ""]).rstrip(".")
            elif node.module == "clamlab":
                yield from (f"clamlab.{alias.name}" for alias in node.names)
            elif node.module:
                yield node.module


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_know_only_whom_they_may(room):
    known = {
        name.split(".")[1]
        for path in files_of(room)
        for name in imports_of(path)
        if name.startswith("clamlab.") and name.split(".")[1] in ROOMS
    }
    assert known - {room} <= MAY_IMPORT.get(room, set()) | FOR_ALL


@pytest.mark.parametrize("room", MAY_IMPORT_WITHIN)
def test_a_room_split_by_concept_looks_back_only(room):
    rules = MAY_IMPORT_WITHIN[room]
    folders = {p.name for p in (PACKAGE / room).iterdir() if (p / "__init__.py").exists()}
    assert folders <= set(rules)
    for part, allowed in rules.items():
        known = {
            name.split(".")[2]
            for path in files_of(f"{room}/{part}")
            for name in imports_of(path)
            if name.startswith(f"clamlab.{room}.") and name.split(".")[2] in rules
        }
        assert known - {part} <= allowed, part


def test_no_file_imports_itself_by_way_of_others():
    """Also where an import is put off into a function: a circle is two files that are one idea."""
    files = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    known = {module: set(files_known_by(path, files)) for module, path in files.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' <- '.join(error.args[1])}")


def test_the_library_knows_nothing_of_its_benchmarks():
    for path in PACKAGE.rglob("*.py"):
        assert not {"studies", "benchmarks"} & {name.split(".")[0] for name in imports_of(path)}


def test_a_file_is_one_idea():
    """Above three hundred lines a file gives its reason in LONGER, or becomes two."""
    written = [p for kind in ("py", "js") for p in PACKAGE.rglob(f"*.{kind}")]
    lengths = {str(p.relative_to(PACKAGE)): len(p.read_text().splitlines()) for p in written}
    long = {name for name, lines in lengths.items() if lines > LONGEST}
    assert long == set(LONGER)


@pytest.mark.parametrize("package", OWNERS)
def test_heavy_packages_have_named_owners(package):
    users = {
        room for room in ROOMS for path in files_of(room)
        if any(name.split(".")[0] == package for name in imports_of(path))
    }  # fmt: skip
    assert users <= OWNERS[package]
    assert users, f"nobody uses {package}: is it still needed?"


def test_opening_the_package_is_light():
    code = "import sys, clamlab; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "pandas", "numpy", "ants", "matplotlib"} & set(loaded)


def test_every_column_of_qc_stands_on_its_page(tmp_path):
    cohort = pd.DataFrame({"subject_id": ["S1"], "scan": ["nowhere"]})
    ingest_cohort(cohort, tmp_path, progress=False).to_csv(tmp_path / "qc.csv", index=False)
    page = (PACKAGE.parent / "docs" / "scans.md").read_text().split("## What `qc.csv` says")[1]
    rows = [line.split("|")[1] for line in page.split("\n## ")[0].splitlines() if "| `" in line]
    told = [name.strip(" `") for cell in rows for name in cell.split(",")]
    assert told == list(pd.read_csv(tmp_path / "qc.csv"))


def test_conda_users_get_the_same_versions():
    root = PACKAGE.parent
    environment = (root / "environment.yml").read_text()
    assert "-c constraints.txt" in environment
    assert "-e .[test]" in environment
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (root / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"][1:]]
    names = {w.split(">=")[0].split("[")[0].strip().lower().replace("_", "-") for w in wanted}
    assert names <= pinned
