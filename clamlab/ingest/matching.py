"""Find each subject's scan in a folder, and say how it was found."""

import os
import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clamlab.ingest.reading import is_nifti


@dataclass(frozen=True)
class Matching:
    """What :func:`match_scans` found.

    Attributes
    ----------
    cohort : DataFrame
        The table's rows that have a scan, with ``scan`` (path relative to the folder) and
        ``matched_by``.
    without_scan : list of str
        Subjects of the table without a scan.
    without_row : list of str
        Scans, as paths relative to the folder, that belong to no row.
    problems : list of str
        Ambiguities, in plain words; none was guessed.
    """

    cohort: pd.DataFrame
    without_scan: list[str]
    without_row: list[str]
    problems: list[str]


def match_scans(
    table: pd.DataFrame,
    folder: str | os.PathLike,
    *,
    id_column: str = "subject_id",
    path_column: str | None = None,
) -> Matching:
    """Join a clinical table with a folder of scans, both ways.

    A scan is a folder with DICOM files (nested or not) or a NIfTI file. It belongs to a subject by,
    in this order: the table's path column; a folder or file named exactly as the subject; a name
    that holds the subject id as a whole word (``S-1`` in ``CT_S-1_chest``, not in ``S-10``); the
    DICOM PatientID.

    Parameters
    ----------
    table : DataFrame
        One row per subject.
    folder : path
        Where the scans are; paths are relative to it.
    id_column, path_column : str
        Columns with the subject id and, where there is one, the path of the scan.

    Returns
    -------
    Matching

    Raises
    ------
    ValueError
        If a column or the folder is missing, or ids are empty or repeated.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "CT_S-1_chest.nii.gz").touch()
    >>> found = match_scans(pd.DataFrame({"subject_id": ["S-1", "S-2"]}), folder)
    >>> found.cohort[["subject_id", "scan", "matched_by"]].values.tolist()
    [['S-1', 'CT_S-1_chest.nii.gz', "id within the name 'CT_S-1_chest'"]]
    >>> found.without_scan
    ['S-2']
    """
    folder = Path(folder)
    ids = _ids(table, folder, id_column, path_column)
    named, problems = _by_column(table, ids, folder, path_column)
    units = _scan_units(folder)
    claims = _claims(units, {_fold(i): i for i in ids}, folder)
    chosen: dict[str, tuple[str, str]] = dict(named)
    for subject in ids:
        if subject in chosen:
            continue
        found = _best(claims.get(subject, {}), units)
        if len(found) == 1:
            chosen[subject] = next(iter(found.items()))
        elif found:
            problems.append(
                f"{subject}: {len(found)} scans could be meant ({', '.join(sorted(found)[:4])}); "
                "name one in a path column"
            )
    taken = [Path(path) for path, _ in chosen.values()]
    claimed = {path for options in claims.values() for path in options}
    unclaimed = [
        unit
        for unit in units
        if not any(_inside(unit, path) for path in taken)
        and not any(_inside(unit, Path(path)) for path in claimed)
    ]
    rows = [position for position, subject in enumerate(ids) if subject in chosen]
    cohort = table.iloc[rows].copy()
    cohort["scan"] = [chosen[ids[row]][0] for row in rows]
    cohort["matched_by"] = [chosen[ids[row]][1] for row in rows]
    problems += _shared(chosen)
    return Matching(
        cohort=cohort.reset_index(drop=True),
        without_scan=[subject for subject in ids if subject not in chosen],
        without_row=sorted(unit.as_posix() for unit in unclaimed),
        problems=problems,
    )


def _ids(table: pd.DataFrame, folder: Path, id_column: str, path_column: str | None) -> list[str]:
    for column in [id_column] + ([path_column] if path_column else []):
        if column not in table.columns:
            raise ValueError(
                f"expected the column {column!r} in the table, found {', '.join(table.columns)}"
            )
    if not folder.is_dir():
        raise ValueError(f"expected a folder of scans at {folder}, found none")
    if table[id_column].isna().any():
        rows = [int(i) + 1 for i in table[id_column].isna().to_numpy().nonzero()[0]]
        raise ValueError(f"column {id_column!r}: expected an id in every row, found none in {rows}")
    ids = [str(value).strip() for value in table[id_column]]
    folded = pd.Series([_fold(i) for i in ids])
    if folded.duplicated().any():
        repeated = sorted({ids[i] for i in folded.index[folded.duplicated(keep=False)]})
        raise ValueError(
            f"column {id_column!r}: expected each subject once, found {', '.join(repeated[:10])} "
            "repeatedly; keep one row (one scan) per subject"
        )
    return ids


def _fold(name: object) -> str:
    return str(name).strip().casefold()


