"""Read scans without knowing whose they are: one after the other, scored by keys."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from clamlab.stats.readers.scores import Score, scores_of
from clamlab.viewers.assets import SLICE_VIEWER, read_together
from clamlab.viewers.person_table import ChangedElsewhere
from clamlab.viewers.reading.blind_order import blind_order
from clamlab.viewers.reading.readings import Readings
from clamlab.viewers.slices.packing import pack_scan
from clamlab.viewers.slices.slice_state import SliceState, start_state
from clamlab.viewers.slices.slice_viewer import close_whole

DIGITS = tuple("1234567890")  # in the order in which levels without a digit of their own take them
REPEATED = 0.1
SCORED_ELSEWHERE = (
    "another window has scored this meanwhile, under the same name: what stands in the file is "
    "shown now; score it again if you want it otherwise"
)
_open: dict[str, "Reading"] = {}


class Reading(SliceState, anywidget.AnyWidget):
    """Score a cohort's scans by keys, in random order, without a name or a cluster in sight.

    Each score is in the file before it is shown as saved; whoever stops, or whose kernel dies, goes
    on at the first scan that is not read to the end. The question mark lists the keys. What the
    browser is told is one scan, its number in this reader's own order, and the reader's scores.

    Parameters
    ----------
    volumes : array (n, *grid)
        HU in RAS+ order (2-D slices as displayed); a memory map is read scan by scan.
    subject_ids : sequence of str
        Whose the volumes are, for the file alone.
    scores : mapping
        A contract, whose columns with ``x-role`` ``visual_score`` are scored, or a mapping of names
        to levels in their order (see `stats.readers.scores_of`). At most ten levels.
    reader : str
        Who reads. The order of scans is drawn from this name and the seed.
    path : path
        The CSV file: ``subject_id, reader, score, value, read_at, repeat``. Several readers may
        share it, also at once.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    mask : bool array of the grid, optional
        Lung; every scan opens at the slices with most of it.
    seed : int
    repeated : float
        Share of scans that come a second time, for the reader's agreement with himself: ``repeat``
        is 2 then, and nothing shows it. 0 for none.
    key : str, optional
        Name of this widget: the earlier one of the same name is closed, so that a cell that runs
        again does not pile up scans in memory.

    Raises
    ------
    ValueError
        If the ids are not one per volume and all different, the reader has no name, there is
        nothing to score, or the file is there and is no such table.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "readings.csv"
    >>> scans, grades = np.full((3, 8, 8), -800), {"fibrosis": [0, 1, 2, 3]}
    >>> reading = Reading(scans, ["S1", "S2", "S3"], grades, reader="AB", path=path)
    >>> reading.score("fibrosis", 2)
    >>> reading.scored, reading.position, reading.n_showings
    (['2'], 0, 3)
    """

    _esm = read_together(
        *SLICE_VIEWER, "reading/take_keys.js", "reading/reading_page.js", "reading/reading.js"
    )
    _css = read_together("slice_viewer.css", "reading/reading.css")

    reader = traitlets.Unicode().tag(sync=True)
    # What is scored: title, explanation, levels with their keys, or what a number may be.
    items: traitlets.List = traitlets.List().tag(sync=True)
    # The scan's place in this reader's order, and how many there are, repeats among them.
    position = traitlets.Int(0).tag(sync=True)
    n_showings = traitlets.Int(0).tag(sync=True)
    n_read = traitlets.Int(0).tag(sync=True)
    # Of the scan that is shown, one for each item; empty where it is not scored.
    scored: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(
        self,
        volumes: NDArray,
        subject_ids: Sequence[str],
        scores: Mapping[str, Any],
        *,
        reader: str,
        path: str | Path,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        seed: int = 1,
        repeated: float = REPEATED,
        key: str | None = None,
    ) -> None:
        self._volumes, self._affine = volumes, affine
        self._ids = _checked(subject_ids, len(volumes))
        self._scores = scores_of(scores)
        self._reader = reader.strip()
        if not self._reader:
            raise ValueError("expected the reader's name or initials, found none")
        self._order = blind_order(self._ids, reader=self._reader, seed=seed, repeated=repeated)
        self._start = _fullest(mask, affine)
        self._file = Readings(Path(path))
        self._measured: dict[int, list] = {}  # by place: a second look does not tell of the first
        place = self._first_open()
        position = len(self._order) - 1 if place is None else place
        scan = self._scan(position)
        super().__init__(
            **scan,
            **self._told(position),
            **start_state(scan, self._start),
            reader=self._reader,
            items=[_item(score) for score in self._scores],
            n_showings=len(self._order),
        )
        self.on_msg(self._hear)
        if key in _open:
            close_whole(_open.pop(key))
        if key:
            _open[key] = self

    def score(self, name: str, value: object) -> None:
        """Save a score of the scan that is shown: a level, a number, or "unreadable".

        Raises
        ------
        ValueError
            If there is no such score, or the value is none of it; if the file is damaged; if
            another window has scored it under this name meanwhile.
        OSError
            If the disk refuses; the file is what it was.
        """
        known = {score.name: score for score in self._scores}
        if name not in known:
            raise ValueError(f"expected one of {', '.join(known)}, found {name!r}")
        text = known[name].text(value)
        scan, repeat = self._order[self.position]
        try:
            self._file.put(self._ids[scan], self._reader, name, repeat=repeat, value=text)
        except ChangedElsewhere as error:
            raise ValueError(SCORED_ELSEWHERE) from error
        finally:
            self._show()

    def go(self, position: int) -> None:
        """Show another scan, by its place in this reader's order from 0.

        Rulers and regions go with the scan they were drawn on, and come back with it.
        """
        if not 0 <= position < len(self._order):
            raise ValueError(f"expected a place from 0 to {len(self._order) - 1}, found {position}")
        scan = self._scan(position)
        start = start_state(scan, self._start)
        self._measured[self.position] = self.measures
        fresh = {name: start[name] for name in ("index", "center")}
        fresh["measures"] = self._measured.get(position, [])
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in (scan | fresh | {"zoom": 1.0} | self._told(position)).items():
                setattr(self, name, value)

    def _show(self) -> None:
        with self.hold_sync():
            for name, value in self._told(self.position).items():
                setattr(self, name, value)

    def _told(self, position: int) -> dict[str, Any]:
        """Collect what the browser learns about a place in the order."""
        read = [all(self._scored(place)) for place in range(len(self._order))]
        return {"position": position, "scored": self._scored(position), "n_read": sum(read)}

    def _scored(self, position: int) -> list[str]:
        """Give the scores of a place in the order; empty where there is none, or none that fits."""
        scan, repeat = self._order[position]
        return [
            _fitting(
                score, self._file.value(self._ids[scan], self._reader, score.name, repeat=repeat)
            )
            for score in self._scores
        ]

    def _first_open(self) -> int | None:
        places = range(len(self._order))
        return next((place for place in places if not all(self._scored(place))), None)

    def _scan(self, position: int) -> dict[str, Any]:
        scan, _ = self._order[position]
        return pack_scan(self._volumes[scan], affine=self._affine)

    def _hear(self, _: Any, asked: dict[str, Any], __: Any) -> None:
        """Answer the browser: what became of a score, or another scan."""
        told = {"n": asked.get("n")}
        try:
            if asked["do"] == "score":
                if asked["position"] != self.position:
                    raise ValueError("another scan is shown by now")
                self.score(self._scores[int(asked["item"])].name, asked["value"])
            elif asked["do"] == "open":
                place = self._first_open()
                self.go(self.position if place is None else place)
            else:
                self.go(int(asked["to"]))
        except (ValueError, OSError) as error:
            self.send(told | {"refused": f"Not saved: {error}" if "item" in asked else str(error)})
            return
        self.send(told | {"done": asked["do"]})


def _checked(subject_ids: Sequence[str], n_volumes: int) -> list[str]:
    ids = [str(subject).strip() for subject in subject_ids]
    if not ids or len(ids) != n_volumes:
        raise ValueError(f"expected one id per volume, found {len(ids)} for {n_volumes} volumes")
    if len(set(ids)) < len(ids):
        raise ValueError(f"expected each subject once, found {len(ids) - len(set(ids))} again")
    return ids


def _fullest(mask: ArrayLike | None, affine: ArrayLike | None) -> dict[str, Any]:
    """Find where scans open: in each plane the slice with most of the mask."""
    if mask is None:
        return {}
    packed = pack_scan(np.where(np.asarray(mask, dtype=bool), 0, -1000), affine=affine)
    inside = np.frombuffer(packed["volume"], "<i2").reshape(packed["shape"]) == 0
    counts = [inside.sum(axis=others) for others in ((1, 2), (0, 2), (0, 1))]
    fullest = [np.flatnonzero(count == count.max()) for count in counts]
    return {"index": [int(slices[len(slices) // 2]) for slices in fullest]}


def _item(score: Score) -> dict[str, Any]:
    """Tell the browser of a score what a reader sees, and which key is which level."""
    names = score.names
    if len(names) > len(DIGITS):
        raise ValueError(
            f"{score.title}: {len(names)} levels for ten digits; give a range "
            "('minimum' and 'maximum') instead, and type the number"
        )
    units = score.rule.get("x-units", "")
    return {
        "title": score.title,
        "about": str(score.rule.get("description", "")),
        "levels": [{"key": key, "name": name} for name, key in _keys(names).items()],
        "range": "" if names else f"{score.range} {units}".strip(),
    }


def _keys(names: Sequence[str]) -> dict[str, str]:
    """Give each level a digit: its own, if that is its name, so that no digit saves another level.

    Examples
    --------
    >>> _keys(["0", "1", "2", "3a", "3b"])
    {'0': '0', '1': '1', '2': '2', '3a': '3', '3b': '4'}
    """
    free = iter([digit for digit in DIGITS if digit not in names])
    return {name: name if name in DIGITS else next(free) for name in names}


def _fitting(score: Score, text: str) -> str:
    try:
        return score.text(text) if text else ""
    except ValueError:  # written when the levels were others: it is to be read again
        return ""
