"""A new study with the choices of a manifest, ready to be run."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from clamlab.atomic import whole_file
from clamlab.cli.rerun.plan import Plan
from clamlab.study import Study, StudyError
from clamlab.study.files import write_file, writing
from clamlab.study.fingerprints import fingerprint
from clamlab.study.provenance import SCHEMA_PREFIX, place_of
from clamlab.study.withdrawal.remembering import LIST, WITHDRAWN

RERUN_OF = "rerun_of"  # in study.json: sha256 of the manifest
CONTRACT = f"{SCHEMA_PREFIX}participants"
REASON = "as in the study that is rerun; the reason given stands there"


def begin(
    plan: Plan, folder: Path, *, table: Path | None, scans: Path | None, withdrawn: bool
) -> Study:
    """Make the new study, or come back to the one that an earlier call has begun.

    Raises
    ------
    StudyError
        If another study, or anything else, lies there; it is untouched.
    """
    if (folder / "study.json").exists():
        study = Study.open(folder)
        if study.settings.get(RERUN_OF) != plan.digest:
            raise StudyError(
                f"{folder} is another study than a rerun of this manifest: choose another folder "
                "(--study NEW)"
            )
        print(f"{folder}: going on with what an earlier call has begun")
        return study
    places = {"participants": str(table), "scans": str(scans)}
    if plan.simulated:
        places = {"participants": "00_simulate/participants.csv", "scans": "00_simulate/dicom"}
    return Study.create(
        folder,
        name=plan.manifest["study"]["name"],
        **{**plan.settings, **places},
        **({WITHDRAWN: LIST} if withdrawn else {}),
        rerun_of=plan.digest,
    )


def lay_out(plan: Plan, study: Study, kept: Mapping[str, Path], withdrawn: Path | None) -> None:
    """Put the contract and what people decided into the new study, unless it is there."""
    if withdrawn and not (study.root / LIST).exists():
        _copy(withdrawn, study.root / LIST)
    place, was = place_of(study.root, CONTRACT), plan.inputs("01_cohort").get(CONTRACT)
    contract = plan.manifest["choices"]["contract"]
    # Of the contract a manifest holds the columns with a role: all that enters a study.
    if (
        contract
        and fingerprint(place)["sha256"] != was
        and study.schema("participants") != contract
    ):
        write_file(place, contract)
    for name, source in kept.items():
        if not study.path(name).exists():
            _copy(source, study.path(name))
    if plan.choice and not study.path("choice").exists():
        study.write("choice", {**plan.choice, "reason": REASON})


def _copy(source: Path, place: Path) -> None:
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place) as temporary:
            shutil.copyfile(source, temporary)
