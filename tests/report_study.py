"""A study of forty-eight with every stage that a report reads: real tables, small drawn lungs."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
from test_export import CONTRACT, people, published

from clamlab import figures, stats
from clamlab.baselines import agreement, baseline_title
from clamlab.study import Study
from clamlab.volumes import average_by_cluster, describe_grid, save_averages

SIDE, K = 14, 2
CLUSTERS = np.repeat([0, 1], [20, 28])
KERNELS = np.where(CLUSTERS == 0, "B70", "B30")  # a study whose clusters are of kernels
# Two scans lie otherwise by density; the volume of two was not measured.
GROUPS = pd.DataFrame(
    {
        "density": np.where(np.arange(48) < 2, 1, CLUSTERS),
        "volume": np.where(np.arange(48) < 46, np.arange(48) % 2, np.nan),
        "components": np.arange(48) // 2 % 2,
        "radiomics": np.arange(48) // 3 % 2,
        "scanner: site": np.repeat(["north", "south"], 24),
    }
)
SCHEMA = {
    **CONTRACT,
    "properties": {k: v for k, v in CONTRACT["properties"].items() if k != "seen"},
}


def report_study(root: Path, *, last: str = "09") -> Study:
    """Write a study up to a stage; who is 49th has no scan, and the 48th was marked."""
    study = Study.create(root, name="Lungs <2026>", simulated=False, id_column="subject_id")
    (study.root / "schemas" / "participants.schema.json").write_text(pd.Series(SCHEMA).to_json())
    table = people(CLUSTERS)
    ids, n = table[["subject_id"]], len(table)
    for notebook in (study.root / "notebooks").glob("[0-9]*.ipynb"):
        _as_run(notebook)
    stages = {
        "01": lambda: published(
            study,
            "01_cohort",
            cohort=table,
            exclusions=pd.DataFrame(
                {"subject_id": ["PAT-9999"], "reason": ["no scan bears its id"]}
            ),
        ),
        "02": lambda: _volumes(study, ids, n),
        "03": lambda: _features(study, n),
        "04": lambda: _number(study, ids),
        "05": lambda: _clusters(study, ids, n),
        "06": lambda: _maps(study, ids, n),
        "08": lambda: _table(study, table),
        "09": lambda: _outcomes(study, table),
    }
    for stage, write in stages.items():
        if stage <= last:
            write()
    return study


def _as_run(path: Path) -> None:
    """Count a notebook's cells, as a run that says nothing does."""
    book = json.loads(path.read_text("utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(code, 1):
        cell["execution_count"] = count
    path.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", "utf-8")


def lungs() -> np.ndarray:
    mask = np.zeros((SIDE,) * 3, bool)
    mask[2:6, 3:11, 2:12] = mask[8:12, 3:11, 2:12] = True
    return mask


def scans(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    hu = rng.normal(-800, 40, (n, *lungs().shape)) - 80 * CLUSTERS[:, None, None, None]
    return np.where(lungs(), hu, 40).astype("int16")


def _volumes(study, ids, n):
    mask, affine = lungs(), np.diag([20.0, 20, 20, 1])
    reasons = [None] * (n - 1) + ["lung volume 900 ml (expected 1500 to 9000)"]
    qc = ids.assign(
        status=["ok"] * (n - 1) + ["review"],
        reason=reasons,
        decision=["accept"] * 6 + [None] * (n - 6),
        format="DICOM",
        kernel=KERNELS,
        manufacturer="ACME",
        dice=0.95,
        right_ml=2000.0 + np.arange(n),
        left_ml=1800.0,
    )
    work = study.stage("02_volumes", spacing_mm=20.0, registration="affine", template=None, seed=7)
    work.read("cohort")
    work.write("scans", ids)
    work.write("grid", describe_grid(mask.shape, affine))
    work.write("volumes", scans(n))
    work.write("lung_mask", mask)
    work.write("template", nibabel.Nifti1Image(mask.astype("int16"), affine))
    work.write("qc", qc)
    work.publish()


def _features(study, n):
    work = study.stage(
        "03_autoencoder", channels=[4, 8], epochs=9, held_out=0.1, batch_size=8, scaling="zscore",
        seed=7,
    )  # fmt: skip
    rule = {"method": "zscore", "shift": -812.5, "scale": 95.5, "background": 0.0}
    work.read("volumes")
    work.write("autoencoder", {"w": np.ones(2, "float32")})
    work.write("autoencoder_config", {"strides": [2, 2], "n_features": 60, "scaling": rule})
    work.write("pretraining_history", pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2, 1]}))
    work.write("pretrained_features", np.zeros((n, 2)))
    work.publish()


