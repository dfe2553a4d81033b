"""The number of clusters as a decision: recommended by a rule, and a person's to overrule."""

from typing import Any

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
        With ``decided_by``: "rule", or whoever overruled it; the recommendation stays beside it.

    Raises
    ------
    ValueError
        If a number is given that is no number of clusters.

    Examples
    --------
    >>> person = {"n_clusters": 3, "reason": "three on sight", "decided_by": "radiologist"}
    >>> decide({"n_clusters": 2, "reason": "a valley"}, previous=person)["n_clusters"]
    3
    """
    if n_clusters is not None:
        if n_clusters < 1:
            raise ValueError(f"expected 1 or more clusters, found n_clusters={n_clusters}")
        reason = f"given as a parameter; the rule recommends {recommended['n_clusters']}"
        given = {"n_clusters": n_clusters, "reason": reason, "decided_by": "parameter"}
        return {**given, "recommended": recommended}
    if previous is not None and previous.get("decided_by", RULE) != RULE:
        return {**previous, "recommended": recommended}
    return {**recommended, "decided_by": RULE}


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
    if not isinstance(n_clusters, int) or n_clusters < 1:
        raise ValueError(
            "04_n_clusters/choice.json: expected n_clusters as a whole number from 1, found "
            f"{n_clusters!r}; correct it there, or run notebook 04 again"
        )
    if n_clusters < 2:
        raise ValueError(
            "one cluster is recommended: the scans differ by degrees, and clusters would be cuts "
            f"through a continuum ({choice.get('reason', 'no reason given')}). There is nothing to "
            "explain or to compare. If you know better, write another n_clusters and your name as "
            "decided_by into 04_n_clusters/choice.json, and go on from notebook 05."
        )
    return n_clusters


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
