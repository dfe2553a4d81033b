"""See a cluster's average importance inside the lung, in three dimensions."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike

AIR, TISSUE = -1000, 0  # HU shown between fully clear and dense
CAPTION = "Seen from the front, patient's right on the left; drag to turn, wheel to come closer."


def volume_view(
    average_hu: ArrayLike | Mapping[str, ArrayLike],
    importance: ArrayLike | Mapping[str, ArrayLike],
    *,
    mask: ArrayLike | None = None,
    affine: ArrayLike | None = None,
    threshold: float = 0.5,
    size: int = 520,
) -> widgets.Widget:
    """Turn a cluster's average lung in the hand, with the important regions glowing inside.

    The lung is a translucent blue-grey cloud, denser where it is denser; importance at or above
    `threshold` goes from red to yellow. It starts seen from the front, head up, the patient's
    right on the left of the picture. Drawn with ipyvolume (WebGL).

    Parameters
    ----------
    average_hu : array (X, Y, Z), or dict of str to such arrays
        Average HU in RAS+ voxel order; values beyond -1000..0 HU are shown as the nearest end.
    importance : array (X, Y, Z), or dict of str to such arrays
        Average importance in [0, 1]. Dicts hold several averages under the same names
        (``"Cluster 1"``), and a selector chooses the one shown.
    mask : bool array (X, Y, Z), optional
        Lung; nothing is drawn outside it. Without it, everything above -1000 HU is drawn.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; gives the proportions. Default: cubic voxels.
    threshold : float
        Least importance that is coloured.
    size : int
        Width and height of the picture in screen pixels.

    Returns
    -------
    ipywidgets.Widget
        A box with the picture and, for several clusters, their selector.

    Raises
    ------
    ValueError
        If names or shapes differ, importance leaves [0, 1], or the threshold is not in (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> averages = {"Cluster 1": np.full((8, 8, 8), -700), "Cluster 2": np.full((8, 8, 8), -800)}
    >>> box = volume_view(averages, {name: np.zeros((8, 8, 8)) for name in averages})
    >>> box.children[0].options
    ('Cluster 1', 'Cluster 2')
    """
    if not 0 < threshold < 1:
        raise ValueError(f"expected a threshold between 0 and 1, found {threshold}")
    pairs = _pairs(average_hu, importance)
    grid = next(iter(pairs.values()))[0].shape
    lung = np.ones(grid, bool) if mask is None else np.asarray(mask, dtype=bool)
    for name, (average, values) in pairs.items():
        _check(name, average, values, lung)
    scenes = {name: merge(*pair, lung, threshold=threshold) for name, pair in pairs.items()}
    spacing = np.ones(3) if affine is None else np.linalg.norm(np.asarray(affine)[:3, :3], axis=0)
    figure, volume = _figure(next(iter(scenes.values())), spacing, size)
    caption = widgets.HTML(f"<small>{CAPTION} Coloured: importance ≥ {threshold:g}.</small>")
    if len(scenes) == 1:
        return widgets.VBox([figure, caption])
    selector = widgets.Dropdown(options=list(scenes), description="Show")

    def choose(change: Any) -> None:
        with quiet():
            volume.data = scenes[change.new]

    selector.observe(choose, "value")
    return widgets.VBox([selector, figure, caption])


def merge(
    average_hu: np.ndarray, importance: np.ndarray, mask: np.ndarray, *, threshold: float
) -> np.ndarray:
    """Put lung and importance into one volume, as ipyvolume draws only one.

    Values up to 0.48 are lung (0 clear, 0.48 dense), those from 0.52 importance; ipyvolume's
    axes are z, y, x. All lies in [0, 1], because ipyvolume wraps around what does not.

    Examples
    --------
    >>> import numpy as np
    >>> hu, high = np.array([[[-1000.0, 500.0]]]), np.array([[[0.2, 1.0]]])
    >>> merge(hu, high, np.ones((1, 1, 2), bool), threshold=0.5).ravel().tolist()
    [0.0, 1.0]
    """
    lung = 0.48 * np.clip((average_hu - AIR) / (TISSUE - AIR), 0, 1)
    hot = 0.52 + 0.48 * (importance - threshold) / (1 - threshold)
    scene = np.where(importance >= threshold, np.clip(hot, 0.52, 1), lung)
    return np.where(mask, scene, 0).transpose(2, 1, 0).astype(np.float32)


def transfer_table() -> np.ndarray:
    """Return the colour and opacity (256, 4) of each value of a merged scene."""
    value = np.linspace(0, 1, 256)
    table = np.zeros((256, 4), np.float32)
    lung = value < 0.5
    table[lung, :3] = (0.55, 0.68, 0.80)
    table[lung, 3] = 0.010 + 0.9 * np.clip(value[lung] - 0.06, 0, None) ** 2
    table[value < 0.02, 3] = 0
    heat = np.clip((value - 0.5) / 0.5, 0, 1)
    table[~lung, 0] = 1
    table[~lung, 1] = (0.15 + 0.8 * heat)[~lung]
    table[~lung, 2] = (0.05 + 0.2 * heat)[~lung]
    table[~lung, 3] = (0.12 + 0.3 * heat)[~lung]
    return table


def _figure(scene: np.ndarray, spacing: np.ndarray, size: int) -> tuple:
    with quiet():
        import ipyvolume as ipv
        import pythreejs

        half = np.array(scene.shape[::-1]) * spacing / 2
        volume = ipv.Volume(
            data=scene,
            data_min=0,
            data_max=1,
            tf=ipv.TransferFunction(rgba=transfer_table()),
            extent=[[-h, h] for h in half],
            rendering_lighting=False,
        )
        # x runs to the patient's right, y to the front, z to the head: the camera stands in
        # front (+y) with +z up, and so has the patient's right on its left. Nothing is mirrored.
        camera = pythreejs.PerspectiveCamera(fov=45, position=(0, 1.5, 0), up=(0, 0, 1), aspect=1)
        style = {"background-color": "#0e1116", "axes": {"visible": False}}
        figure = ipv.Figure(
            width=size,
            height=size,
            volumes=[volume],
            camera=camera,
            style=style | {"box": {"visible": False}},
        )
    limits = (-half.max(), half.max())  # the same for all axes, or the lung is stretched to a cube
    figure.xlim = figure.ylim = figure.zlim = limits
    return figure, volume


@contextmanager
def quiet() -> Iterator[None]:
    """Keep ipyvolume's remarks about flat regions, which have no gradient, from the reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _pairs(average_hu: Any, importance: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Bring one or several averages into one form: name to (HU, importance)."""
    if not isinstance(average_hu, Mapping):
        average_hu, importance = {"": average_hu}, {"": importance}
    names = list(importance) if isinstance(importance, Mapping) else "one map without a name"
    if set(average_hu) != set(names):
        raise ValueError(f"expected importance for {list(average_hu)}, found {names}")
    return {
        name: (np.asarray(average_hu[name], np.float32), np.asarray(importance[name], np.float32))
        for name in average_hu
    }


def _check(name: str, average: np.ndarray, values: np.ndarray, lung: np.ndarray) -> None:
    if average.ndim != 3 or values.shape != average.shape or lung.shape != average.shape:
        raise ValueError(
            f"{name or 'the average'}: expected HU, importance and mask of one shape (X, Y, Z), "
            f"found {average.shape}, {values.shape} and {lung.shape}"
        )
    if not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):  # also false for NaN
        raise ValueError(
            f"{name or 'the average'}: importance lies in {values.min():.3g}..{values.max():.3g}, "
            "expected [0, 1]; clamlab.clam.importance scales it"
        )
