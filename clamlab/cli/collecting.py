"""What a report is made of, read from a study: nothing of it names a subject or a machine."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from clamlab.cli.choice import told_choice
from clamlab.cli.cleaning import cleaned_contract, cleaned_record, cleaner, ids_of
from clamlab.cli.gathering import Gathered, read_checked
from clamlab.cli.repeatable import codes_in, timeless
from clamlab.cli.standing import explored
from clamlab.cli.warned import runs_of, said_of
from clamlab.report import Found
from clamlab.schema import analysed, check_table, join_subjects
from clamlab.selection import decision_words
from clamlab.selection.decision import PARAMETER, RULE
from clamlab.selection.stability import come_back
from clamlab.study import ARTEFACTS, Study, StudyError
from clamlab.study.errors import RecordError
from clamlab.study.files import is_there, members
from clamlab.study.fingerprints import fingerprint
from clamlab.study.provenance import record_of
from clamlab.study.withdrawal.remembering import WITHDRAWN
from clamlab.volumes import load_nifti

READ = (
    "exclusions", "qc", "scans", "grid", "lung_mask", "autoencoder_config", "pretraining_history",
    "choice", "criteria", "stability", "assignments", "deep_clustering_config",
    "clustering_history", "trust", "table_one", "associations", "adjusted_means",
    "model_comparison", "baselines", "baseline_partitions", "baseline_comparison",
)  # fmt: skip
# How the study was begun; where its table and scans lie is nobody's business elsewhere.
SETTINGS = (
    "simulated", "sheet", "header", "visits", "id_column", "path_column", "match", "visit",
    "mask_labels",
)  # fmt: skip
BY_HAND = ("decisions", "choice", "notes", "groups", "readings", "forced_choices")
STAGE_OF_CHOICE = ARTEFACTS["choice"].stage
SHOWN = 2  # single scans of each cluster, where they are asked for
Json = dict[str, Any]


def collect(
    study: Study, *, small_counts: bool = False, scans: bool = False, names: bool = True
) -> Found:
    """Read all that a report may say of a study; what is not there, or no longer so, is told.

    Parameters
    ----------
    study : Study
    small_counts : bool
        Whether counts of one to four persons may be shown.
    scans : bool
        Whether single scans are read as well.
    names : bool
        Whether it is told who decided; otherwise "a person" did.

    Returns
    -------
    Found
    """
    states = study.status(verify=True)  # every file is read: a manifest vouches for them
    runs = runs_of(study.root / "notebooks")
    records, broken = _records(study, states["stage"])
    stopped = {stage: run.error for stage, run in runs.items() if run.error}
    gathered = _read(study, states, stopped, broken)
    values, reasons = gathered.found, gathered.reasons
    cleaned = cleaner(study.root, ids_of(study))
    if "choice" in values:
        try:
            values["choice"] = told_choice(values["choice"], names=names)
        except ValueError as error:
            gathered.refuse("choice", str(error), of_file=True)
    _work_out(study, gathered, scans=scans, names=names)
    _compare(study, gathered, small_counts=small_counts)
    told = said_of(runs, small_counts=small_counts, stages=_may_tell(study, states), ran=records)
    stage_of = {name: a.stage for name, a in ARTEFACTS.items()}
    stage_of |= dict.fromkeys(("average_hu", "average_map"), "06_clam")
    stage_of |= {"flow": "02_volumes", "people": "05_clusters", "agreement": "05_clusters"}
    return Found(
        name=cleaned(str(study.settings["name"])),
        stages=states.assign(why=states["why"].map(cleaned)),
        values=values | _named_nowhere(values, cleaned),
        reasons={name: cleaned(why) for name, why in reasons.items()},
        errors=frozenset(map(cleaned, gathered.errors)),
        stage_of=stage_of,
        records={stage: cleaned_record(stage, told, cleaned) for stage, told in records.items()},
        settings={n: study.settings[n] for n in SETTINGS if n in study.settings},
        small_counts=small_counts,
        notices=(
            *map(cleaned, told),
            *map(cleaned, explored(study)),
            *_withdrawals(study),
        ),
    )


def _named_nowhere(values: Mapping[str, Any], cleaned: Callable[[Any], Any]) -> Json:
    """Clean what people wrote of what was read; words that the program chose from stay."""
    told = {name: cleaned(values[name]) for name in ("decision", "decided") if name in values}
    if "contract" in values:
        told["contract"] = cleaned_contract(values["contract"], cleaned)
    if "choice" in values:
        by = values["choice"]["decided_by"]
        by = by if by in (RULE, PARAMETER) else cleaned(by)
        told["choice"] = {**values["choice"], "decided_by": by}
    return told


def _may_tell(study: Study, states: pd.DataFrame) -> set[str]:
    """Name the stages of whose run may be told: nothing that may rest on who has withdrawn."""
    fresh = states["status"] == "fresh"
    return set(states.loc[fresh | (not study.settings.get(WITHDRAWN)), "stage"])


def _records(study: Study, stages: Iterable[str]) -> tuple[dict[str, Json], dict[str, str]]:
    """Read what each stage wrote down of its run; say of those that are damaged what is wrong."""
    records, broken = {}, {}
    for stage in stages:
        try:
            if record := record_of(study.root, stage):
                records[stage] = record
        except RecordError as error:
            broken[stage] = str(error)
    return records, broken


def _read(
    study: Study, states: pd.DataFrame, stopped: Mapping[str, str], broken: Mapping[str, str]
) -> Gathered:
    gathered, by_stage = Gathered(), states.set_index("stage")
    for name in READ:
        stage = ARTEFACTS[name].stage
        status, why = by_stage.loc[stage, ["status", "why"]]
        if stage in broken:  # what lies beside it can no longer be vouched for
            gathered.refuse(name, broken[stage], of_file=True)
        elif status == "missing" and stage > STAGE_OF_CHOICE and _is_one(gathered):
            why = f"{stage} was not made: one cluster was decided, and there is nothing to compare"
            gathered.refuse(name, why, of_file=False)
        elif status == "missing" and name != "choice":
            if stage in stopped:
                why = f"its notebook stopped with {stopped[stage]}"
            why = f"{stage} is missing: {why} (run notebook {stage[:2]})"
            gathered.refuse(name, why, of_file=stage in stopped)
        elif status != "fresh" and study.settings.get(WITHDRAWN) and stage > "01_cohort":
            why = (
                f"{stage} is {status}, subjects have withdrawn, and it may rest on them: run "
                f"notebook {stage[:2]} again"
            )
            gathered.refuse(name, why, of_file=False)
        else:
            gathered.make({name: partial(read_checked, study, name)})
    return gathered


def _is_one(gathered: Gathered) -> bool:
    """Whether one cluster was decided; the choice is read before what rests on it."""
    return dict(gathered.found.get("choice") or {}).get("n_clusters") == 1


def _work_out(study: Study, gathered: Gathered, *, scans: bool, names: bool) -> None:
    """Add what other rooms make of the files; what cannot be made has its reason."""
    made: dict[str, Callable[[], Any]] = {
        "contract": lambda: analysed(study.schema("participants")),
        "flow": lambda: _flow(gathered),
        "decision": lambda: decision_words(gathered.need("choice")),
        "come_back": lambda: _come_back(gathered.need("choice")),
        "people": lambda: _people(study, gathered),
        "average_hu": lambda: _averages(study, "hu", gathered),
        "average_map": lambda: _averages(study, "clam", gathered),
        "decided": lambda: _decided(study) if names else None,
        "notebooks": lambda: codes_in(study.root / "notebooks"),
        "without_times": lambda: timeless(study),
        "by_hand": lambda: {
            name: fingerprint(study.path(name))["sha256"]
            for name in BY_HAND
            if is_there(study.path(name))
        },
    }
    if scans:
        made["scans_shown"] = lambda: _scans(study, gathered)
    gathered.make(made)


def _compare(study: Study, gathered: Gathered, *, small_counts: bool) -> None:
    """Add what is told of groups that needed no network, without counts of a few."""
    # Statistics bring seconds of imports.
    from clamlab.baselines import agreement_sentence
    from clamlab.cli.baselines import told_agreement, told_comparison

    need = gathered.need

    def compared() -> pd.DataFrame:
        whole, groups = need("baseline_comparison"), need("baseline_partitions")
        if small_counts:
            return whole
        return told_comparison(study, whole, groups, need("people"), contract=need("contract"))

    made: dict[str, Callable[[], Any]] = {
        "agreement": lambda: told_agreement(
            need("baselines"), need("baseline_partitions"), need("assignments"),
            small_counts=small_counts,
        ),
        "agreement_said": lambda: agreement_sentence(need("agreement")),
        "partitions_compared": compared,
    }  # fmt: skip
    gathered.make(made)


def _come_back(choice: Json) -> str:
    """Say how partitions of resampled scans come back; nothing where that is not on record."""
    test = choice["test"]
    known = test.get("stability") and test.get("agreement") is not None
    return come_back(test["stability"], test["agreement"]) if known else ""


def _flow(gathered: Gathered) -> pd.DataFrame:
    # Ingestion brings seconds of imports.
    from clamlab.ingest.cohort.flow import cohort_flow

    return cohort_flow(gathered.need("qc"), gathered.need("exclusions"))


def _people(study: Study, gathered: Gathered) -> pd.DataFrame:
    assigned = gathered.need("assignments")
    people = check_table(study.read("cohort"), analysed(study.schema("participants")))
    return join_subjects(assigned, people)[0]


def _averages(study: Study, kind: str, gathered: Gathered) -> Json:
    gathered.need("trust")  # as fresh as its stage
    found = {}
    for path in sorted(members(study.path("averages"))):
        name = re.fullmatch(rf"{kind}_(overall|cluster_(\d+))\.nii\.gz", path.name)
        if name:
            found["Overall" if name[2] is None else f"Cluster {name[2]}"] = load_nifti(path)[0]
    if not found:
        raise StudyError(f"06_clam/averages holds no {kind}_overall.nii.gz: run notebook 06 again")
    return dict(
        sorted(found.items(), key=lambda item: (item[0] != "Overall", len(item[0]), item[0]))
    )


def _decided(study: Study) -> Json | None:
    decisions = study.read("decisions")
    if decisions is None:
        return None
    by = decisions["decided_by"].dropna() if "decided_by" in decisions else []
    return {"decided_by": sorted({str(who) for who in by})}


def _scans(study: Study, gathered: Gathered) -> Json:
    from clamlab import clam, figures

    assigned = gathered.need("assignments")
    clusters, mask = assigned["cluster"].to_numpy(), gathered.need("lung_mask")
    seed = record_of(study.root, "07_explore").get("parameters", {}).get("seed", 0)
    rows = figures.example_scans(assigned, per_cluster=SHOWN, seed=seed).values()
    volumes, own = study.read("volumes"), clam.own_importance(study.read("maps"), clusters)
    shown: Json = {}
    for row in rows:
        nth = 1 + sum(name.startswith(f"Cluster {clusters[row] + 1},") for name in shown)
        name = f"Cluster {clusters[row] + 1}, scan {nth}"
        shown[name] = np.asarray(volumes[row]), clam.upsample(own[row], mask.shape)
    return shown


def _withdrawals(study: Study) -> list[str]:
    if not study.settings.get(WITHDRAWN):
        return []
    return ["subjects have withdrawn; what had been learned from them is not shown."]
