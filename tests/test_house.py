"""The house is as it was designed: who may know whom, and what opening it costs."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "clamlab"
ROOMS = sorted(
    p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
)
ROOMS.remove("__init__")
ROOMS.remove("__main__")

EVERYTHING = set(ROOMS)
FOR_ALL = {"atomic"}
MAY_IMPORT = {
    "cli": EVERYTHING,
    "experiments": {
        "simulate", "training", "models", "clustering", "selection", "clam", "contrast",
        "evaluation", "stats", "volumes",
    },
    "viewers": {"figures", "clam"},
    "evaluation": {"clam", "contrast", "clustering"},
    "contrast": {"clam", "clustering", "forecast"},
    "clam": {"clustering", "models", "forecast"},
    "training": {"models", "clustering", "forecast"},
    "models": {"clustering"},
    "selection": {"clustering"},
    "ingest": {"volumes", "forecast"},
    "study": {"schema", "resources"},
    "schema": {"resources"},
}  # fmt: skip
OWNERS = {
    "numba": {"clam"},
    "torch": {"clustering", "models", "training", "clam", "contrast", "evaluation"},
    "lightning_fabric": {"training"},
    "ants": {"ingest"},
    "pydicom": {"ingest", "simulate"},
    "dcm2niix": {"ingest"},
    "ipyvolume": {"viewers"},
    "anywidget": {"viewers"},
    "statsmodels": {"stats"},
    "matplotlib": {"figures", "ingest"},
}


def files_of(room):
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


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
