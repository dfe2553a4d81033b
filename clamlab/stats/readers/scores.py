"""What readers score: each score's levels or range, from a contract or a plain list."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clamlab.stats.variables import level_name

ROLE = "visual_score"
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Score:
    """One thing that readers score in a scan.

    ``levels`` holds the contract's own values in their order, the least first, and is empty for a
    number; ``rule`` is the contract's entry, or the one made for a plain list.
    """

    name: str
    levels: tuple[Any, ...] = ()
    rule: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """The score's name as a person reads it."""
        return str(self.rule.get("title", self.name))

    @property
    def names(self) -> list[str]:
        """The levels as texts."""
        return [level_name(level) for level in self.levels]

    @property
    def is_whole(self) -> bool:
        """Whether a number must be a whole one."""
        kinds = self.rule.get("type", ())
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        return kinds - {"null"} == {"integer"}

    @property
    def range(self) -> str:
        """What a reader may give, in words."""
        if self.levels:
            return ", ".join(self.names)
        low, high = self.rule.get("minimum"), self.rule.get("maximum")
        kind = "a whole number" if self.is_whole else "a number"
        if low is None and high is None:
            return kind
        if high is None:
            return f"{kind} of {low} or more"
        return f"{kind} of at most {high}" if low is None else f"{kind} from {low} to {high}"

    def text(self, value: object) -> str:
        """Return a value as it is kept: the level's name, or the number; or "unreadable".

        Raises
        ------
        ValueError
            If it is none of the levels, or no number within the range.

        Examples
        --------
        >>> Score("fibrosis", (0, 1, 2)).text("2.0")
        '2'
        """
        given = level_name(value).strip()
        if given == UNREADABLE:
            return given
        if self.levels:
            # A spreadsheet saves the level 2 as 2.0.
            plain = given.removesuffix(".0")
            known = next((name for name in self.names if name in (given, plain)), None)
        else:
            known = self._number(given)
        if known is None:
            raise ValueError(
                f"{self.title}: expected {self.range} or {UNREADABLE}, found {given!r}"
            )
        return known

    def _number(self, given: str) -> str | None:
        try:
            number = float(given)
        except ValueError:
            return None
        low, high = self.rule.get("minimum", -math.inf), self.rule.get("maximum", math.inf)
        if not (math.isfinite(number) and low <= number <= high):
            return None
        if self.is_whole and not number.is_integer():
            return None
        return level_name(number)

    def code(self, text: str) -> float:
        """Return a kept value as a number: a level's place from 0; NaN if it is unreadable.

        Examples
        --------
        >>> Score("fibrosis", ("none", "mild", "severe")).code("severe")
        2.0
        """
        if text == UNREADABLE:
            return math.nan
        return float(self.names.index(text)) if self.levels else float(text)


def scores_of(scores: Mapping[str, Any]) -> list[Score]:
    """List what is scored.

    Parameters
    ----------
    scores : mapping
        A contract, of which the columns with ``x-role`` ``visual_score`` are scored; or a plain
        mapping of names to levels in their order, the least first, or to a rule of a contract
        (``{"minimum": 0, "maximum": 18}``).

    Returns
    -------
    list of Score
        In the order of the contract or mapping: ``name``, ``title``, ``levels``, ``range``.

    Raises
    ------
    ValueError
        If nothing is to be scored, levels are too few or not told apart, or one is "unreadable".

    Examples
    --------
    >>> [score.range for score in scores_of({"fibrosis": [0, 1, 2], "sum": {"minimum": 0}})]
    ['0, 1, 2', 'a number of 0 or more']
    """
    if isinstance(scores.get("properties"), Mapping):
        rules = {n: r for n, r in scores["properties"].items() if r.get("x-role") == ROLE}
        if not rules:
            raise ValueError(
                f"expected a contract with a column of x-role {ROLE!r}, found none: give the "
                "columns that are scored that role, or a mapping of names to levels"
            )
    else:
        rules = {name: _rule(str(name), given) for name, given in scores.items()}
    if not rules:
        raise ValueError("expected at least one score, found none")
    return [_score(str(name), rule) for name, rule in rules.items()]


def _rule(name: str, given: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    if isinstance(given, str):
        raise ValueError(f"{name}: expected a list of levels, found the text {given!r}")
    rule = given if isinstance(given, Mapping) else {"enum": list(given)}
    return {"title": name.replace("_", " ").capitalize(), **rule}


def _score(name: str, rule: Mapping[str, Any]) -> Score:
    score = Score(name, tuple(v for v in rule.get("enum", ()) if v is not None), rule)
    kinds = rule.get("type", ())
    if not score.levels and "string" in ({kinds} if isinstance(kinds, str) else set(kinds)):
        raise ValueError(f"{name}: expected levels ('enum') or a number, found a free text")
    if "enum" in rule and len(set(score.names)) < max(2, len(score.levels)):
        raise ValueError(f"{name}: expected two or more different levels, found {score.names}")
    if UNREADABLE in score.names:
        raise ValueError(f"{name}: {UNREADABLE!r} is no level: it is kept for every score")
    return score
