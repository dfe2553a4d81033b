"""Sentences of programs without what they may tell of a few persons."""

import re

from clamlab.stats.disclosure.small_counts import SMALLEST

_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"")  # may be what a header says
_PERSONAL = r"scan|subject|person|patient|row|value|map|serie|slice|image"
# "Fewer than two values" is a limit, and no count.
_FEW = re.compile(
    rf"(?<![\w.,])(?<!than )(?:[1-{SMALLEST - 1}]|one|two|three|four)(?![\w.,]*\d)"
    rf"( (?:of \d+ )?(?:\w+ )?(?:{_PERSONAL}))s?\b",
    re.IGNORECASE,
)


def without_counts(text: str) -> str:
    """Take out of a sentence counts of one to four of what is a person's.

    Examples
    --------
    >>> without_counts("group 4 has one row; 3 of 20 scans are left out; 2 clusters are empty")
    'group 4 has a few rows; a few of 20 scans are left out; 2 clusters are empty'
    """
    return _FEW.sub(r"a few\1s", text)


def without_few(text: str) -> str:
    """Take out of a sentence such counts, and all that it quotes.

    Examples
    --------
    >>> without_few("3 of 20 scans look alike: 'DOE^J'")
    'a few of 20 scans look alike: (…)'
    """
    return without_counts(_QUOTED.sub("(…)", text))
