"""The t-map of one outcome that follows at once, and its corrected p on request."""

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
from numpy.typing import NDArray

from clamlab import clam, figures
from clamlab.figures.marking import mark
from clamlab.figures.outcomes import READ, READ_WORDS
from clamlab.stats.maps import OutcomeMap, outcome_map
from clamlab.stats.maps.outcome_maps import first_outside
from clamlab.stats.outcomes.fitting import find_outcomes
from clamlab.viewers.following.boxes import Boxes
from clamlab.viewers.following.cut import Cut
from clamlab.viewers.following.looks import Looks, counted
from clamlab.viewers.following.marks import EXPLORATORY, SELECTED, WAITING
from clamlab.viewers.job import Job, StoppedError
from clamlab.viewers.pictures import picture

N_PERMUTATIONS = 1000
WIDTH_MM, SLICES = 60, 4
NO_MAP = ""
NO_P = "t alone, no p: many places were looked at"


class TMap(widgets.VBox):
    """See where in the lung an outcome goes along with the maps, as the scans that stay say it.

    t is shown at once and without p. The corrected p takes permutations: a button starts them, a
    bar tells how far they are, another button stops them, and so does any other setting.

    Parameters
    ----------
    maps : array, shape (n_scans, *grid)
    table, contract
        Of all scans.
    covariates : Boxes
        What is adjusted for.
    mapped : str or None
        The outcome of the plan; the first from outside the image by default.
    seed : int
    mask : array of bool or None
    spacing_mm : sequence of float or None

    Attributes
    ----------
    choice : ipywidgets.Dropdown
        The outcome; "" while no map is wanted.
    found : OutcomeMap or None
        What is shown.
    looked_at : int
        Maps that were shown in this session beside the planned one.
    """

    def __init__(
        self,
        maps: NDArray,
        table: pd.DataFrame,
        contract: dict,
        *,
        covariates: Boxes,
        mapped: str | None,
        seed: int,
        mask: NDArray | None,
        spacing_mm: Sequence[float] | None,
    ) -> None:
        if len(maps) != len(table):
            raise ValueError(
                f"one map per row of the table expected: {len(maps)} maps, {len(table)} rows"
            )
        self._maps, self._table, self._contract, self._seed = maps, table, contract, seed
        self._covariates, self._mask, self._spacing_mm = covariates, mask, spacing_mm
        known, _ = find_outcomes(table, contract)
        self._read = {v.name for v in known if v.source == "reader"}
        self._titles = {
            v.name: v.title + READ * (v.name in self._read) for v in known if v.source != "derived"
        }
        first = first_outside(known)
        self._planned = mapped or (first and first.name)
        self._cut: Cut | None = None
        self._looks = Looks(None)
        self._key: Any = None
        self._job: Job | None = None
        self.found: OutcomeMap | None = None
        self._n_permutations = 0
        self._figure: Any = None
        self._add_controls()
        controls = [self.choice, self.ask, self.stop, self.bar, self.said]
        super().__init__([widgets.HBox(controls), self.shown])

    def _add_controls(self) -> None:
        options = [("no map", NO_MAP), *((title, name) for name, title in self._titles.items())]
        self.choice = widgets.Dropdown(
            options=options,
            value=NO_MAP,
            description="Where in the lung? t of",
            style={"description_width": "auto"},
            layout={"width": "auto"},
        )
        tooltip = f"{N_PERMUTATIONS} permutations, corrected for all places of this map"
        self.ask = widgets.Button(description="Corrected p", tooltip=tooltip, disabled=True)
        self.stop = widgets.Button(description="Stop", layout={"width": "auto"})
        self.bar = widgets.IntProgress(max=N_PERMUTATIONS)
        self.said, self.shown = widgets.Label(), widgets.HTML()
        self.shown.add_class("clam-shown")
        self.ask.on_click(lambda _: self._permute())
        self.stop.on_click(lambda _: self._end("Stopped: no p."))
        self._is_busy(False)

    @property
    def looked_at(self) -> int:
        """How many maps were shown in this session beside the planned one."""
        return self._looks.n

    @property
    def is_exploratory(self) -> bool:
        """Whether a map is shown that was not planned."""
        return self._figure is not None and not self._is_planned

    def wait(self) -> None:
        """Let it be seen that the controls say something else by now."""
        self._end("The setting has changed: no p.")
        self.shown.add_class(WAITING)

    def follow(self, cut: Cut) -> None:
        """Show the map of the outcome that is chosen, for the scans that stay."""
        name = self.choice.value
        chosen = frozenset(self._covariates.chosen)
        key = None if name == NO_MAP else (name, cut.stays.tobytes(), chosen)
        if key != self._key:
            self._end("")
            self._key, self._cut, self.found, self._figure = key, cut, None, None
            if key is not None and not self._is_planned:
                self._looks.see(key)
            if key is not None:
                self._show(self._worked_out(n_permutations=0), n_permutations=0)
            else:
                self.shown.value = ""
            self.ask.disabled = self._figure is None
        self.shown.remove_class(WAITING)

    def write(self, stem: Path) -> Mapping[str, Any]:
        """Write the picture that is shown; return what it shows."""
        assert self._figure is not None and self.found is not None
        figures.save_figure(self._figure, stem, formats=("pdf", "png"))
        smallest = self.found.smallest_p(self._mask) if self._n_permutations else None
        return {
            "outcome": self.choice.value,
            "n": self.found.n,
            "permutations": self._n_permutations,
            "smallest_corrected_p_not_confirmatory": smallest,
            "maps_looked_at_beside_the_planned_one": self.looked_at,
            "exploratory": self._words(),
        }

    @property
    def _is_planned(self) -> bool:
        covariates = self._covariates
        return (
            self.choice.value == self._planned
            and self._cut is not None
            and self._cut.is_planned
            and set(covariates.chosen) == set(covariates.planned)
        )

    @property
    def _mark(self) -> str:
        """What stands behind the title of an outcome that a person read from the images."""
        return READ if self.choice.value in self._read else ""

    def _worked_out(self, **options: Any) -> OutcomeMap | str:
        assert self._cut is not None
        try:
            return outcome_map(
                self._maps[self._cut.stays],
                self._table[self._cut.stays],
                self._contract,
                outcome=self.choice.value,
                covariates=self._covariates.chosen,
                seed=self._seed,
                **options,
            )
        except ValueError as error:
            return str(error)

    def _show(self, found: OutcomeMap | str, *, n_permutations: int) -> None:
        why_not = found if isinstance(found, str) else found.note
        if why_not or isinstance(found, str):
            self.shown.value = f"<p>{html.escape(why_not)}</p>"
            return
        self.found, self._n_permutations = found, n_permutations
        self._figure = self._draw(found)
        words = f"t of {found.title}{self._mark} against the maps, slice by slice from the top"
        read = f"<p>{html.escape(READ_WORDS)}</p>" if self._mark else ""
        self.shown.value = picture(self._figure, words, width_px=260) + read

    def _draw(self, found: OutcomeMap) -> Any:
        t = found.t if self._mask is None else clam.upsample(found.t, self._mask.shape)
        title = f"{found.title}{self._mark}\n{found.n} scans, {self._p_words(found)}"
        drawn = figures.montage(
            {title: t},
            mask=self._mask,
            kind="t",
            spacing_mm=self._spacing_mm,
            slices=SLICES,
            width_mm=WIDTH_MM,
        )
        return drawn if self._is_planned else mark(drawn, EXPLORATORY, self._words())

    def _p_words(self, found: OutcomeMap) -> str:
        if not self._n_permutations:
            return "t alone: no p"
        kind = "p" if self._is_planned else "exploratory p"
        return f"smallest {kind} {found.smallest_p(self._mask):.3f}"

    def _words(self) -> str:
        """Say what must stand in the picture."""
        assert self._cut is not None
        setting = "; ".join(filter(None, [self._cut.words, self._covariates.words]))
        looked = (
            f"{counted(self.looked_at, 'map')} looked at in this session beside the planned one."
        )
        p = (
            f"p of {self._n_permutations} permutations, corrected for all places of this map and "
            "not for the looks: not confirmatory."
            if self._n_permutations
            else f"{NO_P}."
        )
        selected = "" if self._cut.is_planned else SELECTED
        read = READ_WORDS if self._mark else ""
        told = [f"{setting[:1].upper()}{setting[1:]}.", selected, looked, p, read]
        return " ".join(filter(None, told))

    def _permute(self) -> None:
        self._end("")
        self._is_busy(True)
        work: Callable[[Any], Any] = lambda step: self._worked_out(  # noqa: E731
            n_permutations=N_PERMUTATIONS, progress=step
        )
        self._job = Job(work, told=self._tell, done=self._done)
        self._job.start()

    def _tell(self, n: int) -> None:
        self.bar.value = n
        self.said.value = f"{n} of {N_PERMUTATIONS} permutations"

    def _done(self, found: Any) -> None:
        if isinstance(found, StoppedError):
            return  # whoever stopped it has said so
        self._end("")
        self._show(found, n_permutations=N_PERMUTATIONS)

    def _end(self, words: str) -> None:
        """End a count that goes on, if there is one, and say why."""
        if self._job is None:
            return
        self._job.stop()
        self._job = None
        self._is_busy(False)
        self.said.value = words

    def _is_busy(self, busy: bool) -> None:
        self.bar.value = 0
        self.ask.disabled = busy or self._figure is None
        for widget in (self.stop, self.bar):
            widget.layout.display = "" if busy else "none"
