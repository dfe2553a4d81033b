"""One damaged file, read in a process of its own: how it ends, how long it takes, how much."""

import json
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clamlab.ingest.errors import IngestError
from clamlab.io import FileError
from clamlab.schema import TableError
from clamlab.study import StudyError
from studies.damage import numbers, series, texts
from studies.damage.honest import STAGE, Reader, digest
from studies.damage.kinds import LENGTHS, PLACES, Change, Damages

FORMS: dict[str, Callable[[bytes], Damages]] = {
    "csv": texts.csv,
    "binary": texts.binary,
    "workbook": texts.workbook,
    "json": texts.json_object,
    "safetensors": texts.safetensors,
    "gz": numbers.gz,
    "nifti": numbers.nifti,
    "nifti.gz": numbers.nifti_gz,
    "npy": numbers.npy,
    "dicom": series.dicom,
}
OURS = (FileError, IngestError, StudyError, TableError)
LONGEST = 10.0  # seconds
SPARE = 64.0  # MiB that a refusal may take more than twice the honest read
ROOM = 4 << 30  # bytes that a read may ask for before the system refuses


@dataclass(frozen=True)
class Ending:
    """What became of a read.

    Attributes
    ----------
    how : str
        "refused", "same", "different", "traceback" or "hang".
    said : str
        The sentence, or what the library said.
    seconds, mib : float
    """

    how: str
    said: str
    seconds: float
    mib: float


def damages(reader: Reader) -> Iterator[tuple[str, str, Change | None]]:
    """Yield the kind of each damage, what is done, and how; without how, it is no file any more."""
    yield from (("no file", name, None) for name in PLACES)
    yield from (("length", name, change) for name, change in LENGTHS.items())
    yield from FORMS[reader.form](reader.file.read_bytes())


def end_of(reader: Reader, name: str, change: Change | None, honest: str = "") -> Ending:
    """Damage a copy of a reader's file and its neighbours, and read it."""
    folder = Path(tempfile.mkdtemp())
    try:
        root = reader.file.parent
        if root.name == STAGE:  # what lies in a study is read from its folder
            root = root.parent
        copy = folder / root.name
        shutil.copytree(root, copy)
        file = copy / reader.file.relative_to(root)
        if name:
            file.unlink()
            if change is None:
                PLACES[name](file)
            else:
                file.write_bytes(change(reader.file.read_bytes()))
        return _read_apart(reader, file, honest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_apart(reader: Reader, file: Path, honest: str) -> Ending:
    out, into = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if not child:
        os.close(out)
        try:
            os.write(into, json.dumps(_read(reader, file, honest)).encode())
        finally:
            os._exit(0)
    os.close(into)
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() - start > 2 * LONGEST:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(out)
            return Ending("hang", "", time.monotonic() - start, 0)
        time.sleep(0.002)
    with os.fdopen(out, "rb") as told:
        answer = told.read()
    seconds = time.monotonic() - start
    if not answer:
        return Ending("traceback", "the process died", seconds, 0)
    how, said, mib = json.loads(answer)
    return Ending(how, said, seconds, mib)


def _read(reader: Reader, file: Path, honest: str) -> tuple[str, str, float]:
    before, peak = _peak(), 0.0
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    try:
        value = reader.read(file)
        peak = _peak()  # before the whole of a mapped array is looked at
        found = digest(value)
        how, said = ("same" if found == honest else "different"), found
    except OURS as error:
        how, said = "refused", str(error)
    except Exception as error:
        ours = type(error) is ValueError and file.name in str(error)
        how, said = ("refused" if ours else "traceback"), f"{type(error).__name__}: {error}"
    if how == "refused" and (file.name not in said or "\n" in said.strip()):
        how = "traceback"
    return how, said[:600], (peak or _peak()) - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
