"""A simulated study held against what was simulated."""

from collections.abc import Iterator

import pandas as pd

from clamlab.evaluation import adjusted_rand, clustering_accuracy
from clamlab.experiments.methods import Baseline, linear_features
from clamlab.study import Study

ALPHA = 0.05


def against_truth(study: Study) -> Iterator[str]:
    """Say, line by line, how what the study found compares with what was put in."""
    truth = study.read("assignments").merge(
        study.read("true_labels"), on="subject_id", suffixes=("", "_true"), validate="one_to_one"
    )
    yield from _clusters(study, truth)
    if study.path("associations").is_file():
        yield from _outcomes(study)


def _clusters(study: Study, truth: pd.DataFrame) -> Iterator[str]:
    found, true = truth["cluster"], truth["cluster_true"]
    choice = study.read("choice")
    yield (
        f"number of clusters: {choice['n_clusters']} chosen, {true.nunique()} simulated "
        f"({len(truth)} scans)"
    )
    yield (
        f"assignment: adjusted Rand index {adjusted_rand(true, found):.3f}, "
        f"accuracy {clustering_accuracy(true, found):.1%}"
    )
    pixels = linear_features(study.read("volumes"), study.read("lung_mask"))
    linear = Baseline(pixels, seed=0).cluster(int(choice["n_clusters"]))
    by_subject = dict(zip(study.read("scans")["subject_id"], linear, strict=True))
    baseline = truth["subject_id"].map(by_subject)
    yield (
        "linear baseline (principal components of the voxels and k-means, no network): adjusted "
        f"Rand index {adjusted_rand(true, baseline):.3f}"
    )


def _outcomes(study: Study) -> Iterator[str]:
    effects = pd.read_csv(study.path("truth") / "known_effects.csv")
    differs = set(effects.loc[effects["differs"], "outcome"])
    tests = study.read("associations").query("part == 'omnibus'").set_index("outcome")["p"]
    found = set(tests.index[tests < ALPHA])
    known = set(effects["outcome"]) & set(tests.index)
    yield (
        f"outcomes: {len(found & differs)} of {len(known & differs)} true differences found at "
        f"p < {ALPHA}, {len(found - differs)} of {len(known - differs)} others too "
        f"(expected {ALPHA * len(known - differs):.1f})"
    )
