"""What the leading directions of the features vary with, of what is known beforehand."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clamlab.clustering.checks import finite_features
from clamlab.selection.preparing import design_of, principal_scores


def what_varies(
    features: ArrayLike, covariates: pd.DataFrame, *, n_components: int = 3
) -> pd.DataFrame:
    """See whether the features follow a scanner or the size of the lungs more than anything else.

    A strong direction of that kind hides clusters in weaker ones: it can be taken out by name.

    Parameters
    ----------
    features : array, shape (n_scans, p)
    covariates : DataFrame
        Numbers or names, one row a scan; rows that lack a value are left out for that column.
    n_components : int
        Leading principal components that are looked at.

    Returns
    -------
    DataFrame
        One row per component and covariate: component (from 1), variance (its share of the
        whole), covariate, r_squared (share of the component that the covariate accounts for,
        adjusted for its number of columns, from 0), n_scans.

    Raises
    ------
    ValueError
        If there is not one row of covariates for each scan, or a feature is missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scanner = np.repeat(["A", "B"], 20)
    >>> x = rng.normal(size=(40, 3)) + 5 * (scanner == "B")[:, None]
    >>> table = what_varies(x, pd.DataFrame({"scanner": scanner}), n_components=1)
    >>> table[["component", "covariate"]].to_numpy().tolist(), bool(table["r_squared"][0] > 0.8)
    ([[1, 'scanner']], True)
    """
    x = finite_features(features)
    if len(covariates) != len(x):
        raise ValueError(
            f"expected one row of covariates for each of {len(x)} scans, found {len(covariates)}"
        )
    scores = principal_scores(x)
    variance = scores.var(0) / scores.var(0).sum()
    rows = []
    for component in range(min(n_components, scores.shape[1])):
        for name in covariates:
            known = covariates[name].notna().to_numpy()
            design = design_of(covariates.loc[known, [name]])
            rows.append(
                {
                    "component": component + 1,
                    "variance": variance[component],
                    "covariate": name,
                    "r_squared": _r_squared(scores[known, component], design),
                    "n_scans": int(known.sum()),
                }
            )
    return pd.DataFrame(
        rows, columns=["component", "variance", "covariate", "r_squared", "n_scans"]
    )


def _r_squared(y, design) -> float:
    n, columns = design.shape
    if n - columns < 2 or columns < 2 or not np.ptp(y):
        return float("nan")
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return max(0.0, float(1 - (left**2).sum() / (n - columns) / y.var(ddof=1)))
