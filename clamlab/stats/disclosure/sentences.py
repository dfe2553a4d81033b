"""Sentences of programs without what they may tell of a few persons."""

import re

from clamlab.stats.disclosure.small_counts import SMALLEST

_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"")  # may be what a header says
_PERSONAL = r"scan|subject|person|patient|row|value|map|series|slice|image"
_FEW = re.compile(
    rf"(?<![\w.,])(?:[1-{SMALLEST - 1}]|one|two|three|four)(?![\w.,]*\d)"
    rf"(?= (?:of \d+ )?(?:\w+ )?(?:{_PERSONAL})s?\b)",
    re.IGNORECASE,
)


def without_few(text: str) -> str:
    """Take out of a sentence what it quotes, and counts of one to four of what is a person's.

    Examples
    --------
    >>> without_few("3 of 20 scans look alike; 2 clusters are empty: 'DOE^J'")
    'a few of 20 scans look alike; 2 clusters are empty: (…)'
    """
    return _FEW.sub("a few", _QUOTED.sub("(…)", text))
