"""Whether the inputs at hand are those of the manifest: told before anything runs, in counts."""

from pathlib import Path

from clamlab.cli.rerun.plan import Plan
from clamlab.ingest import match_scans
from clamlab.schema import one_visit, read_table
from clamlab.study import ARTEFACTS, Study, StudyError
from clamlab.study.fingerprints import fingerprint
from clamlab.study.provenance import OUTSIDE_PREFIX
from clamlab.study.withdrawal.remembering import LIST, WITHDRAWN

TABLE, SCANS = "participants", "scans"
_SHOWN = 12  # letters of a sha256


def check_inputs(plan: Plan, table: Path | None, scans: Path | None) -> None:
    """Refuse another table, other scans or another template than those of the manifest.

    Raises
    ------
    StudyError
        It says what was expected and found, with counts of subjects and no subject.
    """
    if plan.simulated:
        if table or scans:
            raise StudyError("this study simulates its scans and its table: give neither")
        return
    if table is None or scans is None:
        raise StudyError(
            "the manifest is of a study with scans and a table of its own: say where they are with "
            "--scans FOLDER --table FILE"
        )
    for place in (table, scans):
        if not place.exists():
            raise StudyError(f"there is nothing at {place}")
    if not table.is_file() or not scans.is_dir():
        raise StudyError("expected a file for --table and a folder for --scans")
    wrong = [
        f"{what} {_hash(found)} here, {_hash(was)} then"
        for what, name, place in (("table:", TABLE, table), ("scans:", SCANS, scans))
        if (found := _sha(place)) != (was := _recorded(plan, name))
    ]
    if wrong:
        raise StudyError(
            f"not what the manifest was made of, so nothing was run (sha256): {'; '.join(wrong)}. "
            f"{_counts(plan, table, scans)} Give those of then (a folder is compared with the "
            "names of its files, so that one more or less is another), or make another study with "
            "clamlab init"
        )
    _check_template(plan)


def _check_template(plan: Plan) -> None:
    place = plan.parameters.get("02_volumes", {}).get("TEMPLATE")
    if place and _sha(Path(place)) != (was := plan.inputs("02_volumes").get("outside:template")):
        raise StudyError(
            f"TEMPLATE is another than that of the manifest (sha256 {_hash(was)}): give that one"
        )


def _recorded(plan: Plan, name: str) -> str | None:
    return plan.inputs("01_cohort").get(OUTSIDE_PREFIX + name)


def _sha(place: Path) -> str:
    """Return what a study has on record of it: of scans, which are a folder, parts of each."""
    return fingerprint(place, sampled=place.is_dir())["sha256"]


def _hash(sha: str | None) -> str:
    return f"{sha[:_SHOWN]}…" if sha else "not on record"


def _counts(plan: Plan, table: Path, scans: Path) -> str:
    """Say how many subjects there are here and how many there were."""
    then = plan.manifest["study"].get("n_scans")
    was = "" if then is None else f", {then} scans were clustered then"
    settings = plan.settings
    try:
        rows = one_visit(
            read_table(table, sheet=settings.get("sheet"), header=settings.get("header")),
            settings.get("visits"),
            id_column=settings.get("id_column"),
        )
        options = {name: settings.get(name) for name in ("path_column", "match", "visit")}
        found = match_scans(rows, scans, id_column=str(settings["id_column"]), **options)
    except (OSError, ValueError, KeyError, TypeError):  # its words may name subjects
        return f"Here the table and the scans could not be read together{was}."
    return f"{len(found.cohort)} subjects have a row and a scan here{was}."


def kept_by_hand(plan: Plan, folder: Path | None, against: Study | None) -> dict[str, Path]:
    """Find the files that only people make: decisions about scans, readings, and the like.

    Parameters
    ----------
    plan : Plan
    folder : path or None
        Where they lie under the names that they have in a study.
    against : Study or None
        The study of the manifest, if it is at hand.

    Returns
    -------
    dict of str to path

    Raises
    ------
    StudyError
        If one is needed and not there, or is another.
    """
    found = {}
    for name, was in plan.by_hand.items():
        file = ARTEFACTS[name].file
        places = [folder / file] if folder else []
        places += [against.path(name)] if against else []
        there = [place for place in places if place.exists()]
        same = [place for place in there if fingerprint(place)["sha256"] == was]
        if not same:
            how = "another one is there" if there else "it is not there"
            raise StudyError(
                f"the study was made with a person's {file} ({ARTEFACTS[name].stage}), of which a "
                f"manifest holds the sha256 alone ({_hash(was)}): {how}. Give the folder in which "
                "it lies (--by-hand FOLDER), or the study itself (--against STUDY)"
            )
        found[name] = same[0]
    return found


def who_withdrew(plan: Plan, against: Study | None) -> Path | None:
    """Find the list of who has withdrawn, without which they would come back.

    Raises
    ------
    StudyError
        If subjects had withdrawn from the study and the list is not at hand.
    """
    was = plan.inputs("01_cohort").get(OUTSIDE_PREFIX + WITHDRAWN)
    if was is None:
        return None
    place = against.root / LIST if against else None
    if place is None or not place.is_file() or _sha(place) != was:
        raise StudyError(
            "subjects have withdrawn from this study, and a manifest does not tell who: give the "
            "study as it was then (--against STUDY), so that they stay out"
        )
    return place
