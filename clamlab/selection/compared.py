"""The criteria that are common today, over K, and the K that each of them would pick."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.selection.criteria import (
    first_within_one_se,
    gap_statistic,
    kmeans,
    leading_scores,
    mixture_bic,
    multimodal_components,
    prediction_strength,
    separation,
    sparse_silhouettes,
)

CREDIBLE_PREDICTION = 0.8
COLUMNS = [
    "n_clusters",
    "silhouette",
    "silhouette_sparse",
    "gap",
    "gap_se",
    "calinski_harabasz",
    "prediction_strength",
    "gmm_bic",
    "silhouette_multimodal",
    "separation",
]


def compare(
    x: NDArray[np.float64], k_max: int, *, n_gap: int, sparse_bound: float | None, seed: int
) -> tuple[pd.DataFrame, dict[str, int | None], dict[str, Any]]:
    """Give a row per K with every criterion, the K that each picks, and what they rest on."""
    k_values = list(range(1, k_max + 1))
    several = k_values[1:]
    scores = leading_scores(x)
    multimodal = multimodal_components(scores, seed=seed)
    # Where no component is multimodal the leading one is the fairest ground for the mixtures.
    ground = scores[:, multimodal] if len(multimodal) else scores[:, :1]

    table = pd.DataFrame({"n_clusters": k_values}).set_index("n_clusters", drop=False)
    for k in several:
        labels = kmeans(x, k, seed=seed).labels_
        silhouette, calinski = separation(x, labels)
        table.loc[k, ["silhouette", "calinski_harabasz"]] = silhouette, calinski
        if len(multimodal):
            labels = kmeans(ground, k, seed=seed).labels_
            table.loc[k, "silhouette_multimodal"] = separation(ground, labels)[0]
    at = _best(table["silhouette"]) or 2
    sparse, bound = sparse_silhouettes(x, several, seed=seed, bound=sparse_bound, at=at)
    gap, error = gap_statistic(x, k_values, seed=seed, n_reference=n_gap)
    table = table.assign(
        silhouette_sparse=pd.Series(sparse, dtype=float),
        gap=gap,
        gap_se=error,
        prediction_strength=[prediction_strength(x, k, seed=seed) for k in k_values],
        gmm_bic=[mixture_bic(ground, k, seed=seed) for k in k_values],
    ).reindex(columns=COLUMNS)
    strong = table["prediction_strength"] >= CREDIBLE_PREDICTION
    picks = {
        "silhouette": _best(table["silhouette"]),
        "silhouette_sparse": _best(table["silhouette_sparse"]),
        "gap": first_within_one_se(k_values, gap, error),
        "calinski_harabasz": _best(table["calinski_harabasz"]),
        "prediction_strength": int(table.index[strong].max()),
        "gmm_bic": int(table["gmm_bic"].idxmin()),
        "silhouette_multimodal": _best(table["silhouette_multimodal"]) or 1,
    }
    details: dict[str, Any] = {
        "sparse_bound": bound,
        "n_multimodal_components": len(multimodal),
    }
    return table, picks, details


def _best(values: pd.Series) -> int | None:
    return int(values.idxmax()) if values.notna().any() else None
