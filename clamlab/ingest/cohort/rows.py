"""The rows of a cohort table as the steps take them, and why some cannot be taken."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from clamlab.ingest.cohort.subjects import Subject, subject_folder
from clamlab.paths import unusable_ids, writable


def cohort_subjects(
    cohort: pd.DataFrame, folder: Path, root: Path, *, refused: Mapping[str, str] | None = None
) -> list[Subject]:
    """Check a cohort table and return the rows that can be used.

    Raises
    ------
    ValueError
        If a column is missing or a subject stands twice.
    """
    names = subject_names(cohort)
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise ValueError(f"cohort: expected each subject once, found repeated: {', '.join(twice)}")
    refused = refused_subjects(cohort, root) if refused is None else refused
    return [
        Subject(
            subject_id=name,
            scan=root / str(row["scan"]),
            folder=subject_folder(folder, name),
            lung_mask=root / str(row["lung_mask"]) if _given(row, "lung_mask") else None,
            series_number=int(row["series_number"]) if _given(row, "series_number") else None,
            study=int(row["study"]) if _given(row, "study") else None,
        )
        for name, row in zip(names, cohort.to_dict("records"), strict=True)
        if name not in refused
    ]


def subject_names(cohort: pd.DataFrame) -> list[str]:
    """Name every row by its id, as a file can hold it, or else by its place in the table."""
    return [
        writable(text) if text and text.strip() else f"(row {row})"
        for row, text in enumerate(_ids(cohort), start=1)
    ]


def refused_subjects(cohort: pd.DataFrame, root: Path) -> dict[str, str]:
    """Tell by name which subjects cannot even be tried, and why."""
    names, found = subject_names(cohort), unusable_ids(_ids(cohort))
    for position, row in enumerate(cohort.to_dict("records")):
        for column in ("scan", "lung_mask"):
            if why := _no_path(row, column, root):
                found.setdefault(position, why)
    return {names[position]: found[position] for position in sorted(found)}


def _ids(cohort: pd.DataFrame) -> list[str | None]:
    if not {"subject_id", "scan"} <= set(cohort.columns) or not len(cohort):
        raise ValueError(
            "expected a cohort table with at least one row and the columns subject_id and scan, "
            f"found {len(cohort)} rows and the columns {', '.join(map(str, cohort.columns))}"
        )
    return [None if pd.isna(value) else str(value) for value in cohort["subject_id"]]


def _given(row: dict, column: str) -> bool:
    return column in row and not pd.isna(row[column]) and str(row[column]).strip() != ""


def _no_path(row: dict, column: str, root: Path) -> str | None:
    """Say why nothing can be looked for there; that nothing is there is told by who reads it."""
    if not _given(row, column):
        return "its row of the cohort names no scan" if column == "scan" else None
    try:
        (root / str(row[column])).stat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path that can be"
        return f"what its column {column} names cannot be looked at: {reason}"
    return None
