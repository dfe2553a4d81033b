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


def count_of(n: Any, whole: int, *, small: bool) -> str:
    """Print how many of a known number; where the rest is a few, it would be told by that.

    >>> count_of(46, 48, small=False), count_of(40, 48, small=False), count_of(46, 48, small=True)
    ('masked', '40', '46')
    """
    if not pd.isna(n) and not small and is_small(whole - int(n)):
        return MASKED
    return count(n, small=small)


def counts(numbers: Sequence[int], *, small: bool) -> list[str]:
    """Print counts that add up to what is known; next to a small one the largest is masked too.

    Where their sum would tell small ones all the same, more are masked, and none is called small.

    >>> counts([45, 3, 0], small=False), counts([40, 8, 0], small=False)
    (['masked', 'fewer than 5', '0'], ['40', '8', '0'])
    >>> counts([4, 4, 0], small=False), counts([20, 1, 20, 7], small=False)
    (['masked', 'masked', '0'], ['masked', 'fewer than 5', 'masked', '7'])
    """
    few = [i for i, n in enumerate(numbers) if is_small(n) and not small]
    if not few:
        return [str(n) for n in numbers]
    larger = sorted((i for i, n in enumerate(numbers) if n >= SMALLEST), key=lambda i: -numbers[i])
    taken = next((t for t in range(len(larger) + 1) if _open(numbers, few, larger, t)), None)
    word = MASKED if taken is None else FEW
    told = {**dict.fromkeys(larger[:taken], MASKED), **dict.fromkeys(few, word)}
    return [told.get(i, str(n)) for i, n in enumerate(numbers)]


def _open(numbers: Sequence[int], few: list[int], larger: list[int], taken: int) -> bool:
    """Tell whether each of a few could be 1 and could be 4, with so many of the larger masked.

    Of these is known that they are no less than those that stay, and what all of them add up to.
    """
    if is_small(sum(numbers)):
        return True
    least = max([SMALLEST, *(numbers[i] for i in larger[taken:])])
    others, left = len(few) - 1, sum(numbers[i] for i in [*few, *larger[:taken]])
    could_be_most = left - (SMALLEST - 1) - others >= taken * least
    return could_be_most and (taken > 0 or left - 1 <= others * (SMALLEST - 1))


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
