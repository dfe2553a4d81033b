"""Which series a subject has, for a person who would rather take another one."""

from collections import Counter
from typing import Any

from clamlab.ingest.cohort.files import file_stamp, fingerprint
from clamlab.ingest.cohort.subjects import Subject, recorded
from clamlab.ingest.headers import quietly
from clamlab.ingest.reading.choice import is_ct, of_one_study
from clamlab.ingest.reading.read import is_nifti
from clamlab.ingest.reading.series import find_series


def may_have_series(subject: Subject, record: dict[str, Any]) -> bool:
    """Tell whether a person may want another series: the scan is odd, or there were several."""
    odd = record["status"] != "done" or record["flags"] or record["log"]
    return bool(odd) or subject.series_number is not None


def list_series(subject: Subject) -> dict[str, Any]:
    """Say in words which CT series a subject has."""
    stamp = file_stamp(subject.scan) if subject.scan.exists() else None
    return recorded(subject, "series", fingerprint(subject.study, stamp), _list_series)


@quietly()
def _list_series(subject: Subject) -> dict[str, Any]:
    if is_nifti(subject.scan):
        return {"series": [], "n_series": 1}
    found = [s for s in of_one_study(find_series(subject.scan), subject.study) if is_ct(s)]
    count = Counter(s.get("SeriesNumber") for s in found)
    # A number that several series share, or none, would not tell which was meant.
    chosen = [s for s in found if s.get("SeriesNumber") is not None]
    told = [s.describe() for s in chosen if count[s.get("SeriesNumber")] == 1]
    return {"series": told, "n_series": len(found)}
