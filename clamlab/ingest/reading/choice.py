"""Choose which CT series of a subject to use, and say why."""

import re
from dataclasses import replace

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.kernels import is_soft
from clamlab.ingest.reading.series import Series

MIN_COVERAGE_MM = 150.0
MIN_SLICES = 10
MIN_DEPTH_MM = 100.0  # of slices in any direction: two views of 320 mm are no volume
MAX_GAP_MM = 10.0
MOST_MISSING = 0.1
THIN_MM = 2.5
LOCALIZER = re.compile(r"TOPO|SCOUT|SURVIEW|LOCALI[SZ]|SCANOGRAM|SCANO\b|位置決め")
PROJECTION = re.compile(
    r"(?<!HE)(?<!SE)MIP|(MIN|MAX)[ -]?IP|(MIN|MAX)IMUM INTENSITY|PROJECTION|DOSE REPORT|"
    r"PATIENT PROTOCOL"
)  # not hemipelvis, not seminar
AVERAGE = re.compile(r"\b(AVERAGE|AVG|AVE|MEAN|A(VE)?[ -]?IP|RAY ?SUM)\b")
EXPIRATION = re.compile(r"\bEX(S?)P(IR|\b)|\bESPIR|AUSATM|呼気")
CT_CLASSES = ("1.2.840.10008.5.1.4.1.1.2",)  # CT image, and enhanced CT as 1.2.840....2.1


def choose_series(
    series: list[Series],
    *,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    series_number: int | None = None,
    study: int | None = None,
) -> tuple[Series, list[str]]:
    """Choose the series of a subject to use, and say why.

    Kernel, thickness, contrast and the like are preferences among several series; the only series
    of a subject is never refused for them.

    Parameters
    ----------
    series : list of Series
    min_coverage_mm : float
        Whole lungs need more.
    series_number : int or None
        The DICOM SeriesNumber, where a person has chosen.
    study : int or None
        Which study of the patient, by date from 1, where there are several.

    Returns
    -------
    Series
    list of str
        Why it was chosen, and what else there was.

    Raises
    ------
    IngestError
        If there is no CT, the images belong to several patients, or to several studies of which
        none was chosen, the slices do not cover whole lungs, or there are gaps no interpolation can
        bridge.
    """
    patients = frozenset().union(*(one.patients for one in series))
    if len(patients) > 1:
        raise IngestError(
            f"expected the images of one patient, found {len(patients)} different PatientIDs; "
            "give each subject a folder of its own"
        )
    series = of_one_study(series, study)
    modalities = {str(one.get("Modality") or "CT") for one in series}
    candidates = [one for one in series if is_ct(one)]
    if not candidates:
        raise IngestError(
            f"expected a CT series, found {', '.join(sorted(modalities))}; point the cohort "
            "table at the CT of this subject"
        )
    if series_number is not None:
        candidates = [c for c in candidates if c.get("SeriesNumber") == series_number]
        if not candidates:
            raise IngestError(
                f"expected series {series_number}, as was asked for, found series "
                + ", ".join(str(one.get("SeriesNumber")) for one in series)
            )
    scored = sorted(
        ((_score(one, min_coverage_mm), one) for one in candidates),
        key=lambda pair: (-pair[0][0], -len(pair[1].frames), _first_taken(pair[1])),
    )
    (points, reasons), chosen = scored[0]
    refuse_partial(chosen, min_coverage_mm)
    notes = chosen.notes + _to_look_at(chosen, [one for _, one in scored[1:]])
    return replace(chosen, notes=notes), _account(chosen, points, reasons, scored[1:])


def of_one_study(series: list[Series], number: int | None) -> list[Series]:
    """Keep the series of the only study, or of that with a number by date, as matching counts."""
    studies: dict[str, list[Series]] = {}
    for one in series:
        studies.setdefault(str(one.get("StudyInstanceUID") or ""), []).append(one)
    if number is None and len(studies) == 1:
        return series
    if number is None or not 1 <= number <= len(studies):
        wanted = "the images of one study" if number is None else f"at least {number} studies"
        raise IngestError(
            f"expected {wanted}, found {len(studies)}; say which is meant (clamlab init --visit "
            "first, last, nearest:COLUMN or a column), or give each a folder of its own"
        )
    return sorted(studies.items(), key=lambda study: (_when(study[1]), study[0]))[number - 1][1]


def _when(series: list[Series]) -> tuple[str, str]:
    return min((one.words("StudyDate"), one.words("StudyTime")) for one in series)


def _account(chosen: Series, points: float, reasons: list[str], others: list) -> list[str]:
    if not others:
        return []
    log = [f"chose {chosen.describe()} of {len(others) + 1}: {', '.join(reasons)}"]
    if others[0][0][0] == points:
        alike = others[0][1].get("SeriesNumber") == chosen.get("SeriesNumber")
        advice = (
            "their numbers are the same: give one of them alone"
            if alike
            else "name one in the cohort table's column series_number"
        )
        log.append(f"{others[0][1].describe()} would serve as well: {advice}")
    return log


