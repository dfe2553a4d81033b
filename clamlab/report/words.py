"""Numbers and lists as sentences say them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from clamlab.stats.disclosure import SMALLEST
from clamlab.stats.disclosure.small_counts import is_small

FEW = f"fewer than {SMALLEST}"


def listed(names: Sequence[Any]) -> str:
    """Join names as a sentence does.

    >>> listed(["DLCO"]), listed(["age", "sex", "BMI"])
    ('DLCO', 'age, sex and BMI')
    """
    texts = [str(name) for name in names]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def counted(n: int, one: str, several: str = "") -> str:
    """Say a number of things.

    >>> counted(1, "scan"), counted(20, "scan"), counted(2, "study", "studies")
    ('1 scan', '20 scans', '2 studies')
    """
    return f"{n} {one if n == 1 else several or one + 's'}"


def number(value: Any, digits: int = 2) -> str:
    """Print a number with so many decimals; a dash where there is none.

    >>> number(0.456), number(None), number(float("nan"))
    ('0.46', '–', '–')
    """
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def count(n: Any, *, small: bool) -> str:
    """Print a count of persons; one to four of them only where that is asked for.

    >>> count(3, small=False), count(3, small=True), count(0, small=False), count(None, small=True)
    ('fewer than 5', '3', '0', 'masked')
    """
    if pd.isna(n):
        return "masked"
    return FEW if is_small(int(n)) and not small else str(int(n))


def capital(text: str) -> str:
    """Begin as a sentence does.

    >>> capital("in the study")
    'In the study'
    """
    return text[:1].upper() + text[1:]
