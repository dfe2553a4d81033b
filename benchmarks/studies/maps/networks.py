"""Networks of a study, kept so that other kinds of map can be measured on the same trainings."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from clamlab.atomic import whole_file
from clamlab.experiments.explained import name_by_truth
from clamlab.experiments.methods import Deep
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.simulate.slices import SliceCohort
from clamlab.training import assign, embed
from clamlab.volumes import fit_scaling, scale


@dataclass(frozen=True)
class Network:
    """A clustered cohort: its scans on the network's scale, the network, and what it found.

    Cluster k of the model and of ``clusters`` stands for the true cluster k.
    """

    rule: dict[str, Any]
    images: NDArray
    model: DeepClustering
    clusters: NDArray


def kept_network(
    folder: str | os.PathLike | None, name: str, settings: object, seed: int
) -> Path | None:
    """Name the file in which the network of one training is kept; None where none is."""
    if folder is None:
        return None
    digest = hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
    return Path(folder) / f"{name}_{digest}_{seed}.safetensors"


def clustered(
    cohort: SliceCohort, *, seed: int, kept: Path | None = None, **training: Any
) -> Network:
    """Cluster a cohort by its true number of clusters, or take the network that did so before.

    Parameters
    ----------
    cohort : SliceCohort
    seed : int
        Of the training.
    kept : path, optional
        File of weights: read if it is there, otherwise written.
    **training
        As for `Deep`.

    Examples
    --------
    >>> from clamlab.simulate import lung_slices
    >>> cohort = lung_slices("location", 2, n_scans=12, seed=1)
    >>> training = {"channels": (2, 2, 4), "pretrain_epochs": 1, "cluster_epochs": 1}
    >>> clustered(cohort, seed=1, **training).clusters.shape
    (12,)
    """
    n_clusters = len(np.unique(cohort.labels))
    if kept and kept.exists():
        rule = fit_scaling(cohort.images, cohort.lung_mask)
        images = np.asarray(scale(cohort.images, cohort.lung_mask, rule))
        made = training.get("network", ConvAutoencoder)
        autoencoder = made(images.shape[1:], channels=tuple(training["channels"]))
        model = DeepClustering(autoencoder, n_clusters)
        model.load_state_dict(load_file(kept))
    else:
        fitter = Deep(cohort, seed=seed, **training)
        fitter.cluster(n_clusters)
        assert fitter.model is not None  # the line above has fitted it
        rule, images, model = fitter.rule, fitter.images, fitter.model
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(kept) as temporary:
                save_file(model.state_dict(), temporary)
    found = assign(model, embed(model, images)).argmax(axis=1)
    return Network(rule, images, model, name_by_truth(model, cohort.labels, found))
