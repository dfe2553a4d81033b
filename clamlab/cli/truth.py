"""A simulated study held against what was simulated."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab import clam
from clamlab.evaluation import adjusted_rand, clustering_accuracy, localization
from clamlab.io import read_csv
from clamlab.paths import path_part
from clamlab.selection.decision import decision_words
from clamlab.study import Study

ALPHA = 0.05


def against_truth(study: Study, *, places: bool, outcomes: bool) -> Iterator[str]:
    """Say, line by line, how what the study found compares with what was put in.

    Parameters
    ----------
    study : Study
        Its stage 05 is fresh.
    places, outcomes : bool
        Whether its maps and its associations are of these clusters, and so can be compared.

    Yields
    ------
    str
    """
    truth = study.read("assignments").merge(
        study.read("true_labels"), on="subject_id", suffixes=("", "_true"), validate="one_to_one"
    )
    yield from _clusters(study, truth)
    if places:
        yield _places(study)
    if outcomes:
        two = truth["cluster_true"].nunique() == truth["cluster"].nunique() == 2
        yield from _outcomes(study) if two else ()


def _clusters(study: Study, truth: pd.DataFrame) -> Iterator[str]:
    found, true = truth["cluster"], truth["cluster_true"]
    choice = study.read("choice")
    yield f"number of clusters: {decision_words(choice)} Simulated: {true.nunique()}."
    yield (
        f"assignment: adjusted Rand index {adjusted_rand(true, found):.3f}, "
        f"accuracy {clustering_accuracy(true, found):.1%}"
    )
    if not study.path("baseline_partitions").is_file():
        return
    linear = study.read("baseline_partitions").set_index("subject_id")["components"]
    baseline = truth["subject_id"].map(linear)
    yield (
        "linear baseline (principal components of the voxels and k-means, no network): adjusted "
        f"Rand index {adjusted_rand(true, baseline):.3f}"
    )


def true_lesions(study: Study) -> NDArray[np.bool_]:
    """Bring the lesion that was put into each scan to the study's grid, (n_scans, *grid)."""
    # Ingestion brings seconds of imports that only simulated studies need.
    from clamlab.ingest import follow
    from clamlab.volumes import load_nifti

    template, affine = load_nifti(study.path("template"))
    return np.stack(
        [
            follow(
                study.path("truth") / f"{name}_lesion.nii.gz",
                study.path("subjects") / name,
                template=template,
                affine=affine,
            )
            for name in map(path_part, study.read("scans")["subject_id"])
        ]
    )


def _places(study: Study) -> str:
    mask = study.read("lung_mask")
    clusters = study.read("assignments")["cluster"].to_numpy()
    activation = clam.own_importance(study.read("maps"), clusters)
    evidence = study.read("contrast")
    rows = []
    for i, lesion in enumerate(true_lesions(study)):
        shown = {
            "map": clam.upsample(activation[i], mask.shape),
            "contrast": evidence[i, clusters[i]],
        }
        found = {n: localization(m[None], lesion[None], mask).iloc[0] for n, m in shown.items()}
        rows.append({n: row["energy_inside"] for n, row in found.items()})
        rows[-1]["chance"] = found["map"]["chance"]
    inside = pd.DataFrame(rows).mean()
    return (
        f"places: the lesions fill {inside['chance']:.0%} of the lungs and hold "
        f"{inside['map']:.0%} of the activation maps and {inside['contrast']:.0%} of the contrast "
        "maps (which leave out what clusters share)"
    )


def _outcomes(study: Study) -> Iterator[str]:
    known = study.path("truth") / "known_effects.csv"
    effects = read_csv(known, expected="known effects").set_index("outcome")
    true = effects["cluster_1"] - effects["cluster_2"]
    associations = study.read("associations").set_index("outcome")
    p = associations.query("part == 'omnibus'")["p"].reindex(true.index)
    found = associations.query("part == 'pairwise'")["difference"].reindex(true.index)
    differs = true != 0
    right = np.sign(found[differs]) == np.sign(true[differs])
    yield (
        f"outcomes: of {differs.sum()} true differences {right.sum()} have the right sign and "
        f"{(p[differs] < ALPHA).sum()} reach p < {ALPHA} at this size; of {(~differs).sum()} "
        f"outcomes without one, {(p[~differs] < ALPHA).sum()} do"
    )
