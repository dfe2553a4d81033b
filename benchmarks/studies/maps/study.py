"""Which kind of map is specific, faithful, in place and sane, where the truth is known."""

import copy
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.evaluation import faithfulness, map_correlation
from clamlab.evaluation.controls import untrained_copy
from clamlab.evaluation.faithfulness import draw_donors
from clamlab.experiments.resuming import resumed_rows, settings_text
from clamlab.experiments.simulation import CLUSTER_EPOCHS, PRETRAIN_EPOCHS
from clamlab.simulate import lung_slices
from clamlab.simulate.slices import SliceCohort
from clamlab.training import embed
from studies.maps.kinds import KINDS, Examined, Maps, examined, some_of_each
from studies.maps.measures import (
    counterfactuals,
    lesions_vary,
    perfect_by_lot,
    specificity,
    true_places,
    whereabouts,
)
from studies.maps.networks import Network, clustered, kept_network

CELL = ["scenario", "n_true", "settings"]
WITH_NETWORK = ("contrast", "activation", "gradients_template", "gradients_mean")


@dataclass(frozen=True)
class Cell:
    """One cohort that is clustered and explained several times: what `map_study` goes through."""

    scenario: str
    n_true: int
    data_seed: int
    seeds: tuple[int, ...]
    slices: dict[str, Any]
    channels: tuple[int, ...] = (32, 64, 128)
    n_examined: int = 20
    networks: str | os.PathLike | None = None

    @property
    def training(self) -> dict[str, Any]:
        """How every network is trained."""
        epochs = {"pretrain_epochs": PRETRAIN_EPOCHS, "cluster_epochs": CLUSTER_EPOCHS}
        return {"channels": self.channels, **epochs}

    @property
    def key(self) -> tuple:
        """What tells this cell from all others."""
        told = {"data_seed": self.data_seed, **dict(sorted(self.slices.items())), **self.training}
        return self.scenario, self.n_true, settings_text(told | {"n_examined": self.n_examined})

    def cohort(self) -> SliceCohort:
        """Draw the scans."""
        return lung_slices(self.scenario, self.n_true, seed=self.data_seed, **self.slices)

    def network(self, cohort: SliceCohort, seed: int) -> Network:
        """Cluster them, or take the network that is kept of this training."""
        name = f"{self.scenario}_{self.n_true}"
        kept = kept_network(self.networks, name, self.key, seed)
        return clustered(cohort, seed=seed, kept=kept, **self.training)