def _by_column(
    table: pd.DataFrame, ids: list[str], folder: Path, column: str | None
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    named: dict[str, tuple[str, str]] = {}
    problems: list[str] = []
    for subject, value in zip(ids, table[column] if column else [], strict=False):
        if pd.isna(value) or not str(value).strip():
            continue
        path = folder / str(value).strip()
        if path.exists():
            inside = path.is_relative_to(folder)
            named[subject] = (
                path.relative_to(folder).as_posix() if inside else path.as_posix(),
                f"path column {column!r}",
            )
        else:
            problems.append(f"{subject}: column {column!r} names {value}, which does not exist")
    return named, problems


def _scan_units(folder: Path) -> dict[Path, str]:
    """List the smallest things that may be scans: NIfTI files and folders that hold other files.

    The value is the file whose header tells the patient, empty for NIfTI.
    """
    units: dict[Path, str] = {}
    for parent, subfolders, names in os.walk(folder, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        relative = Path(parent).relative_to(folder)
        others = [name for name in sorted(names) if _may_be_dicom(name)]
        for name in names:
            if is_nifti(name) and not name.startswith("."):
                units[relative / name] = ""
        first = next((name for name in others if _is_dicom(Path(parent, name))), None)
        if first:
            units[relative] = os.path.join(parent, first)
    return units


TABLES = (".csv", ".json", ".txt", ".xlsx", ".md", ".pdf", ".png", ".xml", ".html", ".tsv", ".bval")


def _may_be_dicom(name: str) -> bool:
    plain = not name.startswith(".") and name != "DICOMDIR" and not is_nifti(name)
    return plain and not name.lower().endswith(TABLES)


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in (".dcm", ".ima"):
        return True
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _claims(
    units: dict[Path, str], ids: dict[str, str], folder: Path
) -> dict[str, dict[str, str]]:
    """For each subject the paths that may be its scan, with the reason."""
    claims: dict[str, dict[str, str]] = {}
    by_patient: dict[str, list[Path]] = {}
    for unit, header_file in units.items():
        found = _by_name(unit, ids)
        if found:
            subject, path, reason = found
            claims.setdefault(subject, {})[path.as_posix()] = reason
        elif header_file:
            by_patient.setdefault(_fold(_patient_id(header_file)), []).append(unit)
    for patient, paths in by_patient.items():
        if patient in ids:
            top = _common(paths, units)
            for path in [top] if top else paths:
                claims.setdefault(ids[patient], {})[path.as_posix()] = "DICOM PatientID"
    return claims


def _by_name(unit: Path, ids: dict[str, str]) -> tuple[str, Path, str] | None:
    """Look for an id in the names along a path: exact names first, then whole words in names."""
    steps = [Path(*unit.parts[: depth + 1]) for depth in range(len(unit.parts))]
    names = [_stem(step.name) for step in steps]
    for step, name in zip(steps, names, strict=True):
        if _fold(name) in ids:
            reason = "file name" if is_nifti(step) else "folder name"
            return ids[_fold(name)], unit if is_nifti(unit) else step, reason
    for step, name in zip(steps, names, strict=True):
        within = _words(name, ids)
        if len(within) == 1:
            path = unit if is_nifti(unit) else step
            return ids[within[0]], path, f"id within the name {name!r}"
    return None


def _stem(name: str) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)


def _words(name: str, ids: dict[str, str]) -> list[str]:
    """Return the ids that occur between word borders; of ids within each other, the longest."""
    folded = _fold(name)
    spans = [match.span() for match in re.finditer(r"[^\W_]+", folded)]
    hits = [
        (start, end)
        for i, (start, _) in enumerate(spans)
        for _, end in spans[i:]
        if folded[start:end] in ids
    ]
    widest = [
        (start, end)
        for start, end in hits
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in hits)
    ]
    return sorted({folded[start:end] for start, end in widest})


def _patient_id(path: str) -> str:
    import pydicom

    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["PatientID"])
    except (pydicom.errors.InvalidDicomError, OSError):
        return ""
    return str(header.get("PatientID") or "")


def _common(paths: list[Path], units: dict[Path, str]) -> Path | None:
    """Return the folder that holds these series and nothing else."""
    if len(paths) == 1:
        return paths[0]
    top = Path(os.path.commonpath(paths))
    others = [unit for unit in units if _inside(unit, top) and unit not in paths]
    return None if top == Path(".") or others else top


def _inside(path: Path, folder: Path) -> bool:
    return folder == Path(".") or path == folder or folder in path.parents


def _best(options: dict[str, str], units: dict[Path, str]) -> dict[str, str]:
    """Prefer exact names to words in names, and a whole folder to its parts."""
    exact = {p: r for p, r in options.items() if r in ("folder name", "file name")}
    options = exact or options
    return {
        path: reason
        for path, reason in options.items()
        if not any(other != path and _inside(Path(path), Path(other)) for other in options)
    }


def _shared(chosen: dict[str, tuple[str, str]]) -> list[str]:
    owners: dict[Hashable, list[str]] = {}
    for subject, (path, _) in chosen.items():
        owners.setdefault(path, []).append(subject)
    return [
        f"{' and '.join(subjects)} have the same scan, {path}"
        for path, subjects in owners.items()
        if len(subjects) > 1
    ]
