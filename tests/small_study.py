"""A study of twelve drawn scans with everything that notebook 07 reads, made in a second."""

from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

from clamlab import training
from clamlab.baselines import agreement
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.study import Study
from clamlab.volumes import average_by_cluster, describe_grid, save_averages

N, K, SIDE = 12, 2, 16
BASELINES = ("density", "volume", "components", "radiomics")


def small_study(root: Path, **columns: list) -> Study:
    """Write scans of two densities, an untrained network, and maps that mark one half each.

    Further columns of the cohort's table may be given; clusters are 0, 1, 0, 1 and so on.
    """
    study = Study.create(root, simulated=False)
    rng = np.random.default_rng(0)
    subjects = pd.DataFrame({"subject_id": [f"S{i:02}" for i in range(N)]})
    clusters = np.arange(N) % K
    groups = pd.DataFrame(dict.fromkeys(BASELINES, clusters))
    mask = np.zeros((SIDE,) * 3, bool)
    mask[2:7, 3:13, 2:14] = mask[9:14, 3:13, 2:14] = True
    sides = np.where(mask, np.where(np.indices(mask.shape)[0] > 7, 1, 2), 0).astype("int16")
    hu = rng.normal(-800, 40, (N, *mask.shape)) - 80 * clusters[:, None, None, None]
    hu = np.where(mask, hu, 40).astype("int16")
    affine = np.diag([20.0, 20, 20, 1])
    model = DeepClustering(ConvAutoencoder(mask.shape, channels=(2, 3, 4), n_features=5), K)
    rule = {"method": "zscore", "shift": -840.0, "scale": 50.0, "background": 0.0}
    maps = np.zeros((N, K, 2, 2, 2), "float32")
    maps[:, 0, 1], maps[:, 1, 0] = 1, 1
    history = pd.DataFrame({"epoch": [0], "loss": [1.0]})
    nothing = {"side": "both", "zone": "all", "rule": "sum", "share": 0.5}
    verdict = {"cluster": 0, "kind": "activation", "n_examined": 1, "verdict": "not examined"}
    written = {
        "01_cohort": {
            "cohort": subjects.assign(scan="none", matched_by="name", **columns),
            "exclusions": pd.DataFrame({"subject_id": ["S99"], "reason": ["no scan"]}),
        },
        "02_volumes": {
            "scans": subjects,
            "grid": describe_grid(mask.shape, affine),
            "volumes": hu,
            "lung_mask": mask,
            "template": nibabel.Nifti1Image(sides, affine),
            "qc": subjects.assign(status="ok", reason=None),
        },
        "04_n_clusters": {
            "criteria": pd.DataFrame({"n_clusters": [1, 2], "silhouette": [None, 0.4], "gap": 0.1}),
            "stability": subjects.assign(cluster=clusters, agreement=1.0, borderline=False),
            "partitions": subjects.assign(
                n_clusters=3, cluster=np.arange(N) % 3, agreement=0.7, jaccard=0.6, apart=False
            ),
            "choice": {"n_clusters": K, "reason": "two humps", "decided_by": "rule"},
        },
        "05_clusters": {
            "deep_clustering": training.weights_of(model),
            "deep_clustering_config": {**model.config, "scaling": rule},
            "clustering_history": history,
            "features": rng.normal(size=(N, 5)) + 3 * clusters[:, None],
            "soft_assignments": np.where(np.eye(K)[clusters] == 1, 0.8, 0.2),
            "assignments": subjects.assign(cluster=clusters, confidence=0.8),
            "baselines": agreement(groups, clusters),
            "baseline_partitions": subjects.join(groups),
        },
        "06_clam": {
            "channel_confidence": rng.random((N, K, 4)),
            "maps": maps,
            "unweighted": maps.sum(axis=1),
            "contrast": rng.random((N, K, *mask.shape), "float32"),
            "counterfactual_hu": np.stack([hu, hu], axis=1),
            "map_measures": subjects.assign(**nothing),
            "trust": pd.DataFrame([verdict]),
        },
    }
    for name, artefacts in written.items():
        stage = study.stage(name)
        for artefact, value in artefacts.items():
            stage.write(artefact, value)
        if name == "06_clam":
            averages = {"hu": average_by_cluster(hu, clusters)}
            save_averages(stage.path("averages"), averages, affine)
        stage.publish()
    return study
