"""What was read of a study, and what was not there to be read: all that a report knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


class NotFoundError(Exception):
    """A section wants what the study does not have; the message says why."""


@dataclass(frozen=True)
class Found:
    """What a command read of a study, handed to the sections of its report.

    Parameters
    ----------
    name : str
        The study's.
    stages : DataFrame
        One row per stage: ``stage``, ``status`` ("fresh", "stale", "altered", "partial",
        "missing"), ``why``, ``finished``.
    values : mapping of str to object
        Tables, lists and arrays by the names that the study has for them, and what was worked out
        of them where they were read: ``flow``, ``decision``, ``come_back`` (how partitions of
        resampled scans do), ``average_hu``, ``average_map``, ``people`` (the clinical table with
        its clusters), ``scans_shown``.
    reasons : mapping of str to str
        Why something is not among the values.
    stage_of : mapping of str to str
        The stage that a value comes from.
    records : mapping of str to dict
        What each stage wrote down of its run: parameters, versions, sha256.
    settings : mapping of str to object
        Lines of ``study.json`` that say how the study was begun, without places.
    small_counts : bool
        Whether counts of one to four persons are shown.
    notices : sequence of str
        What else a reader of the report should know of the study.
    errors : frozenset of str
        Those of the reasons that are the error of a file, not of a study on its way.

    Examples
    --------
    >>> stages = pd.DataFrame({"stage": ["01_cohort"], "status": ["stale"], "why": ["edited"]})
    >>> found = Found("lungs", stages, {"flow": 3}, {"qc": "not run yet"}, {"flow": "01_cohort"})
    >>> found.need("flow"), found.unsound(["flow"])
    (3, ['01_cohort is stale: edited'])
    >>> found.need("qc")
    Traceback (most recent call last):
    clamlab.report.found.NotFoundError: not run yet
    """

    name: str
    stages: pd.DataFrame
    values: Mapping[str, Any] = field(repr=False)
    reasons: Mapping[str, str] = field(default_factory=dict)
    stage_of: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    small_counts: bool = False
    notices: tuple[str, ...] = ()
    errors: frozenset[str] = frozenset()

    def get(self, name: str) -> Any:
        """Return a value, None where it is not there."""
        return self.values.get(name)

    def need(self, name: str) -> Any:
        """Return a value.

        Raises
        ------
        NotFoundError
            If it is not there.
        """
        if name not in self.values:
            raise NotFoundError(self.reasons.get(name, f"{name} is not there"))
        return self.values[name]

    def parameters(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage was run with; nothing where it was not run."""
        return self.records.get(stage, {}).get("parameters", {})

    def errors_of(self, names: Iterable[str]) -> list[str]:
        """Say which files could not be read or used of those that some values come from."""
        reasons = dict.fromkeys(self.reasons[name] for name in names if name in self.reasons)
        return [why for why in reasons if why in self.errors]

    def unsound(self, names: Iterable[str]) -> list[str]:
        """Say which of the stages that some values come from no longer stand, and why."""
        used = {self.stage_of[name] for name in names if name in self.stage_of}
        odd = self.stages[self.stages["stage"].isin(used)]
        odd = odd[~odd["status"].isin(["fresh", "missing"])]
        return [f"{row.stage} is {row.status}: {row.why}" for row in odd.itertuples()]

    @property
    def codes(self) -> list[int]:
        """The clusters that scans were assigned to, in order; none where none were."""
        assigned = self.get("assignments")
        return [] if assigned is None else sorted({int(code) for code in assigned["cluster"]})

    def hides_averages(self, made_of: pd.Series | None) -> str:
        """Say why averages may not be shown; nothing where they may.

        Parameters
        ----------
        made_of : Series or None
            Scans of each cluster when the averages were made: those of today's clusters may be
            others. None where nobody knows.
        """
        if self.small_counts:
            return ""
        from clamlab.stats.disclosure.averages import why_hidden

        assigned = self.get("assignments")
        now = None if assigned is None else assigned["cluster"].value_counts()
        why = why_hidden(made_of, now)
        return why and f"{why} (--small-counts shows it)"
