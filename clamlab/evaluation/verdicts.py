"""The numbers of a trust card in plain words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

# Where a number turns into a word. Judgement, not theory: the numbers stand beside the verdict.
WEIGHTS_MATTER = 0.05
# Where the truth is known (benchmarks/maps.csv, 100 trainings), all gradient maps stay below both,
# as contrast maps do where clusters differ in place; 99 and 76 % of activation maps do not.
SAME_FOR_OTHER_CLUSTERS = 0.6
SAME_WITHOUT_TRAINING = 0.6
SIGNIFICANCE = 0.05


def verdict(card: Mapping[str, Any]) -> str:
    """Say in plain words what the numbers of a card allow.

    Parameters
    ----------
    card : mapping
        A row of :func:`trust_card`; what is missing is not judged.

    Returns
    -------
    str

    Examples
    --------
    >>> print(verdict({"n_scans": 9, "n_examined": 9, "n_empty": 0, "better_than_random": 1.0,
    ...                "other_cluster_correlation": 0.99}))
    Trust it for: marking places on which the assignment depends. Do not trust it for: telling
    this cluster from the others (the map for another cluster looks the same).
    """
    if card["n_scans"] == 0:
        return "No scan belongs to this cluster: there is nothing to explain."
    n_judged = int(card["n_examined"] - card["n_empty"])
    if n_judged == 0:
        return "Every examined map is empty: it says nothing about this cluster."
    contrast = card.get("kind") == "contrast"
    good: list[str] = []
    bad: list[str] = []
    for column, holds, claim, reason in _CLAIMS:
        value = card.get(column, np.nan)
        if not pd.isna(value) and not (contrast and column == "other_cluster_correlation"):
            kept = holds(value, n_judged)
            (good if kept else bad).append(claim if kept else f"{claim} ({reason})")
    sentences = [f"Trust it for: {'; '.join(good) or 'nothing that was tested'}."]
    if bad:
        sentences.append(f"Do not trust it for: {'; '.join(bad)}.")
    # Pair maps agree where clusters differ by amount at one place: no fault of the map.
    if contrast and card.get("other_cluster_correlation", 0) >= SAME_FOR_OTHER_CLUSTERS:
        sentences.append(
            "The same places count against every rival: read the amount in HU to tell them apart."
        )
    if n_judged < _FEWEST:
        sentences.append(f"Judged on {n_judged} scans: too few to decide a comparison.")
    if card["n_empty"]:
        sentences.append(f"{card['n_empty']} of {card['n_examined']} maps are empty.")
    return " ".join(sentences)


def _mostly(share: float, n_scans: int) -> bool:
    """Tell whether so many wins are more than luck (one-sided sign test)."""
    wins = round(share * n_scans)
    return bool(binomtest(wins, n_scans, alternative="greater").pvalue < SIGNIFICANCE)


# Column, when the claim holds (value, scans judged), the claim, and why it would not hold.
_CLAIMS = (
    (
        "better_than_random",
        _mostly,
        "marking places on which the assignment depends",
        "not clearly better than a smooth random map",
    ),
    (
        "better_than_deviation",
        _mostly,
        "showing more than where the scan differs from the template",
        "not clearly better than |scan - template|, which needs no network",
    ),
    (
        "other_cluster_correlation",
        lambda value, _: value < SAME_FOR_OTHER_CLUSTERS,
        "telling this cluster from the others",
        "the map for another cluster looks the same",
    ),
    (
        "untrained_correlation",
        lambda value, _: value < SAME_WITHOUT_TRAINING,
        "showing what the network has learned",
        "an untrained network gives nearly the same map",
    ),
    (
        "weight_necessity",
        lambda value, _: value > WEIGHTS_MATTER,
        "showing what the cluster's weights pick out",
        "the plain sum of the activations looks the same",
    ),
)
# With fewer, even winning every time is no evidence: 0.5 ** 4 > 0.05.
_FEWEST = 5
