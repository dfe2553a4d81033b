"""Trials that put maps to the test: two pictures, of which one is right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.cohort.maps import rival_of
from clamlab.viewers.reading.blind_order import draw

COUNTERFACTUAL, AVERAGE = "counterfactual", "average"
PER_AVERAGE = 8
QUESTIONS = {
    COUNTERFACTUAL: "Which of the two is not a scan, but drawn from one?",
    AVERAGE: "Which map, 1 or 2, goes with the average on the left?",
}
Picture = Callable[[], tuple[ArrayLike, ArrayLike | None]]


@dataclass(frozen=True)
class Trial:
    """One question with a right and a wrong picture; pictures are made when they are shown.

    Attributes
    ----------
    kind : str
        "counterfactual" or "average".
    subject_id : str
        Whose scan it is; empty for averages.
    about : str
        What tells this trial from others of its kind.
    pictures : str
        A hash of what is shown: the same trial of another run of the study has another one.
    right, wrong : callable
        Each returns HU and a map in [0, 1], or None for no map.
    given : callable or None
        What is shown beside the two.
    """

    kind: str
    subject_id: str
    about: str
    pictures: str
    right: Picture
    wrong: Picture
    given: Picture | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What an answer is about: an answer about other pictures is no answer to this trial."""
        return self.kind, self.subject_id, self.about, self.pictures


def counterfactual_trials(
    volumes: NDArray,
    counterfactual_hu: NDArray,
    soft_assignments: ArrayLike,
    *,
    subject_ids: Sequence[str],
    n_trials: int = 20,
    seed: int = 1,
) -> list[Trial]:
    """Ask of some scans which is the scan and which the scan as a rival cluster would have it.

    A share of one half is what counterfactuals earn that cannot be told from scans.

    Parameters
    ----------
    volumes : array (n, *grid)
    counterfactual_hu : array (n, K, *grid)
        Each scan as each cluster would have it; the second likeliest cluster's is shown.
    soft_assignments : array (n, K)
    subject_ids : sequence of str
    n_trials : int
        Scans, drawn at random; all, if there are fewer.
    seed : int

    Returns
    -------
    list of Trial

    Examples
    --------
    >>> hu, soft = np.zeros((3, 4, 4)), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> trials = counterfactual_trials(hu, hu[:, None] + [[[0]], [[9]]], soft,
    ...                                subject_ids=["a", "b", "c"], n_trials=2)
    >>> len(trials), trials[0].kind
    (2, 'counterfactual')
    """
    soft = np.asarray(soft_assignments, dtype=float)
    ids = [str(name) for name in subject_ids]
    lengths = {len(ids), len(volumes), len(counterfactual_hu), len(soft)}
    if len(lengths) > 1:
        raise ValueError(f"expected as many ids as scans and counterfactuals, found {lengths}")
    drawn = sorted(range(len(ids)), key=lambda i: draw("scan", seed, ids[i]))[:n_trials]
    trials = []
    for i in drawn:
        rival = rival_of(soft[i], int(soft[i].argmax()))
        drawn_hu, scan = partial(_of, counterfactual_hu, i, rival), partial(_of, volumes, i)
        pictures = _hash(volumes[i], counterfactual_hu[i, rival])
        about = f"cluster {rival + 1}"
        trials.append(Trial(COUNTERFACTUAL, ids[i], about, pictures, drawn_hu, scan))
    return trials


def _of(arrays: NDArray, *place: int) -> tuple[NDArray, None]:
    return arrays[place], None


def average_trials(
    volumes: NDArray,
    clusters: ArrayLike,
    average_maps: Mapping[str, NDArray],
    *,
    backdrop: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    n_trials: int = 20,
    seed: int = 1,
) -> list[Trial]:
    """Ask which cluster's map goes with the average of a few scans of one cluster.

    A share of one half is what maps earn that say nothing about their cluster.

    Parameters
    ----------
    volumes : array (n, *grid)
    clusters : array of int (n,)
    average_maps : mapping of str to array (*grid)
        "Cluster 1" and so on, in [0, 1]; other names are not looked at.
    backdrop : array (*grid), optional
        HU under both maps, such as the average of all scans. Default: black.
    mask : array (*grid), optional
        Lung; maps are not shown outside it.
    n_trials : int
        Each with eight other scans of the cluster (all, where it has fewer); clusters take turns.
    seed : int

    Returns
    -------
    list of Trial

    Examples
    --------
    >>> maps = {"Cluster 1": np.zeros((4, 4)), "Cluster 2": np.ones((4, 4))}
    >>> trials = average_trials(np.zeros((6, 4, 4)), [0, 0, 0, 1, 1, 1], maps, n_trials=2)
    >>> [trial.about for trial in trials]
    ['cluster 1 or 2, average 1', 'cluster 2 or 1, average 2']
    """
    labels = np.asarray(clusters)
    known = [int(k) for k in np.unique(labels) if f"Cluster {k + 1}" in average_maps]
    if len(known) < 2:
        raise ValueError(f"expected maps of two clusters or more, found {list(average_maps)}")
    grid = np.shape(volumes)[1:]
    under = np.full(grid, -1000) if backdrop is None else np.asarray(backdrop)
    inside = np.ones(grid, bool) if mask is None else np.asarray(mask, bool)

    def map_of(cluster: int) -> NDArray:
        return np.where(inside, average_maps[f"Cluster {cluster + 1}"], 0)

    def shown(cluster: int) -> Picture:
        return lambda: (under, map_of(cluster))

    hash_of_map = cache(lambda cluster: _hash(map_of(cluster)))
    hash_of_scan = cache(lambda scan: _hash(volumes[scan]))
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(1, n_trials + 1):
        own = known[(number - 1) % len(known)]
        rival = int(rng.choice([k for k in known if k != own]))
        members = np.flatnonzero(labels == own)
        group = np.sort(rng.choice(members, min(PER_AVERAGE, len(members)), replace=False))
        about = f"cluster {own + 1} or {rival + 1}, average {number}"
        # The members by their voxels: rows are others' once somebody has left the study. What lies
        # under both maps alike is not asked about.
        words = [hash_of_map(own), hash_of_map(rival), *sorted(map(hash_of_scan, group))]
        given, pictures = partial(_average, volumes, group), _hash("".join(words).encode())
        trials.append(Trial(AVERAGE, "", about, pictures, shown(own), shown(rival), given))
    return trials


def _hash(*parts: NDArray | bytes) -> str:
    """Name what is shown; by a letter first, so that no spreadsheet takes it for a number."""
    whole = blake2b(digest_size=8)
    for part in parts:
        whole.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
    return f"p{whole.hexdigest()}"


def _average(volumes: NDArray, group: NDArray) -> tuple[NDArray, None]:
    return np.mean([volumes[i] for i in group], axis=0), None
