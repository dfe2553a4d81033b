"""What a cohort viewer shows of its scans: one, or the average of several, with a map on top."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.cohort.maps import Kind, SignedKind, map_of
from clamlab.viewers.groups.averages import SCANS, GroupAverages
from clamlab.viewers.job import said
from clamlab.viewers.slices.side_by_side import SideBySide
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.stoppable import Stoppable

OWN = -1  # in place of a cluster: each scan's own
BEFORE = "The picture is the one before."


@dataclass(frozen=True)
class Asked:
    """A picture that is asked for.

    Attributes
    ----------
    scans : tuple of int
        One, or those that are averaged.
    kind : str
        Of the map.
    cluster : int
        That the map is for, or ``OWN``.
    title, label : str
        Of the picture and of its map.
    """

    scans: tuple[int, ...]
    kind: str
    cluster: int
    title: str
    label: str


class CohortPictures(widgets.VBox):
    """See a scan with its map, another beside it, or the average of a group.

    The average of many scans is worked out one by one behind a progress bar that can be stopped;
    what was shown before stays until it is done.

    Parameters
    ----------
    volumes : array (n, *grid)
    maps : dict of str to Kind
    own : array of int (n,)
        Cluster of each scan.
    affine : array (4, 4), optional
    mask : bool array (*grid)
    asked : Asked
        What is shown first: one scan.
    key : str, optional
        Under which slice and window are remembered.

    Examples
    --------
    >>> import numpy as np
    >>> first = Asked((0,), "Flat", OWN, "A", "Flat, own cluster")
    >>> scans, maps = np.zeros((2, 4, 4)), {"Flat": np.zeros((2, 1, 4, 4))}
    >>> pictures = CohortPictures(
    ...     scans, maps, np.zeros(2, int), affine=None, mask=np.ones((4, 4), bool), asked=first
    ... )
    >>> pictures.side_by_side.first.title
    'A'
    """

    def __init__(
        self,
        volumes: NDArray,
        maps: Mapping[str, Kind],
        own: NDArray,
        *,
        affine: ArrayLike | None,
        mask: NDArray,
        asked: Asked,
        key: str | None = None,
    ) -> None:
        self._volumes, self._maps, self._own, self._mask = volumes, maps, own, mask
        self._averages = GroupAverages(volumes, self._part)
        self._asked = asked
        self.work = Stoppable()
        self.said = widgets.HTML()
        self.side_by_side = SideBySide(affine, self.view_of(asked) | {"key": key})
        super().__init__([self.work, self.said, self.side_by_side], layout={"width": "auto"})

    def show(self, asked: Asked) -> None:
        """Show a scan, or the average of several as soon as it is worked out."""
        self._asked = asked
        self.said.value = ""
        if self.work.running:
            self.work.halt()  # and `_over` turns to what is asked now
        elif len(asked.scans) == 1 or not self._left(asked):
            self._put(asked)
        else:
            self.work.run(
                self._steps(asked),
                n_steps=self._left(asked),
                then=lambda: self._over(asked),
                otherwise=lambda words: self._over(asked, words),
            )

    def show_beside(self, view: dict[str, Any] | None) -> None:
        """Show something beside it, or nothing; what cannot be shown is said."""
        try:
            self.side_by_side.show_beside(view)
        except ValueError as error:
            self.side_by_side.show_beside(None)
            self._say(f"Nothing stands beside: {view and view['title']} cannot be shown: {error}.")

    def view_of(self, asked: Asked) -> dict[str, Any]:
        """Collect what a slice viewer shows of scans whose average is worked out.

        Where there is no map to show, the title says why: a picture without one is not a picture
        on which a map is empty.
        """
        view = {"volume_hu": self._of(asked, SCANS), "overlays": {}, "title": asked.title}
        try:
            overlay = self._overlay(asked)
        except Exception as error:  # a map is worked out for the scan by whatever was given
            return view | {"title": f"{asked.title} (no map: {said(error)})"}
        values = overlay.values if isinstance(overlay, SignedMap) else overlay
        if np.isnan(np.asarray(values)[self._mask]).any():
            lacks = "its map was" if len(asked.scans) == 1 else "the map of some of them was"
            return view | {"title": f"{asked.title} ({lacks} not computed)"}
        return view | {"overlays": {asked.label: overlay}}

    def _put(self, asked: Asked) -> None:
        try:
            self.side_by_side.show(self.view_of(asked))
        except ValueError as error:
            self._say(f"{asked.title} cannot be shown: {error}. {BEFORE}")

    def _say(self, words: str) -> None:
        self.said.value = f'<div role="status">{escape(words)}</div>'

    def _overlay(self, asked: Asked) -> NDArray | SignedMap:
        kind = self._maps[asked.kind]
        if not isinstance(kind, SignedKind):
            return self._of(asked, _key(asked, "values"))
        values = self._of(asked, _key(asked, "values"))
        return SignedMap(
            np.where(self._mask, values, np.nan),  # outside the lung nothing is measured
            limit=kind.limit,
            units=kind.units,
            evidence=self._of(asked, _key(asked, "evidence")),
        )

    def _of(self, asked: Asked, key: str) -> NDArray:
        if len(asked.scans) > 1:
            return self._averages(asked.scans, key)
        scan = asked.scans[0]
        return self._part(key, scan) if key else self._volumes[scan]

    def _part(self, key: str, scan: int) -> NDArray:
        part, name, cluster = key.split("\t")
        kind = self._maps[name]
        source = getattr(kind, part) if isinstance(kind, SignedKind) else kind
        k = int(self._own[scan]) if int(cluster) == OWN else int(cluster)
        return map_of({name: source}, name, scan, cluster=k, mask=self._mask)

    def _keys(self, asked: Asked) -> list[str]:
        signed = isinstance(self._maps[asked.kind], SignedKind)
        parts = ["values", "evidence"] if signed else ["values"]
        return [SCANS, *(_key(asked, part) for part in parts)]

    def _left(self, asked: Asked) -> int:
        return sum(self._averages.left(asked.scans, key) for key in self._keys(asked))

    def _steps(self, asked: Asked) -> Iterator[None]:
        for key in self._keys(asked):
            yield from self._averages.steps(asked.scans, key)

    def _over(self, asked: Asked, words: str = "") -> None:
        """Show what was worked out, say why it was not, or turn to what is asked by now."""
        if self._asked != asked:
            self.show(self._asked)
        elif words:
            self._say(f"{words} {BEFORE}")
        else:
            self._put(asked)


def _key(asked: Asked, part: str) -> str:
    return "\t".join([part, asked.kind, str(asked.cluster)])
