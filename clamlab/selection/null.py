"""What features would look like if the cohort were one continuous cloud."""

import numpy as np
from scipy.stats import pearson3, skew

from clamlab.clustering.checks import check_seed, finite_features

MAX_SKEW = 4.0


def one_cluster_null(features, *, seed: int) -> np.ndarray:
    """Draw features that hold no clusters, yet vary and lean as the given ones do.

    Every principal component is drawn anew from the Pearson type III (shifted gamma) law with
    its standard deviation and skewness: one mode, same covariance, same skew.

    Parameters
    ----------
    features : (n, p) array
    seed : int

    Returns
    -------
    (n, p) array

    Raises
    ------
    ValueError
        For missing values, or features without variation.

    Examples
    --------
    >>> x = np.random.default_rng(0).gamma(2, size=(400, 3)) * [5, 2, 1]
    >>> drawn = one_cluster_null(x, seed=1)
    >>> np.allclose(drawn.std(0), x.std(0), rtol=0.25)
    True
    """
    x = finite_features(features)
    check_seed(seed)
    if not len(x) or not np.ptp(x, axis=0).any():
        raise ValueError(f"no feature varies between the {len(x)} scans: there is no cloud to draw")
    centre = x.mean(0)
    left, size, axes = np.linalg.svd(x - centre, full_matrices=False)
    scores = left * size
    kept = size > 1e-9 * size[0]
    rng = np.random.default_rng(seed)
    drawn = [
        # A few extreme scans can give a skew that the gamma family only meets in a spike.
        spread * pearson3.rvs(lean, size=len(x), random_state=rng)
        for spread, lean in zip(
            scores[:, kept].std(0),
            np.clip(skew(scores[:, kept]), -MAX_SKEW, MAX_SKEW),
            strict=True,
        )
    ]
    return centre + np.column_stack(drawn) @ axes[kept]
