"""Which scan belongs to which row of the table, and what belongs to nothing."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PureWindowsPath

import pandas as pd

from clamlab.ingest.matching.choosing import Trial, choose_rule, one_place, try_rule
from clamlab.ingest.matching.contradictions import contradictions
from clamlab.ingest.matching.finding import Found, Survey, survey
from clamlab.ingest.matching.matches import LISTED, NO_SCAN, Matching
from clamlab.ingest.matching.rules import parse
from clamlab.ingest.matching.visits import FIRST, LAST, NEAREST, Undecided, choose_study, studies_of
from clamlab.paths import unusable_ids, writable

RESERVED = ("cluster", "confidence", "second")  # what the study itself adds to a subject
OWN = ("subject_id", "scan", "study", "studies")
# Columns of the table that ingestion itself looks at.
INGESTED = ("lung_mask", "series_number")


def match_scans(
    table: pd.DataFrame,
    folder: str | os.PathLike,
    *,
    id_column: str = "subject_id",
    path_column: str | None = None,
    match: str | None = None,
    visit: str | None = None,
    keep: Collection[str] | None = None,
) -> Matching:
    """Find the scan of every row, by one rule for the whole cohort.

    Parameters
    ----------
    table : DataFrame
        One row per subject.
    folder : path
        Holds NIfTI files and DICOM folders at any depth. Several series of one study below one
        folder are one scan; ingestion chooses among them.
    id_column : str
        Column of unique subject ids.
    path_column : str, optional
        Column of paths, absolute or relative to the folder, instead of a rule.
    match : str, optional
        Where the id stands: ``{id}`` in one level of the path ("{id}/*", "*/sub-{id}"), or
        "header:PatientID" (AccessionNumber, StudyID). By default the rule that serves most rows.
    visit : str, optional
        Which of several studies is meant: "first", "last", "nearest:COLUMN", or a column that holds
        a date, an accession number, a UID or a session's name.
    keep : collection of str, optional
        Columns of the table that the cohort takes along; by default all.

    Returns
    -------
    Matching

    Raises
    ------
    ValueError
        If a column is not there, an id stands twice, the folder holds no scan, no rule can be
        believed, or two that may be meant differ.

    Notes
    -----
    Nothing is guessed. All rows are matched by one rule, and it is told; a rule must serve half of
    the rows or of the scans. A row with two scans, or with a scan whose header speaks against it
    (PatientID, and sex, age and date of study where the table has them), is excluded by name.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clamlab.volumes import save_nifti
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("sub-017_ct.nii.gz", "sub-021_ct.nii.gz", "phantom.nii.gz"):
    ...     _ = save_nifti(folder / name, np.zeros((2, 2, 2)), np.eye(4))
    >>> people = pd.DataFrame({"subject_id": ["17", "18", "21"], "age": [61, 70, 55]})
    >>> print(match_scans(people, folder).report())
    2 subjects have a scan, by the rule sub-{id}-ct, capitals, separators, leading zeros ...
      17 -> sub-017_ct.nii.gz
      21 -> sub-021_ct.nii.gz
    1 rows are without a scan:
      18: no scan bears its id
    1 scans are without a row:
      phantom.nii.gz
    """
    folder = Path(folder)
    ids, unusable = _checked_ids(table, id_column)
    _check_columns(table, path_column, visit)
    found = survey(folder)
    if not found.scans and path_column is None:
        raise ValueError(_no_scan(found))
    if path_column is None:
        trial = choose_rule(ids, found.scans, parse(match) if match else None)
        if match is None:
            _refuse_other_column(table, id_column, trial, found)
        owned = _scans_of_rows(trial, found)
        rule, where, reasons = str(trial.rule), trial.rule.where, dict(trial.disputed)
        reasons |= {own: "its scan bears another row's id too" for own in trial.shared}
    else:
        owned, reasons = _by_path(table[path_column], ids, found)
        rule, where = f"of the table's column {path_column!r}", None
    stated = match is not None or path_column is not None
    speaking = {own: scans for own, scans in owned.items() if own not in reasons}
    contradicted, doubts = contradictions(table, ids, speaking, stated=stated)
    reasons = contradicted | reasons | unusable
    matched, reasons = _one_scan_each(table, ids, owned, reasons, found, visit)
    taken = {scan.path for scans in owned.values() for scan in scans}
    return Matching(
        cohort=_cohort(table, matched, keep),
        exclusions=pd.DataFrame(
            [(own, reasons[own]) for own in ids if own in reasons],
            columns=["subject_id", "reason"],
            dtype="string",
        ),
        strangers=_places(scan for scan in found.scans if scan.path not in taken),
        rule=rule,
        match=where,
        candidates={own: _places(owned[own][:LISTED]) for own in reasons if own in owned},
        problems=[writable(problem) for problem in found.problems],
        doubts=doubts,
    )


def _refuse_other_column(table: pd.DataFrame, id_column: str, trial: Trial, found: Survey) -> None:
    """Refuse where the scans bear another column's numbers, of which some are others' ids."""
    for column in table.columns.difference([id_column]):
        values = table[column].dropna().astype(str).str.strip()
        if len(values) < len(trial.served) or not values.is_unique:
            continue
        other = try_rule(trial.rule, values.tolist(), found.scans)
        if len(other.served) > len(trial.served):
            raise ValueError(
                f"scans that bear a number of the column {column!r} are more "
                f"({len(other.served)}) than those that bear one of {id_column!r} "
                f"({len(trial.served)}), by the rule {trial.rule}: if the first are the ids, name "
                f"that column (--id-column); else say so (--match '{trial.rule.where}')"
            )


def _places(scans: Iterable[Found]) -> list[str]:
    return [writable(scan.path.as_posix()) for scan in scans]


def _no_scan(found: Survey) -> str:
    problems = "".join(f"\n  {problem}" for problem in found.problems[:LISTED])
    return f"{found.folder} holds no scan: expected NIfTI files or folders of DICOM files" + (
        f"; could not be searched:{problems}" if problems else ""
    )


def _checked_ids(table: pd.DataFrame, id_column: str) -> tuple[list[str], dict[str, str]]:
    """Return a name for every row, and by name why some cannot be used."""
    if id_column not in table:
        raise ValueError(
            f"the table has no column {id_column!r}: expected one of {', '.join(table.columns)}"
        )
    if taken := [c for c in RESERVED if c in table]:
        raise ValueError(
            f"the table has the column {taken[0]!r}, which the study gives each subject itself: "
            "rename yours"
        )
    given = [None if pd.isna(value) else str(value).strip() for value in table[id_column]]
    names = [writable(i) if i else f"(row {row})" for row, i in enumerate(given, start=1)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"column {id_column!r} holds {', '.join(twice[:LISTED])} more than once: one row is "
            "one subject; keep one row, or give visits ids of their own"
        )
    return names, {names[position]: why for position, why in unusable_ids(given).items()}


def _check_columns(table: pd.DataFrame, path_column: str | None, visit: str | None) -> None:
    of_visit = None if visit in (None, FIRST, LAST) else str(visit).removeprefix(NEAREST)
    for column in (path_column, of_visit):
        if column is not None and column not in table:
            raise ValueError(
                f"the table has no column {column!r}: expected one of {', '.join(table.columns)}"
            )


def _scans_of_rows(trial: Trial, found: Survey) -> dict[str, list[Found]]:
    owned: dict[str, list[Found]] = {own: [] for own in trial.places}
    for scan in found.scans:
        for own in dict.fromkeys(trial.owners.get(scan.path, [])):
            owned[own].append(scan)
    return owned


def _by_path(
    paths: pd.Series, ids: Sequence[str], found: Survey
) -> tuple[dict[str, list[Found]], dict[str, str]]:
    """Take each row's scans from its path; say what is wrong with a path that leads to none."""
    owned, reasons = {}, {}
    owners: dict[str, str] = {}
    for own, given in zip(ids, paths, strict=True):
        if pd.isna(given) or not str(given).strip():
            reasons[own] = "its row names no path"
            continue
        place = _place(str(given).strip(), found.folder)
        scans = [s for s in found.scans if place and place in (s.path, *s.path.parents)]
        if place is None:
            reasons[own] = "its path leads to nothing" + _windows(str(given))
        elif not scans:
            reasons[own] = "its path leads to no scan"
        else:
            # One scan may be named in two ways: by the folder above it, by a link.
            real = {os.path.realpath(found.folder / scan.path) for scan in scans}
            twice = "its path is that of {!r} too"
            for other in {owners[path] for path in real if path in owners}:
                reasons |= {own: twice.format(other), other: twice.format(own)}
            owners |= dict.fromkeys(real, own)
            owned[own] = scans
    return owned, reasons


