"""The number of clusters as a decision: recommended by a rule, and a person's to overrule."""

from typing import Any

from clamlab.selection.answer import CONTINUUM, UNDECIDED

RULE = "rule"


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
        if n_clusters < 1:
            raise ValueError(f"expected 1 or more clusters, found n_clusters={n_clusters}")
        reason = f"given as a parameter; the rule recommends {recommended['n_clusters']}"
        decision = {"n_clusters": n_clusters, "reason": reason, "decided_by": "parameter"}
    elif previous is not None and previous.get("decided_by", RULE) != RULE:
        decision = previous
    else:
        decision = {
            "n_clusters": recommended["n_clusters"],
            "reason": recommended["reason"],
            "decided_by": RULE,
        }
    return {**decision, "recommended": recommended}


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
    n_clusters = choice.get("n_clusters")
    if not isinstance(n_clusters, int) or isinstance(n_clusters, bool) or n_clusters < 1:
        raise ValueError(
            "04_n_clusters/choice.json: expected n_clusters as a whole number from 1, found "
            f"{n_clusters!r}; correct it there, or run notebook 04 again"
        )
    if n_clusters < 2:
        raise ValueError(
            f"{_why_one(choice)} ({choice.get('reason', 'no reason given')}) There is nothing to "
            "explain or to compare. If you know better, set N_CLUSTERS in notebook 04, or write "
            "another n_clusters and your name as decided_by into 04_n_clusters/choice.json and run "
            "notebook 04 again, which puts beside it what the features say of your number."
        )
    return n_clusters


def _why_one(choice: dict[str, Any]) -> str:
    if choice.get("decided_by", RULE) != RULE:
        return f"{choice['decided_by']} decided that there is one cluster."
    answer = choice.get("recommended", {}).get("answer")
    return {
        CONTINUUM: "The scans look like a continuum: clusters would be cuts through it.",
        UNDECIDED: "Whether there are clusters cannot be told from these scans.",
    }.get(answer, "One cluster is recommended.")


def decision_words(choice: dict[str, Any]) -> str:
    """Say on any later page whose number of clusters it is, and what the features say of it.

    Parameters
    ----------
    choice : dict
        What ``choice.json`` holds.

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
    """
    n_clusters, by = choice.get("n_clusters"), choice.get("decided_by", RULE)
    recommended = choice.get("recommended", {})
    whose = f"{n_clusters} clusters, decided by {by}"
    if by != RULE:
        whose += f" (the rule: {recommended.get('n_clusters', 'not asked')})"
    test = choice.get("test") or {}
    # A number that was changed by hand still has the test of the one before.
    if test.get("n_clusters") == n_clusters:
        return f"{whose}. {test['words']}"
    if by == RULE:
        return f"{whose}. {choice.get('reason', '')}".rstrip()
    return f"{whose}. This number was not tested: run notebook 04 again."


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
