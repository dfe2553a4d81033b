"""One question to the person, asked where the work is: yes or no, or a line of text."""

from collections.abc import Callable

import anywidget
import ipywidgets as widgets
import traitlets

from clamlab.viewers.assets import read_together

NARROW = {"width": "auto"}


class _Asked(anywidget.AnyWidget):
    """Counts the questions; the browser goes to each."""

    _esm = read_together("question.js")
    asked = traitlets.Int(0).tag(sync=True)


class Question(widgets.HBox):
    """Ask before something is done that cannot be taken back; hidden while nothing is asked.

    The keyboard goes where the question is, and afterwards back: Enter in the line of text answers
    yes, Escape leaves it.

    Parameters
    ----------
    back : DOMWidget, optional
        What has the focus once the question is answered.

    Examples
    --------
    >>> question, done = Question(), []
    >>> question.ask("Delete it?", "Delete", lambda text: done.append("deleted"))
    >>> question.yes.click()
    >>> done, question.layout.display
    (['deleted'], 'none')
    """

    def __init__(self, back: widgets.DOMWidget | None = None) -> None:
        self._back = back
        self.words, self.text = widgets.Label(), widgets.Text(continuous_update=False)
        self.yes = widgets.Button(layout=NARROW, button_style="warning")
        self.no = widgets.Button(description="No, leave it", layout=NARROW)
        self._do: Callable[[str], None] = lambda text: None
        self.yes.on_click(lambda button: self._answer())
        self.no.on_click(lambda button: self.withdraw())
        self._asked = _Asked()
        super().__init__([self.words, self.text, self.yes, self.no, self._asked])
        self.layout.display = "none"

    def ask(
        self, words: str, yes: str, do: Callable[[str], None], *, text: str | None = None
    ) -> None:
        """Show a question; with ``text``, a line to edit, which ``do`` gets when it is answered."""
        self._do = do
        self.words.value, self.yes.description, self.text.value = words, yes, text or ""
        self.text.layout.display = "none" if text is None else ""
        self.layout.display = ""
        self._asked.asked += 1

    def withdraw(self) -> None:
        """Ask nothing any more."""
        self.layout.display = "none"
        if self._back is not None:
            self._back.focus()

    def _answer(self) -> None:
        self.withdraw()
        self._do(self.text.value)
