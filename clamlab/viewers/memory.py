"""What a reader last set in a viewer, by the viewer's key: there again when its cell runs again."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import traitlets

from clamlab.atomic import whole_file
from clamlab.io import read_json

REST = 0.4  # seconds without a change: the hand rests
Written = bool | Callable[[Any], Any]

# By key: what it was said of, and values by name. The second is what of it outlives the kernel.
_known: dict[str, dict[str, Any]] = {}
_lasting: dict[str, dict[str, Any]] = {}
_was_read = False
_later: asyncio.TimerHandle | None = None


class Memory:
    """Find again what was set in the viewer of a key, after a rerun and after a restart.

    It lasts while the kernel lives. Of a notebook that is open in JupyterLab it is also written
    into the reader's own folder of Jupyter, never into the study: numbers, names of maps and
    columns, rows of scans, and nobody's name.

    Parameters
    ----------
    key : str or None
        Name of the viewer; without one nothing is remembered.
    of : iterable of str
        What it is about, as the names of the scans: another cohort is not remembered by the rows
        of this one.

    Examples
    --------
    >>> Memory("doctest", of=["S1", "S2"]).keep("scan", 1)
    >>> Memory("doctest", of=["S1", "S2"]).recall("scan"), Memory("doctest").recall("scan")
    (1, None)
    """

    def __init__(self, key: str | None, *, of: Iterable[str] = ()) -> None:
        self._key = key
        names = json.dumps([str(name) for name in of])
        self._of = hashlib.blake2b(names.encode(), digest_size=16).hexdigest()
        _read_once()

    def recall(self, name: str) -> Any:
        """Return what was last kept under a name; None if nothing was."""
        known = _known.get(self._key or "", {})
        return known.get("values", {}).get(name) if known.get("of") == self._of else None

    def keep(self, name: str, value: Any, *, written: Written = True) -> None:
        """Keep a value; ``written`` tells whether, or what of it, outlives the kernel."""
        if not self._key:
            return
        self._values(_known)[name] = value
        if written:
            self._values(_lasting)[name] = written(value) if callable(written) else value
            _write_soon()

    def tie(
        self, widget: traitlets.HasTraits, trait: str, name: str, *, written: Written = True
    ) -> None:
        """Set a trait to what was remembered, if it still can be, and remember it from now on."""
        value = self.recall(name)
        if value is not None:
            try:
                setattr(widget, trait, value)
            except Exception:  # a map, a group or a column that is there no more
                self._values(_known).pop(name, None)
        widget.observe(lambda change: self.keep(name, change.new, written=written), trait)

    def _values(self, store: dict[str, dict[str, Any]]) -> dict[str, Any]:
        assert self._key
        if store.get(self._key, {}).get("of") != self._of:
            store[self._key] = {"of": self._of, "values": {}}
        values: dict[str, Any] = store[self._key]["values"]
        return values


def _place() -> Path | None:
    """Return the file of the notebook that is open, or None where none is, as in a script."""
    notebook = os.environ.get("JPY_SESSION_NAME")
    if not notebook:
        return None
    from jupyter_core.paths import jupyter_data_dir  # comes with JupyterLab

    digest = hashlib.blake2b(notebook.encode(), digest_size=16).hexdigest()
    return Path(jupyter_data_dir()) / "clamlab" / "views" / f"{digest}.json"


def _read_once() -> None:
    global _was_read
    if _was_read:
        return
    _was_read = True
    try:
        place = _place()
        read = {} if place is None else read_json(place, expected="views")
        for store in (_known, _lasting):
            store.update({k: {"of": v["of"], "values": dict(v["values"])} for k, v in read.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # a view is not worth an error: it begins anew


def _write_soon() -> None:
    global _later
    if _later is not None:
        _later.cancel()
    try:
        _later = asyncio.get_running_loop().call_later(REST, _write)
    except RuntimeError:  # no notebook, and so nothing to write into
        _write()


def _write() -> None:
    if place := _place():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(place) as temporary:
                temporary.write_text(json.dumps(_lasting, default=float), encoding="utf-8")
        except (OSError, ValueError, TypeError):
            return  # a full disk takes nothing from what is on the screen
