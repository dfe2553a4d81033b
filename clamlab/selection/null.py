"""What features would look like if the cohort were one continuous cloud."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from clamlab.clustering.checks import check_seed, finite_features

Array = NDArray[np.float64]

# A few extreme scans can give a skew that the gamma family only meets in a spike.
MAX_SKEW = 4.0
NO_SKEW = 1e-3
BLOCK = 50


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
    kept = size > 1e-9 * size[0]
    drawn = one_clouds((left * size)[:, kept], 1, np.random.default_rng(seed))
    return centre + drawn[0] @ axes[kept]


def one_clouds(
    scores: Array,
    n_clouds: int,
    rng: np.random.Generator,
    *,
    flat_first: bool = False,
    n_scans: int | None = None,
) -> Array:
    """Draw cohorts of one cloud with the spread and lean of each component.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components.
    n_clouds : int
    rng : Generator
    flat_first : bool
        Draw the first component from a uniform law, as a line of severity would be.
    n_scans : int, optional
        Of each cohort; as many as there are, if not given.

    Returns
    -------
    array, shape (n_clouds, n_scans, components)
    """
    shape = (n_clouds, n_scans or len(scores), scores.shape[1])
    lean = np.clip(skew(scores), -MAX_SKEW, MAX_SKEW)
    drawn = rng.standard_normal(shape)
    for component in np.flatnonzero(np.abs(lean) > NO_SKEW):
        k = 4 / lean[component] ** 2
        leaning = rng.standard_gamma(k, shape[:2])
        drawn[..., component] = np.sign(lean[component]) * (leaning - k) / np.sqrt(k)
    if flat_first:
        drawn[..., 0] = rng.uniform(-np.sqrt(3), np.sqrt(3), shape[:2])
    return drawn * scores.std(0)


def turned_clouds(
    scores: Array,
    n_clouds: int,
    rng: np.random.Generator,
    *,
    n_components: int,
    flat_first: bool = False,
    n_scans: int | None = None,
    moved: Array | float = 0.0,
) -> Iterator[Array]:
    """Draw cohorts in blocks, each on its own principal components, as a real one is seen.

    Parameters
    ----------
    scores : array, shape (scans, components)
    n_clouds : int
    rng : Generator
    n_components : int
        Leading components that are given back.
    flat_first, n_scans
        As for :func:`one_clouds`.
    moved : array, shape (n_scans, components)
        How far each scan is moved, where clusters are planted.

    Yields
    ------
    array, shape (at most 50, scans, n_components)
    """
    for start in range(0, n_clouds, BLOCK):
        n = min(BLOCK, n_clouds - start)
        block = one_clouds(scores, n, rng, flat_first=flat_first, n_scans=n_scans)
        yield turned(block + moved, n_components)


def turned(clouds: Array, n_components: int) -> Array:
    """Turn each cohort onto its leading principal components."""
    centred = clouds - clouds.mean(1, keepdims=True)
    covariance = np.swapaxes(centred, 1, 2) @ centred
    axes = np.linalg.eigh(covariance)[1][:, :, ::-1][:, :, :n_components]
    return centred @ axes
