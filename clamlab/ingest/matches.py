"""What was matched, and what was not, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

LISTED = 10  # so many names are printed before "and N more"


@dataclass(frozen=True)
class Matching:
    """What was matched, and what was not, both ways.

    Attributes
    ----------
    cohort : DataFrame
        The rows that have a scan: ``subject_id``, ``scan`` (relative to the folder), ``matched_by``
        ("path column", "name", "PatientID"), then the table's own columns.
    exclusions : DataFrame
        ``subject_id`` and ``reason`` of the rows without exactly one scan, or with an id that
        cannot be used: none, one that is no text, or one like another's but for capital letters.
    strangers : list of str
        Scans that belong to no row.
    candidates : dict of str to list of str
        Where the scans lie that excluded subjects could have, by subject.
    """

    cohort: pd.DataFrame
    exclusions: pd.DataFrame
    strangers: list[str]
    candidates: dict[str, list[str]]

    def report(self, *, places: bool = True) -> str:
        """Say in words what was matched and list what was not.

        Without ``places`` no file or folder is named: their names may be those of patients.
        """
        ways = self.cohort["matched_by"].value_counts()
        by = ", ".join(f"{n} by {way}" for way, n in ways.items()) or "none"
        lines = [f"{len(self.cohort)} subjects have a scan ({by})."]
        if len(self.exclusions):
            rows = [
                f"{row.subject_id}: {row.reason}" + (self._candidates(row.subject_id) * places)
                for row in self.exclusions.itertuples()
            ]
            lines += [f"{len(rows)} rows are without a scan:", *_listed(rows)]
        if self.strangers:
            named = _listed(self.strangers) if places else []
            lines += [f"{len(self.strangers)} scans are without a row" + ":" * places, *named]
        return "\n".join(lines)

    def _candidates(self, subject: str) -> str:
        found = self.candidates.get(subject)
        return f" ({', '.join(found)})" if found else ""


def _listed(names: Iterable[str]) -> list[str]:
    names = list(names)
    more = [f"  and {len(names) - LISTED} more"] if len(names) > LISTED else []
    return [f"  {name}" for name in names[:LISTED]] + more
