"""Why scans were left out or flagged, as kinds: what a header or a person wrote stays behind."""

import re
from collections.abc import Iterable

import pandas as pd

# A reason is printed as its kind alone: the words around it may name a file, and so a person.
_KINDS: tuple[tuple[str, str], ...] = (
    (r"no scan bears its id", "no scan bears the subject's id"),
    (r"its row names no path", "the table names no scan"),
    (r"its path leads to", "the table's path leads to no scan"),
    (r"bears another row's id|same scan", "one scan for two subjects"),
    (r"a person rejected it", "rejected by a person"),
    (r"a person accepted it", "accepted by a person"),
    (r"a person took series", "series chosen by a person"),
    (r"the same image as", "the same image as another subject's"),
    (r"^lung volume ", "lung volume outside the expected range"),
    (r"^left lung is ", "left and right lung of unlike size"),
    (r"^mean lung HU ", "mean lung density outside the expected range"),
    (r"lung are not seen", "part of a lung not seen (dense lung or fluid)"),
    (r"of gas beside a lung", "gas beside a lung"),
    (r"lungs? was not found|expected two lungs", "a lung was not found"),
    (r"lungs are cut at the", "lungs cut by the end of the scan"),
    (r"lungs touch the side", "lungs touch the side of the image"),
    (r"fit the template with a Dice", "poor fit to the template"),
    (r"of the template's lungs lie outside", "much of the template filled"),
    (r"begins at slice|ends at slice", "slices filled at an end of the scan"),
    (r"do not go on from slice", "slices that do not follow each other"),
    (r"are the same image", "a slice that comes twice"),
    (r"average of slices", "a series of averaged slices"),
    (r"too short for whole lungs", "too short for whole lungs"),
    (r"expected a scan, found a localizer", "a localizer only"),
    (r"found a projection", "a projection only"),
    (r"different PatientIDs", "images of several patients in one folder"),
    (r"expected a CT series", "no CT series"),
    (r"its lung mask", "a lung mask that does not fit"),
)
OTHER = "another reason"


def kind_of(reason: str) -> str:
    """Return the kind of a reason.

    Examples
    --------
    >>> kind_of("lung volume 900 ml (expected 1500 to 9000)"), kind_of("DOE_JANE/7 is odd")
    ('lung volume outside the expected range', 'another reason')
    """
    return next((kind for sign, kind in _KINDS if re.search(sign, reason)), OTHER)


def count_kinds(reasons: Iterable[object]) -> pd.Series:
    """Count subjects by kind of reason, most frequent first; a cell may hold several of them.

    Examples
    --------
    >>> count_kinds(["a person rejected it: blurred; lung volume 900 ml", None]).to_dict()
    {'rejected by a person': 1, 'lung volume outside the expected range': 1}
    """
    kinds = [
        kind
        for cell in reasons
        if not pd.isna(cell)
        for kind in dict.fromkeys(kind_of(part) for part in str(cell).split("; ") if part)
    ]
    counts = pd.Series(kinds, dtype=object).value_counts(sort=False)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], list(counts.index).index(item[0])))
    return pd.Series(dict(ordered), dtype=int)
