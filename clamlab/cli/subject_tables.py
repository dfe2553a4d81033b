"""Tables with a row for each subject, fit to be handed on: pseudonyms, numbers and levels."""

import base64
import hmac
import re
import secrets

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clamlab.schema import analysed, check_table
from clamlab.schema.contracts import levels
from clamlab.study import Study, lock
from clamlab.study.catalogue import artefact_of
from clamlab.study.files import is_there

NAMES = ("cohort", "qc", "stability", "assignments", "other_assignments", "map_measures")
# Who a subject is, where the scan lies, and which row of the study is theirs.
PLACES = ("subject_id", "scan")
KEY = "pseudonym_key"
_DATE = re.compile(r"\d{4}([-./]?)\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2\d{2,4}")


def subject_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Make the tables of single subjects that may be handed on, and print what they hold.

    Ids become pseudonyms, the same in every export of this study, and rows stand in the
    pseudonyms' order. Of the clinical table the columns with a role are taken, of all tables
    numbers and levels that a contract names: no path, no free text, no date.
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
    """Tell whether a column holds numbers or the contract's levels, and neither ids nor dates."""
    rule = contract["properties"].get(column.name, {})
    if rule.get("x-role") == "id":
        return False
    known = is_numeric_dtype(column) or is_bool_dtype(column) or bool(levels(rule))
    return known and not _holds_dates(column.dropna())


def _holds_dates(values: pd.Series) -> bool:
    """Tell whether all values are dates: 2024-02-29, 29.2.2024, or 20240229 as a number."""
    if values.empty or is_bool_dtype(values):
        return False
    if is_numeric_dtype(values):
        if (values % 1 != 0).any() or not values.between(19000101, 21001231).all():
            return False
        values = values.astype("int64")
    return all(_DATE.fullmatch(text) for text in values.astype(str))


def _key(study: Study) -> bytes:
    """Return the study's own secret, without which nobody can tell whose a pseudonym is."""
    if KEY not in study.settings:
        with lock.taken(study.root, "clamlab export"):
            study.update(**{KEY: secrets.token_hex(16)})
    return bytes.fromhex(study.settings[KEY])


def _pseudonym(subject: str, key: bytes) -> str:
    return base64.b32encode(hmac.digest(key, subject.encode(), "sha256"))[:12].decode()
