"""Find a scan by a part of its name, among as many as there are."""

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from clamlab.viewers.assets import read_together


class ScanSearch(anywidget.AnyWidget):
    """Choose a scan by typing a part of its name, without the mouse if need be.

    What is typed chooses nothing until Enter or a click; names are shown as they are. Of names
    that fit, those equal to what is typed come first, then those that begin with it.

    Parameters
    ----------
    names : sequence of str
        One per scan, in order. Where a name occurs twice, the number of its row is shown too.

    Attributes
    ----------
    value : int
        Row of the chosen scan, counted from 0.

    Raises
    ------
    ValueError
        If there are no names.
    traitlets.TraitError
        If `value` is no row.

    Examples
    --------
    >>> search = ScanSearch(["S 01", "S 02"])
    >>> search.value = 1
    >>> search.name
    'S 02'
    """

    _esm = read_together("drawing.js", "cohort/scan_search.js")
    _css = read_together("slice_viewer.css", "cohort/scan_search.css")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    value = traitlets.Int(0).tag(sync=True)
    label = traitlets.Unicode("Scan").tag(sync=True)

    def __init__(self, names: Sequence[str], **options: Any) -> None:
        if not len(names):
            raise ValueError("expected at least one scan's name, found none")
        super().__init__(names=[str(name) for name in names], **options)

    @property
    def name(self) -> str:
        """Name of the chosen scan."""
        return self.names[self.value]

    @traitlets.validate("value")
    def _is_a_row(self, proposal: Any) -> int:
        if self.names and not 0 <= proposal["value"] < len(self.names):
            raise traitlets.TraitError(
                f"expected a scan from 0 to {len(self.names) - 1}, found {proposal['value']}"
            )
        return proposal["value"]
