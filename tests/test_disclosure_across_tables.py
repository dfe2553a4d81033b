"""Small counts cannot be worked out of all tables together: solved for as an attacker would."""

import io

import numpy as np
import pandas as pd
import pytest
from docx import Document
from scipy.optimize import linprog

from clamlab.report import Found, report_of, to_page
from clamlab.report.document import to_document
from clamlab.stats.disclosure import mask_table_one
from clamlab.stats.tables import table_one

# Scans of each scanner in both clusters: one is a single scan, and its manufacturer has two models.
SCANNERS = {
    "Flash 9": ("SIEMENS", 2, 7),
    "AS+": ("SIEMENS", 3, 4),
    "Definition": ("SIEMENS", 3, 3),
    "iCT": ("Philips", 4, 1),
    "LightSpeed": ("GE", 8, 12),
    "Discovery": ("GE", 0, 1),
}
COUNTS = np.array([row[1:] for row in SCANNERS.values()])
MAKERS = [row[0] for row in SCANNERS.values()]
RULES = {
    name: {"type": "string", "x-role": "scanner", "title": name, "enum": sorted(set(levels))}
    for name, levels in {"Model": SCANNERS, "Maker": MAKERS}.items()
}


def cohort():
    """One row per scan: its cluster, model and manufacturer."""
    rows = [
        {"Model": model, "Maker": maker, "cluster": cluster}
        for model, (maker, *counts) in SCANNERS.items()
        for cluster, n in enumerate(counts)
        for _ in range(n)
    ]
    return pd.DataFrame(rows).assign(subject_id=[f"S{i}" for i in range(COUNTS.sum())])


def report_with(columns):
    """The masked report of that cohort, whose own table has some of the columns."""
    table = cohort()
    qc = table[["subject_id"]].assign(
        status="ok", reason=None, manufacturer=table["Maker"], scanner_model=table["Model"], kvp=120
    )
    tidy = table_one(table, {"properties": {name: RULES[name] for name in columns}})
    stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    assigned = table[["subject_id", "cluster"]].assign(confidence=0.8)
    values = {"qc": qc, "table_one": tidy, "assignments": assigned, "scans": qc[["subject_id"]]}
    return report_of(Found("x", stages, values))


def tables_of_page(report):
    found = pd.read_html(io.StringIO(to_page(report)), keep_default_na=False, header=None)
    return [table.T.reset_index().T.astype(str).to_numpy().tolist() for table in found]


def tables_of_draft(report):
    document = Document(io.BytesIO(to_document(report)))
    return [[[c.text for c in row.cells] for row in t.rows] for t in document.tables]


def told(tables):
    """Every printed number as a sum of cells (scanner, cluster): which cells, and how many."""
    models = list(SCANNERS)
    cells = np.arange(COUNTS.size).reshape(COUNTS.shape)
    of = {model: cells[[i]] for i, model in enumerate(models)}
    of |= {m: cells[[i for i, own in enumerate(MAKERS) if own == m]] for m in MAKERS}
    known = [(cells[:, k].ravel(), n) for k, n in enumerate(COUNTS.sum(axis=0))]
    for table in tables:
        for row in table:
            name = next((c.strip() for c in row if c.strip() in of), None)
            numbers = [c.split(" (")[0] for c in row if c.split(" (")[0].isdigit()]
            if name is None or (len(row) > 4 and row[0].strip() != name):
                continue
            sums = [of[name].ravel(), *of[name].T] if len(row) > 4 else [of[name].ravel()]
            places = row[1:4] if len(row) > 4 else numbers
            for own, cell in zip(sums, places, strict=False):
                if cell.split(" (")[0].isdigit():
                    known.append((own, int(cell.split(" (")[0])))
    return known


def ranges(known):
    """What each count of one to four could be for all that is told: of a cluster, and of both."""
    rows, values = np.zeros((len(known), COUNTS.size)), [n for _, n in known]
    for row, (cells, _) in zip(rows, known, strict=True):
        row[cells] = 1
    aims = [*np.eye(COUNTS.size), *np.kron(np.eye(len(COUNTS)), np.ones(2))]
    for aim in aims:
        if 0 < (n := aim @ COUNTS.ravel()) < 5:
            low, high = (linprog(s * aim, A_eq=rows, b_eq=values).fun for s in (1, -1))
            yield n, low, -high


@pytest.mark.parametrize("columns", [["Model"], ["Maker"], ["Model", "Maker"], []])
@pytest.mark.parametrize("form", [tables_of_page, tables_of_draft])
def test_no_scanner_of_a_few_is_told_by_two_tables(form, columns):
    for n, low, high in ranges(told(form(report_with(columns)))):
        assert low < 1 + 1e-6 and high > 4 - 1e-6, (n, low, high)


def test_the_attack_finds_what_two_tables_told():
    each_by_itself = [
        [["", "Level", "Scans"], ["Maker", "GE", "21"], ["", "SIEMENS", "22"]],
        [["", "Overall", "1", "2", "p"], ["LightSpeed", "20 (41.7)", "8 (40.0)", "12 (42.9)", ""]],
    ]
    assert (1, 1, 1) in [tuple(np.round(r)) for r in ranges(told(each_by_itself))]


def test_table_two_by_itself_tells_no_model_by_its_manufacturer():
    masked = mask_table_one(table_one(cohort(), {"properties": RULES}))
    own = masked[masked["role"] == "scanner"]
    assert own[["count", "percent", "n", "p", "smd"]].isna().all(axis=None)
    alone = mask_table_one(table_one(cohort(), {"properties": {"Model": RULES["Model"]}}))
    assert alone.loc[alone["level"] == "LightSpeed", "count"].tolist() == [20, 8, 12]


def test_acquisition_names_levels_where_it_does_not_count_them():
    tables = tables_of_draft(report_with(["Model"]))
    [acquisition] = [table for table in tables if table[0] == ["", "Levels"]]
    assert acquisition[1:] == [
        ["Manufacturer", "GE, Philips, SIEMENS"],
        ["Scanner", "AS+, Definition, Discovery, Flash 9, others"],
        ["Tube voltage (kVp)", "120"],
    ]
