"""Ways in which an id is written: what may differ between a table and the names of scans."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

NEARLY_ALL = 0.9
_SEPARATORS = re.compile(r"[-_ .]+")
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_EXCEL = re.compile(r"(?<=[0-9])\.0+$")


def exact(text: str) -> str:
    """Leave an id as it is; disks of Macs write an umlaut as two letters, tables as one."""
    return unicodedata.normalize("NFC", text)


def loose(text: str) -> str:
    """Make capital and small letters, and ``-``, ``_``, blank and dot, the same.

    >>> loose("C3N-00249") == loose("c3n_00249")
    True
    """
    return _SEPARATORS.sub("-", exact(text).lower())


def numeric(text: str) -> str:
    """Take also leading zeros away, and the ``.0`` that spreadsheets put behind numbers.

    >>> numeric("007"), numeric("1234567890.0"), numeric("LIDC_IDRI_0001")
    ('7', '1234567890', 'lidc-idri-1')
    """
    return _ZEROS.sub("", loose(_EXCEL.sub("", text)))


# From strict to loose: a looser way is taken only where it serves more rows.
WAYS: dict[str, Callable[[str], str]] = {
    "as written": exact,
    "capitals and separators ignored": loose,
    "capitals, separators, leading zeros and .0 ignored": numeric,
}


def common_prefix(ids: Iterable[str]) -> str:
    """Return the letters that all ids begin with before their numbers; none where there are none.

    >>> common_prefix(["p-01", "p-12"]), common_prefix(["a1", "b1"]), common_prefix(["12", "13"])
    ('p-', '', '')
    """
    prefixes = {match[0] if (match := re.match(r"\D+(?=\d+$)", i)) else "" for i in ids}
    return prefixes.pop() if len(prefixes) == 1 else ""


def affixes(names: Iterable[str], ids: Iterable[str]) -> list[tuple[str, str]]:
    """Find what stands before and behind the ids in names, most frequent first.

    Parameters
    ----------
    names, ids : iterable of str
        Written in one way already.

    Returns
    -------
    list of (str, str)
        At most three, of those found at least twice, or once where there is only one name.

    Examples
    --------
    >>> affixes(["sub-01_ct", "sub-02_ct", "phantom"], ["01", "02", "03"])
    [('sub-', '_ct')]
    """
    names, known = list(dict.fromkeys(names)), set(ids)
    found: Counter[tuple[str, str]] = Counter()
    for name in names:
        # Ids are looked for between other letters, so that 1 is not found in 12.
        for start, end in _pieces(name):
            if name[start:end] in known and (start, end) != (0, len(name)):
                found[name[:start], name[end:]] += 1
    least = 2 if len(names) > 1 else 1
    return [
        affix
        for affix, n in found.most_common(3)
        if n >= least and (n >= NEARLY_ALL * len(names) or not _holds(affix, known))
    ]


def _holds(affix: tuple[str, str], ids: Iterable[str]) -> bool:
    """Tell whether an id stands in an affix too: then nobody knows which of both is meant."""
    known = {numeric(i) for i in ids}
    return any(numeric(part[a:b]) in known for part in affix for a, b in _pieces(part))


def _pieces(name: str) -> list[tuple[int, int]]:
    """List the parts of a name that begin and end where letters, numbers or signs change."""
    signs = re.finditer(r"(?<=[^\W_])(?=[\W_])|(?<=[\W_])(?=[^\W_])", name)
    digits = re.finditer(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", name)
    borders = sorted({0, len(name), *(m.start() for m in signs), *(m.start() for m in digits)})
    return [(a, b) for i, a in enumerate(borders) for b in borders[i + 1 :]]
