"""The cohort cut by what needs no network: each baseline into as many groups as the network."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.extensions import ExtensionArray

from clamlab.baselines.linear import linear_features
from clamlab.baselines.recorded import LUNG_ML, SCANNER
from clamlab.baselines.texture import raw_features, zscored
from clamlab.selection.criteria import kmeans

# So many starts find the best cuts of one dimension whatever the seed, on a continuum too (tested).
# Of sixty dimensions in which nothing stands apart, another seed may find others.
N_STARTS = 200
TITLES = {
    "density": "mean lung density",
    "volume": "lung volume",
    "components": "PCA and k-means",
    "radiomics": "radiomic features",
}


def baseline_title(name: str) -> str:
    """Say a baseline's name as it stands in a sentence.

    Parameters
    ----------
    name : str
        A column of :func:`baseline_partitions`.

    Returns
    -------
    str

    Examples
    --------
    >>> baseline_title("density"), baseline_title("scanner: kernel")
    ('mean lung density', 'kernel')
    """
    return TITLES.get(name, name.removeprefix(SCANNER).replace("_", " "))


def baseline_partitions(
    images: NDArray,
    lung_mask: ArrayLike,
    n_clusters: int,
    *,
    recorded: pd.DataFrame | None = None,
    seed: int,
) -> pd.DataFrame:
    """Cut the cohort by what needs no network, into as many groups as the network has clusters.

    Mean lung density and lung volume are cut by k-means in one dimension; the principal components
    of the voxels and the radiomic features (:func:`texture_features`) by k-means, too. Scanners
    are groups as they are, whatever their number.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
        Scans in HU, 2-D or 3-D; a memory map is read in pieces.
    lung_mask : array of bool, shape (*grid)
        The lung, the same for all scans.
    n_clusters : int
        The network's.
    recorded : DataFrame, optional
        From :func:`recorded_of_scans`, row i for scan i; without it there is neither volume nor
        scanner.
    seed : int
        Of k-means, which starts 200 times.

    Returns
    -------
    DataFrame
        Row i for scan i: ``density``, ``volume``, ``components``, ``radiomics`` and a column for
        each way to tell scanners apart. Groups count from 0, densest first, scanners by
        name; missing where nothing is known of the scan.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, no more scans than clusters, or ``recorded`` has other
        rows; and as :func:`texture_features`.

    Examples
    --------
    >>> hu = np.random.default_rng(0).normal(-800, 20, size=(6, 4, 4))
    >>> hu[:2] += 300
    >>> baseline_partitions(hu, np.ones((4, 4), bool), 2, seed=0)["density"].tolist()
    [0, 0, 1, 1, 1, 1]
    """
    n_scans = len(images)
    if not 2 <= n_clusters < n_scans:
        raise ValueError(
            f"expected two clusters or more and more scans than clusters, found {n_clusters} "
            f"clusters and {n_scans} scans"
        )
    if recorded is None:
        recorded = pd.DataFrame({LUNG_ML: np.full(n_scans, np.nan)})
    if len(recorded) != n_scans:
        raise ValueError(
            f"expected a row of what was recorded for each of {n_scans} scans, found "
            f"{len(recorded)}"
        )
    raw = raw_features(images, lung_mask)
    density = raw[:, 0]
    features = {
        "density": density[:, None],
        "volume": recorded[[LUNG_ML]].to_numpy(float),
        "components": linear_features(images, lung_mask),
        "radiomics": zscored(raw),
    }
    cut = {name: _cut(x, n_clusters, density, seed) for name, x in features.items()}
    scanners = recorded.filter(like=SCANNER)
    return pd.DataFrame(cut | {name: _codes(scanners[name]) for name in scanners})


def _cut(features: NDArray, n_clusters: int, density: NDArray, seed: int) -> ExtensionArray:
    """Cluster the scans that are known, densest group first; all missing where they are too few."""
    groups = pd.array([pd.NA] * len(features), dtype="Int64")
    known = np.isfinite(features).all(axis=1)
    if known.sum() > n_clusters:
        found = kmeans(features[known], n_clusters, seed=seed, n_init=N_STARTS).labels_
        dense = pd.Series(density[known]).groupby(found).mean().sort_values(ascending=False)
        groups[known] = pd.Series(range(len(dense)), dense.index)[found].to_numpy()
    return groups


def _codes(column: pd.Series) -> ExtensionArray:
    codes = pd.array(pd.factorize(column, sort=True)[0], dtype="Int64")
    codes[np.asarray(codes == -1)] = pd.NA
    return codes
