"""Read a file of SPSS, Stata or SAS and write what it holds as JSON; a process of its own.

Imports nothing of the package, so that it starts at once.
"""

import json
import sys
import traceback
from typing import Any

import pyreadstat

_BROKEN = 65  # exit status: the file is what fails, not this process
_READERS = {"sav": "read_sav", "dta": "read_dta", "sas7bdat": "read_sas7bdat", "xpt": "read_xport"}


def read(kind: str, file: str) -> dict[str, Any]:
    """Return the rows, the first of them the columns' names, and the labels."""
    table, known = getattr(pyreadstat, _READERS[kind])(file)
    labels = known.variable_value_labels
    columns = [
        [_plain(value, labels.get(name, {})) for value in table[name]] for name in table.columns
    ]
    return {
        "rows": [list(table.columns), *zip(*columns, strict=True)],
        "labels": {name: text for name, text in known.column_names_to_labels.items() if text},
        "levels": {name: [own[value] for value in sorted(own)] for name, own in labels.items()},
    }


def _plain(value: Any, labels: dict[Any, str]) -> Any:
    value = labels.get(value, value)
    if value is None or value != value:
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value if isinstance(value, int | str) else str(value).removesuffix(" 00:00:00")


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(read(*sys.argv[1:])))
    except Exception:  # whatever a library says of a damaged file
        traceback.print_exc()
        sys.exit(_BROKEN)
