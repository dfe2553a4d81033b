"""Read a file of SPSS, Stata or SAS and write what it holds as JSON; a process of its own.

Imports nothing of the package, so that it starts at once.
"""

import json
import sys
import traceback
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyreadstat

_BROKEN = 65  # exit status: the file is what fails, not this process
_READERS = {"sav": "read_sav", "dta": "read_dta", "sas7bdat": "read_sas7bdat", "xpt": "read_xport"}


def read(kind: str, file: str) -> dict[str, Any]:
    """Return the rows, the first of them the columns' names, the labels, and what is to be said."""
    table, known = getattr(pyreadstat, _READERS[kind])(file)
    columns, levels, said = [], {}, []
    for name in table.columns:
        own, told = _told_apart(table[name], known.variable_value_labels.get(name, {}))
        columns.append([own.get(value, _plain(value)) for value in table[name]])
        said += [f"{name}: {sentence}" for sentence in told]
        if own:
            levels[name] = [own[code] for code in sorted(own, key=_missing_last)]
    return {
        "rows": [list(table.columns), *zip(*columns, strict=True)],
        "labels": {name: text for name, text in known.column_names_to_labels.items() if text},
        "levels": levels,
        "said": said,
    }


def _told_apart(values: Iterable[Any], labels: dict[Any, str]) -> tuple[dict[Any, str], list[str]]:
    """Return what is written for each code, so that values which differ still do; and say so.

    A blank label is none; where several values would be written alike, their codes stand behind
    the label.
    """
    there = {value for value in values if value == value and value is not None}
    shown = {code: _visible(label) for code, label in labels.items()}
    alike = Counter(shown.get(value) or str(_plain(value)) for value in there)
    own, said = {}, []
    for code, text in shown.items():
        plain, why = str(_plain(code)), ""
        if not text:
            own[code], why = plain, f"the label of {plain} is blank, and it stays {plain}"
        elif alike[text] > 1:
            own[code] = f"{text} ({plain})"
            why = f"several values are called {text!r}, and their codes stand behind it"
        else:
            own[code] = labels[code]
        if why and code in there and why not in said:
            said.append(why)
    return own, said


def _visible(text: str) -> str:
    return "".join(filter(str.isprintable, text)).strip()


def _missing_last(code: Any) -> tuple[bool, Any]:
    """Order numbers before the letters of Stata's kinds of missing."""
    return isinstance(code, str), code


def _plain(value: Any) -> Any:
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
