"""Numbers and lists as sentences say them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from clamlab.stats.disclosure import SMALLEST
from clamlab.stats.disclosure.small_counts import is_small

FEW = f"fewer than {SMALLEST}"
MASKED = "masked"


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

    >>> number(0.456), number(-0.001), number(None)
    ('0.46', '0.00', '–')
    """
    if pd.isna(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def count(n: Any, *, small: bool) -> str:
    """Print a count of persons; one to four of them only where that is asked for.

    >>> count(3, small=False), count(3, small=True), count(0, small=False), count(None, small=True)
    ('fewer than 5', '3', '0', 'masked')
    """
    if pd.isna(n):
        return MASKED
    return FEW if is_small(int(n)) and not small else str(int(n))


def counts(numbers: Sequence[int], *, small: bool) -> list[str]:
    """Print counts that add up to what is known; next to a small one the largest is masked too.

    >>> counts([45, 3, 0], small=False), counts([40, 8, 0], small=False)
    (['masked', 'fewer than 5', '0'], ['40', '8', '0'])
    """
    told = [count(n, small=small) for n in numbers]
    largest = max(range(len(told)), key=lambda i: numbers[i], default=0)
    if FEW in told and told[largest] != FEW:  # or it would be the total less the others
        told[largest] = MASKED
    return told


def capital(text: str) -> str:
    """Begin as a sentence does.

    >>> capital("in the study")
    'In the study'
    """
    return text[:1].upper() + text[1:]


def p_text(p_value: float) -> str:
    """Say a p-value in a sentence.

    >>> p_text(0.0033), p_text(0.4), p_text(0.0002)
    ('p = .003', 'p = .40', 'p < .001')
    """
    if p_value < 0.001:
        return "p < .001"
    return "p = " + f"{p_value:.{3 if p_value < 0.1 else 2}f}".removeprefix("0")
