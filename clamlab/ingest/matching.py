"""Which scan belongs to which row of the table, and what belongs to nothing."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd
import pydicom
from pydicom.errors import InvalidDicomError

from clamlab.ingest.matches import LISTED, Matching
from clamlab.paths import unusable_ids, writable

NIFTI = (".nii", ".nii.gz")
RESERVED = ("cluster", "confidence", "second")  # what the study itself adds to a subject


def match_scans(
    table: pd.DataFrame,
    folder: str | os.PathLike,
    *,
    id_column: str = "subject_id",
    path_column: str | None = None,
    keep: Collection[str] | None = None,
) -> Matching:
    """Find the scan of every row: by a column of paths, by name, or by the DICOM PatientID.

    Parameters
    ----------
    table : DataFrame
        One row per subject.
    folder : path
        Holds NIfTI files and DICOM folders at any depth. Several series of one subject below one
        folder are one scan; ingestion chooses among them.
    id_column : str
        Column of unique subject ids.
    path_column : str, optional
        Column of paths, absolute or relative to the folder. Without it, a file or folder belongs
        to a subject whose id is its name or a part of its name (``sub-017_ct`` holds ``017``);
        what is left over is matched by the PatientID of one header.
    keep : collection of str, optional
        Columns of the table that the cohort takes along; by default all.

    Returns
    -------
    Matching

    Raises
    ------
    ValueError
        If the column of ids or of paths is not there, an id stands twice, or the folder holds no
        scan.

    Notes
    -----
    Nothing is guessed: a subject with two candidates is excluded with both of them named.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clamlab.volumes import save_nifti
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("sub-017_ct.nii.gz", "phantom.nii.gz"):
    ...     _ = save_nifti(folder / name, np.zeros((2, 2, 2)), np.eye(4))
    >>> found = match_scans(pd.DataFrame({"subject_id": ["017", "018"], "age": [61, 70]}), folder)
    >>> found.cohort
      subject_id               scan matched_by  age
    0        017  sub-017_ct.nii.gz       name   61
    >>> print(found.report())
    1 subjects have a scan (1 by name).
    1 rows are without a scan:
      018: no scan bears this id
    1 scans are without a row:
      phantom.nii.gz
    """
    folder = Path(folder)
    ids, unusable = _checked_ids(table, id_column)
    scans = find_scans(folder)
    if not scans and path_column is None:
        raise ValueError(f"{folder} holds no scan: expected NIfTI files or folders of DICOM files")
    ways: dict[str, str] = {}
    if path_column is not None:
        found = _by_path(table, ids, folder, path_column)
    else:
        found, ways = _by_name(ids, scans, folder)
        _add_by_patient_id(found, ways, ids, scans)
    by_path = path_column is not None
    if keep is not None:
        table = table[[column for column in table if column in keep]]
    return _sort_out(table, ids, found, ways, scans, folder, by_path=by_path, unusable=unusable)


def find_scans(folder: Path) -> list[Path]:
    """List the NIfTI files and the folders that hold DICOM files directly, in order of name."""
    scans = []
    for place, _, names in sorted(os.walk(folder)):
        niftis = sorted(n for n in names if n.endswith(NIFTI))
        scans += [Path(place) / name for name in niftis]
        others = sorted(n for n in names if not n.endswith(NIFTI) and not n.startswith("."))
        if others and _header(Path(place), others) is not None:
            scans.append(Path(place))
    return scans


def _checked_ids(table: pd.DataFrame, id_column: str) -> tuple[pd.Series, dict[str, str]]:
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
    ids = pd.Series(names, dtype="string")
    if twice := sorted(ids[ids.duplicated()].unique()):
        raise ValueError(
            f"column {id_column!r} holds {', '.join(twice[:LISTED])} more than once: one row is "
            "one subject; keep one row, or give visits ids of their own"
        )
    return ids, {names[position]: why for position, why in unusable_ids(given).items()}


def _by_path(
    table: pd.DataFrame, ids: pd.Series, folder: Path, path_column: str
) -> dict[str, list[Path]]:
    if path_column not in table:
        raise ValueError(
            f"the table has no column {path_column!r}: expected one of {', '.join(table.columns)}"
        )
    paths = dict(zip(ids, table[path_column], strict=True))
    given = {i: folder / str(p) for i, p in paths.items() if pd.notna(p)}
    # Not Path.exists, which raises for a name that is too long.
    return {i: [p] for i, p in given.items() if os.path.exists(p)}


def _by_name(
    ids: Iterable[str], scans: list[Path], folder: Path
) -> tuple[dict[str, list[Path]], dict[str, str]]:
    """Give each scan to the subjects whose ids its name, or else a folder above it, holds."""
    patterns = {i: re.compile(rf"(?<![A-Za-z0-9]){re.escape(i)}(?![A-Za-z0-9])") for i in ids}
    found: dict[str, list[Path]] = defaultdict(list)
    for scan in scans:
        # The nearest name decides: a subject's own folder before the hospital's above it.
        for name in reversed(scan.relative_to(folder).parts):
            if owners := _owners(name, patterns):
                for owner in owners:
                    found[owner].append(scan)
                break
    return found, dict.fromkeys(found, "name")


def _owners(name: str, patterns: Mapping[str, re.Pattern[str]]) -> list[str]:
    """List the ids that a name holds; one that is all of it, or holds the others, stands alone."""
    stem = name.removesuffix(".gz").removesuffix(".nii")
    if stem in patterns:
        return [stem]
    held = [i for i, pattern in patterns.items() if pattern.search(stem)]
    return [i for i in held if not any(i != other and i in other for other in held)]


def _add_by_patient_id(
    found: dict[str, list[Path]], ways: dict[str, str], ids: pd.Series, scans: list[Path]
) -> None:
    taken = {scan for owned in found.values() for scan in owned}
    missing = set(ids) - set(found)
    for scan in scans:
        if not missing or scan in taken or not scan.is_dir():
            continue
        header = _header(scan, sorted(os.listdir(scan)))
        patient = str(header.get("PatientID", "")).strip() if header is not None else ""
        if patient in missing:
            found.setdefault(patient, []).append(scan)
            ways[patient] = "PatientID"


def _sort_out(
    table: pd.DataFrame,
    ids: pd.Series,
    found: Mapping[str, list[Path]],
    ways: Mapping[str, str],
    scans: list[Path],
    folder: Path,
    *,
    by_path: bool,
    unusable: Mapping[str, str],
) -> Matching:
    rows, excluded, used, meant = [], [], set(), {}
    claims = Counter(scan for owned in found.values() for scan in owned)
    for position, subject in enumerate(ids):
        candidates = _one_place(found.get(subject, []), scans)
        used |= set(found.get(subject, []))
        meant[subject] = [_place(c, folder) for c in candidates]
        shared = [c for c in candidates if claims[c] > 1]
        if subject in unusable:
            excluded.append({"subject_id": subject, "reason": unusable[subject]})
        elif shared:
            reason = "its scan bears another subject's id too; name the scan in a path column"
            excluded.append({"subject_id": subject, "reason": reason})
        elif len(candidates) == 1:
            way = "path column" if by_path else ways[subject]
            scan = os.path.relpath(candidates[0], folder)
            if scan == writable(scan):
                rows.append({"position": position, "scan": scan, "matched_by": way})
            else:
                reason = "its scan's name holds a broken character, which no table can: rename it"
                excluded.append({"subject_id": subject, "reason": reason})
        elif candidates:
            reason = f"{len(candidates)} scans could be meant; name one in a path column"
            excluded.append({"subject_id": subject, "reason": reason})
        else:
            reason = "its path leads to no scan" if by_path else "no scan bears this id"
            excluded.append({"subject_id": subject, "reason": reason})
    matched = pd.DataFrame(rows, columns=["position", "scan", "matched_by"])
    own = table.iloc[matched["position"]].reset_index(drop=True)
    own = own.drop(columns=["subject_id", "scan", "matched_by"], errors="ignore")
    subjects = ids.iloc[matched["position"]].reset_index(drop=True).rename("subject_id")
    cohort = pd.concat([subjects, matched[["scan", "matched_by"]], own], axis=1)
    exclusions = pd.DataFrame(excluded, columns=["subject_id", "reason"], dtype="string")
    covered = [Path(folder / scan) for scan in cohort["scan"]]
    left = [s for s in scans if s not in used and not any(c in (s, *s.parents) for c in covered)]
    meant = {subject: meant[subject] for subject in exclusions["subject_id"]}
    return Matching(cohort, exclusions, [_place(s, folder) for s in left], meant)


def _place(scan: Path, folder: Path) -> str:
    return writable(os.path.relpath(scan, folder))


def _one_place(candidates: list[Path], scans: list[Path]) -> list[Path]:
    """Take several DICOM series of one subject as one scan: the folder that holds no others."""
    if len(candidates) < 2 or not all(c.is_dir() for c in candidates):
        return candidates
    above = Path(os.path.commonpath(candidates))
    below = [s for s in scans if above in (s, *s.parents)]
    return [above] if set(below) == set(candidates) else candidates


def _header(folder: Path, names: list[str]) -> pydicom.Dataset | None:
    """Read the header of the folder's first file, if it is DICOM; a DICOMDIR does not count."""
    for name in [n for n in names if (folder / n).is_file() and n != "DICOMDIR"][:3]:
        try:
            return pydicom.dcmread(
                folder / name, stop_before_pixels=True, specific_tags=["PatientID"]
            )
        except (InvalidDicomError, OSError):
            continue
    return None
