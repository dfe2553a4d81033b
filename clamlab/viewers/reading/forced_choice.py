"""Choose one of two pictures, again and again: what maps and counterfactuals say to a reader."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import pandas as pd
import traitlets
from numpy.typing import ArrayLike

from clamlab.stats.readers.choices import choice_result
from clamlab.viewers.assets import read_together
from clamlab.viewers.person_table import ChangedElsewhere, now
from clamlab.viewers.reading.blind_order import draw
from clamlab.viewers.reading.choice_trials import QUESTIONS, Picture, Trial
from clamlab.viewers.reading.readings import Choices
from clamlab.viewers.slices.slice_viewer import SliceViewer, close_whole

LINKED = ("index", "window", "level", "zoom", "center", "view", "radiological", "crosshair")
# What is given has no colour bar beside it, and so is as large as the others in less room.
COLUMN, GIVEN = "minmax(0, 1fr)", "calc(33.3% - 70px)"
ANSWERED_ELSEWHERE = (
    "another window has answered this trial meanwhile, under the same name: that answer stays"
)
_open: dict[str, "ForcedChoice"] = {}


class ChoicePanel(anywidget.AnyWidget):
    """The question, its number, and the keys 1 and 2; which is right, the browser never learns.

    Examples
    --------
    >>> ChoicePanel(question="Which?", n_trials=4).position
    0
    """

    _esm = read_together("drawing.js", "reading/take_keys.js", "reading/choice_panel.js")
    _css = read_together("slice_viewer.css", "reading/reading.css")

    question = traitlets.Unicode().tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    n_trials = traitlets.Int(0).tag(sync=True)
    reader = traitlets.Unicode().tag(sync=True)
    # Lines that tell the result; empty until every trial is answered.
    result: traitlets.List = traitlets.List().tag(sync=True)
    # Says how many answers are about other pictures than these; empty if none is.
    left_out = traitlets.Unicode().tag(sync=True)


class ForcedChoice(widgets.VBox):
    """Let a reader choose one of two unlabelled pictures by the keys 1 and 2.

    Trials come in an order, and on sides, drawn from the reader's name. An answer is in the file
    before the next trial is shown and is not asked for again, unless its pictures are others by
    then: those answers stay in the file and do not count. How many were right is told at the end
    and not before.

    Parameters
    ----------
    trials : sequence of Trial
        From `counterfactual_trials` and `average_trials`; both kinds
        may come mixed.
    reader : str
    path : path
        The CSV file of answers, which several readers may share.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    seed : int
    key : str, optional
        Name of this widget: the earlier one of the same name is closed.

    Attributes
    ----------
    panel : ChoicePanel
    viewers : list of SliceViewer
        Picture 1 and 2, after what is given, if anything is.

    Raises
    ------
    ValueError
        If there is no trial, two are the same, the reader has no name, or the file is there and is
        no such table.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clamlab.viewers.reading import counterfactual_trials
    >>> hu, soft = np.zeros((2, 8, 8)), np.array([[0.9, 0.1], [0.6, 0.4]])
    >>> trials = counterfactual_trials(hu, hu[:, None] - 800 + [[[0]], [[9]]], soft,
    ...                                subject_ids=["a", "b"])
    >>> path = Path(tempfile.mkdtemp()) / "forced_choices.csv"
    >>> choice = ForcedChoice(trials, reader="AB", path=path)
    >>> choice.choose(1)
    >>> choice.panel.position, choice.panel.result
    (1, [])
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        *,
        reader: str,
        path: str | Path,
        affine: ArrayLike | None = None,
        seed: int = 1,
        key: str | None = None,
    ) -> None:
        self._reader, self._seed, self._affine = reader.strip(), seed, affine
        if not self._reader:
            raise ValueError("expected the reader's name or initials, found none")
        if len({_name(trial) for trial in trials}) < max(1, len(trials)):
            raise ValueError("expected trials, each another one; found none, or one twice")
        self._trials = sorted(trials, key=lambda trial: self._drawn("order", trial))
        self._file = Choices(Path(path))
        self.panel = ChoicePanel(reader=self._reader, n_trials=len(trials))
        self.panel.on_msg(self._hear)
        self.viewers: list[SliceViewer] = []
        self._links: list[Any] = []
        self._pictures = widgets.GridBox([], layout=widgets.Layout(width="auto", grid_gap="8px"))
        super().__init__([self.panel, self._pictures])
        self.add_class("clam-choice")
        self._show()
        if key in _open:
            close_whole(_open.pop(key))
        if key:
            _open[key] = self

    def choose(self, side: int) -> None:
        """Save which picture, 1 or 2, is chosen of the two that are shown, and show the next.

        Raises
        ------
        ValueError
            If it is neither, or every trial is answered; if the file is damaged; if another window
            has answered it under this name meanwhile.
        OSError
            If the disk refuses; the file is what it was.
        """
        trial = self._next()
        if side not in (1, 2) or trial is None:
            raise ValueError(f"expected 1 or 2, and a trial that is open; found {side}")
        row = {
            "subject_id": trial.subject_id,
            "reader": self._reader,
            "kind": trial.kind,
            "about": trial.about,
            "pictures": trial.pictures,
            "side": str(side),
            "correct": "yes" if side == self._right_side(trial) else "no",
            "chosen_at": now(),
        }
        try:
            self._file.save(row, seen={"side": ""})
        except ChangedElsewhere as error:
            raise ValueError(ANSWERED_ELSEWHERE) from error
        finally:
            self._show()

    def _next(self) -> Trial | None:
        return next((t for t in self._trials if self._file.answer(t, self._reader) is None), None)

    def _drawn(self, what: str, trial: Trial) -> float:
        return draw(what, self._seed, self._reader, *_name(trial))

    def _right_side(self, trial: Trial) -> int:
        return 1 if self._drawn("side", trial) < 0.5 else 2

    def _show(self) -> None:
        trial = self._next()
        if trial is not None:
            self._show_pictures(trial)
        answered, others = self._file.split(self._trials, reader=self._reader)
        with self.panel.hold_sync():
            self.panel.position = len(answered)
            self.panel.left_out = not_counted(len(others))
            self.panel.question = "" if trial is None else QUESTIONS[trial.kind]
            self.panel.result = [] if trial is not None else self._result()

    def _show_pictures(self, trial: Trial) -> None:
        pair = [trial.right, trial.wrong][:: 1 if self._right_side(trial) == 1 else -1]
        shown = [("Average", trial.given)] if trial.given else []
        views = [_view(title, make) for title, make in [*shown, ("1", pair[0]), ("2", pair[1])]]
        if len(views) != len(self.viewers):
            self._open_viewers(views)
            return
        for viewer, view in zip(self.viewers, views, strict=True):
            viewer.show(affine=self._affine, **view)

    def _open_viewers(self, views: list[dict[str, Any]]) -> None:
        """Open as many viewers as the trial has pictures; what is done to one is done to all."""
        for link in self._links:
            link.unlink()
            link.close()
        old = self.viewers
        self.viewers = [SliceViewer(**view, affine=self._affine, view="axial") for view in views]
        first, *others = self.viewers
        self._links = [
            widgets.jslink((first, name), (other, name)) for other in others for name in LINKED
        ]
        self._pictures.children = self.viewers
        narrow = [] if len(views) == 2 else [GIVEN]
        self._pictures.layout.grid_template_columns = " ".join([*narrow, COLUMN, COLUMN])
        for viewer in old:
            close_whole(viewer)

    def _result(self) -> list[str]:
        mine, _ = self._file.split(self._trials, reader=self._reader)
        return [
            f"{QUESTIONS[row.kind]} Right: {row.n_right} of {row.n_trials} "
            f"({100 * row.share:.0f} %, 95 % interval {100 * row.low:.0f} to {100 * row.high:.0f} "
            "%; by chance 50 %)"
            for row in choice_result(pd.DataFrame(mine)).itertuples()
        ]

    def _hear(self, _: Any, asked: dict[str, Any], __: Any) -> None:
        """Answer the browser: what became of a choice."""
        try:
            if asked["position"] != self.panel.position:
                raise ValueError("another trial is shown by now")
            self.choose(int(asked["side"]))
        except (ValueError, OSError) as error:
            self.panel.send({"refused": f"Not saved: {error}"})
            return
        self.panel.send({"done": True})


def not_counted(n_answers: int) -> str:
    """Say how many answers are about other pictures; nothing if none is.

    Examples
    --------
    >>> not_counted(1)
    'Not counted: 1 answer about other pictures than these (of an earlier run of the study, ...'
    """
    answers = f"{n_answers} answer{'s' * (n_answers != 1)}"
    of = "(of an earlier run of the study, or of other settings)"
    return f"Not counted: {answers} about other pictures than these {of}." if n_answers else ""


def _view(title: str, make: Picture) -> dict[str, Any]:
    volume_hu, importance = make()
    overlays = {} if importance is None else {"Map": importance}
    return {"volume_hu": volume_hu, "overlays": overlays, "title": title}


def _name(trial: Trial) -> tuple[str, str, str]:
    return trial.kind, trial.subject_id, trial.about
