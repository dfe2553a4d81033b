"""Kept groups as far as their subjects have scans in the cohort that is open."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from clamlab.viewers.groups.kept import Group, Groups

LISTED = 5  # so many subjects are named before "and N more"


class GroupsHere:
    """Find the scans of groups that were kept, today or before; say who is missing.

    Parameters
    ----------
    path : path or None
        The table of groups; one that cannot be read is told, not touched, and tried again.
    subjects : sequence of str
        The subject of each scan.

    Examples
    --------
    >>> here = GroupsHere(None, ["S1", "S2"])
    >>> here.change(lambda groups: groups.keep("odd", ["S1", "S9"]) or "kept", "Not kept")
    ('kept', True)
    >>> here.scans_of("odd"), here.label("odd")
    ([0], 'odd  (1 of 2 scans are here)')
    """

    def __init__(self, path: str | Path | None, subjects: Sequence[str]) -> None:
        self.path, self.subjects = None if path is None else Path(path), list(subjects)
        self._places = {name: i for i, name in enumerate(subjects)}
        self._groups: Groups | None = None

    @property
    def names(self) -> list[str]:
        """Names of the groups that are known."""
        return self._groups.names if self._groups else []

    def __getitem__(self, name: str) -> Group:
        """Return a group that is known."""
        if self._groups is None:
            raise ValueError(f"there is no group {name!r}")
        return self._groups[name]

    def change(self, do: Callable[[Groups], str], failed: str) -> tuple[str, bool]:
        """Do something to the table; return what to say, and whether it was done."""
        try:
            if self._groups is None:
                self._groups = Groups(self.path)
            return do(self._groups), True
        except (ValueError, OSError) as error:
            return f"{failed}: {error}", False

    def scans_of(self, name: str) -> list[int]:
        """Return the scans of a group, in their order."""
        return sorted(self._places[s] for s in self[name].subjects if s in self._places)

    def free_name(self, name: str) -> str:
        """Return a name that no group has; those of groups have no space at their end."""
        while name in self.names:
            name += " "
        return name

    def label(self, name: str) -> str:
        """Name a group with its size."""
        n, here = len(self[name].subjects), len(self.scans_of(name))
        scans = "scan" if n == 1 else "scans"
        return f"{name}  ({here} of {n} {scans} are here)" if here < n else f"{name}  ({n} {scans})"

    def odd(self, names: Sequence[str]) -> list[str]:
        """Say what is odd about the table, and who of some groups has no scan any more."""
        said = [self._groups.said] if self._groups and self._groups.said else []
        for name in names:
            subjects = self[name].subjects
            gone = [subject for subject in subjects if subject not in self._places]
            if gone:
                more = f" and {len(gone) - LISTED} more" if len(gone) > LISTED else ""
                said.append(
                    f"{name}: no scan here of {len(gone)} of its {len(subjects)} subjects "
                    f"({', '.join(gone[:LISTED])}{more}); they stay in the table of groups, and "
                    "the others are shown."
                )
        return said

    def listed(self, names: Sequence[str], folder: Path) -> pd.DataFrame | None:
        """List who is in some groups; None for a folder that is not the study's own."""
        if self.path is None or not folder.resolve().is_relative_to(self.path.parent.resolve()):
            return None
        rows = [(name, self.subjects[i]) for name in names for i in self.scans_of(name)]
        return pd.DataFrame(rows, columns=["group", "subject_id"])
