"""Choose which CT series of a subject to use, and say why."""

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.series import Series, axes_of, normal_of

MIN_COVERAGE_MM = 150.0
MAX_GAP_MM = 10.0
THIN_MM = 2.5
SHARP_KERNELS = ("LUNG", "BONE", "EDGE", "YA", "YB", "YC", "YD", "L", "D", "E")
SOFT_KERNELS = ("STANDARD", "SOFT", "DETAIL", "CHEST", "A", "B", "C")
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
    modalities = {str(one.header.get("Modality") or "CT") for one in series}
    candidates = [one for one in series if is_ct(one)]
    if not candidates:
        raise IngestError(
            f"expected a CT series, found {', '.join(sorted(modalities))}; point the cohort "
            "table at the CT of this subject"
        )
    if series_number is not None:
        candidates = [c for c in candidates if c.header.get("SeriesNumber") == series_number]
        if not candidates:
            raise IngestError(
                f"expected series {series_number}, as was asked for, found series "
                + ", ".join(str(one.header.get("SeriesNumber")) for one in series)
            )
    scored = sorted(
        ((_score(one, min_coverage_mm), one) for one in candidates),
        key=lambda pair: (-pair[0][0], -len(pair[1].positions)),
    )
    (points, reasons), chosen = scored[0]
    _refuse(chosen, min_coverage_mm)
    return chosen, _account(chosen, points, reasons, scored[1:])


def of_one_study(series: list[Series], number: int | None) -> list[Series]:
    """Keep the series of the only study, or of that with a number by date, as matching counts."""
    studies: dict[str, list[Series]] = {}
    for one in series:
        studies.setdefault(str(one.header.get("StudyInstanceUID") or ""), []).append(one)
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
    headers = [one.header for one in series]
    return min((str(h.get("StudyDate") or ""), str(h.get("StudyTime") or "")) for h in headers)


def _account(chosen: Series, points: float, reasons: list[str], others: list) -> list[str]:
    if not others:
        return []
    log = [f"chose {chosen.describe()} of {len(others) + 1}: {', '.join(reasons)}"]
    if others[0][0][0] == points:
        log.append(
            f"{others[0][1].describe()} would serve as well: name one in the cohort table's "
            "column series_number"
        )
    return log


def _score(series: Series, min_coverage_mm: float) -> tuple[float, list[str]]:
    """Add up preferences; the order of their sizes is the order of what matters."""
    kinds = {str(kind).upper() for kind in series.header.get("ImageType") or []}
    words = str(series.header.get("SeriesDescription") or "").upper()
    localizer = kinds & {"LOCALIZER", "SCOUT"} or any(w in words for w in ("TOPO", "SCOUT"))
    projection = any("MIP" in kind or "PROJECTION" in kind for kind in kinds) or "MIP" in words
    axial = abs(normal_of(axes_of(series.header))[2]) > 0.9
    rules = [
        (1000, not localizer, "no localizer"),
        (500, not projection, "no projection"),
        (200, series.coverage_mm >= min_coverage_mm, "whole lungs"),
        (100, axial, "axial"),
        (50, not kinds & {"SECONDARY"}, "primary image"),
        (40, "EXP" not in words, "not expiratory"),
        (20, series.kernel != "" and not _sharp(series.kernel), "soft kernel"),
        (10, not kinds & {"DERIVED"}, "original image"),
        (8, series.thickness_mm <= THIN_MM, "thin slices"),
        (4, not series.header.get("ContrastBolusAgent"), "no contrast"),
        (2 - min(series.thickness_mm, 10) / 10, True, f"{series.thickness_mm:g} mm"),
    ]
    met = [(points, reason) for points, holds, reason in rules if holds]
    return sum(points for points, _ in met), [reason for _, reason in met]


def _sharp(kernel: str) -> bool:
    """Siemens numbers kernels by sharpness (B31f, Br40d), others name them."""
    name = kernel.upper().strip()
    digits = "".join(c for c in name if c.isdigit())
    if name[:1] in "BHIQTU" and len(digits) >= 2:
        return int(digits[:2]) >= 50
    if name in SOFT_KERNELS or name.startswith("FC0") or name.startswith("FC1"):
        return False
    return name in SHARP_KERNELS or name.startswith(("LUNG", "BONE", "FC5", "FC8"))


def _refuse(series: Series, min_coverage_mm: float) -> None:
    n = len(series.positions)
    if series.coverage_mm < min_coverage_mm:
        raise IngestError(
            f"too short for whole lungs: expected at least {min_coverage_mm:g} mm from top to "
            f"bottom, found {series.coverage_mm:.0f} mm ({n} slice{'s' * (n > 1)}) in the best "
            "series; give another scan, or lower min_coverage_mm"
        )
    if series.largest_gap_mm > MAX_GAP_MM:
        raise IngestError(
            f"slices are missing: expected at most {MAX_GAP_MM:g} mm between neighbours, found "
            f"{series.largest_gap_mm:.1f} mm; export the whole series again"
        )


def is_ct(series: Series) -> bool:
    """Tell whether a series may be CT: says so, or says nothing else."""
    sop_class = str(series.header.get("SOPClassUID") or "")
    modality = series.header.get("Modality")
    if modality:
        return modality == "CT"
    return not sop_class or sop_class.startswith(CT_CLASSES)