def _place(given: str, folder: Path) -> Path | None:
    """Return where a path leads, relative to the folder; backslashes are Windows' slashes."""
    for path in (folder / given, folder / PureWindowsPath(given).as_posix()):
        if os.path.exists(path):  # Path.exists raises for a name that is too long
            return Path(os.path.relpath(path, folder))
    return None


def _windows(given: str) -> str:
    return ": it is one of a Windows machine" if PureWindowsPath(given).drive else ""


def _one_scan_each(
    table: pd.DataFrame,
    ids: Sequence[str],
    owned: Mapping[str, Sequence[Found]],
    reasons: Mapping[str, str],
    found: Survey,
    visit: str | None,
) -> tuple[list[dict], dict[str, str]]:
    """Return the rows that have one scan, by their position, and why the others have none."""
    matched, reasons = [], dict(reasons)
    for position, (own, row) in enumerate(zip(ids, table.to_dict("records"), strict=True)):
        if own in reasons:
            continue
        if own not in owned:
            reasons[own] = NO_SCAN
            continue
        try:
            scan, study, studies = _one_scan(owned[own], visit, row, found)
        except Undecided as why:
            reasons[own] = str(why)
            continue
        found_there = {"scan": scan, "study": study, "studies": studies}
        matched.append({"position": position, "subject_id": own, **found_there})
    return matched, reasons


