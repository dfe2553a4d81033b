"""What all explorers share: the cut, the boxes, the count of looks, and what is kept."""

import html
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from clamlab.stats.variables import cluster_labels
from clamlab.viewers.assets import read_together
from clamlab.viewers.following.boxes import Boxes
from clamlab.viewers.following.cut import ConfidenceSlider
from clamlab.viewers.following.follower import Follower
from clamlab.viewers.following.keeping import Keeping
from clamlab.viewers.following.looks import Looks, counted
from clamlab.viewers.following.marks import (
    EXPLORATORY,
    OF_P,
    PLANNED,
    SELECTED,
    WAITING,
    marked,
)
from clamlab.viewers.listening import Listening
from clamlab.viewers.memory import Memory
from clamlab.viewers.slices.slice_viewer import close_whole

_open: dict[str, "Explorer"] = {}


class _Opened(Listening):
    """Listens, and brings the looks of what is shown."""

    _css = read_together("listening.css", "following/following.css")


class Explorer(widgets.VBox):
    """Move a cut and boxes; what is worked out from them follows, marked as exploratory.

    Nothing is worked out before somebody sees the cell, or asks for a result.

    Parameters
    ----------
    table : DataFrame
    contract : dict
    boxes : sequence of Boxes
    folder : path or None
        Where looks are kept.
    key : str or None
        Name of this explorer: the earlier one of the same name is closed, and a cell that runs
        again shows the setting it showed before.

    Raises
    ------
    ValueError
        If the table has no column of clusters.
    """

    what = ""  # what is shown: the table, the figure
    where = ""  # where the planned one stands

    def __init__(
        self,
        table: pd.DataFrame,
        contract: dict,
        *,
        boxes: Sequence[Boxes],
        folder: str | Path | None,
        key: str | None,
    ) -> None:
        self._table, self._contract = table, contract
        self._cut = ConfidenceSlider(table, cluster_labels(table, "cluster"))
        self.confidence = self._cut.slider
        self._boxes = list(boxes)
        self._memory = Memory(key, of=table.get("subject_id", table.index))
        self._looks = self._looks_so_far()
        self._memory.tie(self.confidence, "value", "confidence")
        for i, box in enumerate(self._boxes):
            self._memory.tie(box, "chosen", f"boxes {i}")
        self._shown_key: Any = None
        self._shown = widgets.HTML(self._not_yet())
        self._shown.add_class("clam-shown")
        self.keeping = Keeping(folder, self._keep, self._setting)
        self._follower = Follower(self._follow)
        for box in self._boxes:
            box.observe(lambda change: self._changed(), "chosen")
        self.confidence.observe(lambda change: self._changed(), "value")
        opened = _Opened(self.follow)
        super().__init__(
            [self._cut, *self._boxes, opened, self._shown, *self._below(), self.keeping]
        )
        self.add_class("clam-explorer")
        if key in _open:
            close_whole(_open.pop(key))
        if key:
            _open[key] = self

    @property
    def looked_at(self) -> int:
        """How many settings were shown in this session beside the planned one."""
        return self._looks.n

    def follow(self) -> None:
        """Work out now what would follow when the hand rests."""
        self._follower.cancel()
        self._follow()

    def _looks_so_far(self) -> Looks:
        """Go on counting where a cell that runs again left off: who has looked, has looked."""
        planned = self._key()
        known = self._memory.recall("looks")
        looks: Looks = known if known and known.planned == planned else Looks(planned)
        self._memory.keep("looks", looks, written=False)
        return looks

    def _below(self) -> list[widgets.Widget]:
        """Widgets under what is shown."""
        return []

    @abstractmethod
    def _work_out(self, rows: pd.DataFrame) -> str:
        """Work out what the rows that stay say, and return it as HTML."""

    @abstractmethod
    def _write(self, folder: Path) -> Mapping[str, Any]:
        """Write what is shown into a folder; return the settings beside those of the cut."""

    def _key(self) -> tuple:
        """Tell a setting from all others: which scans stay, and what is ticked."""
        return (self._cut.cut.stays.tobytes(), *(frozenset(box.chosen) for box in self._boxes))

    @property
    def _is_planned(self) -> bool:
        ticked = all(set(box.chosen) == set(box.planned) for box in self._boxes)
        return self._cut.cut.is_planned and ticked

    @property
    def _is_worth_keeping(self) -> bool:
        """Whether something is shown that is not what was planned."""
        return not self._is_planned

    def _setting(self) -> str:
        """Say what the cut and the boxes leave."""
        return "; ".join([self._cut.cut.words, *filter(None, (box.words for box in self._boxes))])

    def _words(self) -> str:
        """Say what must stand wherever an exploratory result appears."""
        looked = (
            f"{counted(self.looked_at, 'setting')} of this {self.what} looked at in this session, "
            "beside the planned one."
        )
        selected = "" if self._cut.cut.is_planned else SELECTED
        setting = self._setting()
        said = [f"{setting[:1].upper()}{setting[1:]}.", selected, looked, OF_P]
        return " ".join(filter(None, [*said, *self._cut.cut.reservations]))

    def _heading(self) -> str:
        """Say over what is shown what it is; by default all that must be said."""
        return self._words()

    def _words_planned(self) -> str:
        looked = f" {counted(self.looked_at, 'other setting')} looked at since."
        return (
            f"The setting of the plan, {self._setting()}: {self.where}."
            f"{looked if self.looked_at else ''}"
        )

    def _not_yet(self) -> str:
        if not self._is_planned:
            return marked(EXPLORATORY, f"{self._words()} It follows here.")
        return marked(PLANNED, f"{self._words_planned()} Move something, and it follows here.")

    def _changed(self) -> None:
        self._shown.add_class(WAITING)  # what stands there is not what the controls say
        self._follower.changed()

    def _follow(self) -> None:
        key = self._key()
        if (key, self._cut.cut.words) != self._shown_key:  # two cuts may leave the same scans
            self._looks.see(key)
            self._shown.value = self._told()
            self._shown_key = (key, self._cut.cut.words)
        self._shown.remove_class(WAITING)

    def _told(self) -> str:
        try:
            told = self._work_out(self._table[self._cut.cut.stays])
        except Exception as error:  # an old result may not stand under a new cut
            told = f"<p>This setting could not be worked out: {html.escape(str(error))}</p>"
        kind, words = (
            (PLANNED, self._words_planned()) if self._is_planned else (EXPLORATORY, self._heading())
        )
        return marked(kind, words) + told

    def _keep(self, folder: Path) -> Mapping[str, Any]:
        self.follow()
        if not self._is_worth_keeping:
            raise ValueError(f"this is the setting of the plan: {self.where}")
        cut, own = self._cut.cut, self._write(folder)
        return {
            "exploratory": self._words(),
            "least_confidence": cut.least,
            "scans": {
                "of": len(cut.stays),
                "stay": int(cut.stays.sum()),
                "left_out_for_confidence": cut.n_unsure,
                "left_out_for_unknown_confidence": cut.n_unknown,
                "stay_by_cluster_from_1": {k + 1: stay for k, (stay, _) in cut.sizes.items()},
            },
            "settings_looked_at_beside_the_planned_one": self.looked_at,
            **own,
        }

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Say what it is where no widget can be."""
        data = super()._repr_mimebundle_(**options) or {}
        kind, words = (
            (PLANNED, self._words_planned()) if self._is_planned else (EXPLORATORY, self._words())
        )
        return {**data, "text/html": marked(kind, words)}
