"""What somebody wants to keep of a look: a folder of its own, whole, over nothing that is there."""

import html
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from clamlab.atomic import whole_file, whole_folder
from clamlab.paths import path_part

SETTINGS = "settings.json"
LONGEST = 60  # letters of the words that go into the name
Write = Callable[[Path], Mapping[str, Any]]


def keep(folder: str | Path, words: str, write: Write, *, now: datetime | None = None) -> Path:
    """Write a look into a new folder, named by the day and a person's words.

    Parameters
    ----------
    folder : path
        Where such folders lie; made if it is not there.
    words : str
        What the person calls it.
    write : callable
        Writes its files into the folder that it is given, and returns the settings.
    now : datetime, optional

    Returns
    -------
    Path
        The new folder. What lay there before, of the same name too, is left alone.

    Raises
    ------
    ValueError
        If there are no words.
    OSError
        If the disk refuses; then nothing is left of it.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> folder, day = mkdtemp(), datetime(2026, 11, 27, tzinfo=UTC)
    >>> names = [keep(folder, "no unsure", lambda _: {}, now=day).name for _ in range(2)]
    >>> names
    ['2026-11-27_no-unsure', '2026-11-27_no-unsure_2']
    """
    if not words.strip():
        raise ValueError("say in a few words what this is: they become its name")
    now = now or datetime.now().astimezone()
    folder, name = Path(folder), f"{now:%Y-%m-%d}_{_name_of(words)}"
    told = {"words": words.strip(), "kept": now.astimezone(UTC).isoformat(timespec="seconds")}
    number = 1
    while True:
        place = folder / (name if number == 1 else f"{name}_{number}")
        number += 1
        if place.exists() or place.is_symlink():
            continue
        try:
            with whole_folder(place) as temporary:
                settings = told | dict(write(temporary))
                with whole_file(temporary / SETTINGS) as file:
                    file.write_text(_json(settings), encoding="utf-8")
        except OSError:
            if place.exists():  # somebody else has taken the name meanwhile
                continue
            raise
        return place


def _name_of(words: str) -> str:
    return path_part("-".join(words.split())[:LONGEST])


def _json(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


class Keeping(widgets.VBox):
    """Name what is shown, and keep it by a button.

    Parameters
    ----------
    folder : path or None
        Without one nothing can be kept, and it says so.
    write : callable
        As in `keep`; a ValueError says why there is nothing to keep now.
    look : callable
        Says in words what is kept: a press may overtake a slider while Python is busy.
    """

    def __init__(self, folder: str | Path | None, write: Write, look: Callable[[], str]) -> None:
        self._folder, self._write, self._look = folder, write, look
        # Typed words are sent whole before the button is heard, not letter by letter after it.
        self.words = widgets.Text(
            continuous_update=False,
            placeholder="in a few words: what is this?",
            description="Called",
            style={"description_width": "auto"},
            layout={"width": "min(420px, 100%)"},
            disabled=folder is None,
        )
        self.button = widgets.Button(description="Keep this one", disabled=folder is None)
        self.said = widgets.HTML("" if folder else "Nothing can be kept: no folder was given.")
        self.button.on_click(lambda _: self._keep())
        super().__init__([widgets.HBox([self.words, self.button]), self.said])

    def _keep(self) -> None:
        assert self._folder is not None  # the button is shut otherwise
        try:
            place = keep(self._folder, self.words.value, self._write)
        except (ValueError, OSError) as error:
            self._say(f"Not kept: {error}")
        else:
            self.words.value = ""
            self._say(f"Kept in {place.parent.name}/{place.name}: {self._look()}")

    def _say(self, words: str) -> None:
        self.said.value = f'<span role="status">{html.escape(words)}</span>'
