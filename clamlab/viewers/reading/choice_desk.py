"""The forced choice, from the reader's name to every reader's result."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
from numpy.typing import ArrayLike

from clamlab.stats.readers.choices import choice_result
from clamlab.viewers.reading.agreement import as_html
from clamlab.viewers.reading.choice_trials import QUESTIONS, Trial
from clamlab.viewers.reading.desk import Desk
from clamlab.viewers.reading.forced_choice import ForcedChoice, not_counted
from clamlab.viewers.reading.readings import Choices


class ChoiceDesk(Desk):
    """Choose one of two pictures, again and again, once the reading is done.

    Parameters
    ----------
    trials : sequence of Trial
        See `ForcedChoice`.
    path : path
        The CSV file of answers, which all readers share.
    reader : str
        Who chooses; empty to ask.
    progress : callable() -> DataFrame, optional
        Asked whenever somebody sits down, for `stats.readers.reading_progress`: who has begun a
        reading and not finished it does not choose yet, since these pictures tell what clusters
        look like.
    affine : array (4, 4), optional
    seed : int

    Examples
    --------
    >>> import tempfile
    >>> from clamlab.viewers.reading.choice_trials import average_trials
    >>> import numpy as np
    >>> maps = {"Cluster 1": np.zeros((4, 4)), "Cluster 2": np.ones((4, 4))}
    >>> trials = average_trials(np.zeros((4, 4, 4)), [0, 0, 1, 1], maps, n_trials=2)
    >>> begun = pd.DataFrame({"reader": ["AB"], "n_read": 1, "n_begun": 0, "n_scans": 4})
    >>> path = Path(tempfile.mkdtemp()) / "forced_choices.csv"
    >>> desk = ChoiceDesk(trials, path=path, reader="AB", progress=lambda: begun)
    >>> desk.work is None, desk.said.value[:27]
    (True, 'AB has 3 of 4 scans to read')
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        *,
        path: str | Path,
        reader: str = "",
        progress: Callable[[], pd.DataFrame] | None = None,
        affine: ArrayLike | None = None,
        seed: int = 1,
    ) -> None:
        file = Path(path)

        def of_reading() -> dict[str, Any]:
            return {} if progress is None else {r.reader: r for r in progress().itertuples()}

        def open_for(name: str) -> widgets.Widget:
            row = of_reading().get(name)
            if row is not None and (left := row.n_scans - row.n_read):
                raise ValueError(
                    f"{name} has {left} of {row.n_scans} scans to read: finish that first "
                    "(notebook reading; where it asks for some scores only, set SCORES alike). "
                    "What is shown here tells what clusters look like, and who has seen it does "
                    "not read without knowing any more."
                )
            choice = ForcedChoice(trials, reader=name, path=file, affine=affine, seed=seed)
            return widgets.VBox([choice, _Results(choice, file, trials)])

        def known() -> dict[str, str]:
            theirs, others = Choices(file).split(trials)
            answered = Counter(row["reader"] for row in theirs)
            begun = {name: f"{n} trials answered" for name, n in answered.items()}
            return {
                **dict.fromkeys([*of_reading(), *(row["reader"] for row in others)], ""),
                **begun,
            }

        super().__init__(open_for, known=known, file=file, reader=reader)


class _Results(widgets.HTML):
    """Every reader's result, once the one who sits here is done."""

    def __init__(self, choice: ForcedChoice, path: Path, trials: Sequence[Trial]) -> None:
        super().__init__()
        self._choice, self._path, self._trials = choice, path, trials
        choice.panel.observe(lambda change: self._tell(), "result")
        self._tell()

    def _tell(self) -> None:
        if not self._choice.panel.result:
            return
        theirs, others = Choices(self._path).split(self._trials)
        results = choice_result(pd.DataFrame(theirs))
        shown = pd.DataFrame(
            {
                "reader": results["reader"],
                "question": results["kind"].map(QUESTIONS),
                "right": [f"{row.n_right} of {row.n_trials}" for row in results.itertuples()],
                "share": [f"{row.share:.2f}" for row in results.itertuples()],
                "95 % interval": [f"{r.low:.2f} to {r.high:.2f}" for r in results.itertuples()],
                "p": results["p"],
            }
        )
        self.value = f"{as_html(shown)}<p>{not_counted(len(others))}</p>"
