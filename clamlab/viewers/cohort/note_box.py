"""What a reader notes of the scan that is looked at; nothing that was typed is lost."""

import html
from pathlib import Path

import ipywidgets as widgets

from clamlab.viewers.cohort.notes import Notes
from clamlab.viewers.person_table import ChangedElsewhere

FULL = {"width": "auto"}
CHANGED = (
    "not saved, as somebody else changed the note meanwhile to “{}”. What you typed is kept in the "
    "box here: write into it what shall stand there, and press Save note."
)
EMPTIED = (
    "not saved, as somebody else took the note away meanwhile. What you typed is kept in the box "
    "here: press Save note if it shall stand there."
)


class NoteBox(widgets.VBox):
    """Type a note about one subject after the other; each is saved when the next one comes.

    What the disk refuses, or another window has changed meanwhile, stays typed until it is saved.
    Over the words of somebody else only the button saves, once the reader was told them.

    Parameters
    ----------
    path : path or None
        As of `Notes`.

    Attributes
    ----------
    text : ipywidgets.Textarea
    save : ipywidgets.Button
    said : ipywidgets.HTML

    Examples
    --------
    >>> box = NoteBox(None)
    >>> box.turn_to("A")
    >>> box.text.value = "fissure"
    >>> box.turn_to("B")
    >>> box.text.value, "A: saved (kept until the kernel stops)" in box.said.value
    ('', True)
    """

    def __init__(self, path: str | Path | None) -> None:
        self._notes = Notes(path)
        self._of = ""  # whose note is in the box
        self._seen = ""  # what the file held when it was put there
        self._told: str | None = None  # what the file holds by now, if the reader was told
        self._typed: dict[str, tuple[str, str]] = {}  # not saved, each with what was seen then
        self.text = widgets.Textarea(
            continuous_update=False, placeholder="Note about this scan", rows=2, layout=FULL
        )
        # A long line beside it is broken; the button keeps its words.
        self.save = widgets.Button(description="Save note", layout={"flex": "0 0 auto"})
        self.said = widgets.HTML()
        self.save.on_click(lambda button: self.keep(over=self._told))
        super().__init__([self.text, widgets.HBox([self.save, self.said])], layout=FULL)
        self.turn_to("")

    def turn_to(self, subject: str) -> None:
        """Save the note that is in the box, and put another subject's there; "" for nobody's."""
        self.keep()
        known = self._notes[subject] if subject else ""
        self._of, self._told = subject, None
        self.text.value, self._seen = self._typed.get(subject, (known, known))
        self.text.disabled = self.save.disabled = not subject
        if known != self._seen:
            self._tell_change()

    def keep(self, *, over: str | None = None) -> None:
        """Save what was typed; over what was not seen when it came only if that is given."""
        typed = self.text.value.strip()
        is_new = typed != self._notes[self._of] and (typed != self._seen or over is not None)
        if not self._of or not is_new:
            self._typed.pop(self._of, None)
            return
        self._typed[self._of] = self.text.value, self._seen
        try:
            self._notes.save(self._of, typed, seen=self._seen if over is None else over)
        except ChangedElsewhere:
            self._tell_change()
        except (ValueError, OSError) as error:
            self._say(f"not saved, and kept here until it is: {error}")
        else:
            del self._typed[self._of]
            self._seen, self._told = typed, None
            self._say(f"saved ({self._notes.path or 'kept until the kernel stops'})")

    def _tell_change(self) -> None:
        self._told = self._notes[self._of]
        self._say(CHANGED.format(self._told) if self._told else EMPTIED)

    def _say(self, words: str) -> None:
        said = html.escape(f"{self._of}: {words}", quote=False)
        self.said.value = f'<span role="status">{said}</span>'
