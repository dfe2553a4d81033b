"""What is typed behind an option: read as what it means, or refused before anything runs."""

import argparse
import re
from typing import Any

from clamlab.study.catalogue import STAGES


def stage_number(text: str) -> str:
    """Read which notebook is meant, by its number or its stage's name; return two digits.

    Examples
    --------
    >>> stage_number("5"), stage_number("05"), stage_number("05_clusters")
    ('05', '05', '05')
    >>> stage_number("O5")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: expected a number (05) or a stage (05_clusters), found 'O5'
    """
    if text in STAGES:
        return text[:2]
    if not re.fullmatch(r"[0-9]{1,2}", text):
        raise argparse.ArgumentTypeError(
            f"expected a number (05) or a stage (05_clusters), found {text!r}"
        )
    return text.zfill(2)


def stage_numbers(text: str) -> list[str]:
    """Read several, with commas between.

    Examples
    --------
    >>> stage_numbers("3,05_clusters")
    ['03', '05']
    """
    return [stage_number(part) for part in text.split(",")]


class Named(argparse.Action):
    """Gather pairs of a name and a value; a name that is given twice is refused."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: Any
    ) -> None:
        """Add one pair to what was given before."""
        before = getattr(namespace, self.dest)
        if values[0] in dict(before):
            raise argparse.ArgumentError(self, f"{values[0]} is given twice: name it once")
        setattr(namespace, self.dest, [*before, values])
