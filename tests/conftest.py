"""Fixtures that several rooms share."""

import os
from pathlib import Path

import pytest

# One thread a process: pytest runs as many processes as there are cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans; the setting CLAMLAB_DATA names it."""
    folder = Path(os.environ.get("CLAMLAB_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real scans at {folder}: set CLAMLAB_DATA to their folder")
    return folder
