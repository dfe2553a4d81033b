"""One page over all subjects, those that look most suspicious first; it opens from disk."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from clamlab.atomic import whole_file
from clamlab.ingest.cohort.files import writing
from clamlab.paths import path_part

TEMPLATE = Path(__file__).with_name("qc_index.html")
RANKS = {"excluded": 0, "review": 1, "ok": 2}
# What the page shows in a place of its own, or not at all.
SHOWN_APART = ("subject_id", "status", "reason", "decision", "image_id")


def write_index(qc: pd.DataFrame, folder: Path) -> Path:
    """Write one page over all subjects: a list to filter, and a sheet for each.

    Parameters
    ----------
    qc : DataFrame
        From :func:`ingest_cohort`.
    folder : path
        Where the pictures are; the page loads the one that is looked at.

    Returns
    -------
    Path
    """
    facts = [name for name in qc if name not in SHOWN_APART]
    content = {
        "facts": facts,
        "subjects": [_sheet(row, facts, folder) for row in by_suspicion(qc).to_dict("records")],
    }
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Within a script nothing is escaped, and only "<" could end it.
    page = TEMPLATE.read_text(encoding="utf-8").replace("{{data}}", data.replace("<", r"\u003c"))
    path = folder / "index.html"
    with writing(folder), whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def by_suspicion(qc: pd.DataFrame) -> pd.DataFrame:
    """Sort: what is excluded, then review by the number of reasons, then ok; lowest Dice first.

    Examples
    --------
    >>> qc = pd.DataFrame({"subject_id": list("abc"), "status": ["ok", "review", "review"],
    ...                    "reason": ["", "small", "small; cut"], "dice": [0.9, 0.9, 0.95]})
    >>> by_suspicion(qc)["subject_id"].tolist()
    ['c', 'b', 'a']
    """
    keys = pd.DataFrame(
        {
            "rank": qc["status"].map(RANKS),
            "reasons": -qc["reason"].map(_number_of_reasons).where(qc["status"] == "review", 0),
            "dice": qc["dice"].astype(float) if "dice" in qc else float("nan"),
        }
    )
    order = keys.sort_values(["rank", "reasons", "dice"], kind="stable", na_position="first")
    return qc.loc[order.index]


def _number_of_reasons(reason: Any) -> int:
    return len(re.findall(r"[^;]+", reason)) if isinstance(reason, str) else 0


def _sheet(row: dict[str, Any], facts: list[str], folder: Path) -> dict[str, Any]:
    name = f"{path_part(str(row['subject_id']))}.png"
    return {
        "id": str(row["subject_id"]),
        "status": row["status"],
        "reason": _plain(row["reason"]) or "",
        "decision": _plain(row.get("decision")) or "",
        "picture": quote(name) if (folder / name).exists() else "",
        "facts": [_plain(row[fact]) for fact in facts],
    }


def _plain(value: Any) -> Any:
    """Return a cell as JSON knows it."""
    if pd.isna(value):
        return None
    if isinstance(value, bool | str):
        return value
    return value.item() if hasattr(value, "item") else value
