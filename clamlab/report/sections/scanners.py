"""Whether the clusters may be of scanners, sites or lung sizes rather than of patients."""

import pandas as pd

from clamlab.report.blocks import Block, Missing, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.words import capital, count_of, listed, number
from clamlab.stats.disclosure.small_counts import is_small
from clamlab.stats.tables import scan_facts, shortcut_alarm
from clamlab.stats.tables.rendering import p_text

UNKNOWN = "Whether the clusters follow the scanner is not known: no fact could be compared."
SCAN = " (scan)"
_WORDS = {
    "lung_ml": "lung volume (ml)",
    "filled_fraction": "share of the template's lungs that was filled",
    "in_template": "use for the template",
    "kvp": "tube voltage (kVp)",
    "thickness_mm": "slice thickness (mm)",
    "in_plane_mm": "pixel size (mm)",
    "slice_distance_mm": "slice distance (mm)",
    "coverage_mm": "length of the scan (mm)",
}
MOST_LEVELS = 10  # of a fact with more, quarters are compared


def make(found: Found) -> list[Block]:
    """Hold the clusters against how the scans were made."""
    if found.need("people")["cluster"].nunique() < 2:
        return [Sentence("There is one cluster: nothing can be compared.")]
    alarm = alarms(found)
    loud = alarm.loc[alarm["alarm"], "variable"]
    blocks: list[Block] = []
    if len(loud):
        text = (
            f"The clusters go along with {listed([plain(n) for n in loud])}: they may be of that, "
        )
        text += "not of patients. Look at it within the clusters, adjust for it, or harmonise."
        blocks.append(Note(text, warning=True))
    elif not (n := int(alarm["effect_size"].notna().sum())):
        return [Missing(UNKNOWN), *(Note(text) for text in _silent(alarm))]
    else:
        blocks.append(Sentence(f"Of {n} facts that could be compared, none raises an alarm."))
    return [*blocks, _table(alarm, found)]


def alarms(found: Found) -> pd.DataFrame:
    """Compare facts about scans between clusters; what was measured on images is not tested."""
    people, qc = found.need("people"), found.need("qc")
    if people["cluster"].nunique() < 2:
        return pd.DataFrame(columns=["variable", "alarm"])
    if {"right_ml", "left_ml"} <= set(qc):
        qc = qc.assign(lung_ml=qc["right_ml"] + qc["left_ml"])
    made = scan_facts(qc).add_suffix(SCAN)
    own = qc.set_index("subject_id")
    measured = own[[n for n in ("lung_ml", "filled_fraction") if n in own]].add_suffix(SCAN)
    measured = measured.apply(pd.to_numeric, errors="coerce").dropna(axis="columns", how="all")
    table = people.join(made.join(measured), on="subject_id", validate="one_to_one")
    alarm = shortcut_alarm(
        table,
        found.need("contract"),
        acquisition=list(made),
        derived=list(measured),
        preset=found.parameters("08_table_one").get("preset", "recommended"),
    )
    few = [_has_few(table[name], table["cluster"]) for name in alarm["variable"]]
    return alarm.assign(few=False if found.small_counts else few)


def _has_few(fact: pd.Series, clusters: pd.Series) -> bool:
    """Tell whether a level is one to four scans of a cluster, which an exact effect would tell."""
    if fact.nunique() > MOST_LEVELS:
        return False
    return bool(is_small(pd.crosstab(fact.astype(str), clusters).to_numpy()).any())


def _coarse(p: float) -> str:
    return "" if pd.isna(p) else "<0.05" if p < 0.05 else "≥0.05"


def plain(name: str) -> str:
    """Name a fact as a sentence does.

    >>> plain("scanner_model (scan)"), plain("lung_ml (scan)")
    ('scanner model', 'lung volume (ml)')
    """
    bare = name.removesuffix(SCAN)
    return _WORDS.get(bare, bare.replace("_", " "))


def _names(facts: pd.Series) -> list[str]:
    """Name facts; of one that the table of persons and the scans both hold, say which it is."""
    names = [plain(name) for name in facts]
    return [
        f"{name} ({'of the scan' if fact.endswith(SCAN) else 'in the table'})"
        if names.count(name) > 1
        else name
        for fact, name in zip(facts, names, strict=True)
    ]


def _table(alarm: pd.DataFrame, found: Found) -> Block:
    known, n_scans = alarm[alarm["effect_size"].notna()], len(found.need("people"))
    cells = pd.DataFrame(
        {
            "": [capital(name) for name in _names(known["variable"])],
            "Scans": [count_of(n, n_scans, small=found.small_counts) for n in known["n"]],
            "Effect": [effect if isinstance(effect, str) else "" for effect in known["effect"]],
            "Size": [number(row.effect_size, 1 if row.few else 2) for row in known.itertuples()],
            "P (Holm)": [
                _coarse(row.p_holm) if row.few else p_text(row.p_holm) for row in known.itertuples()
            ],
            "Alarm": ["alarm" if loud else "" for loud in known["alarm"]],
        }
    )
    notes = [
        "What was measured on the images themselves has no P: an effect alone raises an alarm."
    ]
    if known["few"].any():
        notes.append("Where a level is a few scans of a cluster, size and P are told coarsely.")
    return Table("How the scans were made, against the clusters.", cells, [*notes, *_silent(alarm)])


def _silent(alarm: pd.DataFrame) -> list[str]:
    """Say which facts could not be compared, and why."""
    notes, rest = [], alarm[alarm["effect_size"].isna()]
    if silent := [plain(n) for n in rest.loc[rest["n"] == 0, "variable"]]:
        notes.append(f"Not recorded for any scan: {listed(silent)}.")
    if same := [plain(n) for n in rest.loc[rest["n"] > 0, "variable"]]:
        notes.append(f"The same for all scans, or too many values to compare: {listed(same)}.")
    return notes


SECTION = Section(
    "scanners",
    "Are these clusters of scanners?",
    make,
    needs=("people", "qc", "contract"),
    uses=("assignments", "cohort"),
)
