"""What is guessed of one column, and what its name speaks for."""

from dataclasses import dataclass, field
from typing import Any

from clamlab.schema.naming import words_of

_ROLE_WORDS = {
    "scanner": {"scanner", "manufacturer", "vendor", "kernel", "ct"},
    "staging": {"stage", "staging", "scadding", "grade", "gold"},
    "visual_score": {
        *("visual", "ground", "glass", "ggo", "fibrosis", "honeycombing", "emphysema"),
        *("reticulation", "consolidation", "nodules", "oberstein"),
    },
    "demographic": {
        *("age", "sex", "gender", "race", "ethnicity", "hispanic", "white", "bmi"),
        *("height", "weight", "smoker", "smoking", "smoked", "education", "pack"),
        *("alter", "geschlecht", "größe", "groesse", "gewicht", "raucher", "rauchen"),
        *("âge", "sexe", "taille", "poids", "fumeur", "edad", "sexo", "peso", "fumador"),
    },
}
CODED = ("staging", "visual_score", "scanner")  # their whole numbers are levels
# More levels than this, and a text is free text; scanner models are many.
_MOST_LEVELS = {"scanner": 40}
_MOST_LEVELS_ELSEWHERE = 10
NO_ROLE = "; no role, so it is not analysed"


@dataclass
class Guess:
    """One column: its JSON type, levels, role, unit, codes for missing, and why.

    ``odd`` lists the cells that a person should look at: those that keep the column from being of
    numbers, codes that may stand for missing, other spellings of a level.

    Examples
    --------
    >>> Guess("number", "numbers", role="outcome").levels
    []
    """

    kind: str
    why: str
    levels: list = field(default_factory=list)
    role: str | None = None
    units: str = ""
    missing: list[str] = field(default_factory=list)
    odd: list[Any] = field(default_factory=list)


def role_of_name(name: str) -> str | None:
    """Return the role that a column's name speaks for.

    Examples
    --------
    >>> role_of_name("ScaddingStage"), role_of_name("treatment") is None
    ('staging', True)
    """
    words = set(words_of(name))
    return next((role for role, known in _ROLE_WORDS.items() if words & known), None)


def most_levels(role: str | None) -> int:
    """Return how many levels a column of some role may have."""
    return _MOST_LEVELS.get(role or "", _MOST_LEVELS_ELSEWHERE)


def told_by_name(role: str | None, otherwise: str) -> str:
    """Say where the role comes from."""
    return "; its role by its name" if role else f"; {otherwise}"