def map_study(
    scenarios: Iterable[tuple[str, int]],
    *,
    data_seed: int,
    seeds: Sequence[int],
    slices: Iterable[dict] = ({},),
    channels: Sequence[int] = (32, 64, 128),
    n_scans: int = 300,
    n_examined: int = 20,
    n_jobs: int = 1,
    path: str | os.PathLike | None = None,
    networks: str | os.PathLike | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Learn which kind of map to believe: every kind on the same scans, held against the truth.

    Parameters
    ----------
    scenarios : iterable of (name, number of clusters)
        As `lung_slices` takes them.
    data_seed : int
        Of the cohorts.
    seeds : sequence of int
        Trainings of each cohort; maps of different trainings are held against each other.
    slices : iterable of dict
        More keywords of `lung_slices`; every scenario is drawn with each.
    channels : sequence of int
        Width of the network.
    n_scans, n_examined : int
        Scans of a cohort, and how many of them are explained, equally many of each cluster.
    n_jobs : int
        Cohorts at a time, each in a process of its own.
    path : path, optional
        CSV that is written after every cohort; an interrupted study goes on where it was.
    networks : path, optional
        Folder where trained networks are kept, so that maps made another way can be measured
        without training again. Whoever changes how networks are trained empties it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row per scenario, n_true, settings, seed, kind of map and measure: value. Measures:
        own_other, pair_iou, pair_correlation and perfect_pair_correlation (specific);
        deletion_* and insertion_* by fill (faithful; ``perfect`` is a map of the true places);
        iou, iou_worst_cluster, peak_px, energy_above_chance (in the right place); untrained,
        shuffled and seeds, correlations with the map of an untrained network, of centroids of
        shuffled clusters (perfect_shuffled: of perfect maps), and of the other trainings (sane);
        flips, hu_sign, hu_error (of the counterfactual scans); accuracy.

    Examples
    --------
    >>> table = map_study(
    ...     [("location", 2)], data_seed=1, seeds=[1], channels=(2, 2, 4), n_scans=12, n_examined=4,
    ...     progress=False,
    ... )
    >>> {"activation", "contrast", "mean_difference"} <= set(table["kind"])
    True
    """
    cells = [
        Cell(
            name,
            k,
            data_seed,
            tuple(seeds),
            {"n_scans": n_scans} | more,
            tuple(channels),
            n_examined,
            networks,
        )
        for (name, k), more in itertools.product(list(scenarios), list(slices))
    ]
    table = resumed_rows(
        cell_rows,
        cells,
        key=CELL,
        path=path,
        order=[*CELL, "seed"],
        n_jobs=n_jobs,
        title="cohorts",
        progress=progress,
    )
    wanted = {cell.key for cell in cells}
    return table[table[CELL].apply(tuple, axis=1).isin(wanted)].reset_index(drop=True)


def cell_rows(cell: Cell) -> pd.DataFrame:
    """Draw a cohort, train anew with every seed, and measure every kind of map."""
    cohort = cell.cohort()
    scans = some_of_each(cohort.labels, cell.n_examined)
    tables, shown = [], []
    for seed in cell.seeds:
        network = cell.network(cohort, seed)
        seen = examined(network, cohort, scans)
        kinds = {name: make(seen, seen.own) for name, make in KINDS.items()}
        accuracy = float((network.clusters == cohort.labels).mean())
        hu_per_unit = network.rule["scale"]
        told = _values(kinds, seen, cohort, scans, hu_per_unit, seed)
        values = [("network", "accuracy", accuracy), *told]
        tables.append(pd.DataFrame(values, columns=["kind", "measure", "value"]).assign(seed=seed))
        shown.append({name: maps.shown for name, maps in kinds.items()})
    table = pd.concat([*tables, _between_trainings(shown, cohort.lung_mask)])
    known = dict(zip(CELL, cell.key, strict=True))
    return table.assign(**known)[[*CELL, "seed", "kind", "measure", "value"]].round(5)


def _values(
    kinds: dict[str, Maps],
    seen: Examined,
    cohort: SliceCohort,
    scans: NDArray,
    hu_per_unit: float,
    seed: int,
) -> Iterator[tuple[str, str, float]]:
    true_pairs, true_clusters = true_places(cohort, scans)
    for kind, maps in kinds.items():
        for_other = KINDS[kind](seen, seen.others).shown
        measured = specificity(maps, for_other, seen, true_pairs)
        measured |= whereabouts(maps, seen, true_clusters)
        yield from ((kind, measure, value) for measure, value in measured.items())
    perfect = None if lesions_vary(cohort) else Maps(true_clusters * 1.0, true_pairs * 1.0)
    yield from _faithfulness(kinds, seen, seed, perfect)
    yield from _sanity(kinds, seen, cohort, seed)
    pairs = kinds["contrast"].pairs
    assert pairs is not None  # what contrast maps are
    told = counterfactuals(seen, pairs, cohort, hu_per_unit)
    yield from (("contrast", measure, value) for measure, value in told.items())


def _faithfulness(
    kinds: dict[str, Maps], seen: Examined, seed: int, perfect: Maps | None
) -> Iterator[tuple[str, str, float]]:
    """Take away, and give back, what each map marks: to the template, the mean, and a donor.

    Against a donor of another cluster a kind answers with its pair map, if it has one. Maps of
    where clusters truly differ, if known, tell what there is to be had.
    """
    donors, others = _donors(seen, seed)
    orders = {name: maps.shown for name, maps in kinds.items()}
    # Sizes in between differ from every rival nowhere: then there is no perfect map to ask.
    if perfect and perfect.shown.any(axis=(1, 2)).all():
        orders["perfect"] = perfect.shown
    each = np.arange(len(seen.own))
    against = {
        name: maps.shown if maps.pairs is None else maps.pairs[each, others]
        for name, maps in (kinds | ({"perfect": perfect} if perfect else {})).items()
    }
    given: dict[str, Any] = {
        "mask": seen.mask,
        "clusters": seen.own,
        "template": seen.template,
        "seed": seed,
    }
    tables = [
        faithfulness(seen.model, seen.images, orders, **given),
        faithfulness(seen.model, seen.images, against, fills=(), donors=donors, **given),
    ]
    table = pd.concat(tables)
    means = (
        table[table["scale"] == "q"].groupby(["order", "fill"])[["deletion", "insertion"]].mean()
    )
    for (order, fill), row in means.iterrows():
        yield from ((order, f"{measure}_{fill}", float(value)) for measure, value in row.items())


def _donors(seen: Examined, seed: int) -> tuple[NDArray, NDArray]:
    """Draw a scan of another cluster for each scan, and tell which cluster."""
    numbered = draw_donors(np.arange(len(seen.own)), seen.own, seed=seed)
    return seen.images[numbered], seen.own[numbered]


def _sanity(
    kinds: dict[str, Maps], seen: Examined, cohort: SliceCohort, seed: int
) -> Iterator[tuple[str, str, float]]:
    """Hold maps against those of a network that learned nothing, and of clusters by lot."""
    untrained = untrained_copy(seen.model, seen.images, seen.own, seed=seed)
    lots = np.random.default_rng(seed).permutation(seen.own)
    shuffled = copy.deepcopy(seen.model)
    features = embed(shuffled, seen.images)
    for k in np.unique(lots):
        mean = features[lots == k].mean(axis=0)
        shuffled.centroids.data[k] = shuffled.centroids.new_tensor(mean)
    for name, model in (("untrained", untrained), ("shuffled", shuffled)):
        for kind in WITH_NETWORK:
            maps = KINDS[kind](replace(seen, model=model), seen.own)
            alike = map_correlation(kinds[kind].shown, maps.shown, mask=seen.mask)
            yield kind, name, float(np.nanmean(alike))
    if not lesions_vary(cohort):
        yield "contrast", "perfect_shuffled", perfect_by_lot(seen, cohort.noise_free, lots)


def _between_trainings(shown: list[dict[str, NDArray]], mask: NDArray) -> pd.DataFrame:
    """Correlate every kind's maps of the same scans between trainings."""
    rows = [
        {
            "kind": kind,
            "measure": "seeds",
            "value": np.nanmean(map_correlation(a[kind], b[kind], mask=mask)),
        }
        for a, b in itertools.combinations(shown, 2)
        for kind in a
    ]
    return pd.DataFrame(rows, columns=["kind", "measure", "value"]).assign(seed=-1)
