"""Sentences of programs without what they may tell of a few persons."""

import re

from clamlab.stats.disclosure.small_counts import is_small

_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"")  # may be what a header says
_PERSONAL = r"scan|subject|person|patient|row|value|map|serie|slice|image"
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4}
# "Fewer than two values" is a limit, and no count.
_COUNT = re.compile(
    rf"(?<![\w.,])(?<!than )(?P<n>\d+|{'|'.join(_WORDS)})(?![\w.,]*\d)(?: of (?P<all>\d+))?"
    rf"(?P<what> (?:\w+ )?(?:{_PERSONAL}))s?\b",
    re.IGNORECASE,
)


def without_counts(text: str) -> str:
    """Take out of a sentence counts of one to four of what is a person's, and what tells them.

    Examples
    --------
    >>> without_counts("group 4 has one row; 3 of 20 scans are left out; 2 clusters are empty")
    'group 4 has a few rows; a few of 20 scans are left out; 2 clusters are empty'
    >>> without_counts("18 of 20 scans are known, 2 of 3 maps are empty, 12 values")
    'all but a few of 20 scans are known, some of a few maps are empty, 12 values'
    """
    return _COUNT.sub(_told, text)


def _told(found: re.Match) -> str:
    n, whole = _number(found["n"]), found["all"]
    if whole is None:
        return f"a few{found['what']}s" if is_small(n) else found[0]
    if is_small(int(whole)):
        share = "none" if n == 0 else "all" if n == int(whole) else "some"
        return f"{share} of a few{found['what']}s"
    if is_small(n) or is_small(int(whole) - n):
        return f"{'a few' if is_small(n) else 'all but a few'} of {whole}{found['what']}s"
    return found[0]


def _number(text: str) -> int:
    return _WORDS.get(text.lower()) or int(text)


def without_few(text: str) -> str:
    """Take out of a sentence such counts, and all that it quotes.

    Examples
    --------
    >>> without_few("3 of 20 scans look alike: 'DOE^J'")
    'a few of 20 scans look alike: (…)'
    """
    return without_counts(_QUOTED.sub("(…)", text))