def _cohort(
    table: pd.DataFrame, matched: Sequence[dict], keep: Collection[str] | None
) -> pd.DataFrame:
    frame = pd.DataFrame(matched, columns=["position", *OWN]).astype(
        {"subject_id": "string", "study": "Int64", "studies": "Int64"}
    )
    kept = [c for c in table if c not in OWN and (keep is None or c in (*keep, *INGESTED))]
    people = table.iloc[frame["position"]].reset_index(drop=True)[kept]
    return pd.concat([frame[list(OWN)], people], axis=1)


def _one_scan(
    scans: Sequence[Found], visit: str | None, row: Mapping[str, object], found: Survey
) -> tuple[str, int | None, int]:
    """Return the place of a row's scan, the number of its study there, and how many there are."""
    studies = studies_of(scans)
    if all(scan.is_nifti for scan in scans) and len(scans) > 1 and visit is None:
        raise Undecided(
            f"{len(scans)} scans could be meant; name one in a path column, or by its file's name "
            "(--match '{id}_ct.nii.gz'), or say which visit (--visit)"
        )
    chosen = studies[choose_study(studies, visit, row)]
    alone = [scan for scan in chosen.scans if len(studies_of([scan])) == 1]
    places = one_place([scan.path for scan in (alone or chosen.scans)], found.scans)
    if len(places) > 1:
        raise Undecided(
            f"its images lie in {len(places)} places; bring them together in one folder, or name "
            "one in a path column"
        )
    number = None
    if not alone:  # one folder holds several studies
        number = 1 + studies_of(chosen.scans).index(chosen)
    text = places[0].as_posix()
    if text != writable(text):
        raise Undecided("its scan's name holds a broken character, which no table can: rename it")
    return text, number, len(studies)
