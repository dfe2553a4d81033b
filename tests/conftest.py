"""Fixtures that several rooms share."""

import os
from pathlib import Path

import pytest
from browser import chromium, new_page

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


@pytest.fixture(scope="module")
def browser():
    """A real browser, one for all tests of a file."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser, request):
    """A page without errors that asks nothing off this machine; PAGE_SIZE of a file is its size."""
    opened = new_page(browser, **getattr(request.module, "PAGE_SIZE", {}))
    yield opened
    opened.context.close()
    assert opened.js_errors == []
    assert opened.requests_outside == []
