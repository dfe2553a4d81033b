"""Columns of words: dates, yes and no, levels in several spellings, free text."""

from collections import Counter

import pandas as pd

from clamlab.schema.conversion import NO, YES
from clamlab.schema.guessing.guess import NO_ROLE, Guess, most_levels, told_by_name
from clamlab.schema.naming import folded
from clamlab.schema.persons import names_somebody
from clamlab.schema.quantities import CODE, ERROR, is_unknown

_LONGEST_LEVEL = 40  # letters; a longer text is a sentence
_FEW = 5  # levels of which most may stand once


def dates(texts: pd.Series) -> Guess | None:
    """Guess at dates, which tell who somebody is; None where most cells are none."""
    what = names_somebody(texts)
    return Guess("string", what + NO_ROLE) if what else None


def truths(texts: pd.Series, role: str | None) -> Guess | None:
    """Guess at yes and no written in more than two words; None for anything else."""
    words = {folded(text) for text in texts}
    if len(words) == 2 or not (words <= YES | NO and words & YES and words & NO):
        return None
    return Guess("boolean", "yes and no in several words" + _role_told(role), role=role)


def _role_told(role: str | None) -> str:
    return told_by_name(role, "no role, since its name tells none")


def labelled(series: pd.Series, role: str | None) -> Guess:
    """Guess at a column whose labels the file itself tells."""
    unknown = [label for label in series.dropna().unique() if is_unknown(str(label))]
    labels = [label for label in series.cat.categories if not is_unknown(str(label))]
    if not all(isinstance(label, str) for label in labels) or len(labels) > most_levels(role):
        return Guess("string", f"{len(labels)} labels in the file, too many to compare{NO_ROLE}")
    if series.nunique() == series.notna().sum():
        return Guess("string", f"another label for everyone{NO_ROLE}")
    why = f"the labels of the file, in its order{_role_told(role)}"
    return Guess("string", why, labels, role, missing=unknown, odd=unknown)


def levels(texts: pd.Series, role: str | None) -> Guess:
    """Guess at the levels of words, or at free text, which has none."""
    groups: dict[str, Counter] = {}
    for text in texts:
        groups.setdefault(folded(text), Counter())[text] += 1
    spellings = {_commonest(spelt): spelt for spelt in groups.values()}
    if _is_free_text(spellings, len(texts), role):
        told = f"free text: {len(spellings)} different texts in {len(texts)} cells"
        return Guess("string", told + NO_ROLE)
    only_truths = all(folded(text) in YES | NO for text in spellings)
    found = sorted(spellings, key=lambda t: (only_truths and folded(t) in YES, t))
    joined = [" = ".join(map(repr, spelt)) for spelt in spellings.values() if len(spelt) > 1]
    why = f"{len(found)} level{'s' if len(found) > 1 else ''}"
    # Without a role the levels may be names, which no contract and no notebook is to show.
    why += f"; taken as one: {', '.join(joined)}" if joined and role else ""
    odd = [text for text in texts.unique() if text not in spellings] if role else []
    if codes := [level for level in found if CODE.fullmatch(level) or ERROR.fullmatch(level)]:
        why += (
            f"; may stand for missing: {', '.join(codes)}; no role before a person has named them"
        )
        return Guess("string", why, found, odd=odd + codes)
    if role and (short := _initials(found)):
        why += f"; may be one: {short}: write them alike{NO_ROLE}"
        return Guess("string", why, found, odd=odd)
    return Guess("string", why + _role_told(role), found, role, odd=odd)


def _is_free_text(spellings: dict[str, Counter], cells: int, role: str | None) -> bool:
    once = sum(spelt.total() == 1 for spelt in spellings.values())
    return (
        len(spellings) == cells  # as many levels as rows are names, not categories
        or len(spellings) > most_levels(role)
        or max(map(len, spellings)) > _LONGEST_LEVEL
        or (len(spellings) > _FEW and 2 * once > len(spellings) and role != "scanner")
    )


def _commonest(spellings: Counter) -> str:
    """Return the spelling of most cells, without the blanks around it; of equals the small one."""
    return " ".join(max(spellings, key=lambda text: (spellings[text], text)).split())


def _initials(found: list[str]) -> str:
    """Find the levels that may be the first letter of another: "M" and "male"."""
    pairs = [
        f"{a!r} and {b!r}" for a in found for b in found
        if len(a) == 1 and len(b) > 2 and folded(b).startswith(folded(a))
        and not set(folded(b)) <= set("ivx")  # "III" is no word
    ]  # fmt: skip
    return ", ".join(pairs)
