"""Columns of numbers, as numbers or as texts: measured, coded, or no measurement at all."""

import math
from collections import Counter

import pandas as pd

from clamlab.schema.guessing.guess import CODED, NO_ROLE, Guess, most_levels, told_by_name
from clamlab.schema.persons import names_somebody
from clamlab.schema.quantities import (
    Quantity,
    canonical_unit,
    far_numbers,
    lone_zero,
    read_quantities,
    suspicious_codes,
)

_FEWEST_COUNTED = 5  # rows; fewer run from 1 on by chance
_NO_NUMBERS = {
    "bound": "bounds such as '<0.1'",
    "unclear": "a mark that may be decimal or of thousands",
    "error": "errors of a spreadsheet",
    "word": "other words",
    "number": "numbers beyond all bounds",
}


def numeric(values: pd.Series, role: str | None, units: str) -> Guess:
    """Guess at a column of numbers: measured, or few whole numbers that are levels."""
    distinct = sorted(values.unique().tolist())
    whole = bool((values % 1 == 0).all())
    few = whole and (role in CODED or len(distinct) == 2 < len(values))
    few = few and len(distinct) <= most_levels(role)
    levels = [int(v) for v in distinct] if few else []
    # Measured whole numbers are drafted as numbers: the next scan may bring a fraction.
    guess = Guess("integer" if few else "number", "", levels, units=units)
    if what := _no_measure(values, units):
        guess.why = what + NO_ROLE
        return guess
    return _with_role(guess, values, role, "whole numbers that are few" if few else "numbers")


def _with_role(guess: Guess, values: pd.Series, role: str | None, what: str) -> Guess:
    """Give numbers their role, unless some may stand for missing."""
    guess.odd = list(suspicious_codes(values))
    what_odd = "may stand for missing"
    far = [] if guess.odd else far_numbers(values.unique())
    if far and role == "demographic":
        guess.odd, what_odd, far = far, "far from all others", []
    if guess.odd:
        guess.why = (
            f"{what}; {what_odd}: {_counted(guess.odd, values)}; no role before a person has named "
            "them in the missing codes, or given a role"
        )
        return guess
    guess.odd = far or lone_zero(values)  # may well be true: of outcomes a few lie far off
    guess.role = role or "outcome"
    guess.why = what + told_by_name(role, "an outcome unless it is another")
    if guess.odd:
        guess.why += f"; far from all others: {_counted(guess.odd, values)}: slips, or true?"
    return guess


def _counted(odd: list, values: pd.Series) -> str:
    return ", ".join(f"{value:g} ({int((values == value).sum())})" for value in odd)


def _no_measure(values: pd.Series, units: str) -> str:
    """Say what numbers are if they are no measurement: row numbers, ids, packed dates."""
    numbers = values.tolist()
    counted = list(range(int(numbers[0]), int(numbers[0]) + len(numbers)))
    if len(numbers) >= _FEWEST_COUNTED and numbers[0] in (0, 1) and numbers == counted:
        return "it counts the rows"
    if len(numbers) >= _FEWEST_COUNTED and len(set(numbers)) == 1:
        return "the same in every row"
    return names_somebody(values, units=units)


def measured(texts: pd.Series, role: str | None, units: str) -> Guess | None:
    """Guess at numbers kept as texts, if most cells are some; None where they are words."""
    read = read_quantities(texts)
    found = texts.map(read)
    if not _is_meant_as_numbers(texts, read):
        return None
    own = {q.unit for q in read.values() if q.kind == "number" and q.unit}
    if len(own) > 1:
        with_unit = [text for text in texts.unique() if read[text].unit]
        why = f"numbers in several units: {', '.join(sorted(own))}"
        return Guess("string", why + NO_ROLE, odd=with_unit)
    bare = [text for text in texts.unique() if read[text].unit != "%" and 0 < read[text].number < 1]
    if own == {"%"} and bare:
        why = "percents, and parts of one that may be fractions (0.45 for 45 %)"
        return Guess("string", why + NO_ROLE, odd=bare)
    unit = next(iter(own)) if own else canonical_unit(units) or units
    odd = texts[found.map(lambda q: q.kind != "number" or math.isinf(q.number))]
    if len(odd):
        what = Counter(read[text].kind for text in odd)
        listed = ", ".join(f"{_NO_NUMBERS[kind]} ({n})" for kind, n in what.items())
        why = (
            f"{len(texts) - len(odd)} of {len(texts)} cells are numbers; not: {listed}; correct "
            f"them, or name them as missing{NO_ROLE}"
        )
        return Guess("string", why, units=unit, odd=[*odd.unique()])
    values = found.map(lambda q: q.number)
    if tells := _no_measure(values, unit):
        return Guess("number", tells + NO_ROLE, units=unit)
    with_own = f", {sum(q.unit != '' for q in found)} with their unit" if own else ""
    guess = _with_role(Guess("number", "", units=unit), values, role, f"numbers{with_own}")
    guess.odd = [text for text in texts.unique() if read[text].number in guess.odd]
    return guess


def _is_meant_as_numbers(texts: pd.Series, read: dict[str, Quantity]) -> bool:
    """Tell numbers with a few other cells from words, and from codes such as "007"."""
    meant = [text for text in texts if read[text].kind != "word"]
    codes = any(text[0] == "0" and text[1:2].isdigit() for text in meant)
    return 2 * len(meant) > len(texts) and not codes
