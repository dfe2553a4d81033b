"""Dates as people write them, told from other texts and put in their order."""

import re
from collections.abc import Iterable
from datetime import date

_CLOCK = r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_ISO = re.compile(
    rf"(?P<y>(19|20)\d\d)[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){_CLOCK}", re.ASCII
)
_SHORT = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<mark>[-/.])(?P<b>\d{{1,2}})(?P=mark)(?P<y>(19|20)?\d\d){_CLOCK}",
    re.ASCII,
)
_PACKED = re.compile(r"(?P<y>(19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)", re.ASCII)
_NAMED = re.compile(
    r"(?P<d>\d{1,2})[-. ]+(?P<month>[^\W\d_]{3})[^\W\d_]*\.?[-. ,]+(?P<y>(19|20)\d\d)"
)
_NAMES_OF_MONTHS = (
    "jan", "feb fév", "mar mär mrz", "apr avr", "may mai mag", "jun giu", "jul lug",
    "aug aoû ago", "sep set", "oct okt ott", "nov", "dec dez déc",
)  # fmt: skip
_MONTHS = {name: i for i, names in enumerate(_NAMES_OF_MONTHS, 1) for name in names.split()}


def read_dates(texts: Iterable[str]) -> list[date | None] | None:
    """Read the dates of one column; None where the column holds anything else.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    list of date or None, or None
        A date is None where day and month could be either: "03/04/2019" in a column whose other
        cells do not tell. A point between them says that the day stands first.

    Examples
    --------
    >>> read_dates(["17.09.2019", "2019-07-01"])
    [datetime.date(2019, 9, 17), datetime.date(2019, 7, 1)]
    >>> read_dates(["03/04/2019"]), read_dates(["61"])
    ([None], None)
    """
    found = [_match(text) for text in texts]
    if not found or None in found:
        return None
    parts = [m.groupdict() for m in found if m]
    day_first = any("a" in p and (p["mark"] == "." or int(p["a"]) > 12) for p in parts)
    month_first = any("a" in p and int(p["b"]) > 12 for p in parts)
    told = None if day_first == month_first else day_first
    dates = [_date(p, told) for p in parts]
    return None if any(d is False for d in dates) else dates  # type: ignore[return-value]


def is_date(text: str) -> bool:
    """Tell whether a text looks like a date, in whatever order.

    Examples
    --------
    >>> is_date("3.4.51"), is_date("17 Sep 2019"), is_date("61.5")
    (True, True, False)
    """
    return _match(text) is not None


def _match(text: str) -> re.Match | None:
    forms = (_ISO, _SHORT, _PACKED, _NAMED)
    return next((m for form in forms if (m := form.fullmatch(text.strip()))), None)


def _date(parts: dict[str, str], day_first: bool | None) -> date | None | bool:
    """Return the date, None where it could be two, False where there is no such day."""
    year = int(parts["y"]) + (0 if len(parts["y"]) == 4 else 2000 if int(parts["y"]) < 50 else 1900)
    if "a" in parts:
        if day_first is None:
            return None if max(int(parts["a"]), int(parts["b"])) <= 31 else False
        day, month = (parts["a"], parts["b"]) if day_first else (parts["b"], parts["a"])
    else:
        day = parts["d"]
        month = parts.get("m") or str(_MONTHS.get(parts["month"].casefold(), 0))
    try:
        return date(year, int(month), int(day))
    except ValueError:
        return False
