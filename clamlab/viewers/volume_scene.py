"""Lung and importance in one volume, as ipyvolume draws only one, and the colours of its values."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from clamlab.viewers.slices.slice_state import PRESETS

WIDTH, LEVEL = PRESETS["lung"]  # HU: as the slices are seen
DARKEST = LEVEL - WIDTH / 2
CLEAR, THIN = -960, -875  # HU: air up to the first, a breath of grey up to the second
# Of a merged scene. The browser shades lung into map at their border: the way from one to the other
# leads through air and what is clear, or a rim of dense lung, or of colours that are not in the
# map, would stand around every region.
LUNG_END, MAP_START = 0.3, 0.6


def merge(
    average_hu: np.ndarray, importance: np.ndarray, mask: np.ndarray, *, threshold: float
) -> np.ndarray:
    """Put lung and importance into one volume.

    Values up to 0.3 are lung in the lung window (0 white, 0.3 black, and outside the mask), those
    from 0.6 importance from 0 to 1; ipyvolume's axes are z, y, x. All lies in [0, 1], because
    ipyvolume wraps around what does not.

    Examples
    --------
    >>> import numpy as np
    >>> hu, high = np.array([[[500.0, -800.0]]]), np.array([[[0.2, 1.0]]])
    >>> merge(hu, high, np.ones((1, 1, 2), bool), threshold=0.5).ravel().tolist()
    [0.0, 1.0]
    """
    lung = LUNG_END * (1 - np.clip((average_hu - DARKEST) / WIDTH, 0, 1))
    hot = MAP_START + (1 - MAP_START) * np.clip(importance, 0, 1)
    coloured = (importance >= threshold) & (importance > 0)  # 0 is never coloured, as in a slice
    scene = np.where(coloured, hot, lung)
    return np.where(mask, scene, LUNG_END).transpose(2, 1, 0).astype(np.float32)


def transfer_table(colors: np.ndarray, opacity: float, *, threshold: float) -> np.ndarray:
    """Return the colour and opacity (256, 4) of each value of a merged scene.

    Parameters
    ----------
    colors : array (256, 3)
        Colours of importance from 0 to 1.
    opacity : float
        Of the importance, in [0, 1]; 0 leaves the lung alone.
    threshold : float
        Least importance that is coloured.

    Examples
    --------
    >>> import numpy as np
    >>> bool(transfer_table(np.ones((256, 3)), 0, threshold=0.5)[128:, 3].any())
    False
    """
    value = np.linspace(0, 1, 256)
    grey = np.clip(1 - value / LUNG_END, 0, 1)
    hu = DARKEST + WIDTH * grey
    importance = np.clip((value - MAP_START) / (1 - MAP_START), 0, 1)
    least = threshold - 1 / len(value) / (1 - MAP_START)  # of a value that was rounded
    lung, hot = value <= LUNG_END, (value >= MAP_START) & (importance >= least)
    table = np.zeros((256, 4), np.float32)
    table[lung, :3] = grey[lung, None]
    table[lung, 3] = 0.010 + 0.2 * (np.clip(hu - THIN, 0, None)[lung] / 1000) ** 2
    table[lung & (hu < CLEAR), 3] = 0
    table[hot, :3] = colors[np.rint(255 * importance).astype(int)][hot]
    table[hot, 3] = opacity * (0.2 + 0.6 * importance[hot])
    return table


def paired(average_hu: Any, importance: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Bring one or several averages into one form: name to (HU, importance).

    The average of no scan, which is NaN, is left out; a map that is not there is NaN.
    """
    if not isinstance(average_hu, Mapping):
        average_hu, importance = {"": average_hu}, {"": importance}
    names = list(importance) if isinstance(importance, Mapping) else ["one map without a name"]
    if not average_hu or not set(names) <= set(average_hu):
        raise ValueError(f"expected importance for {list(average_hu)}, found {names}")
    averages = {name: np.asarray(hu, np.float32) for name, hu in average_hu.items()}
    shown = {name: hu for name, hu in averages.items() if np.isfinite(hu).all()}
    if not shown:
        raise ValueError(f"expected finite HU, found NaN or infinity in {list(averages)}")
    no_map = np.float32(np.nan)
    return {
        name: (hu, np.asarray(importance.get(name, np.full_like(hu, no_map)), np.float32))
        for name, hu in shown.items()
    }


def was_computed(importance: np.ndarray, lung: np.ndarray) -> bool:
    """Whether there is a map: one that was not computed is NaN.

    Examples
    --------
    >>> was_computed(np.full((2, 2, 2), np.nan), np.ones((2, 2, 2), bool))
    False
    """
    return not np.isnan(importance[lung]).any()


def check_pair(name: str, average: np.ndarray, values: np.ndarray, lung: np.ndarray) -> None:
    """Raise ValueError unless HU, importance and mask are three-dimensional and fit."""
    if average.ndim != 3 or values.shape != average.shape or lung.shape != average.shape:
        raise ValueError(
            f"{name or 'the average'}: expected HU, importance and mask of one shape (X, Y, Z), "
            f"found {average.shape}, {values.shape} and {lung.shape}"
        )
    if was_computed(values, lung) and not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
        raise ValueError(
            f"{name or 'the average'}: importance lies in {values.min():.3g}..{values.max():.3g}, "
            "expected [0, 1]; clamlab.clam.importance scales it"
        )
