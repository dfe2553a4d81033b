"""The surface that a reader learns: few names a room, each told in full, all on one page."""

import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pytest

import clamlab

REPOSITORY = Path(__file__).parents[1]
MOST_NAMES = 12


def offering_rooms():
    """Give every module that says what it offers."""
    for found in pkgutil.walk_packages(clamlab.__path__, "clamlab."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            if hasattr(module, "__all__"):
                yield module


ROOMS = {module.__name__.removeprefix("clamlab."): module for module in offering_rooms()}
NAMES = [
    pytest.param(getattr(module, name), id=f"{room}.{name}")
    for room, module in ROOMS.items()
    for name in module.__all__
    if inspect.isroutine(getattr(module, name)) or inspect.isclass(getattr(module, name))
]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_no_more_than_a_reader_learns_at_a_sitting(room):
    assert 1 <= len(ROOMS[room].__all__) <= MOST_NAMES


@pytest.mark.parametrize("thing", NAMES)
def test_a_public_name_tells_what_it_takes_and_gives(thing):
    text, wanted = inspect.getdoc(thing) or "", []
    assert re.match(r"[A-Z].*[.:)]\n|[A-Z].*[.]$", text), "the first line says what is gained"
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    given = inspect.signature(thing)
    if given.parameters:
        wanted.append("Attributes|Parameters" if inspect.isclass(thing) else "Parameters")
    if not inspect.isclass(thing) and given.return_annotation not in (None, given.empty, "None"):
        wanted.append("Returns|Yields")
    wanted.append("Examples")
    missing = [w for w in wanted if not re.search(rf"^({w})\n---", text, re.MULTILINE)]
    assert not missing


def test_the_page_of_names_is_as_made(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    names = importlib.import_module("names")
    assert names.PAGE.read_text("utf-8") == names.page(), "run: python docs/names.py"
    offered = {room for room in ROOMS if room not in ("cli", "stats")}
    assert set(names.ROOMS) == offered
    sys.modules.pop("names")
