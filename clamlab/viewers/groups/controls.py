"""What a person sees and presses around groups: fields, buttons and lists, and no more."""

from collections.abc import Sequence

import ipywidgets as widgets

from clamlab.viewers.groups.averages import SCANS
from clamlab.viewers.listening import Listening
from clamlab.viewers.question import Question

NO_MAP = "no map"
ALL_OTHERS = ("all other scans", "")
NARROW = {"width": "auto"}
FULL = {"width": "auto"}


def _button(words: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=words, tooltip=tooltip, layout=NARROW)


class GroupControls(widgets.VBox):
    """The panel's controls, laid out; `GroupPanel` gives them their meaning.

    Parameters
    ----------
    kinds : sequence of str
        Kinds of map to choose from.
    saves : bool
        Whether there is a folder to save in.
    """

    def __init__(self, kinds: Sequence[str], *, saves: bool) -> None:
        self.filling = False
        self.now = widgets.HTML()
        self.name = widgets.Text(
            continuous_update=False, placeholder="Name of the group", layout={"width": "260px"}
        )
        self.name.tooltip = "Name of the group"
        self.keep = _button("Keep", "Keep what is drawn under this name")
        self.list = widgets.Select(rows=6, layout=FULL)
        self.list.tooltip = "Kept groups"
        beside = {"description": "beside", "style": {"description_width": "auto"}}
        self.beside = widgets.Dropdown(**beside, layout=FULL)
        self.rename = _button("Rename …", "Give the chosen group another name")
        self.delete = _button("Delete …", "Take the chosen group out of the list")
        self.note = widgets.Textarea(
            continuous_update=False, placeholder="Note about this group", rows=4, layout=FULL
        )
        self.save_note = _button("Save note", "Keep the note with the group")
        self.map = widgets.Dropdown(
            description="Map", options=kinds, style={"description_width": "auto"},
            layout={"width": "auto", "max_width": "300px"},
        )  # fmt: skip
        self.compare = _button("Compare in pictures", "Average scans of both, side by side")
        self.save = _button("Save …", "Table and pictures, for the paper")
        self.save.layout.display = "" if saves else "none"
        self.question = Question(back=self.list)
        self.said, self.table = widgets.HTML(), widgets.HTML()
        super().__init__(self._laid_out())

    @property
    def kind(self) -> str:
        """The kind of map that is chosen, or that scans are shown without."""
        return SCANS if self.map.value == NO_MAP else self.map.value

    def list_groups(self, labels: Sequence[tuple[str, str]]) -> None:
        """List what there is to choose from; nobody has chosen anything by that."""
        self.filling = True
        self.list.options = labels
        self.beside.options = [ALL_OTHERS, *((name, name) for _, name in labels)]
        self.filling = False

    def show_chosen(self, names: Sequence[str]) -> None:
        """Show who is chosen; what is about one group can be pressed if there is one."""
        first, beside = [*names, None, None][:2]
        self.filling = True
        self.list.value, self.beside.value = first, beside or ""
        self.filling = False
        for one in (self.rename, self.delete, self.note, self.save_note, self.save):
            one.disabled = first is None

    def busy(self, is_busy: bool) -> None:
        """Let nothing long be begun while something long is under way."""
        self.compare.disabled = is_busy
        self.save.disabled = is_busy or self.list.value is None

    def _laid_out(self) -> list[widgets.Widget]:
        half = widgets.Layout(flex="1 1 0", min_width="240px", padding="0 12px 0 0")
        kept = [widgets.HTML("<b>Kept groups</b>"), self.list, self.beside]
        groups = widgets.VBox(kept, layout=half)
        about = widgets.HBox([self.save_note, self.rename, self.delete])
        notes = widgets.VBox([widgets.HTML("<b>Note</b>"), self.note, about], layout=half)
        wrapped = widgets.Layout(flex_flow="row wrap", align_items="center")
        return [
            widgets.HBox([self.now, self.name, self.keep], layout=wrapped),
            widgets.HBox([groups, notes]),
            self.question,
            self.said,
            self.table,
            widgets.HBox([self.compare, self.map, self.save], layout=wrapped),
            Listening(),
        ]
