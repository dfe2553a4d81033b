"""Patterns that can be trusted with any text: their time grows with its length, never faster.

Python's own ``re`` tries every way to match, and ``(a+)+$`` on forty letters takes it days. RE2
follows all ways at once; the few things that cannot be done so (looking ahead, repeating what a
group found) it refuses, and repeats too many to be kept in mind.
"""

from functools import lru_cache

import re2

from clamlab.paths import writable


@lru_cache(maxsize=256)
def _compiled(pattern: str):
    options = re2.Options()
    options.log_errors = False  # told by exception
    return re2.compile(pattern, options)


def check_pattern(pattern: str) -> None:
    """Raise ValueError for a pattern that is none, or cannot be run in bounded time."""
    try:
        _compiled(pattern)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if isinstance(error, re2.error) else "a broken character"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise ValueError(
            f"the pattern {pattern!r} cannot be used ({reason}): expected letters, classes, "
            "groups, | and repeats of at most 1000, without looking ahead or back"
        ) from None


def matches(pattern: str, text: str) -> bool:
    r"""Tell whether a pattern is found anywhere in a text.

    Examples
    --------
    >>> matches("^S[0-9]+$", "S12"), matches("^S[0-9]+$", "S12\n")
    (True, False)
    >>> matches("(a+)+$", "a" * 40 + "!")
    False
    """
    return _compiled(pattern).search(writable(text)) is not None
