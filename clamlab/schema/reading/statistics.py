"""The table of a statistics program: SPSS, Stata or SAS, with its labels."""

import json
import subprocess
import sys
from pathlib import Path

from clamlab.schema.reading.sheet import Sheet

STATISTICS = ("sav", "dta", "sas7bdat", "xpt")
_READER = Path(__file__).with_name("readstat.py")
_RECORD = 80  # bytes: a SAS transport file is made of such, and does not say how many
_BROKEN = 65  # its exit status where the file is what fails


def read_statistics(file: Path, kind: str) -> list[Sheet]:
    """Return the one sheet of a statistics program's file.

    Where the program has a label for a value ("1" is "male"), the label stands in the table, and
    the labels keep the order of their values. What it counts as missing is missing.

    Raises
    ------
    ValueError
        If the file cannot be read.
    """
    if kind == "xpt" and file.stat().st_size % _RECORD:
        raise ValueError("cut within a record")
    # A damaged file can bring down the process that reads it: it is not to be this one.
    command = [sys.executable, "-P", str(_READER), kind, str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise _not_read(file, str(error)) from error
    if done.returncode == _BROKEN or done.returncode < 0:
        raise ValueError(f"ReadStat ended with {done.returncode}: {done.stderr[-500:]}")
    if done.returncode:
        raise _not_read(file, done.stderr.strip().rpartition("\n")[2])
    found = json.loads(done.stdout)
    return [Sheet.of_rows("", enumerate(found.pop("rows"), 1), **found)]


def _not_read(file: Path, why: str) -> ValueError:
    return ValueError(
        f"{file} was not read: the process that reads files of statistics programs did not start "
        f"({why}); install clamlab again"
    )
