"""A study of fourteen persons whose stages are run in this process: what a rerun has to repeat."""

import time
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

from clamlab.ingest import match_scans
from clamlab.schema import analysed, check_table, one_visit, read_table
from clamlab.selection import decide
from clamlab.study import Study
from clamlab.volumes import describe_grid

N = 14
PARAMETERS = {
    "01_cohort": {"MIN_SUBJECTS": 3},
    "02_volumes": {"SPACING_MM": 20.0, "REGISTRATION": "affine", "TEMPLATE": None, "SEED": 7},
    "04_n_clusters": {
        "N_CLUSTERS": None, "K_MAX": 4, "N_BOOTSTRAP": 9, "WITHOUT": ("sex",), "SEED": 7,
    },
    "05_clusters": {
        "EPOCHS": 3, "GAMMA": 0.1, "LEARNING_RATE": 1e-4, "BATCH_SIZE": 8, "SEED": 7,
    },
}  # fmt: skip


def hand_over(folder: Path, *, n: int = N) -> tuple[Path, Path]:
    """Write a table of persons and a folder with a scan of each."""
    scans, table = folder / "scans", folder / "patients.csv"
    scans.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(n):
        volume = rng.normal(-800, 90, (8, 8, 8)).astype("int16")
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([3.0, 3, 3, 1])), scans / f"{name(i)}.nii")
    people = pd.DataFrame({"PatientID": [name(i) for i in range(n)], "age": 50 + np.arange(n)})
    people["sex"] = np.where(np.arange(n) % 2, "male", "female")
    people["FEV1"] = rng.normal(2.5, 0.4, n).round(2)
    people.to_csv(table, index=False)
    return table, scans


def name(i: int) -> str:
    return f"PAT-{i:04}"


def run_here(folder: Path, names: list, parameters: dict, *, environment: dict | None = None):
    """Do in this process what notebooks of these names would do, quickly."""
    for file in names:
        stage = Path(file).stem
        {
            "01_cohort": _cohort,
            "02_volumes": _volumes,
            "04_n_clusters": _number,
            "05_clusters": _clusters,
        }[stage](Study.open(folder.parent), {**PARAMETERS[stage], **parameters})


def _begun(study: Study, stage: str, values: dict):
    return study.stage(stage, **{name.lower(): value for name, value in values.items()})


def _cohort(study, values):
    work = _begun(study, "01_cohort", values)
    told = work.settings("sheet", "header", "visits", "id_column", "path_column", "match", "visit")
    table = one_visit(read_table(work.outside("participants")), None, id_column=told["id_column"])
    contract = work.schema("participants")
    people = check_table(table, contract)
    matching = match_scans(
        people,
        work.outside("scans"),
        id_column=told["id_column"],
        keep=[name for name in analysed(contract)["properties"] if name in people],
    ).only(study.without_withdrawn)
    work.write("cohort", matching.cohort)
    work.write("exclusions", matching.exclusions)
    work.publish()


def _volumes(study, values):
    work = _begun(study, "02_volumes", values)
    ids = work.read("cohort")[["subject_id"]]
    work.outside("scans")
    decisions = work.previous("decisions")
    if decisions is not None:
        rejected = decisions.loc[decisions["decision"] == "reject", "subject_id"]
        ids = ids[~ids["subject_id"].isin(rejected)].reset_index(drop=True)
    mask, affine = np.ones((4, 4, 4), bool), np.diag([20.0, 20, 20, 1])
    rng = np.random.default_rng(values["SEED"])
    work.write("scans", ids)
    work.write("grid", describe_grid(mask.shape, affine))
    work.write("volumes", rng.normal(-800, 80, (len(ids), *mask.shape)).astype("int16"))
    work.write("lung_mask", mask)
    work.write("template", nibabel.Nifti1Image(mask.astype("int16"), affine))
    work.write("qc", ids.assign(status="ok", reason=None, decision=None))
    work.publish()


def _number(study, values):
    work = _begun(study, "04_n_clusters", values)
    ids = work.read("scans")
    rule = {"n_clusters": 2, "answer": "clusters", "reason": "two humps"}
    one = ids.assign(cluster=0, agreement=1.0)
    work.write(
        "criteria", pd.DataFrame({"n_clusters": [1, 2], "silhouette": [None, 0.4], "gap": 0.1})
    )
    work.write("stability", one.assign(borderline=False))
    work.write("partitions", one.assign(n_clusters=2, jaccard=1.0, apart=False))
    person = work.previous("choice")
    work.write("choice", decide(rule, previous=person, n_clusters=values["N_CLUSTERS"]))
    work.publish()


def _clusters(study, values):
    work = _begun(study, "05_clusters", values)
    k, ids = work.read("choice")["n_clusters"], work.read("scans")
    density = work.read("volumes").mean(axis=(1, 2, 3))
    seen = density + np.random.default_rng(values["SEED"]).normal(0, 10, len(ids))
    clusters = np.argsort(np.argsort(-seen)) * k // len(ids)
    work.write("deep_clustering", {"w": seen.astype("float32")})
    work.write("deep_clustering_config", {"n_clusters": k})
    work.write(
        "clustering_history",
        pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "seconds": time.time()}),
    )
    work.write("features", seen[:, None])
    work.write("soft_assignments", np.eye(k)[clusters])
    work.write("assignments", ids.assign(cluster=clusters, confidence=0.75))
    work.publish()
