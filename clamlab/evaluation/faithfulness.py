"""Whether the assignment depends on the voxels that a map marks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter
from tqdm.auto import tqdm

from clamlab.clam import upsample
from clamlab.clam.maps import check_computed
from clamlab.evaluation.scores import SCALES, scores, squared_distances

FILLS = ("template", "mean")
IGNORANT = ("random", "blurred_random", "deviation")
_MEASURES = ("deletion", "insertion", "gap", "drop", "gain")


def faithfulness(
    model: Any,
    images: NDArray,
    maps: ArrayLike | Mapping[str, ArrayLike],
    *,
    mask: ArrayLike,
    clusters: ArrayLike,
    fills: Sequence[str] = FILLS,
    template: ArrayLike | None = None,
    donors: NDArray | None = None,
    beside: Sequence[str] = IGNORANT,
    steps: int = 16,
    blur: float = 2.0,
    batch_size: int = 8,
    seed: int,
    progress: bool = False,
) -> pd.DataFrame:
    """Test whether the assignment hangs on what a map marks, against maps that know nothing.

    The lung's voxels are taken away from the most important on (deletion), or given back in that
    order (insertion), and the hold of the scan's cluster is followed. Beside each map stand some
    that know nothing of the network.

    Parameters
    ----------
    model : any module with ``encode`` and ``centroids``
    images : array, shape (n_scans, *grid)
        Scans on the network's scale.
    maps : array, shape (n_scans, *grid) or (n_scans, *layer_grid), or mapping of name to array
        Each scan's map for its own cluster; several kinds can be tested at once.
    mask : array of bool, shape (*grid)
        The lung: nothing outside it is touched.
    clusters : array of int, shape (n_scans,)
        The cluster that the maps explain, from 0.
    fills : sequence of {"template", "mean"}
        What a removed voxel becomes: the template's value there, or the scan's own lung mean.
    template : array, shape (*grid), optional
        On the network's scale; by default the mean of ``images``.
    donors : array, shape (n_scans, *grid), optional
        For each scan a real one of another cluster (:func:`draw_donors`), whose voxels are pasted
        in as a further fill, "donor". It needs no invented fill: prefer it. Its scales then
        compare the two clusters alone.
    beside : sequence of {"random", "blurred_random", "deviation"}
        Maps that know nothing: random, smooth as maps are, and |scan - template|.
    steps : int
        Steps from all to nothing of the lung.
    blur : float
        Smoothness of the blurred random order, in voxels.
    batch_size : int
        Altered scans per pass.
    seed : int
        Of the random orders and of ties within a map.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    DataFrame
        One row per ``scan`` x ``order`` (the map's name, "random", "blurred_random",
        "deviation") x ``fill`` x ``scale`` ("q", "logit", "margin"), with ``cluster`` and

        - ``deletion``, ``insertion``: area under the curve; low and high are good;
        - ``gap``: insertion - deletion;
        - ``drop``, ``gain``: what the scan loses and wins when it is seen through the map alone
          (map scaled to [0, 1]); in q relative to q and to 1 - q, otherwise in the scale's unit;
        - ``switch_point``: smallest removed share of the lung at which the cluster changes
          (missing if it never does) and ``switch_to``, the cluster it changes to;
        - ``empty``: the map points nowhere; its measures are missing.

    Raises
    ------
    ValueError
        If a fill or a map beside is unknown, there is one cluster only, or the lengths differ.

    References
    ----------
    Petsiuk et al., RISE, 2018 (deletion, insertion); Chattopadhay et al., Grad-CAM++, 2018
    (average drop); Zhang et al., Opti-CAM, 2023 (average gain).

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> table = faithfulness(model, scans, abs(scans), mask=np.ones((8, 8), bool),
    ...                      clusters=[0, 0, 1], fills=["mean"], steps=4, seed=0)
    >>> len(table), table["order"].unique().tolist()
    (36, ['map', 'random', 'blurred_random', 'deviation'])
    """
    mask, own = np.asarray(mask).astype(bool), np.asarray(clusters)
    given = maps if isinstance(maps, Mapping) else {"map": maps}
    named = {name: _on_grid(m, mask.shape) for name, m in given.items()}
    _check(model, images, named, own, fills, beside)
    base: NDArray = np.mean(images, axis=0) if template is None else np.asarray(template)
    rows: list[dict] = []
    for i in tqdm(range(len(images)), "faithfulness", unit="scan", disable=not progress):
        image, rng = np.asarray(images[i]), np.random.default_rng([seed, i])
        orders = {name: m[i] for name, m in named.items()}
        ignorant = _ignorant(image, base, mask, blur, rng)
        orders |= {name: ignorant[name] for name in beside}
        donor = None if donors is None else np.asarray(donors[i])
        backdrops = _backdrops(image, base, mask, fills, donor)
        for order, shown in orders.items():
            for fill, backdrop in backdrops.items():
                rival = _rival(model, backdrop, int(own[i]), i) if fill == "donor" else None
                measured = _measure(
                    model,
                    image,
                    shown[mask],
                    backdrop,
                    mask,
                    int(own[i]),
                    rival,
                    steps,
                    batch_size,
                    rng,
                )
                key = {"scan": i, "cluster": int(own[i]), "order": order, "fill": fill}
                rows += [key | row for row in measured]
    return pd.DataFrame(rows).astype({"switch_to": "Int64"})


def draw_donors(images: NDArray, clusters: ArrayLike, *, seed: int) -> NDArray:
    """Draw for each scan a real one of another cluster, to paste its voxels in.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
    clusters : array of int, shape (n_scans,)
    seed : int

    Returns
    -------
    array, same shape as ``images``

    Raises
    ------
    ValueError
        If all scans are in one cluster.

    Examples
    --------
    >>> draw_donors(np.array([[1.0], [2.0], [3.0]]), [0, 0, 1], seed=0).ravel().tolist()[:2]
    [3.0, 3.0]
    """
    clusters, rng = np.asarray(clusters), np.random.default_rng(seed)
    if len(np.unique(clusters)) < 2:
        raise ValueError("donors come from another cluster, and all scans are in one")
    chosen = [rng.choice(np.flatnonzero(clusters != k)) for k in clusters]
    return np.stack([np.asarray(images[i]) for i in chosen])


def _check(
    model: Any,
    images: NDArray,
    named: Mapping,
    own: NDArray,
    fills: Sequence,
    beside: Sequence,
) -> None:
    if len(model.centroids) < 2:
        raise ValueError("faithfulness needs two clusters: with one, nothing can change")
    if unknown := set(fills) - set(FILLS):
        raise ValueError(f"fills must be among {FILLS}, found {sorted(unknown)}")
    if unknown := set(beside) - set(IGNORANT):
        raise ValueError(f"beside must be among {IGNORANT}, found {sorted(unknown)}")
    lengths = {"clusters": len(own)} | {f"map {n!r}": len(m) for n, m in named.items()}
    for name, length in lengths.items():
        if length != len(images):
            raise ValueError(f"{name}: expected one for each of {len(images)} scans, got {length}")
    for name, maps in named.items():
        check_computed(maps, f"map {name!r}")


def _on_grid(maps: ArrayLike, shape: tuple[int, ...]) -> NDArray:
    maps = np.asarray(maps)
    return maps if maps.shape[1:] == shape else upsample(maps, shape)


def _ignorant(image: NDArray, base: NDArray, mask: NDArray, blur: float, rng) -> dict:
    """Make the orders that know nothing of the network."""
    return {
        "random": rng.random(mask.shape),
        "blurred_random": gaussian_filter(rng.normal(size=mask.shape), blur),
        "deviation": np.abs(image - base),
    }


def _backdrops(
    image: NDArray, base: NDArray, mask: NDArray, fills: Sequence[str], donor: NDArray | None
) -> dict:
    values = {"template": base, "mean": image[mask].mean()}
    chosen = {fill: np.where(mask, values[fill], image) for fill in fills}
    return chosen if donor is None else chosen | {"donor": np.where(mask, donor, image)}


def _rival(model: Any, donor: NDArray, cluster: int, scan: int) -> int:
    rival = int(squared_distances(model, donor[None])[0].argmin())
    if rival == cluster:
        raise ValueError(
            f"the donor of scan {scan} is itself in cluster {cluster}, as the network sees it: "
            "draw donors by the network's own assignments"
        )
    return rival


def _measure(
    model: Any,
    image: NDArray,
    importance: NDArray,
    backdrop: NDArray,
    mask: NDArray[np.bool_],
    cluster: int,
    rival: int | None,
    steps: int,
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[dict]:
    low, high = importance.min(), importance.max()
    empty = bool(high == low)
    if empty:
        missing = dict.fromkeys([*_MEASURES, "switch_point"], np.nan)
        yield from ({"scale": s, "switch_to": None, "empty": True} | missing for s in SCALES)
        return
    # Ties in random order: in storage order, an all-alike region would vanish from the top.
    order = np.lexsort((rng.random(importance.size), -importance))
    shares = np.linspace(0, 1, steps + 1)
    counts = np.round(shares * importance.size).astype(int)
    seen = (importance - low) / (high - low)
    altered = _altered(image, backdrop, mask, order, counts, seen)
    distances = squared_distances(model, altered, batch_size=batch_size)
    n = len(counts)
    away, back, through = distances[:n], distances[n : 2 * n], distances[2 * n :]
    switched = np.flatnonzero(away.argmin(axis=1) != cluster)
    switch = {
        "switch_point": shares[switched[0]] if len(switched) else np.nan,
        "switch_to": int(away[switched[0]].argmin()) if len(switched) else None,
    }
    curves = [scores(d, cluster, rival) for d in (away, back, through)]
    for scale in SCALES:
        deletion, insertion, kept = (curve[scale] for curve in curves)
        areas = {
            "deletion": np.trapezoid(deletion, shares),
            "insertion": np.trapezoid(insertion, shares),
        }
        areas["gap"] = areas["insertion"] - areas["deletion"]
        change = _change(scale, deletion[0], kept[0])
        yield {"scale": scale} | areas | change | switch | {"empty": False}


def _altered(
    image: NDArray,
    backdrop: NDArray,
    mask: NDArray[np.bool_],
    order: NDArray,
    counts: NDArray,
    seen: NDArray,
) -> NDArray:
    """Stack the scan with ever more removed, with ever more given back, and through the map."""
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order))
    removed = rank < counts[:, None]
    keep = np.concatenate([~removed, removed, seen[None]]).astype(image.dtype)
    stacked = np.repeat(image[None], len(keep), axis=0)
    stacked[:, mask] = keep * image[mask] + (1 - keep) * backdrop[mask]
    return stacked


def _change(scale: str, before: float, after: float) -> dict[str, float]:
    drop, gain = max(0.0, before - after), max(0.0, after - before)
    if scale == "q":
        return {"drop": drop / before, "gain": gain / (1 - before) if before < 1 else 0.0}
    return {"drop": drop, "gain": gain}
