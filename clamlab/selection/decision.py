"""The number of clusters as a decision: recommended by a rule, and a person's to overrule."""

from typing import Any

from clamlab.selection.answer import CONTINUUM, UNDECIDED
from clamlab.selection.own_number import words_of_test

RULE, PARAMETER, SOMEBODY = "rule", "parameter", "a person"
FILE = "04_n_clusters/choice.json"


def decide(
    recommended: dict[str, Any],
    *,
    previous: dict[str, Any] | None = None,
    n_clusters: int | None = None,
) -> dict[str, Any]:
    """Return the decision that holds: a person's, where there is one, else the recommendation.

    Parameters
    ----------
    recommended : dict
        From ``choose_n_clusters``.
    previous : dict, optional
        What ``choice.json`` held before; kept where a person had decided.
    n_clusters : int, optional
        A person's number, given now.

    Returns
    -------
    dict
        n_clusters, reason, decided_by ("rule", or whoever overruled it), and under
        ``recommended`` all that the rule says.

    Raises
    ------
    ValueError
        If a number is given that is no number of clusters.

    Examples
    --------
    >>> person = {"n_clusters": 3, "reason": "three on sight", "decided_by": "radiologist"}
    >>> decide({"n_clusters": 2, "reason": "two humps"}, previous=person)["n_clusters"]
    3
    """
    if n_clusters is not None:
        if not _is_number(n_clusters):
            raise ValueError(
                f"expected n_clusters as a whole number from 1, found n_clusters={n_clusters!r}"
            )
        reason = _reason_of_parameter(recommended)
        decision = {"n_clusters": n_clusters, "reason": reason, "decided_by": PARAMETER}
    elif previous is not None and whose(checked_choice(previous)) not in (RULE, PARAMETER):
        # A number given as a parameter holds as long as it is given.
        decision = _of_person(previous)
    else:
        decision = {
            "n_clusters": recommended["n_clusters"],
            "reason": recommended["reason"],
            "decided_by": RULE,
        }
    return {**decision, "recommended": recommended}


def _of_person(previous: dict[str, Any]) -> dict[str, Any]:
    """Keep a person's decision; without a name, the reason may still be that of the one before."""
    by = whose(previous)
    if by == RULE or by == _name(previous):
        return previous
    recommended = previous.get("recommended") or {}
    reason = previous.get("reason")
    if not reason or reason in (recommended.get("reason"), _reason_of_parameter(recommended)):
        reason = f"written into {FILE}, without a name or a reason"
    return {"n_clusters": previous["n_clusters"], "reason": reason, "decided_by": SOMEBODY}


def _reason_of_parameter(recommended: dict[str, Any]) -> str:
    return f"given as a parameter; the rule recommends {recommended.get('n_clusters')}"


def decided_n_clusters(choice: dict[str, Any]) -> int:
    """Return the decided number of clusters, where there is anything to cluster.

    Parameters
    ----------
    choice : dict
        From :func:`decide`, or what ``choice.json`` holds.

    Returns
    -------
    int
        2 or more.

    Raises
    ------
    ValueError
        If the decision is 1, or no number; the message says what to do.

    Examples
    --------
    >>> decided_n_clusters({"n_clusters": 2})
    2
    """
    n_clusters = checked_choice(choice)["n_clusters"]
    if n_clusters < 2:
        choice = choice | _of_person(choice)
        raise ValueError(
            f"{_why_one(choice)} ({choice.get('reason', 'no reason given')}) There is nothing to "
            "explain or to compare. If you know better, set N_CLUSTERS in notebook 04, or write "
            "another n_clusters and your name as decided_by into 04_n_clusters/choice.json and run "
            "notebook 04 again, which puts beside it what the features say of your number."
        )
    return n_clusters


def _why_one(choice: dict[str, Any]) -> str:
    by = whose(choice)
    if by == PARAMETER:
        return "N_CLUSTERS says that there is one cluster."
    if by != RULE:
        return f"{by[0].upper()}{by[1:]} decided that there is one cluster."
    answer = (choice.get("recommended") or {}).get("answer")
    return {
        CONTINUUM: "The scans look like a continuum: clusters would be cuts through it.",
        UNDECIDED: "Whether there are clusters cannot be told from these scans.",
    }.get(str(answer), "One cluster is recommended.")


def decision_words(choice: dict[str, Any], *, names: bool = True, shown: int | None = None) -> str:
    """Say on any later page whose number of clusters it is, and what the features say of it.

    Parameters
    ----------
    choice : dict
        What ``choice.json`` holds.
    names : bool
        False for a page that leaves the study: nobody is named, and the sentences are made anew
        from the numbers, as a person may have written into those of the file.
    shown : int, optional
        With how many clusters the page was made: it is told where that is not what was decided.

    Returns
    -------
    str

    Examples
    --------
    >>> decision_words({
    ...     "n_clusters": 2, "decided_by": "A. Reader", "recommended": {"n_clusters": 1},
    ...     "test": {"n_clusters": 2, "words": "2 clusters: not shown to be apart (p = .40)."},
    ... })
    '2 clusters, decided by A. Reader (the rule: 1). 2 clusters: not shown to be apart (p = .40).'
    >>> decision_words({"n_clusters": 2, "decided_by": "A. Reader"}, names=False)
    '2 clusters, decided by a person (the rule: not asked). This number was not tested: run notebook
    04 again.'
    """
    words = _as_decided(choice, names=names)
    if shown in (None, choice["n_clusters"]):
        return words
    return (
        f"{words.rstrip('.')}. Shown are {shown} clusters, made before this was decided: what "
        "follows is of an earlier state of the study."
    )


