"""See where the scans lie in feature space, and pick the one to look at."""

from importlib.util import find_spec
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike

from clamlab.viewers.assets import read_together

PRINCIPAL, UMAP = "PCA", "UMAP"
PROJECTIONS = [PRINCIPAL, *([UMAP] if find_spec("umap") else [])]
FEW = 12  # a numeric column with no more whole values than this is shown as levels


class LatentScatter(anywidget.AnyWidget):
    """Pick scans by hand from a picture of their features: principal components, or UMAP.

    Click a point or press the arrow keys to select a scan; draw a loop to choose a group.

    Parameters
    ----------
    features : array (n, J)
    names : list of str
        One per scan, shown under the pointer.

    Examples
    --------
    >>> import numpy as np
    >>> scatter = LatentScatter(np.eye(4), [f"S{i}" for i in range(4)])
    >>> scatter.color_by(pd.Series(["a", "b", "a", None], name="kind"))
    >>> scatter.levels, scatter.column
    (['a', 'b'], [0, 1, 0, None])
    """

    _esm = read_together("drawing.js", "latent_scatter.js")
    _css = read_together("slice_viewer.css")

    points = traitlets.Bytes().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    axis_labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    column: traitlets.List = traitlets.List().tag(sync=True)
    levels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    color_label = traitlets.Unicode().tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    group = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, features: ArrayLike, names: list[str], **options: Any) -> None:
        points, labels = projected(features, PRINCIPAL)
        column = [0.0] * len(names)
        super().__init__(points=points, names=names, axis_labels=labels, column=column, **options)

    def project(self, features: ArrayLike, method: str) -> None:
        """Place the points anew: "PCA" or, if umap-learn is installed, "UMAP"."""
        points, labels = projected(features, method)
        with self.hold_sync():
            self.points, self.axis_labels = points, labels

    def color_by(self, column: pd.Series) -> None:
        """Colour the points by a column: levels for words and few whole numbers, else a scale."""
        levels, values = as_levels(column)
        with self.hold_sync():
            self.color_label, self.levels, self.column = str(column.name), levels, values


def projected(features: ArrayLike, method: str) -> tuple[bytes, list[str]]:
    """Bring features to a unit square; give also the names of its axes.

    Examples
    --------
    >>> points, labels = projected([[0, 0, 0], [2, 0, 0], [4, 0, 0]], "PCA")
    >>> sorted(np.frombuffer(points, "f4").reshape(3, 2)[:, 0].tolist()), labels
    ([0.0, 0.5, 1.0], ['PC 1 (100 %)', 'PC 2 (0 %)'])
    """
    if method == UMAP:
        from umap import UMAP as Reducer  # heavy, and not everybody has it

        values = np.asarray(features, float)
        neighbours = min(15, len(values) - 1)
        places = Reducer(n_neighbors=neighbours, random_state=0, n_jobs=1).fit_transform(values)
        labels = ["UMAP 1", "UMAP 2"]
    else:
        places, shares = principal_components(features)
        labels = [f"PC {k + 1} ({100 * share:.0f} %)" for k, share in enumerate(shares)]
    span = np.ptp(places, axis=0)
    unit = (places - places.min(0)) / np.where(span > 0, span, 1)
    return unit.astype("<f4").tobytes(), labels


def principal_components(features: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Project features on their first two principal components.

    Returns
    -------
    tuple
        Components (n, 2) and the share of the variance each holds (2,).

    Examples
    --------
    >>> principal_components([[0, 0, 0], [2, 0, 0], [4, 0, 0]])[1].tolist()
    [1.0, 0.0]
    """
    values = np.asarray(features, dtype=float)
    u, s, _ = np.linalg.svd(values - values.mean(0), full_matrices=False)
    variance = s**2 / max(np.sum(s**2), np.finfo(float).tiny)
    missing = max(0, 2 - len(s))
    components = np.pad(u * s, ((0, 0), (0, missing)))[:, :2]
    return components, np.pad(variance, (0, missing))[:2]


def as_levels(column: pd.Series) -> tuple[list[str], list]:
    """Turn a column into level names and codes, or into plain numbers without levels.

    Missing values are None.

    Examples
    --------
    >>> as_levels(pd.Series([1.5, None]))
    ([], [1.5, None])
    """
    if isinstance(column.dtype, pd.CategoricalDtype):  # in the order its contract gives
        codes, levels = column.cat.codes, column.cat.categories
    else:
        codes, levels = pd.factorize(column, sort=True)
    numbers = pd.api.types.is_numeric_dtype(levels)
    if numbers and (len(levels) > FEW or any(v != round(v) for v in levels)):
        return [], [None if pd.isna(v) else float(v) for v in column]
    names = [f"{v:g}" if numbers else str(v) for v in levels]
    return names, [None if c < 0 else int(c) for c in codes]
