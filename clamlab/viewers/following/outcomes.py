"""Figure 10 that follows: without the unsure scans, with other covariates, for some outcomes."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab import figures
from clamlab.atomic import whole_file
from clamlab.cells import write_csv
from clamlab.figures.marking import mark
from clamlab.stats import outcomes
from clamlab.stats.variables import select_variables
from clamlab.viewers.following.boxes import Boxes
from clamlab.viewers.following.explorer import Explorer
from clamlab.viewers.following.looks import counted
from clamlab.viewers.following.marks import (
    EXPLORATORY,
    NOT_CONFIRMATORY,
    as_exploratory,
    without_roles,
)
from clamlab.viewers.following.t_map import TMap
from clamlab.viewers.pictures import picture

STEM, MAP_STEM = "figure_10_exploratory", "t_map_exploratory"


class OutcomeExplorer(Explorer):
    """Ask what Figure 10 would say without the unsure scans, other covariates, some outcomes.

    Move the least confidence, tick covariates and outcomes: the figure follows, and so does the
    t-map of the outcome that is chosen for it. At the planned setting it is the planned figure; any
    other is marked as exploratory, in the picture too.

    Parameters
    ----------
    table : DataFrame
        One row per scan: the clinical columns, ``cluster`` and ``confidence``. Without confidence
        the cut is shut and says so; a scan of unknown confidence goes with any cut.
    contract : dict
        The table's contract.
    seed : int
        Of the permutations.
    covariates : sequence of str, optional
        Those of the plan, as for `stats.outcomes.outcome_associations`: all demographics by
        default. Those of the scanner can be ticked too.
    covariance : {"classical", "HC3"}
    mapped : str, optional
        The outcome whose t-map was planned: the first from outside the image by default.
    maps : array, shape (n_scans, *grid), optional
        A map per row of the table; without them there is no t-map.
    mask : array of bool, shape (*full_grid), optional
        The lung, on the grid on which the t-map is shown.
    spacing_mm : sequence of float, optional
    folder : path, optional
        Where "Keep this one" makes a folder for each: tables (CSV), figures (PNG of 300 dpi, PDF)
        and settings (JSON), named by the day and a person's words. It writes nowhere else and over
        nothing.
    key : str, optional
        Name of this explorer: the earlier one of the same name is closed, and a cell that runs
        again shows the setting it showed before.

    Attributes
    ----------
    confidence : ipywidgets.FloatSlider
    covariates, outcomes : Boxes
        Their ``chosen`` are the columns ticked; it can be set.
    associations, adjusted : DataFrame
        What `stats.outcomes` says at the present setting.
    map : TMap or None
    looked_at : int
        Settings of the figure that were shown in this session beside the planned one; maps are
        counted apart.

    Raises
    ------
    ValueError
        If there is not one map per row.

    Notes
    -----
    A p-value that was looked for is not what it says: of twenty independent looks at nothing one
    gives p < .05. Other covariates, other outcomes and a cut at the confidence (which takes away
    just the scans between the clusters) are such looks. No correction holds for looks that nobody
    planned, so p is shown, is called *exploratory* in each panel, stands beside the number of
    looks, and has no Holm, Tukey or Benjamini-Hochberg column in what is kept. The t-map shows t
    alone; a p for it is worked out on request, corrected for all places of this one map by
    permutation, and never for one place alone. The looks are not corrected for there either.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 20), "age": rng.normal(50, 9, 40)})
    >>> table = table.assign(fvc=rng.normal(3, 0.4, 40), confidence=rng.uniform(0.5, 1, 40))
    >>> rule = {"type": "number"}
    >>> contract = {"properties": {"age": {**rule, "x-role": "demographic"},
    ...                            "fvc": {**rule, "x-role": "outcome"}}}
    >>> explorer = OutcomeExplorer(table, contract, seed=1)
    >>> explorer.covariates.chosen = ()
    >>> explorer.associations["covariates"].unique().tolist(), explorer.looked_at
    ([''], 1)
    """

    what, where = "figure", "it is the figure that the notebook has written"

    def __init__(
        self,
        table: pd.DataFrame,
        contract: dict,
        *,
        seed: int,
        covariates: Sequence[str] | None = None,
        covariance: str = "classical",
        mapped: str | None = None,
        maps: ArrayLike | None = None,
        mask: NDArray | None = None,
        spacing_mm: Sequence[float] | None = None,
        folder: str | Path | None = None,
        key: str | None = None,
    ) -> None:
        self._covariance = covariance
        known, _ = select_variables(table, contract, ["demographic", "scanner"])
        # As `outcome_associations` takes them by itself.
        own = [v.name for v in known if v.role == "demographic" and v.source != "derived"]
        self.covariates = Boxes(
            "Adjusted for",
            {variable.name: variable.title for variable in known},
            ticked=own if covariates is None else list(covariates),
            spoken="covariates",
        )
        found, _ = select_variables(table, contract, ["outcome"])
        titles = {variable.name: variable.title for variable in found}
        self.outcomes = Boxes("Outcomes", titles, ticked=list(titles), spoken="outcomes")
        self.map: TMap | None = None
        if maps is not None:
            self.map = TMap(
                np.asarray(maps),
                table,
                contract,
                covariates=self.covariates,
                mapped=mapped,
                seed=seed,
                mask=mask,
                spacing_mm=spacing_mm,
            )
            self.map.choice.observe(lambda change: self._changed_map(), "value")
        self._associations = self._adjusted = pd.DataFrame()
        self._figure: Any = None
        boxes = [self.covariates, self.outcomes]
        super().__init__(table, contract, boxes=boxes, folder=folder, key=key)
        if self.map is not None:
            self._memory.tie(self.map.choice, "value", "map")

    @property
    def associations(self) -> pd.DataFrame:
        """The tests at the present setting."""
        self.follow()
        return self._associations

    @property
    def adjusted(self) -> pd.DataFrame:
        """The adjusted means at the present setting."""
        self.follow()
        return self._adjusted

    def _below(self) -> list[widgets.Widget]:
        return [] if self.map is None else [self.map]

    def _work_out(self, rows: pd.DataFrame) -> str:
        self._figure, self._associations = None, pd.DataFrame()
        left = [name for name in self.outcomes.titles if name not in self.outcomes.chosen]
        self._associations, self._adjusted = outcomes.associations_with_means(
            rows,
            without_roles(self._contract, left),
            covariates=self.covariates.chosen,
            covariance=self._covariance,
        )
        if not self.outcomes.chosen:
            return "<p>No outcome is ticked.</p>"
        self._figure = self._draw()
        named = ", ".join(self.outcomes.titles[name] for name in self.outcomes.chosen)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        shown = picture(self._figure, f"Adjusted means by cluster: {named}", width_px=900)
        return f'{shown}<div class="clam-notes">{notes}</div>'

    def _draw(self) -> Any:
        if self._is_planned:
            return figures.outcome_panel(self._adjusted, self._associations)
        shown = self._associations.rename(columns={"p": NOT_CONFIRMATORY})
        panel = figures.outcome_panel(self._adjusted, shown, p_column=NOT_CONFIRMATORY)
        return mark(panel, EXPLORATORY, self._words())

    def _heading(self) -> str:
        """Say in large what the picture says in full."""
        if self._figure is None:
            return self._words()
        setting = self._setting()
        looked = f"{counted(self.looked_at, 'setting')} looked at beside the planned one"
        said = f"{setting[:1].upper()}{setting[1:]}. {looked}: what that means, the picture says."
        return " ".join([said, *self._cut.cut.reservations])

    def _notes(self) -> list[str]:
        """Say what the models left out, once where it is so for several outcomes."""
        omnibus = self._associations.query("part == 'omnibus' and note != ''")
        return [
            f"{'All outcomes' if 1 < len(same) == len(self.outcomes.chosen) else ', '.join(same)}: "
            f"{note}."
            for note, same in omnibus.groupby("note", sort=False)["title"].agg(list).items()
        ]

    def _changed_map(self) -> None:
        assert self.map is not None
        self.map.wait()
        self._follower.changed()

    def _changed(self) -> None:
        if self.map is not None:
            self.map.wait()
        super()._changed()

    def _follow(self) -> None:
        super()._follow()
        if self.map is not None:
            self.map.follow(self._cut.cut)

    @property
    def _is_worth_keeping(self) -> bool:
        return super()._is_worth_keeping or (self.map is not None and self.map.is_exploratory)

    def _write(self, folder: Path) -> Mapping[str, Any]:
        words = f"{EXPLORATORY}. {self._words()}"
        if not self._is_planned:
            self._write_figure(folder, words)
        own: dict[str, Any] = {
            "covariates": list(self.covariates.chosen),
            "covariates_planned": list(self.covariates.planned),
            "outcomes": list(self.outcomes.chosen),
            "outcomes_left_out": [n for n in self.outcomes.titles if n not in self.outcomes.chosen],
            "covariance": self._covariance,
        }
        if self.map is not None and self.map.is_exploratory:
            own["t_map"] = self.map.write(folder / MAP_STEM)
        return own

    def _write_figure(self, folder: Path, words: str) -> None:
        if self._figure is None:
            raise ValueError("there is no figure to keep: tick an outcome")
        figures.save_figure(self._figure, folder / STEM, formats=("pdf", "png"))
        for name, tidy in (("associations", self._associations), ("means", self._adjusted)):
            with whole_file(folder / f"{name}_exploratory.csv") as file:
                write_csv(as_exploratory(tidy, words), file)
