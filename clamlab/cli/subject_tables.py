"""Tables with a row for each subject, fit to be handed on: pseudonyms, numbers and levels."""

import base64
import hmac
import re
import secrets

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clamlab.schema import analysed, check_table
from clamlab.schema.contracts import levels
from clamlab.schema.persons import names_somebody
from clamlab.study import Study, StudyError, lock
from clamlab.study.catalogue import artefact_of
from clamlab.study.files import is_there

NAMES = ("cohort", "qc", "stability", "partitions", "assignments", "map_measures")
# Who a subject is, where the scan lies, and which row of the study is theirs.
PLACES = ("subject_id", "scan")
KEY = "pseudonym_key"


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
    if not is_numeric_dtype(column) and not levels(rule):
        return False
    return not names_somebody(values, units=rule.get("x-units", ""))


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