def _number(study, ids):
    rule = {
        "answer": "clusters", "n_clusters": 2, "p_value": 0.012, "seen_from_sd": 4.1,
        "n_scans_needed": 46, "n_scans": 48, "picks": {"recommended": 2, "silhouette": 3},
    }  # fmt: skip
    choice = {
        "n_clusters": 2,
        "decided_by": "rule",
        "reason": "two humps",
        "recommended": rule,
        "test": {"n_clusters": 2, "p_value": 0.012, "stability": "stable", "agreement": 0.97},
    }
    borderline = np.arange(len(ids)) < 7
    parts = ids.assign(n_clusters=3, cluster=CLUSTERS, agreement=1.0, jaccard=1.0, apart=False)
    work = study.stage(
        "04_n_clusters", n_clusters=None, k_max=8, n_bootstrap=100, without=[], seed=7
    )
    work.read("pretrained_features")
    work.write(
        "criteria",
        pd.DataFrame({"n_clusters": [1, 2, 3], "silhouette": [None, 0.4, 0.5], "gap": 0.1}),
    )
    work.write("stability", ids.assign(cluster=CLUSTERS, agreement=0.875, borderline=borderline))
    work.write("partitions", parts)
    work.write("choice", choice)
    work.publish()


def _clusters(study, ids, n):
    work = study.stage(
        "05_clusters", epochs=40, gamma=0.1, learning_rate=1e-4, batch_size=8, seed=7
    )
    work.read("choice")
    work.read("volumes")
    work.write("deep_clustering", {"w": np.ones(2, "float32")})
    work.write("deep_clustering_config", {"n_clusters": 2})
    work.write("clustering_history", pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0]}))
    work.write("features", np.zeros((n, 2)))
    work.write("soft_assignments", np.full((n, K), 0.5))
    work.write("assignments", ids.assign(cluster=CLUSTERS, confidence=0.8125))
    work.write("baselines", agreement(GROUPS, CLUSTERS))
    groups = GROUPS.assign(**{"scanner: site": np.repeat([0, 1], 24)})
    work.write("baseline_partitions", ids.join(groups))
    work.publish()


def _maps(study, ids, n):
    maps = np.zeros((n, K, 2, 2, 2), "float32")
    maps[:, 0, 1], maps[:, 1, 0] = 1, 1
    card = {"cluster": [0, 1], "kind": "activation", "n_scans": [20, 28], "n_examined": 6}
    verdict = "Trust it for: marking places. Do not trust it for: telling this cluster (the same)."
    averages = average_by_cluster(scans(n), CLUSTERS)
    shown = {name: np.where(lungs(), 0.5, 0).astype("float32") for name in averages}

    def draw(path):
        save_averages(path, {"hu": averages, "clam": shown}, np.diag([20.0, 20, 20, 1]))

    published(
        study,
        "06_clam",
        **dict.fromkeys(("channel_confidence", "maps", "unweighted", "contrast"), maps),
        counterfactual_hu=np.zeros((n, 1), "int16"),
        map_measures=ids.assign(side="both", zone="all", rule="sum", share=0.5),
        trust=pd.DataFrame(card).assign(verdict=verdict),
        averages=draw,
    )


def _with_clusters(study, table):
    return table.merge(study.read("assignments"), on="subject_id")


def _table(study, table):
    tidy = stats.tables.table_one(_with_clusters(study, table), SCHEMA)
    printed = stats.tables.render_table_one(tidy)
    published(
        study,
        "08_table_one",
        table_one=tidy,
        table_one_print=lambda path: stats.tables.export_table(
            printed, [path.with_suffix(".html")]
        ),
    )


def _outcomes(study, table):
    rows, plain = _with_clusters(study, table), {"covariates": ("age",)}
    associations = stats.outcomes.outcome_associations(rows, SCHEMA, **plain)
    adjusted = stats.outcomes.adjusted_means(rows, SCHEMA, **plain)
    models = stats.outcomes.compare_models(rows, SCHEMA, n_bootstrap=5, **plain)
    groups = study.read("baseline_partitions")
    beside = stats.outcomes.compare_partitions(rows, SCHEMA, groups, **plain)
    published(
        study,
        "09_associations",
        associations=associations,
        adjusted_means=adjusted,
        model_comparison=models,
        baseline_comparison=beside.assign(partition=beside["partition"].map(baseline_title)),
        figure_10=lambda path: figures.save_figure(
            figures.outcome_panel(adjusted, associations), path
        ),
    )
