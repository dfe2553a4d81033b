"""One card per cluster: what its maps can and cannot be trusted for."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.clam import cluster_activation_map, importance
from clamlab.contrast import contrast_map
from clamlab.evaluation.controls import (
    deviation_map,
    integrated_gradients_map,
    occlusion_map,
    untrained_copy,
    unweighted_map,
)
from clamlab.evaluation.correlations import (
    map_correlation,
    other_cluster_correlation,
    pair_correlation,
    weight_necessity,
)
from clamlab.evaluation.faithfulness import draw_donors, faithfulness
from clamlab.evaluation.verdicts import verdict

KINDS = ("activation", "contrast")
BEATEN = ("blurred_random", "deviation")  # what a map has to beat: with these it is compared


def trust_card(
    model: Any,
    images: NDArray,
    *,
    mask: ArrayLike,
    clusters: ArrayLike,
    kinds: Sequence[str] = KINDS,
    maps: Mapping[str, NDArray] | None = None,
    template: ArrayLike | None = None,
    layer: int = -1,
    n_examined: int = 10,
    steps: int = 16,
    batch_size: int = 8,
    seed: int,
    progress: bool = False,
) -> pd.DataFrame:
    """Learn, cluster by cluster, what its maps can and cannot be trusted for.

    Some scans of each cluster are examined: their maps are held against every control, and the
    assignment is tested for its dependence on what they mark.

    Parameters
    ----------
    model : DeepClustering, or any module with ``encode``, ``feature_maps``, ``centroids`` and,
        for contrast maps, ``decode``
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale.
    mask : array of bool, shape (*grid)
        The lung: everything is measured inside it.
    clusters : array of int, shape (n_scans,)
        The network's assignment, from 0.
    kinds : sequence of {"activation", "contrast"}
        Kinds of map to judge.
    maps : mapping of kind to array, shape (n_scans, n_clusters, *grid or *layer_grid), optional
        Maps at hand: unscaled sums for "activation", ``contrast_map`` for "contrast". Kinds that
        are not given are worked out for the examined scans.
    template : array, shape (*grid), optional
        On the network's scale; by default the mean of the examined scans.
    layer : int
        Encoder convolution of the activation maps; their controls are made at the same layer.
    n_examined : int
        Scans per cluster. Fewer than 5 cannot decide any of the comparisons.
    steps : int
        Steps of :func:`faithfulness`.
    batch_size : int
    seed : int
        Of the choice of scans and everything random in the tests.
    progress : bool

    Returns
    -------
    DataFrame
        One row per ``cluster`` and ``kind``. Correlations are means over examined scans, inside
        the lung:

        - ``n_scans``, ``n_examined``, ``n_empty`` (maps that point nowhere);
        - ``weight_necessity``: 1 - correlation with the unweighted sum (activation only);
        - ``other_cluster_correlation``: own map with those for other clusters; for contrast, of
          the pair maps with each other (missing with one rival);
        - ``untrained_correlation``, ``deviation_correlation``,
          ``integrated_gradients_correlation``, ``occlusion_correlation``: with the controls;
        - ``deletion``, ``insertion``, ``gap``, ``drop``, ``gain``: means over fills, in q;
        - ``switch_point``: median share of the lung to remove until the cluster changes, 1 where
          it never does;
        - ``better_than_random``, ``better_than_deviation``: share of scans in which insertion -
          deletion (log-odds, mean over fills) beats a smooth random map, and |scan - template|;
        - ``verdict``: all this in plain words (:func:`verdict`).

    Raises
    ------
    ValueError
        If a kind is unknown or fewer than two clusters have scans.

    Examples
    --------
    >>> import torch
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(8, 8, 8)).astype("float32")
    >>> model.centroids.data = model.encode(torch.as_tensor(scans[:2])).detach()
    >>> from clamlab.contrast import most_probable
    >>> card = trust_card(model, scans, mask=np.ones((8, 8), bool), steps=4, seed=0,
    ...                   clusters=most_probable(model, scans), kinds=["contrast"])
    >>> card[["cluster", "kind", "n_examined"]].to_numpy().tolist()
    [[0, 'contrast', 5], [1, 'contrast', 3]]
    """
    mask, clusters = np.asarray(mask).astype(bool), np.asarray(clusters)
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"kinds must be among {KINDS}, found {sorted(unknown)}")
    filled = np.unique(clusters)
    if len(filled) < 2:
        raise ValueError("trust cards compare clusters, and all scans are in one")
    rows = _examined(clusters, n_examined, seed)
    scans, own = np.stack([np.asarray(images[i]) for i in rows]), clusters[rows]
    template = scans.mean(axis=0) if template is None else np.asarray(template)

    def explain(network: Any, kind: str) -> NDArray:
        if kind == "activation":
            return importance(
                cluster_activation_map(network, scans, layer=layer, batch_size=batch_size)
            )
        with warnings.catch_warnings():
            # Maps without evidence are counted on the card; an untrained network has many.
            warnings.filterwarnings("ignore", message=".*hold no evidence")
            return contrast_map(
                network,
                scans,
                mask=mask,
                clusters=own,
                rivals=filled.tolist(),
                batch_size=batch_size,
            )

    shown = {}
    for kind in kinds:
        at_hand = (maps or {}).get(kind)
        if at_hand is None:
            shown[kind] = explain(model, kind)
        else:
            given = np.stack([np.asarray(at_hand[i]) for i in rows])
            shown[kind] = importance(given) if kind == "activation" else given
    untrained = untrained_copy(model, scans, own, seed=seed, batch_size=batch_size)
    controls = _controls(model, scans, own, mask, template, layer, batch_size)
    each = np.arange(len(rows))
    tests = faithfulness(
        model,
        scans,
        {kind: shown[kind][each, own] for kind in kinds},
        mask=mask,
        clusters=own,
        template=template,
        donors=draw_donors(scans, own, seed=seed),
        beside=BEATEN,
        steps=steps,
        batch_size=batch_size,
        seed=seed,
        progress=progress,
    )
    cards = []
    for kind in kinds:
        per_scan = _alikeness(kind, shown[kind], own, controls, mask)
        fresh = explain(untrained, kind)[each, own]
        per_scan["untrained_correlation"] = map_correlation(
            shown[kind][each, own], fresh, mask=mask
        )
        per_scan = per_scan.join(_dependence(tests, kind))
        for k in range(len(model.centroids)):
            cards.append(_card(k, kind, per_scan[own == k], int((clusters == k).sum())))
    return pd.DataFrame(cards).sort_values(["cluster", "kind"], ignore_index=True)


def _examined(clusters: NDArray, n_examined: int, seed: int) -> NDArray:
    """Draw the scans to look at, some of each cluster."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(clusters == k) for k in np.unique(clusters)]
    chosen = [rng.choice(m, min(n_examined, len(m)), replace=False) for m in members]
    return np.sort(np.concatenate(chosen))


