"""Tables with a row for each subject, fit to be handed on: pseudonyms, numbers and levels."""

import base64
import hmac
import re
import secrets

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clamlab.schema import analysed, check_table
from clamlab.schema.contracts import levels
from clamlab.study import Study, StudyError, lock
from clamlab.study.catalogue import artefact_of
from clamlab.study.files import is_there

NAMES = ("cohort", "qc", "stability", "assignments", "other_assignments", "map_measures")
# Who a subject is, where the scan lies, and which row of the study is theirs.
PLACES = ("subject_id", "scan")
KEY = "pseudonym_key"
LEAST_NUMBER = 10_000  # hospitals' numbers have five digits and more
YEARS = ("1900-01-01", "2100-12-31")
_DATE = re.compile(r"\d{4}([-./]?)\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{2,4}")


def subject_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Make the tables of single subjects that may be handed on, and print what they hold.

    Ids become pseudonyms, the same in every export of this study, and rows stand in the
    pseudonyms' order. Of the clinical table the columns with a role are taken, of all tables
    measures and levels that a contract names: no path, no free text, no date, no number with
    which a hospital names a person or a visit.
    """
    key, tables = _key(study), {}
    print("One row for each subject, under a pseudonym of this study:")
    for name in NAMES:
        if not is_there(study.path(name)):
            continue
        table, contract = _table(study, name)
        if table.empty:
            continue
        kept = [c for c in table if c not in PLACES and _is_harmless(table[c], contract)]
        left = [c for c in table if c not in ("subject_id", *kept)]
        print(f"  {name}: {', '.join(kept)}" + (f"; without {', '.join(left)}" if left else ""))
        pseudonyms = [_pseudonym(subject, key) for subject in table["subject_id"]]
        named = table[kept].assign(pseudonym=pseudonyms)
        tables[name] = named[["pseudonym", *kept]].sort_values("pseudonym", kind="stable")
    return tables


def _table(study: Study, name: str) -> tuple[pd.DataFrame, dict]:
    artefact, table = artefact_of(name), study.read(name)
    if not artefact.clinical:
        return table, study.schema(str(artefact.schema))
    contract = analysed(study.schema("participants"))
    return check_table(table, contract), contract


def _is_harmless(column: pd.Series, contract: dict) -> bool:
    """Tell whether a column holds measures or the contract's levels: no ids, dates or numbers."""
    rule, values = contract["properties"].get(column.name, {}), column.dropna()
    if rule.get("x-role") == "id":
        return False
    if is_bool_dtype(column):
        return True
    if is_numeric_dtype(column):
        return not (_holds_dates(values) or _are_numbers_of_persons(values, rule))
    return bool(levels(rule)) and not _holds_dates(values)


def _are_numbers_of_persons(values: pd.Series, rule: dict) -> bool:
    """Tell whether values look like numbers that somebody was given, and measure nothing.

    Those have many digits, hardly two are the same, and there is no unit to them.
    """
    if values.empty or rule.get("x-units") or (values % 1 != 0).any():
        return False
    return bool(
        (values.abs() >= LEAST_NUMBER).mean() > 0.5 and values.nunique() > 0.5 * len(values)
    )


def _holds_dates(values: pd.Series) -> bool:
    """Tell whether most values are dates, also as numbers: 29.2.2024, 20240229, 9021951."""
    if is_numeric_dtype(values):
        values = values[values != 0]  # a usual code for unknown
        if values.empty or (values % 1 != 0).any():
            return False
        values = values.astype("int64").astype(str).str.zfill(8)
        found = [
            _as_date(values, order).between(*YEARS) for order in ("%Y%m%d", "%d%m%Y", "%m%d%Y")
        ]
        return bool(max(some.mean() for some in found) > 0.5)
    return not values.empty and values.astype(str).map(_DATE.fullmatch).notna().mean() > 0.5


def _as_date(values: pd.Series, order: str) -> pd.Series:
    return pd.to_datetime(values, format=order, errors="coerce")


def _key(study: Study) -> bytes:
    """Return the study's own secret, without which nobody can tell whose a pseudonym is."""
    if KEY not in study.settings:
        with lock.taken(study.root, "clamlab export"):
            study.update(**{KEY: secrets.token_hex(16)})
    key = str(study.settings[KEY])
    if not re.fullmatch(r"[0-9a-f]{32}", key):
        raise StudyError(
            f"{study.root / 'study.json'} should hold {KEY} as 32 hexadecimal digits, and does "
            "not: put it back from a backup, or take the line out for new pseudonyms"
        )
    return bytes.fromhex(key)


def _pseudonym(subject: str, key: bytes) -> str:
    return base64.b32encode(hmac.digest(key, subject.encode(), "sha256"))[:12].decode()
