"""What stands in cells that should hold numbers: units, decimal commas, bounds, words.

Only what can mean one thing is read as a number. "1,234" beside nothing that tells the comma's
use may be 1.234 or 1234; "<0.1" is less than a tenth, whatever it is.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LEADING_ZERO = re.compile(r"[+-]?0\d", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# One mark before exactly three digits: a decimal mark, or that of the thousands.
UNCLEAR_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
UNCLEAR_POINT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_THOUSANDS = re.compile(
    r"[+-]?[1-9]\d{0,2}((,\d{3})+\.\d+|(\.\d{3})+,\d+|(,\d{3}){2,}|(\.\d{3}){2,})", re.ASCII
)
# Groups of three digits with a blank or an apostrophe between: thousands, or a phone's number.
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}([ '’]\d{3})+([.,]\d+)?", re.ASCII)
_CELL = re.compile(
    r"(?P<bound>[<>≤≥]=?|[~≈]|ca\.?)?\s*"
    r"(?P<number>[+-]?(?=[\d.,]*\d)[\d.,]+(e[+-]?\d+)?)\s*(?P<unit>[^\d\s].*)?",
    re.ASCII | re.IGNORECASE,
)
# One name for units that people write in many ways.
_SAME = {
    "years": "y yr yrs year j jahr jahre",
    "months": "mo mon month monat monate",
    "weeks": "w wk week woche wochen",
    "days": "d day tag tage",
    "hours": "h hr hrs hour std",
    "minutes": "min minute",
    "seconds": "s sec second",
    "l": "liter litre liters litres",
    "pack-years": "py packyears",
}
_NAMES = {spelling: unit for unit, spellings in _SAME.items() for spelling in spellings.split()}
_SYMBOLS = {
    *("%", "m", "cm", "mm", "µm", "um", "km", "kg", "g", "mg", "µg", "ug", "ng", "pg", "dl", "cl"),
    *("ml", "µl", "fl", "mol", "mmol", "µmol", "umol", "nmol", "IU", "U", "kPa", "hPa", "mmHg"),
    *("HU", "bpm", "°C", "kcal", "cm2", "m2", "cm3", "mm3", "mm2", *_SAME),
}
_SPELLED = {symbol.casefold(): symbol for symbol in _SYMBOLS}
# Not what their small letters are, or not for certain: watt, dioptre, joule, molar, giga per litre.
_CAPITALS = {"W", "W/kg", "D", "J", "M", "mM", "µM", "uM", "G/l"}
CODE = re.compile(r"-?([789])\1*(\.\1+)?")  # as -999 and 99.9 are
ERROR = re.compile(r"#(DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|WERT!|BEZUG!|ZAHL!)")  # of spreadsheets
# What people write where they have no value. "None" is not here: it is a level in many tables.
UNKNOWN_WORDS = {
    *("-", "--", "---", "–", "—", "?", "??", "???", "/", "unknown", "unk", "unbekannt", "inconnu"),
    *("n.d.", "nd", "n.a.", "k.a.", "k. a.", "n/k", "nk", "not known", "not done", "missing"),
    *("not available", "no data", "fehlt", "keine angabe", "n. d.", "n. a.", "tbd"),
}


_WIDE_GAP = 5  # times the range of the values on either side of it
_FEWEST_ALIKE = 5  # distinct values on one side of a gap; fewer lie apart by chance
_FEWEST_CODED = 3  # cells; one person may well be 99
_CODE_GAP = 1.5  # times the widest among the other values
_SMALL_SCORE = 3  # -1 may be a value among those up to it


@dataclass(frozen=True)
class Quantity:
    """What one cell says: a ``number`` with its ``unit``, or why it is none.

    ``kind`` is "number", "bound" (``<0.1``), "unclear" (``1,234``), "error" (``#DIV/0!``), "word".
    """

    kind: str
    number: float = math.nan
    unit: str = ""


def read_quantities(texts: Iterable[str]) -> dict[str, Quantity]:
    """Read the texts of one column; one cell's comma tells what another's point means.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    dict of str to Quantity
        One for every distinct text.

    Examples
    --------
    >>> said = read_quantities(["60 y", "2,5", "<0.1", "1,234", "see letter"])
    >>> [(q.kind, q.number, q.unit) for q in said.values()][:2]
    [('number', 60.0, 'years'), ('number', 2.5, '')]
    >>> [q.kind for q in said.values()][2:]
    ['bound', 'unclear', 'word']
    """
    found = {text: _CELL.fullmatch(_plain(text)) for text in texts}
    numbers = {match["number"] for match in found.values() if match}
    decimal_comma = any(
        DECIMAL_COMMA.fullmatch(n) and not UNCLEAR_COMMA.fullmatch(n) for n in numbers
    )
    decimal_point = any("." in n and NUMBER.fullmatch(n) for n in numbers)
    comma_told = decimal_comma and not decimal_point
    point_told = not any("," in n for n in numbers) and not points_are_unclear(numbers)
    return {
        text: Quantity("unclear")
        if _SPACED.fullmatch(_plain(text))
        else _quantity(text, match, comma_told=comma_told, point_told=point_told)
        for text, match in found.items()
    }


def points_are_unclear(numbers: Iterable[str]) -> bool:
    """Tell whether every point of a column may mark thousands, and hundreds stand beside them.

    Examples
    --------
    >>> points_are_unclear(["1.234", "987"]), points_are_unclear(["1.234", "3"])
    (True, False)
    """
    known = set(numbers)
    points = {n for n in known if "." in n}
    hundreds = any(re.fullmatch(r"[1-9]\d\d", n) for n in known)
    return bool(points) and hundreds and all(UNCLEAR_POINT.fullmatch(n) for n in points)


def _plain(text: str) -> str:
    return " ".join(text.replace("\N{MINUS SIGN}", "-").split())


def _quantity(text: str, match: re.Match | None, *, comma_told: bool, point_told: bool) -> Quantity:
    """Read one cell; ``comma_told`` and ``point_told`` if the others tell that it is decimal."""
    if match is None:
        return Quantity("error" if ERROR.fullmatch(text) else "word")
    unit = canonical_unit(match["unit"] or "")
    if unit is None:
        return Quantity("word")
    if match["bound"]:
        return Quantity("bound", unit=unit)
    digits = match["number"]
    if UNCLEAR_COMMA.fullmatch(digits) and not comma_told:
        return Quantity("unclear", unit=unit)
    if UNCLEAR_POINT.fullmatch(digits) and not point_told:
        return Quantity("unclear", unit=unit)
    number = _number(digits)
    return Quantity("word") if number is None else Quantity("number", number, unit)


def _number(text: str) -> float | None:
    """Return the number that a text is for certain, None where it is none."""
    if NUMBER.fullmatch(text):
        return float(text)
    if DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if _THOUSANDS.fullmatch(text):
        mark = max(",.", key=text.rfind)
        decimals = text.count(mark) == 1
        whole, _, part = text.rpartition(mark) if decimals else (text, "", "")
        return float(re.sub("[.,]", "", whole) + (f".{part}" if decimals else ""))
    return None


def canonical_unit(unit: str) -> str | None:
    """Return one spelling of a unit ("yrs" and "y" are "years"), None for what is no unit.

    Capitals that tell another unit are kept.

    Examples
    --------
    >>> canonical_unit("Yrs."), canonical_unit("kg/m²"), canonical_unit("see letter")
    ('years', 'kg/m2', None)
    >>> canonical_unit("w"), canonical_unit("W"), canonical_unit("g/L"), canonical_unit("G/L")
    ('weeks', 'W', 'g/l', 'G/l')
    """
    text = unit.strip(" .[]()").replace("²", "2").replace("³", "3").replace("^", "")
    if not text:
        return ""
    written = text.replace("μ", "µ").replace("L", "l")
    if written in _CAPITALS:
        return written
    parts = [part.strip() for part in text.casefold().replace("μ", "µ").split("/")]
    if len(parts) > 1:  # "ml/min" is no "ml/minutes", and "a/b" is no unit
        known = all(part in _SPELLED or part in _NAMES for part in parts)
        return "/".join(_SPELLED.get(part, part) for part in parts) if known else None
    return _SPELLED.get(_NAMES.get(parts[0], parts[0]))


def unit_of_name(name: str) -> str:
    """Return the unit that a column's name ends with, in brackets or after "in"; else nothing.

    Examples
    --------
    >>> unit_of_name("FVC (l)"), unit_of_name("DLCO in %"), unit_of_name("stage (visual)")
    ('l', '%', '')
    """
    found = re.search(r"[(\[](?P<a>[^()\[\]]+)[)\]]\s*$|\sin\s+(?P<b>\S+)\s*$", name)
    return canonical_unit(found["a"] or found["b"]) or "" if found else ""


def is_unknown(text: str) -> bool:
    """Tell whether a text says that nothing is known.

    Examples
    --------
    >>> is_unknown("n.d."), is_unknown("None")
    (True, False)
    """
    return text.strip().casefold() in UNKNOWN_WORDS


def far_numbers(numbers: Iterable[float]) -> list[float]:
    """List the numbers of a column that a wide gap parts from most others: slips, another unit.

    Examples
    --------
    >>> far_numbers([61, 47, 55, 72, 66, 1954]), far_numbers([1, 2, 4, 9, 20, 60, 150])
    ([1954.0], [])
    """
    known = sorted({float(n) for n in numbers if math.isfinite(n)})
    for i in range(1, len(known)):
        low, high = known[:i], known[i:]
        wide = _WIDE_GAP * max(low[-1] - low[0], high[-1] - high[0])
        if len(known) > _FEWEST_ALIKE and high[0] - low[-1] > wide:
            few, many = sorted((low, high), key=len)
            return few if len(many) >= _FEWEST_ALIKE else []
    return []


def lone_zero(numbers: Iterable[float]) -> list[float]:
    """List 0 where it lies farther from all others than they from one another: a BMI of 0.

    Examples
    --------
    >>> lone_zero([0, 22, 31, 27, 25, 24, 29]), lone_zero([0, 2, 14, 30, 41, 22, 35])
    ([0.0], [])
    """
    others = {float(n) for n in numbers if n and math.isfinite(n)}
    if 0 not in set(numbers) or len(others) <= _FEWEST_ALIKE or min(others) < 0:
        return []
    return [0.0] if min(others) > max(others) - min(others) else []


def suspicious_codes(numbers: Iterable[float]) -> list[float]:
    """List the numbers of a column that look like codes for a missing value.

    These are rows of nines, eights or sevens, such as -999, that lie farther from all other
    values than those lie from one another, or are the only negative ones, or stand in several
    cells beyond a gap wider than any between the others; -1 is one beside values that are mostly
    greater.

    Examples
    --------
    >>> suspicious_codes([61, 47, 55, -999]), suspicious_codes([61, 47, 99, 98])
    ([-999.0], [])
    >>> suspicious_codes([61, 20, 34, 47, 55, 71, 99, 99, 99])  # an age, or a score up to 100
    [99.0]
    """
    cells = Counter(float(n) for n in numbers if math.isfinite(n))
    values = set(cells)
    codes = {v for v in values if CODE.fullmatch(f"{v:g}") or v == -1}
    if not all(v.is_integer() for v in values):  # 9 among 8.5 and 9.5 is a value
        codes = {v for v in codes if not 0 < v < 10}
    others = values - codes
    if not others:
        return []
    low, high = min(others), max(others)
    ordered = sorted(others)
    widest = max((b - a for a, b in pairwise(ordered)), default=0.0)

    def apart(code: float) -> bool:
        alone = code < 0 <= low
        if code == -1:
            return alone and high > _SMALL_SCORE
        return (
            alone
            or min(abs(code - low), abs(code - high)) > high - low
            and (code < low or code > high)
            or len(others) > _FEWEST_ALIKE
            and cells[code] >= _FEWEST_CODED
            and code - high > _CODE_GAP * widest
        )

    return sorted(code for code in codes if apart(code))