def _controls(
    model: Any,
    scans: NDArray,
    own: NDArray,
    mask: NDArray,
    template: NDArray,
    layer: int,
    batch_size: int,
) -> dict[str, NDArray]:
    given: dict[str, Any] = {"mask": mask, "clusters": own, "batch_size": batch_size}
    return {
        "deviation": deviation_map(scans, template, mask=mask),
        "integrated_gradients": integrated_gradients_map(model, scans, template, **given),
        "occlusion": occlusion_map(model, scans, template, **given),
        "unweighted": importance(unweighted_map(model, scans, layer=layer)[:, None])[:, 0],
    }


def _alikeness(
    kind: str, maps: NDArray, own: NDArray, controls: dict[str, NDArray], mask: NDArray
) -> pd.DataFrame:
    """Hold each scan's map against the controls; one row per scan."""
    shown = maps[np.arange(len(own)), own]
    table = pd.DataFrame(index=range(len(own)))
    if kind == "activation":
        table["weight_necessity"] = weight_necessity(shown, controls["unweighted"], mask=mask)
        table["other_cluster_correlation"] = other_cluster_correlation(maps, own, mask=mask)
    else:
        table["weight_necessity"] = np.nan
        table["other_cluster_correlation"] = pair_correlation(maps, own, mask=mask)
    for name in ("deviation", "integrated_gradients", "occlusion"):
        table[f"{name}_correlation"] = map_correlation(shown, controls[name], mask=mask)
    return table


def _dependence(tests: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Gather the faithfulness of one kind of map; one row per scan."""
    mine = tests[(tests["order"] == kind) & (tests["scale"] == "q")]
    table = mine.groupby("scan")[["deletion", "insertion", "gap", "drop", "gain"]].mean()
    table["empty"] = mine.groupby("scan")["empty"].first()  # inside the lung, as all is measured
    switch = mine.assign(point=mine["switch_point"].fillna(1.0).where(~mine["empty"]))
    table["switch_point"] = switch.groupby("scan")["point"].median()
    gaps = tests[tests["scale"] == "logit"].pivot_table(
        index="scan", columns="order", values="gap", dropna=False
    )
    for rival, name in zip(BEATEN, ("random", "deviation"), strict=True):
        beaten = (gaps[kind] > gaps[rival]).astype(float)
        table[f"better_than_{name}"] = beaten.where(gaps[kind].notna())
    return table


def _card(cluster: int, kind: str, per_scan: pd.DataFrame, n_scans: int) -> dict:
    numbers = per_scan.drop(columns=["empty", "switch_point"]).mean()
    card = {
        "cluster": cluster,
        "kind": kind,
        "n_scans": n_scans,
        "n_examined": len(per_scan),
        "n_empty": int(per_scan["empty"].sum()),
        **numbers.to_dict(),
        "switch_point": per_scan["switch_point"].median(),
    }
    return card | {"verdict": verdict(card)}
