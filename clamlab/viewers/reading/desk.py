"""Where a reader sits down: asked for a name, and shown what is theirs."""

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakValueDictionary

import ipywidgets as widgets

from clamlab.viewers.slices.slice_viewer import close_whole

ASK = "Type your name or initials, then Enter: the same as last time, to go on where you stopped."
NOT_READ = (ValueError, OSError, RuntimeError)  # a file that is damaged, also as a study says it
# Who sits where: several pages of one notebook have one kernel, and a cell may run again.
_seats: WeakValueDictionary[tuple[str, ...], "Desk"] = WeakValueDictionary()


class Desk(widgets.VBox):
    """Ask who reads, and open what is theirs; the next reader takes over on the same page.

    Several desks of one kernel may be open, each with a reader of its own. A reader who sits down
    elsewhere leaves the desk before, which says so.

    Parameters
    ----------
    open_for : callable(str) -> Widget
        Opens a reader's work; a ValueError or OSError is told, and the question stays.
    known : callable() -> dict of str to str
        Who is known; with how far they are, in words, if they have begun. A name that differs from
        one of these in capitals and spaces alone is taken for it.
    file : path
        Where the work is kept: a reader has one desk for each.
    reader : str
        Whose work is opened at once; empty to ask.

    Examples
    --------
    >>> desk = Desk(widgets.Label, known=lambda: {"AB": "3 of 9 scans"})
    >>> desk.name.value = "ab"
    >>> desk.work.value, desk.said.value
    ('AB', 'AB goes on: 3 of 9 scans')
    """

    def __init__(
        self,
        open_for: Callable[[str], widgets.Widget],
        *,
        known: Callable[[], Mapping[str, str]],
        file: str | Path = "",
        reader: str = "",
    ) -> None:
        self._open_for, self._known, self._file = open_for, known, str(file)
        self.reader = ""
        self.work: widgets.Widget | None = None
        self.name = widgets.Text(
            continuous_update=False, placeholder="name or initials", layout={"width": "200px"}
        )
        self.name.tooltip = "Who reads"
        self.begin = widgets.Button(description="Begin", layout={"width": "auto"})
        self.said = widgets.HTML()
        head = widgets.HBox([widgets.Label("Who reads?"), self.name, self.begin])
        self._head = [head, self.said]
        super().__init__(self._head)
        self.add_class("clam-desk")
        self.begin.on_click(lambda button: self._begin())
        self.name.observe(lambda change: self._begin(), "value")
        self.name.value = reader.strip()
        if not self.name.value:
            self._ask()

    def _ask(self) -> None:
        try:
            told = [f"{name} ({w})" if w else name for name, w in self._known().items()]
        except NOT_READ as error:
            self._say(str(error))
            return
        self._say(f"{ASK} So far: {', '.join(told)}." if told else ASK)

    def _begin(self) -> None:
        given = " ".join(self.name.value.split())
        if not given:
            self._ask()
            return
        try:
            known = self._known()
            alike = {_plain(name): name for name in known}
            reader = given if given in known else alike.get(_plain(given), given)
            if reader == self.reader:
                return
            work = self._open_for(reader)
        except NOT_READ as error:
            self._say(str(error))
            return
        self._leave()
        seat = self._seat(reader)
        if before := _seats.pop(seat, None):
            before._leave()
            before._say(
                f"{reader} reads in another window or cell now. To go on here, press Begin again."
            )
        _seats[seat] = self
        self.reader, self.work = reader, work
        self.children = [*self._head, work]
        self._say(f"{reader} goes on: {known[reader]}" if known.get(reader) else f"{reader} begins")

    def _seat(self, reader: str) -> tuple[str, ...]:
        return type(self).__name__, self._file, _plain(reader)

    def _leave(self) -> None:
        """Put away what is open; the scan is not to stay in memory."""
        if _seats.get(self._seat(self.reader)) is self:
            del _seats[self._seat(self.reader)]
        left, self.reader, self.work = self.work, "", None
        self.children = self._head
        if left is not None:
            close_whole(left)

    def _say(self, words: str) -> None:
        self.said.value = html.escape(words)


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()
