"""The decision on the number of clusters, without what a person wrote beside it."""

from typing import Any

from clamlab.selection.answer import ANSWERS
from clamlab.selection.decision import PARAMETER, RULE, SOMEBODY, checked_choice, whose
from clamlab.selection.stability import VERDICTS


def numbers_of(value: dict[str, Any]) -> dict[str, Any]:
    """Keep of a file that a person may write in what is no text, and the words of the rule."""
    kept = {k: numbers_of(v) if isinstance(v, dict) else v for k, v in value.items()}
    return {
        k: v
        for k, v in kept.items()
        if v is None
        or isinstance(v, bool | int | float | dict)
        or (k == "answer" and v in ANSWERS)
        or (k == "stability" and v in VERDICTS)
    }


def told_choice(choice: Any, *, names: bool) -> dict[str, Any]:
    """Keep of a decision its numbers and, with ``names``, who decided.

    A number that was changed by hand still has the test of the one before: that is left out.

    Examples
    --------
    >>> told_choice({"n_clusters": 2, "decided_by": "A. Reader", "reason": "as"}, names=False)
    {'n_clusters': 2, 'decided_by': 'a person', 'recommended': {}, 'test': {}}
    """
    choice = checked_choice(choice)
    by, test = whose(choice), choice.get("test") or {}
    is_of_it = test.get("n_clusters") == choice["n_clusters"]
    return {
        "n_clusters": choice["n_clusters"],
        "decided_by": by if names or by in (RULE, PARAMETER) else SOMEBODY,
        "recommended": numbers_of(choice.get("recommended") or {}),
        "test": numbers_of(test) if is_of_it else {},
    }
