"""In what programs and machines differ, then and here."""

from collections.abc import Mapping
from typing import Any


def differing(then: Mapping | None, here: Mapping | None) -> list[tuple[str, str, str]]:
    """List what differs: name, then, here.

    Examples
    --------
    >>> differing({"torch": "2.1", "numpy": "2.0"}, {"torch": "2.2", "numpy": "2.0", "numba": "1"})
    [('torch', '2.1', '2.2'), ('numba', 'not on record', '1')]
    """
    then, here = then or {}, here or {}
    return [
        (name, in_words(then.get(name)), in_words(here.get(name)))
        for name in dict.fromkeys([*then, *here])
        if then.get(name) != here.get(name)
    ]


def in_words(value: Any) -> str:
    """Write what a record says of one program, or of one part of a machine."""
    if value is None:
        return "not on record"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