def _as_decided(choice: dict[str, Any], *, names: bool) -> str:
    n_clusters, by = checked_choice(choice)["n_clusters"], whose(choice)
    choice = choice | _of_person(choice)
    if not names:
        choice, by = _without_words(choice), by if by in (RULE, PARAMETER) else SOMEBODY
    recommended = choice.get("recommended") or {}
    counted = f"{n_clusters} cluster{'s' * (n_clusters != 1)}"
    said = {RULE: "decided by the rule", PARAMETER: "given as N_CLUSTERS"}.get(
        by, f"decided by {by}"
    )
    if by != RULE:
        said += f" (the rule: {recommended.get('n_clusters', 'not asked')})"
    test = choice.get("test") or {}
    # A number that was changed by hand still has the test of the one before.
    if test.get("n_clusters") == n_clusters:
        return f"{counted}, {said}. {test.get('words', '')}".rstrip()
    if by == RULE or n_clusters == 1:
        reason = "" if by == PARAMETER else choice.get("reason", "")
        return f"{counted}, {said}. {reason}".rstrip()
    return f"{counted}, {said}. This number was not tested: run notebook 04 again."


def _without_words(choice: dict[str, Any]) -> dict[str, Any]:
    """Take away all that a person may have written; the test's words are made anew."""
    test, recommended = choice.get("test") or {}, choice.get("recommended") or {}
    kept: dict[str, Any] = {"n_clusters": choice["n_clusters"]}
    if _is_number(recommended.get("n_clusters")):
        kept["recommended"] = {"n_clusters": recommended["n_clusters"]}
    try:
        words = words_of_test(test)
    except (KeyError, TypeError, ValueError):  # not there, or not as it was written
        return kept
    return kept | {"test": {"n_clusters": test["n_clusters"], "words": words}}


def checked_choice(choice: Any) -> dict[str, Any]:
    """Return what ``choice.json`` holds, or say what in it is no decision.

    Parameters
    ----------
    choice : object
        Read from a file that a person may write in.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it is no decision, its number no number of clusters, or a part of it no part.

    Examples
    --------
    >>> checked_choice({"n_clusters": 2})
    {'n_clusters': 2}
    """
    if not isinstance(choice, dict):
        raise ValueError(f"{FILE}: expected a decision, found {choice!r}; run notebook 04 again")
    if not _is_number(choice.get("n_clusters")):
        raise ValueError(
            f"{FILE}: expected n_clusters as a whole number from 1, found "
            f"{choice.get('n_clusters')!r}; correct it there, or run notebook 04 again"
        )
    for part in ("recommended", "test"):
        if not isinstance(choice.get(part) or {}, dict):
            raise ValueError(
                f"{FILE}: expected {part} as notebook 04 writes it, found {choice[part]!r}; run "
                "notebook 04 again"
            )
    return choice


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def whose(choice: dict[str, Any]) -> str:
    """Learn who decided: the rule, a parameter, whoever is named, or a person who is not.

    Parameters
    ----------
    choice : dict
        What ``choice.json`` holds.

    Returns
    -------
    str
        "a person" also where another number than the rule's stands under the rule's name, or
        another than the one that was given, and tested, under that of the parameter.

    Examples
    --------
    >>> whose({"n_clusters": 3, "decided_by": "rule", "recommended": {"n_clusters": 2}})
    'a person'
    """
    number = choice.get("n_clusters")
    if by := _name(choice):
        was_changed = by == PARAMETER and _tested(choice) not in (None, number)
        return SOMEBODY if was_changed else by
    recommended = (choice.get("recommended") or {}).get("n_clusters", number)
    return RULE if number == recommended else SOMEBODY


def _tested(choice: dict[str, Any]) -> int | None:
    """Return the number that was decided when it was tested; None where that is not on record."""
    test = choice.get("test", {})
    return 1 if test is None else test.get("n_clusters")  # one cluster has no test


def _name(choice: dict[str, Any]) -> str:
    """Return who is named as having decided; nothing where that is the rule or nobody."""
    by = str(choice.get("decided_by") or "").strip()
    return "" if by.lower() == RULE else by


def cluster_name(cluster: int) -> str:
    """Return what people call a cluster: they count from 1.

    Parameters
    ----------
    cluster : int
        From 0.

    Returns
    -------
    str

    Examples
    --------
    >>> cluster_name(0)
    'Cluster 1'
    """
    return f"Cluster {int(cluster) + 1}"
