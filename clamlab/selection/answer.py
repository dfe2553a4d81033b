"""The answer in three kinds, and in words: clusters, a continuum, or undecided."""

from dataclasses import dataclass

from clamlab.selection.foresight import FIFTH, HALVES, Foresight
from clamlab.selection.presence import LEVEL

CLUSTERS, CONTINUUM, UNDECIDED = "clusters", "continuum", "undecided"
ANSWERS = (CLUSTERS, CONTINUUM, UNDECIDED)


@dataclass(frozen=True)
class Answer:
    """What the features say of clusters.

    Attributes
    ----------
    answer : str
        "clusters"; "continuum", where there is no sign of clusters although they would have been
        seen; "undecided", where there is none and they might have been missed.
    n_clusters : int
        1 unless the answer is "clusters".
    p_value : float
        How often one continuous cloud looks as much like two as these scans do, or as the pair.
    seen_from_sd : float, optional
        Two halves so many standard deviations apart, along a direction that varies much, would
        have been seen with probability .8; none where 10 would not do.
    n_scans_needed : int, optional
        Scans that would show two halves 4 standard deviations apart with probability .8; none
        where 700 would not do.
    p_of_pair : bool
        Whether the p-value is that of the two clusters hardest to tell apart: three or more in a
        row look like one cloud when they are cut in two.
    """

    answer: str
    n_clusters: int
    p_value: float
    seen_from_sd: float | None
    n_scans_needed: int | None
    p_of_pair: bool = False


def answer_of(
    n_clusters: int, p_value: float, foresight: Foresight, *, p_of_pair: bool = False
) -> Answer:
    """Tell apart that there are no clusters from that none can be seen.

    Parameters
    ----------
    n_clusters : int
        1 where none were seen.
    p_value : float
    foresight : Foresight
    p_of_pair : bool
        Whether the p-value is that of two of the clusters.

    Returns
    -------
    Answer

    Examples
    --------
    >>> answer_of(1, 0.4, Foresight(5.1, 85, is_ample=False)).answer
    'undecided'
    >>> answer_of(1, 0.4, Foresight(3.0, 80, is_ample=True)).answer
    'continuum'
    """
    nothing = CONTINUUM if foresight.is_ample else UNDECIDED
    return Answer(
        answer=CLUSTERS if n_clusters > 1 else nothing,
        n_clusters=n_clusters,
        p_value=p_value,
        seen_from_sd=foresight.seen_from_sd,
        n_scans_needed=foresight.n_scans_needed,
        p_of_pair=p_of_pair,
    )


def words_of(answer: Answer, n_scans: int, *, is_most: bool = False) -> str:
    """Say what was looked for, what would have been seen, and what it would take.

    Parameters
    ----------
    answer : Answer
    n_scans : int
    is_most : bool
        Whether no larger number of clusters was looked at.

    Returns
    -------
    str

    Examples
    --------
    >>> words_of(Answer("undecided", 1, 0.4, 5.1, 85), 48)
    'No sign of clusters among 48 scans (p = .40), and no proof that there are none: two halves of
    the cohort would have been seen only from 5.1 standard deviations apart. About 85 scans would
    show halves that are 4 apart.'
    """
    p = p_text(answer.p_value)
    if answer.answer == CLUSTERS:
        more = (
            " This is the largest number looked at: raise k_max to see whether there are more."
            if is_most
            else ""
        )
        as_what = " as the two hardest to tell apart" if answer.p_of_pair else ""
        return (
            f"{answer.n_clusters} clusters among {n_scans} scans, each apart from every other: one "
            f"cloud, whether skewed, flat or bent, seldom looks as split{as_what} ({p}; "
            f"{_short(LEVEL)} or less is asked).{more}"
        )
    seen = (
        "not even from 10"
        if answer.seen_from_sd is None
        else f"only from {answer.seen_from_sd:.1f}"
    )
    if answer.answer == CONTINUUM:
        return (
            f"A continuum, as far as {n_scans} scans tell ({p}): along the directions that vary "
            f"most, two halves would have been seen from {answer.seen_from_sd:.1f} standard "
            f"deviations apart, and a fifth of the scans from {FIFTH[0]:g}; three or more in a "
            "row, less far apart, may look the same. Clusters would be slices of it."
        )
    none = f"No sign of clusters among {n_scans} scans ({p}), and no proof that there are none: two"
    apart = f"{seen} standard deviations apart"
    if answer.n_scans_needed is not None and answer.n_scans_needed <= n_scans:
        # Halves are ruled out; a fifth of the scans, or the few that lie apart, are not.
        return (
            f"{none} halves of the cohort would have been seen, {apart.removeprefix('only ')}; a "
            "smaller cluster may be there all the same."
        )
    needed = "More than 700" if answer.n_scans_needed is None else f"About {answer.n_scans_needed}"
    return (
        f"{none} halves of the cohort would have been seen {apart}. {needed} scans would show "
        f"halves that are {HALVES[0]:g} apart."
    )


def p_text(p_value: float) -> str:
    """Print a p-value as papers do.

    >>> p_text(0.0333)
    'p = .033'
    """
    return f"p = {_short(p_value, 3 if p_value < 0.1 else 2)}"


def _short(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".removeprefix("0")
