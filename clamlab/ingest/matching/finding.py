"""What lies in a folder of scans: every scan with what its headers say, and what could not be read.

Of a folder of slices three headers are read, of one that seems to hold several patients or studies
all of them. Headers serve to tell scans apart; no value of theirs goes into any message.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from stat import S_ISREG

import pydicom

from clamlab.ingest.headers import quietly, read_header
from clamlab.ingest.scan import NIFTI_ENDINGS, is_nifti
from clamlab.io.folders import walk

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".iso")
FIELDS = [
    "PatientID", "AccessionNumber", "StudyID", "StudyInstanceUID", "StudyDate", "StudyTime",
    "PatientSex", "PatientAge", "PatientBirthDate",
]  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What one DICOM file says of patient and study."""

    patient: str = ""
    accession: str = ""
    study_id: str = ""
    study: str = ""
    date: str = ""
    time: str = ""
    sex: str = ""
    age: str = ""
    born: str = ""


@dataclass(frozen=True)
class Found:
    """One NIfTI file, or one folder that holds DICOM files directly.

    Attributes
    ----------
    path : Path
        Relative to the folder that was searched; its names may be those of patients.
    headers : tuple of Header
        Of a folder of slices: all that differ.
    """

    path: Path
    headers: tuple[Header, ...] = ()

    @property
    def is_nifti(self) -> bool:
        """Whether it is one file."""
        return not self.headers

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names along its path, a file's without its ending."""
        *folders, last = self.path.parts
        return (*folders, stem(last) if self.is_nifti else last)


@dataclass(frozen=True)
class Survey:
    """All scans of a folder, and in words what else there is."""

    folder: Path
    scans: list[Found]
    problems: list[str] = field(default_factory=list)


def stem(name: str) -> str:
    """Return a NIfTI file's name without its ending.

    >>> stem("S1.NII.GZ"), stem("S1.5.nii")
    ('S1', 'S1.5')
    """
    endings = [ending for ending in NIFTI_ENDINGS if name.lower().endswith(ending)]
    return name[: len(name) - max(map(len, endings), default=0)]


@quietly()
def survey(folder: Path) -> Survey:
    """Search a folder at any depth."""
    scans: list[Found] = []
    problems: list[str] = []
    for place, names in walk(folder, problems):
        here = place.relative_to(folder)
        regular = [name for name in names if _is_file(place / name, here / name, problems)]
        scans += [Found(here / name) for name in regular if is_nifti(name)]
        packed = [name for name in regular if name.lower().endswith(ARCHIVES)]
        problems += [f"{here / name}: an archive; unpack it, and start again" for name in packed]
        slices = [n for n in regular if not is_nifti(n) and not n.lower().endswith(ARCHIVES)]
        if headers := _headers(place, slices):
            scans.append(Found(here, headers))
    return Survey(folder, sorted(scans, key=lambda scan: scan.path.parts), problems)


def _is_file(path: Path, here: Path, problems: list[str]) -> bool:
    """Tell a file from pipes and devices, which would never end, and links to nothing."""
    try:
        return S_ISREG(path.stat().st_mode)
    except OSError:
        problems.append(f"{here}: a link to nothing")
        return False


def _headers(place: Path, names: list[str]) -> tuple[Header, ...]:
    """Read the first, the middle and the last header; all where these tell of several studies."""
    names = [name for name in names if name.upper() != "DICOMDIR"]
    last = next(_read(place, reversed(names)), None)
    if last is None:
        return ()
    middle = len(names) // 2
    some = [next(_read(place, part), last) for part in (names, names[middle:])]
    found = {last, *some}
    if len({(h.patient, h.study) for h in found}) > 1:
        found = set(_read(place, names))
    return tuple(sorted(found, key=lambda h: (h.date, h.time, h.study, h.patient)))


def _read(place: Path, names: Iterable[str]) -> Iterator[Header]:
    for name in names:
        try:
            with open(place / name, "rb") as file:
                data = read_header(file, FIELDS)
        except Exception:  # a damaged header raises whatever its damage leads to
            continue
        if data is not None:
            yield _header(data)


def _header(data: pydicom.Dataset) -> Header:
    values = [str(data.get(name) or "").strip() for name in FIELDS]
    return Header(*values)
