"""Bring features of many dimensions to places on the screen."""

from importlib.util import find_spec

import numpy as np
from numpy.typing import ArrayLike, NDArray

PRINCIPAL, UMAP = "PCA", "UMAP"
PROJECTIONS = [PRINCIPAL, *([UMAP] if find_spec("umap") else [])]
MOST_COMPONENTS = 10


def projected(features: ArrayLike, method: str) -> tuple[NDArray, list[str]]:
    """Bring features to the unit square, axis by axis; give also the names of the axes.

    Principal components: the first ten, or as many as the features have (two at least).

    Raises
    ------
    ValueError
        If a feature is not a finite number.

    Examples
    --------
    >>> places, labels = projected([[0, 0, 0], [2, 0, 0], [4, 0, 0]], "PCA")
    >>> sorted(places[:, 0].tolist()), labels
    ([0.0, 0.5, 1.0], ['PC 1 (100 %)', 'PC 2 (0 %)'])
    """
    values = finite(features)
    if method == UMAP:
        from umap import UMAP as Reducer  # heavy, and not everybody has it

        neighbours = min(15, len(values) - 1)
        places = Reducer(n_neighbors=neighbours, random_state=0, n_jobs=1).fit_transform(values)
        labels = ["UMAP 1", "UMAP 2"]
    else:
        places, shares = principal_components(values)
        labels = [f"PC {k + 1} ({percent(share)} %)" for k, share in enumerate(shares)]
    span = np.ptp(places, axis=0)
    return ((places - places.min(0)) / np.where(span > 0, span, 1)).astype("<f4"), labels


def principal_components(features: ArrayLike) -> tuple[NDArray, NDArray]:
    """Project features on their principal components, as many as there are, ten at most.

    Components that hold only the rounding of the others are left out: stretched over the
    picture they would look like structure.

    Returns
    -------
    tuple
        Components (n, k), two at least, and the share of the variance each holds (k,).

    Examples
    --------
    >>> principal_components([[0, 0, 0], [2, 0, 0], [4, 0, 0]])[1].tolist()
    [1.0, 0.0]
    """
    values = np.asarray(features, dtype=float)
    u, s, _ = np.linalg.svd(values - values.mean(0), full_matrices=False)
    rounding = max(values.shape) * np.finfo(float).eps * np.abs(values).max(initial=0)
    kept = min(MOST_COMPONENTS, int(np.sum(s > rounding * np.sqrt(len(values)))))
    variance = s**2 / max(np.sum(s**2), np.finfo(float).tiny)
    missing = (0, max(0, 2 - kept))
    components = np.pad((u * s)[:, :kept], ((0, 0), missing))
    return components, np.pad(variance[:kept], missing)


def percent(share: float) -> str:
    """Write a share of the variance so that a small one is not called none.

    Examples
    --------
    >>> [percent(share) for share in (0.412, 0.0123, 0.0001, 0)]
    ['41', '1.2', '0.01', '0']
    """
    hundredths = 100 * share
    if hundredths >= 9.95 or hundredths == 0:
        return f"{hundredths:.0f}"
    return f"{hundredths:.1f}" if hundredths >= 0.1 else f"{hundredths:.1g}"


def finite(features: ArrayLike) -> NDArray:
    """Return features as floats, one row a scan, once all of them are numbers.

    Raises
    ------
    ValueError
        If not; the message names the first scan.

    Examples
    --------
    >>> finite([[1, 2]]).shape
    (1, 2)
    """
    values = np.asarray(features, dtype=float)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"expected features (n_scans, n_features), found shape {values.shape}")
    wrong = ~np.isfinite(values).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"expected finite features, found NaN or infinity in {wrong.sum()} of {len(values)} "
            f"scans (first in row {int(wrong.argmax())}): embed them again"
        )
    return values
