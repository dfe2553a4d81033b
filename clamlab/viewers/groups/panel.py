"""Keep a group of scans that was drawn by eye: name it, read what it is like, compare it."""

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike, NDArray

from clamlab.paths import path_part
from clamlab.stats.tables.groups import GroupDescription, describe_groups
from clamlab.viewers.cohort.maps import ScanMap
from clamlab.viewers.groups.averages import GroupAverages, own_map
from clamlab.viewers.groups.controls import NO_MAP, GroupControls
from clamlab.viewers.groups.describing import contract_and_table, description_html, subjects_of
from clamlab.viewers.groups.here import GroupsHere
from clamlab.viewers.groups.kept import Groups
from clamlab.viewers.groups.pictures import GroupPictures
from clamlab.viewers.groups.saving import save_group
from clamlab.viewers.groups.sides import Side, sides_of

DRAWN = "Drawn now"


class GroupPanel(widgets.VBox):
    """Keep what was drawn around: give the group a name, see what it is like, compare it.

    A kept group is there tomorrow. One group is held against all other scans, two against each
    other: in a table, described and never tested, and as average scans side by side. Averages are
    worked out scan by scan, with a button to stop, and remembered.

    Parameters
    ----------
    table : DataFrame
        One row per scan, in the order of the volumes: ``subject_id`` and whatever describes them;
        ``cluster`` (from 0) is each scan's own.
    volumes : array (n, *grid)
        HU in RAS+ order (2-D slices as displayed); a memory map is read scan by scan.
    contract : dict, optional
        The table's contract. Default: columns are described as they look.
    maps : dict of str to callable(scan, cluster) or array (n, K, *grid), optional
        Kinds of map, as of `study_maps`; shown is each scan's for its own cluster, averaged.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres.
    mask : array (*grid), optional
        Lung; maps are not shown outside it.
    path : path, optional
        The table of groups, a person's (07_explore/groups.csv). Default: they last as the panel.
    figures : path, optional
        Folder for what is saved of groups. Ids are written only where it lies beside ``path``.

    Attributes
    ----------
    current : list of int
        The scans that are drawn around just now; set it, and they are described.
    chosen : list of str
        Names of the one or two kept groups that are looked at.

    Raises
    ------
    ValueError
        If there is not one row for each volume, a subject has two, or maps lack ``cluster``.

    Examples
    --------
    >>> scans = np.full((4, 8, 8), -800) + 100 * np.arange(4)[:, None, None]
    >>> table = pd.DataFrame({"subject_id": list("abcd"), "age": [50.5, 60, 70, 80]})
    >>> panel = GroupPanel(table, scans)
    >>> panel.current = [0, 1]
    >>> panel.keep("upper left")
    >>> panel.chosen, panel.description.printed["upper left"].tolist()[:2]
    (['upper left'], ['2', '55.25 (6.72)'])
    """

    current = traitlets.List(traitlets.Int())
    chosen = traitlets.List(traitlets.Unicode(), maxlen=2)

    def __init__(
        self,
        table: pd.DataFrame,
        volumes: NDArray,
        *,
        contract: dict | None = None,
        maps: Mapping[str, ScanMap | NDArray] | None = None,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        path: str | Path | None = None,
        figures: str | Path | None = None,
    ) -> None:
        self._here = GroupsHere(path, subjects_of(table, len(volumes)))
        self._read = partial(contract_and_table, table, contract)
        self._contract, self._table = self._read()
        self._figures = None if figures is None else Path(figures)
        self.description: GroupDescription | None = None
        inside = np.ones(np.shape(volumes)[1:]) if mask is None else np.asarray(mask)
        averages = GroupAverages(volumes, own_map(maps or {}, table, inside.astype(bool)))
        self.pictures = GroupPictures(averages, affine=affine, mask=mask)
        self.controls = GroupControls([*(maps or {}), NO_MAP], saves=figures is not None)
        super().__init__([self.controls, self.pictures], layout=widgets.Layout(width="auto"))
        self._noted = ""  # the group whose note is in the box
        self._connect()
        self._change(lambda groups: "", "")

    def keep(self, name: str) -> None:
        """Keep what is drawn under a name; what is wrong is said on the page."""
        where = "" if self._here.path else ", until the kernel stops"

        def change(groups: Groups) -> str:
            groups.keep(name, [self._here.subjects[i] for i in self.current])
            return f"Kept {self._here.label(groups.names[-1])}{where}."

        if self._change(change, "Not kept"):
            self.controls.name.value = ""
            self.chosen = [self._here.names[-1]]

    def rename(self, old: str, new: str) -> None:
        """Give a kept group another name; who is chosen stays chosen."""
        self._keep_note()
        chosen = list(self.chosen)

        def change(groups: Groups) -> str:
            place = groups.names.index(old) if old in groups.names else 0
            groups.rename(old, new)
            renamed = groups.names[place]
            chosen[:] = [renamed if name == old else name for name in chosen]
            return f"{old} is called {renamed} now."

        self._change(change, "Not renamed")
        self.chosen = [name for name in chosen if name in self._here.names]

    def delete(self, name: str) -> None:
        """Take a kept group out of the list, without asking."""

        def change(groups: Groups) -> str:
            groups.delete(name)
            return f"{name} is deleted; its scans stay where they are."

        self._change(change, "Not deleted")

    def write_note(self, name: str, note: str) -> None:
        """Write a note about a kept group."""

        def change(groups: Groups) -> str:
            groups.note(name, note)
            return f"Note about {name} saved."

        self._change(change, f"Note not saved ({note.strip()})")

    def compare(self) -> None:
        """Show average scans: two groups, or one and all others; goes on in the background."""
        if not self.sides():
            self._say("Nothing to compare: choose a group that is kept, or draw one.")
        elif self._as_shown("Not compared"):
            self.pictures.compare(self.sides(), self.controls.kind, self._say)

    def save(self, *, replace: bool | Path = False) -> None:
        """Write table and pictures of the chosen groups into a folder of their name."""
        sides, here = self.sides(), [n for n in self.chosen if self._here.scans_of(n)]
        if self._figures is None or self.description is None or not here:
            self._say("Nothing to save: choose a group that is kept, or keep what is drawn first.")
            return
        if not self._as_shown("Not saved"):
            return
        folder = self._figures / path_part(" and ".join(here))
        if folder.exists() and replace not in (True, folder):  # the one that was asked about
            words = f"{' and '.join(here)} is saved already. Replace all that is in its folder?"
            self.controls.question.ask(words, "Replace", lambda _: self.save(replace=folder))
            return
        listed = self._here.listed(here, folder)
        save = partial(save_group, folder, self.description, subjects=listed, replace=bool(replace))
        self.pictures.save(sides, self.controls.kind, self._say, save=save)

    def call_clusters(self, call: Callable[[int], str]) -> None:
        """Name the clusters in the description; ``call`` is given them counted from 0."""
        self._contract, self._table = self._read(call)
        self._describe()

    def sides(self) -> list[Side]:
        """Return what would be compared: the chosen groups or what is drawn, and the others."""
        return sides_of(self._looked_at(), len(self._here.subjects))

    @traitlets.validate("current")
    def _in_cohort(self, proposal: Any) -> list[int]:
        n = len(self._here.subjects)
        if wrong := [i for i in proposal.value if not 0 <= i < n]:
            raise traitlets.TraitError(f"there is no scan {wrong[0]}: there are 0 to {n - 1}")
        return sorted(set(proposal.value))

    @traitlets.validate("chosen")
    def _known(self, proposal: Any) -> list[str]:
        if unknown := [name for name in proposal.value if name not in self._here.names]:
            known = self._here.names
            raise traitlets.TraitError(f"there is no group {unknown[0]!r}; there are {known}")
        return list(dict.fromkeys(proposal.value))

    def _connect(self) -> None:
        c = self.controls
        c.keep.on_click(lambda button: self.keep(c.name.value))
        c.save_note.on_click(lambda button: self._keep_note())
        c.compare.on_click(lambda button: self.compare())
        c.save.on_click(lambda button: self.save())
        c.rename.on_click(lambda button: self._ask_name())
        c.delete.on_click(lambda button: self._ask_to_delete())
        for one in (c.list, c.beside):
            one.observe(lambda change: self._choose(), "value")
        self.pictures.work.observe(lambda change: c.busy(change.new), "running")
        self.observe(lambda change: self._show_chosen(), "chosen")
        self.observe(lambda change: self._turn_to_drawn(), "current")

    def _choose(self) -> None:
        """Take over what was chosen in the lists."""
        if not self.controls.filling:
            names = [self.controls.list.value, self.controls.beside.value]
            self.chosen = [name for name in dict.fromkeys(names) if name]

    def _change(self, change: Callable[[Groups], str], failed: str) -> bool:
        """Do something to the table of groups; what stands in the way is said."""
        said, done = self._here.change(change, failed)
        self._say(said.removeprefix(": "))
        self._list()
        return done

    def _as_shown(self, failed: str) -> bool:
        """Whether the chosen groups are still what is shown; another page may have changed them."""

        def look(groups: Groups) -> str:
            for name in self.chosen:
                groups.check(name)
            return ""

        return not self.chosen or self._change(look, failed)

    def _list(self) -> None:
        """Show the groups that there are by now."""
        names = self._here.names
        self.controls.list_groups([(self._here.label(name), name) for name in names])
        left = [name for name in self.chosen if name in names]
        if left != self.chosen:
            self.chosen = left
        else:
            self._show_chosen()

    def _show_chosen(self) -> None:
        first = next(iter(self.chosen), "")
        if self._noted != first:
            self._keep_note()
            self._noted = first
            self.controls.note.value = self._here[first].note if first else ""
        self.controls.show_chosen(self.chosen)
        self._describe()

    def _turn_to_drawn(self) -> None:
        """Show what was drawn last; a loop that is gone leaves the chosen groups."""
        if self.current and self.chosen:
            self.chosen = []
        else:
            self._describe()

    def _describe(self) -> None:
        """Show what the sides of a comparison are like, and say who of them is missing."""
        n = len(self.current)
        told = f"<b>{n} scan{'s' * (n != 1)} drawn</b>" if n else "No scans are drawn around."
        self.controls.now.value, self.controls.keep.disabled = told, not n
        said, self.description = self._here.odd(self.chosen), None
        try:
            if groups := {name: rows for name, rows in self._looked_at().items() if rows}:
                self.description = describe_groups(self._table, self._contract, groups)
        except ValueError as error:  # a contract with a slip
            said.append(str(error))
        self.controls.table.value = description_html(self.description, said)

    def _looked_at(self) -> dict[str, list[int]]:
        """Return the scans of the chosen groups, or else those that are drawn."""
        if self.chosen or not self.current:
            return {name: self._here.scans_of(name) for name in self.chosen}
        return {self._here.free_name(DRAWN): list(self.current)}

    def _keep_note(self) -> None:
        """Save what was written, also when the person goes on without pressing the button."""
        name, note = self._noted, self.controls.note.value
        if name in self._here.names and note.strip() != self._here[name].note:
            self.write_note(name, note)

    def _ask_name(self) -> None:
        name, ask = self.chosen[0], self.controls.question.ask
        ask(f"Another name for {name}:", "Rename", lambda t: self.rename(name, t), text=name)

    def _ask_to_delete(self) -> None:
        name = self.chosen[0]
        words = f"Delete {self._here.label(name)}? The list of its scans is gone then."
        self.controls.question.ask(words, "Delete", lambda _: self.delete(name))

    def _say(self, words: str) -> None:
        self.controls.said.value = f'<div role="status">{escape(words)}</div>' if words else ""
