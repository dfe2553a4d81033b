"""How well fitted clusters agree with known ones."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix


def match_clusters(true: ArrayLike, fitted: ArrayLike) -> dict:
    """Pair each fitted cluster with the known one it stands for.

    Parameters
    ----------
    true, fitted : array of labels, shape (n_scans,)
        Known and fitted cluster of each scan; any integers or texts, names need not agree.

    Returns
    -------
    dict
        From fitted to known label, one to one, so that as many scans as possible agree. Fitted
        clusters beyond the known number are left out, and so are known ones beyond the fitted.

    Raises
    ------
    ValueError
        If the two lengths differ or there are no scans.

    References
    ----------
    The assignment problem (Kuhn, The Hungarian method, 1955).

    Examples
    --------
    >>> match_clusters([0, 0, 1, 1], [5, 5, 3, 7])
    {3: 1, 5: 0}
    """
    true, fitted = _checked(true, fitted)
    table = contingency_matrix(true, fitted)
    known, found = linear_sum_assignment(table, maximize=True)
    names_true, names_fitted = np.unique(true).tolist(), np.unique(fitted).tolist()
    pairs = sorted(zip(found.tolist(), known.tolist(), strict=True))
    return {names_fitted[j]: names_true[i] for j, i in pairs if table[i, j]}


def clustering_accuracy(true: ArrayLike, fitted: ArrayLike) -> float:
    """Tell the share of scans put into the right cluster, whatever the clusters are called.

    Parameters
    ----------
    true, fitted : array of labels, shape (n_scans,)
        Known and fitted cluster of each scan. Their numbers may differ: a surplus fitted cluster
        is matched to nothing, and its scans count as wrong.

    Returns
    -------
    float
        From above 0 to 1.

    Raises
    ------
    ValueError
        If the two lengths differ or there are no scans.

    Examples
    --------
    >>> clustering_accuracy([0, 0, 1, 1], [1, 1, 0, 2])
    0.75
    """
    matches = match_clusters(true, fitted)
    true, fitted = _checked(true, fitted)
    agreed = [matches.get(f) == t for f, t in zip(fitted.tolist(), true.tolist(), strict=True)]
    return float(np.mean(agreed))


def adjusted_rand(true: ArrayLike, fitted: ArrayLike) -> float:
    """Tell how far two partitions agree beyond chance (1 the same, about 0 unrelated).

    Parameters
    ----------
    true, fitted : array of labels, shape (n_scans,)

    Returns
    -------
    float
        Adjusted Rand index, at most 1; below 0 for less agreement than chance.

    References
    ----------
    Hubert and Arabie, Comparing partitions, 1985.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    return float(adjusted_rand_score(*_checked(true, fitted)))


def _checked(true: ArrayLike, fitted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    true, fitted = np.asarray(true), np.asarray(fitted)
    if true.ndim != 1 or true.shape != fitted.shape or not len(true):
        raise ValueError(
            f"expected two label arrays of one length, found shapes {true.shape}, {fitted.shape}"
        )
    return true, fitted
