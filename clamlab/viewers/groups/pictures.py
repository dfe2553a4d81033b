"""Two groups side by side: average scans, average maps, and their difference."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.groups.averages import SCANS, GroupAverages
from clamlab.viewers.groups.saving import Look
from clamlab.viewers.groups.sides import Side, told_of
from clamlab.viewers.slices.side_by_side import SideBySide
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.slices.slice_state import SliceState
from clamlab.viewers.stills import spacing_of
from clamlab.viewers.stoppable import Stoppable

AS_BEFORE = "What is shown is as before; Compare goes on from there."
Say = Callable[[str], None]


class GroupPictures(widgets.VBox):
    """Show averages of one or two groups, which scroll and change window together.

    Parameters
    ----------
    averages : GroupAverages
    affine : array (4, 4), optional
    mask : array (*grid), optional

    Attributes
    ----------
    work : Stoppable
    pair : SideBySide or None
        None until something is shown.
    """

    def __init__(
        self,
        averages: GroupAverages,
        *,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> None:
        self._averages, self._affine = averages, affine
        self._mask = None if mask is None else np.asarray(mask, bool)
        self.work = Stoppable()
        self.pair: SideBySide | None = None
        super().__init__([self.work], layout=widgets.Layout(width="auto"))

    def compare(self, sides: Sequence[Side], kind: str, say: Say) -> None:
        """Show average scans, and average maps of a kind, once they are worked out."""

        def then() -> str:
            self.show(sides, kind)
            return " ".join([*told_of(sides), *self._told_of_maps(sides, kind)])

        self._work_out(sides, kind, then, say, AS_BEFORE)

    def save(self, sides: Sequence[Side], kind: str, say: Say, *, save: Callable[..., str]) -> None:
        """Hand to ``save`` what is shown, and ``look``, how; say what it returns."""

        def then() -> str:
            said = save(self.images(sides, kind), look=self.look(sides))
            return " ".join([said, *told_of(sides), *self._told_of_maps(sides, kind)])

        say("Saving …")
        self._work_out(sides, kind, then, say, "Nothing is saved.")

    def _work_out(
        self, sides: Sequence[Side], kind: str, then: Callable[[], str], say: Say, stopped: str
    ) -> None:
        """Work averages out that are not known yet, then go on, or say why not."""
        wanted = [(side.scans, k) for side in sides for k in dict.fromkeys((SCANS, kind))]
        n_steps = sum(self._averages.left(scans, k) for scans, k in wanted)
        steps = chain.from_iterable(self._averages.steps(scans, k) for scans, k in wanted)

        def end() -> None:
            try:
                say(then())
            except (ValueError, OSError) as error:
                say(str(error))

        self.work.run(
            steps, n_steps=n_steps, then=end, otherwise=lambda said: say(f"{said} {stopped}")
        )

    def show(self, sides: Sequence[Side], kind: str) -> None:
        """Show averages that are worked out; slice, window and colours stay as they are."""
        difference = self._difference(sides)
        views = [
            {
                "volume_hu": self._averages(side.scans),
                "overlays": self._mean_map(side, kind) | difference,
                "title": side.title,
            }
            for side in sides
        ]
        self._put(views)

    def _put(self, views: list[dict[str, Any]]) -> None:
        if self.pair is None:
            self.pair = SideBySide(self._affine, views[0])
            self.children = [self.work, self.pair]
        else:
            self.pair.show_beside(None)  # the two must never have overlays of other names
            self.pair.show(views[0])
        self.pair.show_beside(views[1] if len(views) > 1 else None)

    def _mean_map(self, side: Side, kind: str) -> dict[str, Any]:
        there = kind and self._has_map(side, kind)
        return {f"Mean: {kind}": self._averages(side.scans, kind)} if there else {}

    def _has_map(self, side: Side, kind: str) -> bool:
        """Whether the map was computed of all its scans: that of the others is NaN."""
        return not np.isnan(self._averages(side.scans, kind)).any()

    def _told_of_maps(self, sides: Sequence[Side], kind: str) -> list[str]:
        lacking = [side.name for side in sides if kind and not self._has_map(side, kind)]
        return [f"No map: {kind} was not computed of all scans of {' and of '.join(lacking)}."] * (
            len(lacking) > 0
        )

    def _difference(self, sides: Sequence[Side]) -> dict[str, SignedMap]:
        if len(sides) < 2:
            return {}
        one, other = (self._averages(side.scans) for side in sides)
        return {f"{sides[0].short} minus {sides[1].short}": SignedMap(one - other)}

    def images(self, sides: Sequence[Side], kind: str) -> dict[str, dict[str, NDArray]]:
        """Return what is shown, as figures take it: by kind of picture, by what stands above."""
        above = {side: f"{side.short}\n(n = {len(side.scans)})" for side in sides}
        found = {"hu": {above[side]: self._averages(side.scans) for side in sides}}
        if mapped := [side for side in sides if kind and self._has_map(side, kind)]:
            found["importance"] = {above[s]: self._averages(s.scans, kind) for s in mapped}
        for name, difference in self._difference(sides).items():
            found["difference"] = {name: np.asarray(difference.values)}
        return found

    def look(self, sides: Sequence[Side]) -> Look:
        """Return window and colours as they are on the screen."""
        seen = self.pair.first if self.pair is not None else SliceState()
        limits = [float(found.limit or 1) for found in self._difference(sides).values()]
        return Look(
            window=seen.window,
            level=seen.level,
            colormap=seen.colormap,
            limit_hu=limits[0] if limits else 1.0,
            spacing_mm=spacing_of(self._affine),
            mask=self._mask,
        )
