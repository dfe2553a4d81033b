"""What longer pre-training does to the features, and to the number of clusters read from them."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from clamlab.evaluation import clustering_accuracy
from clamlab.experiments.methods import HELD_OUT
from clamlab.models import ConvAutoencoder
from clamlab.selection import recommended_n_clusters
from clamlab.selection.criteria import kmeans, separation
from clamlab.simulate import lung_slices
from clamlab.training import embed, pretrain
from clamlab.volumes import fit_scaling, scale

COLUMNS = [
    "scenario",
    "n_true",
    "seed",
    "epochs",
    "n_clusters",
    "silhouette",
    "loss",
    "held_out_loss",
    "accuracy",
    "pick_silhouette",
    "pick_recommended",
]


def training_length(
    scenario: str,
    n_clusters: int,
    *,
    seed: int,
    epochs: int = 200,
    every: int = 5,
    n_scans: int = 300,
    slices: dict | None = None,
    channels: Sequence[int] = (32, 64, 128),
    k_max: int = 8,
    progress: bool = True,
) -> pd.DataFrame:
    """See why the silhouette alone fails: its number of clusters depends on the training's length.

    One autoencoder is trained to the end, without stopping early, and its features are looked at
    on the way.

    Parameters
    ----------
    scenario, n_clusters
        What tells the clusters apart, and their true number, as `lung_slices` takes them.
    seed : int
        Of the cohort and the training.
    epochs : int
        Length of the training.
    every : int
        Epochs between two looks, from 1 to `epochs`.
    n_scans : int
    slices : dict, optional
        More keywords of `lung_slices`: anatomy, noise_sd, contrast_hu, radius_px, jitter_px.
    channels : sequence of int
        Width of the network.
    k_max : int
        Largest number of clusters looked at (less in cohorts of few scans).
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row per look and number of clusters: scenario, n_true, seed, epochs (trained so far),
        n_clusters, silhouette (of k-means); and, the same for every number of a look, loss,
        held_out_loss (of the tenth of the scans that training does not see: where it is least, the
        other experiments stop), accuracy (of k-means at the true number), pick_silhouette and
        pick_recommended.

    Raises
    ------
    ValueError
        If `every` is out of its range.

    Examples
    --------
    >>> table = training_length(
    ...     "location", 2, seed=1000, epochs=2, every=1, n_scans=20, channels=(2, 2, 4), k_max=3,
    ...     progress=False,
    ... )
    >>> table[["epochs", "n_clusters"]].to_numpy().tolist()
    [[1, 2], [1, 3], [2, 2], [2, 3]]
    """
    if not 1 <= every <= epochs:
        raise ValueError(f"every must be from 1 to the {epochs} epochs; found {every}")
    cohort = lung_slices(scenario, n_clusters, n_scans=n_scans, seed=seed, **(slices or {}))
    rule = fit_scaling(cohort.images, cohort.lung_mask)
    images = np.asarray(scale(cohort.images, cohort.lung_mask, rule))
    model = ConvAutoencoder(images.shape[1:], channels=tuple(channels), seed=seed)
    look = partial(_seen, truth=cohort.labels, k_max=min(k_max, (n_scans - 1) // 2), seed=seed)
    looks = []

    def on_epoch(history: pd.DataFrame) -> None:
        now = history.iloc[-1]
        if now["epoch"] % every == 0:
            losses = {"loss": now["loss"], "held_out_loss": now["held_out_loss"]}
            looks.append(look(embed(model, images)).assign(epochs=int(now["epoch"]), **losses))

    pretrain(
        model,
        images,
        epochs=epochs,
        patience=epochs,
        held_out=HELD_OUT,
        seed=seed,
        on_epoch=on_epoch,
        progress=progress,
    )
    told = pd.concat(looks, ignore_index=True).assign(
        scenario=scenario, n_true=n_clusters, seed=seed
    )
    return told[COLUMNS]


@threadpool_limits.wrap(limits=1)  # k-means on many threads mostly waits
def _seen(features: NDArray, *, truth: NDArray, k_max: int, seed: int) -> pd.DataFrame:
    """Ask the features of one moment for the number of clusters."""
    several = range(2, k_max + 1)
    labels = [kmeans(features, k, seed=seed).labels_ for k in several]
    silhouette = pd.Series([separation(features, found)[0] for found in labels], index=several)
    at_truth = kmeans(features, len(np.unique(truth)), seed=seed).labels_
    return (
        silhouette.rename_axis("n_clusters")
        .reset_index(name="silhouette")
        .assign(
            accuracy=clustering_accuracy(truth, at_truth),
            pick_silhouette=silhouette.idxmax(),
            pick_recommended=recommended_n_clusters(features, seed=seed, k_max=k_max),
        )
    )
