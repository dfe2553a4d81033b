"""What was matched, and what was not, in words."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import pandas as pd

NO_SCAN = "no scan bears its id"
LISTED = 10  # so many names are printed before "and N more"


@dataclass(frozen=True)
class Matching:
    """What was matched, and what was not, both ways.

    Attributes
    ----------
    cohort : DataFrame
        The rows that have a scan: ``subject_id``, ``scan`` (relative to the folder), ``study`` (its
        number by date where the scan's folder holds several, else missing), ``studies`` (how many
        the subject has), then the table's own columns.
    exclusions : DataFrame
        ``subject_id`` and ``reason`` of the rows without exactly one scan, with a scan whose header
        speaks against the row, or with an id that cannot be used.
    strangers : list of str
        Scans that belong to no row.
    rule : str
        How all of them were matched, in words.
    match : str or None
        The same as :func:`match_scans` takes it; None where a column of paths was given.
    candidates : dict of str to list of str
        Where the scans lie that excluded subjects could have, by subject.
    problems : list of str
        What could not be searched: archives, locked folders, links to nothing.
    doubts : list of str
        What headers and table say differently for so many rows that it refuses none.
    withdrawn : int
        Rows that were taken out since.
    """

    cohort: pd.DataFrame
    exclusions: pd.DataFrame
    strangers: list[str]
    rule: str
    match: str | None = None
    candidates: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    withdrawn: int = 0

    def only(self, kept: Callable[[pd.DataFrame], pd.DataFrame]) -> "Matching":
        """Return the matching of those rows that ``kept`` leaves of a table.

        Who has withdrawn is matched first and taken out then: else their scans would be listed as
        scans without a row.
        """
        cohort, exclusions = kept(self.cohort), kept(self.exclusions)
        gone = len(self.cohort) + len(self.exclusions) - len(cohort) - len(exclusions)
        return replace(self, cohort=cohort, exclusions=exclusions, withdrawn=gone)

    def report(self, *, places: bool = True) -> str:
        """Say in words what was matched and list what was not.

        Without ``places`` no file or folder is named: their names may be those of patients.
        """
        several = int((self.cohort["studies"] > 1).sum())
        chosen = f" Of {several} one of several studies was taken." if several else ""
        lines = [f"{len(self.cohort)} subjects have a scan, by the rule {self.rule}.{chosen}"]
        if places:
            pairs = zip(self.cohort["subject_id"], self.cohort["scan"], strict=True)
            lines += _listed([f"{subject} -> {scan}" for subject, scan in pairs])
        lines += self.doubts
        if self.withdrawn:
            more = "s" * (self.withdrawn > 1)
            lines.append(f"{self.withdrawn} withdrawn subject{more} left out.")
        if len(self.exclusions):
            rows = [
                f"{row.subject_id}: {row.reason}" + self._candidates(row.subject_id) * places
                for row in self.exclusions.itertuples()
            ]
            reasons = zip(rows, self.exclusions["reason"], strict=True)
            lines += [f"{len(rows)} rows are without a scan:"]
            lines += _listed(rows, odd={row for row, reason in reasons if reason != NO_SCAN})
        for what, found in (
            ("scans are without a row", self.strangers),
            ("places could not be searched", self.problems),
        ):
            if found:
                lines += [f"{len(found)} {what}" + ":" * places, *(_listed(found) * places)]
        return "\n".join(lines)

    def _candidates(self, subject: str) -> str:
        found = self.candidates.get(subject)
        return f" ({', '.join(found)})" if found else ""


def _listed(names: Collection[str], odd: Collection[str] = ()) -> list[str]:
    """Show the first names, and all that are odd."""
    shown = [f"  {name}" for i, name in enumerate(names) if i < LISTED or name in odd]
    more = len(names) - len(shown)
    return shown + ([f"  and {more} more"] if more else [])
