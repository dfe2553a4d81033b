"""Columns of a table to tick, by their titles."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import ipywidgets as widgets
import traitlets

ROW = {"display": "flex", "flex_flow": "row wrap", "align_items": "center"}


class Boxes(widgets.VBox):
    """Tick columns; who observes ``chosen`` hears once, however many boxes change.

    Parameters
    ----------
    heading : str
    titles : mapping of str to str
        What stands beside each column's box, in the order of the boxes.
    ticked : collection of str
        The columns of the plan.
    spoken : str
        What they are, before "without Sex", "only Age" and the like.

    Examples
    --------
    >>> boxes = Boxes("Adjust for", {"age": "Age", "sex": "Sex"}, ticked=["age", "sex"],
    ...               spoken="covariates")
    >>> boxes.words
    ''
    >>> boxes.chosen = ("age",)
    >>> boxes.words
    'covariates: without Sex'
    """

    chosen: traitlets.Tuple = traitlets.Tuple()

    def __init__(
        self, heading: str, titles: Mapping[str, str], *, ticked: Collection[str], spoken: str
    ) -> None:
        self._spoken = spoken
        self.titles = dict(titles)
        # In the order of the plan: where two covariates say the same, the first one is taken.
        self.planned = tuple(name for name in ticked if name in self.titles)
        self._order = [*self.planned, *(name for name in self.titles if name not in ticked)]
        self._held = False
        self.boxes = {name: _box(title, name in ticked) for name, title in self.titles.items()}
        every = _button("All", f"Tick all: {heading}", lambda: self._tick(self._order))
        none = _button("None", f"Tick none: {heading}", lambda: self._tick(()))
        head = widgets.HBox([widgets.Label(heading, style={"font_weight": "bold"}), every, none])
        if not self.titles:
            head = widgets.HBox([widgets.Label(f"{heading}: the table has none.")])
        super().__init__([head, widgets.Box(list(self.boxes.values()), layout=ROW)])
        self.chosen = self.planned
        for box in self.boxes.values():
            box.observe(lambda change: self._read(), "value")
        self.observe(lambda change: self._tick(change.new), "chosen")

    @property
    def words(self) -> str:
        """Say what is ticked otherwise than planned; empty where nothing is."""
        less = [self.titles[name] for name in self.planned if name not in self.chosen]
        more = [self.titles[name] for name in self.chosen if name not in self.planned]
        said = [f"without {', '.join(less)}"] if less else []
        if less and len(self.chosen) < len(less):
            kept = ", ".join(self.titles[name] for name in self.chosen)
            said = [f"only {kept}" if kept else "none"]
        elif more:
            said.append(f"with {', '.join(more)}")
        return f"{self._spoken}: {' and '.join(said)}" if said else ""

    @traitlets.validate("chosen")
    def _are_known(self, proposal: Any) -> tuple[str, ...]:
        if unknown := [name for name in proposal.value if name not in self.titles]:
            raise ValueError(
                f"no box for {', '.join(map(repr, unknown))}: there are "
                f"{', '.join(self.titles) or 'none'}"
            )
        return proposal.value

    def _tick(self, names: Collection[str]) -> None:
        self._held = True
        try:
            for name, box in self.boxes.items():
                box.value = name in names
        finally:
            self._held = False
        self._read()

    def _read(self) -> None:
        if not self._held:
            self.chosen = tuple(name for name in self._order if self.boxes[name].value)


def _box(title: str, ticked: bool) -> widgets.Checkbox:
    layout = {"width": "auto", "margin": "0 14px 0 0"}
    return widgets.Checkbox(value=ticked, description=title, indent=False, layout=layout)


def _button(name: str, tooltip: str, press: Callable[[], None]) -> widgets.Button:
    layout = {"width": "auto", "height": "24px"}
    button = widgets.Button(description=name, tooltip=tooltip, layout=layout)
    button.on_click(lambda _: press())
    return button