def _to_look_at(chosen: Series, others: list[Series]) -> list[str]:
    """Say what a person should look at before this series is taken for the whole chest."""
    notes = []
    if AVERAGE.search(_said(chosen)):
        notes.append("the series calls itself an average of slices")
    notes += [
        f"{one.describe()} goes on where this one ends and was not used; if lungs lie in both, "
        "export them as one series"
        for one in others
        if one.kernel == chosen.kernel and one.goes_on_from(chosen)
    ]
    return notes


def _first_taken(series: Series) -> tuple:
    """Order stacks that are alike by when they were taken, as a scanner counts."""
    acquisition = series.frames[0].number("AcquisitionNumber") or 0.0
    numbers = [frame.number("InstanceNumber") or 0.0 for frame in series.frames]
    times = series.words("AcquisitionDateTime"), series.words("AcquisitionTime")
    return *times, acquisition, min(numbers)


def _score(series: Series, min_coverage_mm: float) -> tuple[float, list[str]]:
    """Add up preferences; the order of their sizes is the order of what matters."""
    kinds = series.image_types
    rules = [
        (1000, not is_localizer(series), "no localizer"),
        (500, not _is_projection(series), "no projection"),
        (200, _problem(series, min_coverage_mm) is None, "whole lungs"),
        (100, abs(series.frames[0].normal[2]) > 0.9, "axial"),
        (50, not kinds & {"SECONDARY"}, "primary image"),
        (40, not EXPIRATION.search(_description(series)), "not expiratory"),
        (20, is_soft(series.kernel) is True, "soft kernel"),
        (10, not kinds & {"DERIVED"}, "original image"),
        (8, series.thickness_mm <= THIN_MM, "thin slices"),
        (4, not has_contrast(series), "no contrast"),
        (2 - min(series.thickness_mm, 10) / 10, True, f"{series.thickness_mm:g} mm"),
    ]
    met = [(points, reason) for points, holds, reason in rules if holds]
    return sum(points for points, _ in met), [reason for _, reason in met]


def _description(series: Series) -> str:
    return series.words("SeriesDescription").upper()


def is_localizer(series: Series) -> bool:
    """Tell views for planning from scans."""
    said = series.image_types & {"LOCALIZER", "SCOUT"}
    few = len(series.frames) < MIN_SLICES  # a scan may name the topogram it was planned on
    return bool(said or few and LOCALIZER.search(_description(series)))


def _is_projection(series: Series) -> bool:
    return bool(PROJECTION.search(_said(series)))


def _said(series: Series) -> str:
    return " ".join([*sorted(series.image_types), _description(series)]).replace("_", " ")


def has_contrast(series: Series) -> bool:
    """Tell whether the header names a contrast agent, or says that one was given."""
    given = series.words("ContrastBolusAgentAdministered").upper() == "YES"
    return bool(given or series.get("ContrastBolusAgent"))


def refuse_partial(series: Series, min_coverage_mm: float) -> None:
    """Refuse a series that cannot be a whole chest.

    Raises
    ------
    IngestError
    """
    if why := _problem(series, min_coverage_mm):
        raise IngestError(why)


def _problem(series: Series, min_coverage_mm: float) -> str | None:
    """Say why a series cannot be a whole chest."""
    n, spacing = len(series.frames), series.spacing
    if is_localizer(series):
        return (
            f"expected a scan, found a localizer ({n} image{'s' * (n > 1)}); give the series that "
            "was planned on it"
        )
    if _is_projection(series):
        return (
            "expected slices as they were measured, found a projection (MIP, MinIP or the like); "
            "give the series it was made of"
        )
    if n > (n_places := len(spacing.planes)):
        return (
            f"expected one slice at a place, found {n} at {n_places} place{'s' * (n_places > 1)}, "
            f"and no element of their headers tells which belong together; {_remedy(series)}"
        )
    if series.coverage_mm < min_coverage_mm:
        return (
            f"too short for whole lungs: expected at least {min_coverage_mm:g} mm from top to "
            f"bottom, found {series.coverage_mm:.0f} mm ({n} slice{'s' * (n > 1)}) in the best "
            "series; give another scan, or lower min_coverage_mm"
        )
    if n < MIN_SLICES or series.depth_mm < min(MIN_DEPTH_MM, min_coverage_mm):
        return (
            f"expected slices through a whole chest, found {n} over {series.depth_mm:.0f} mm; "
            "give another scan"
        )
    if spacing.largest_gap_mm > MAX_GAP_MM:
        return (
            f"slices are missing: expected at most {MAX_GAP_MM:g} mm between neighbours, found "
            f"{spacing.largest_gap_mm:.1f} mm; export the whole series again"
        )
    if spacing.share_missing > MOST_MISSING:
        return (
            f"slices are missing: expected at most {MOST_MISSING:.0%}, found {spacing.missing} of "
            f"{spacing.missing + n}; export the whole series again"
        )
    return None


def _remedy(series: Series) -> str:
    """Say what to do where places come twice."""
    export = "export the phases or reconstructions as series of their own"
    if len({frame.coding for frame in series.frames}) > 1:
        return f"they are stored in two codings: if one is a copy, delete it; else {export}"
    return export


def is_ct(series: Series) -> bool:
    """Tell whether a series may be CT: says so, or says nothing else."""
    sop_class = str(series.get("SOPClassUID") or "")
    modality = series.get("Modality")
    if modality:
        return modality == "CT"
    return not sop_class or sop_class.startswith(CT_CLASSES)
