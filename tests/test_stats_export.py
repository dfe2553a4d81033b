"""Tables on disk: what a journal's reader, LaTeX and Word will find."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from docx import Document
from openpyxl import load_workbook

from clamlab import stats
from clamlab.cells import unguarded
from clamlab.stats.tables import export_table

TABLE = pd.DataFrame(
    {
        "": ["Male (%)", "Model & make (%)", "\u2003AS+_64"],
        "Cluster 1": ["51 (40.5)", "", "2 (1.6)"],
        "P-value": ["<0.001", "0.929", None],
    }
)
NOTES = ["† Read from an image by a person.", "p < 0.05 & more"]


def test_csv_holds_the_cells(tmp_path):
    export_table(TABLE, tmp_path / "new" / "t.csv")
    back = pd.read_csv(tmp_path / "new" / "t.csv", keep_default_na=False)
    assert back.iloc[:, 1:].to_numpy().tolist() == TABLE.fillna("").iloc[:, 1:].to_numpy().tolist()


def test_html_is_well_formed_and_escaped(tmp_path):
    export_table(TABLE, tmp_path / "t.html", caption="Table 2 <draft>", notes=NOTES)
    text = (tmp_path / "t.html").read_text(encoding="utf-8")
    page = ElementTree.fromstring(
        text.replace("<!DOCTYPE html>", "").replace('<meta charset="utf-8">', "")
    )
    cells = [[cell.text or "" for cell in row] for row in page.iter("tr")]
    assert cells[0] == ["", "Cluster 1", "P-value"]
    assert cells[1:] == TABLE.fillna("").to_numpy().tolist()
    assert page.find(".//caption").text == "Table 2 <draft>"
    assert [p.text for p in page.iter("p")] == NOTES


def test_latex_escapes_and_has_three_rules(tmp_path):
    export_table(TABLE, [tmp_path / "t.tex"], caption="100 % & more", notes=NOTES)
    text = (tmp_path / "t.tex").read_text(encoding="utf-8")
    assert r"Male (\%) & 51 (40.5) & $<$0.001 \\" in text
    assert r"\quad{}AS+\_64 & 2 (1.6) &  \\" in text
    assert r"\caption{100 \% \& more}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert r"$\dagger$ Read from" in text
    assert "†" not in text


def test_word_has_the_cells_caption_and_notes(tmp_path):
    export_table(TABLE, str(tmp_path / "t.docx"), caption="Table 2", notes=NOTES)
    document = Document(tmp_path / "t.docx")
    grid = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert grid == [list(TABLE.columns), *TABLE.fillna("").to_numpy().tolist()]
    assert [p.text for p in document.paragraphs] == ["Table 2", *NOTES]
    borders = document.tables[0].rows[0].cells[0]._tc.xml
    assert "w:top" in borders
    assert "w:bottom" in borders


def test_an_unknown_ending_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"t\.xls.*endings are \.csv"):
        export_table(TABLE, [tmp_path / "t.csv", tmp_path / "t.xls"])
    assert list(tmp_path.iterdir()) == []


def test_a_shown_table_reads_like_a_page():
    tidy = pd.DataFrame(
        {
            "title": ["Age", "Sex"],
            "group": [0.0, np.nan],
            "n": [20.0, np.nan],
            "p": [0.0004, np.nan],
            0: [0.125, 2.0],
            "note": ["", "a long reason " * 8],
        }
    )
    shown = stats.tables.show_table(tidy)
    assert shown.data.columns.tolist() == ["", "Cluster", "n", "P-value", "Cluster 1", "Note"]
    assert shown.data.iloc[0].tolist() == ["Age", "1", "20", "<0.001", "0.12", ""]
    assert shown.data.iloc[1, :5].tolist() == ["Sex", "", "", "", "2.00"]
    page = shown.to_html()
    assert "nan" not in page.lower() and "&lt;0.001" in page
    assert page.count("white-space: normal") == 1
    logged = pd.DataFrame({"title": ["CD4 count", "FVC"], "transform": ["log", None], "r2": 0.1})
    page = stats.tables.show_table(logged, ["title", "r2"]).to_html()
    assert ">CD4 count (log)<" in page and ">FVC<" in page
    apart = logged.assign(units=["/µl", "l"], difference=[0.1, 0.2])
    page = stats.tables.show_table(apart, ["title", "difference"]).to_html()
    assert ">CD4 count (log)<" in page and ">FVC, l<" in page
    assert ">FVC<" in stats.tables.show_table(apart, ["title", "r2"]).to_html()
    assert stats.tables.show_table(tidy[:0]).to_html().count("<td") == 0
    with pytest.raises(ValueError, match="no columns"):
        stats.tables.show_table(tidy, ["age"])


HOSTILE = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "=cmd|' /C calc'!A0", "#N/A"]
PLAIN = ["-5", "1.50", "TRUE", "2020-01-01", " padded ", ""]
RISKY = pd.DataFrame({"=heading": [*HOSTILE, *PLAIN], "n": np.arange(15) - 7.5})


def test_an_estimate_has_the_digits_that_its_own_interval_gives_it():
    """Of a bone density in g/cm² two decimals show nothing, not even the sign."""
    pairs = pd.DataFrame(
        {
            "title": ["BMD", "FVC", "Age", "Rate"], "group": 0, "other_group": 1,
            "difference": [-0.0042, 1.234, None, 0.2], "low": [-0.0047, 0.61, None, 0.2],
            "high": [-0.0037, 1.86, None, 0.2], "across_low": [-0.0051, 1.1, None, 0.2],
            "same_sign": [0.915, 1.0, None, 1.0],
        }
    )  # fmt: skip
    shown = stats.tables.show_table(pairs).data
    assert shown.iloc[0, 3:].tolist() == ["-0.0042", "-0.0047", "-0.0037", "-0.0051", "0.92"]
    assert shown.iloc[1, 3:7].tolist() == ["1.23", "0.61", "1.86", "1.10"]
    assert shown.iloc[2, 3:].tolist() == [""] * 5
    assert shown.iloc[3, 3:6].tolist() == ["0.20"] * 3


def test_a_mean_in_large_units_keeps_its_digits():
    table = pd.DataFrame(
        {
            "bmd": [0.0040, 0.0052, 0.0042, 0.0063],
            "age": [40.0, 51, 62, 75],
            "cluster": [0, 0, 1, 1],
        }
    )
    rules = {"bmd": {"title": "BMD", "x-role": "demographic"}, "age": {"x-role": "demographic"}}
    printed = stats.tables.render_table_one(stats.tables.table_one(table, {"properties": rules}))
    assert printed["Overall"].tolist()[1:] == ["0.0049 (0.0011)", "57.00 (14.99)"]
    assert printed["Cluster 1"].tolist()[1:] == ["0.0046 (0.0008)", "45.50 (7.78)"]
    told = stats.tables.describe_groups(table, {"properties": rules}, {"left": [0, 1, 2]})
    assert told.printed["left"].tolist()[1:3] == ["0.0045 (0.0006)", "0.0042 [0.0041, 0.0047]"]


def test_a_sheet_holds_texts_and_no_formula(tmp_path):
    export_table(RISKY, tmp_path / "t.xlsx")
    sheet = load_workbook(tmp_path / "t.xlsx").active
    assert {cell.data_type for row in sheet for cell in row if cell.value is not None} == {"s"}
    assert all(cell.quotePrefix for row in sheet for cell in row if cell.value is not None)
    first, *others = [cell.value for cell in sheet["A"]]
    assert [first, *others] == ["=heading", *HOSTILE, *PLAIN[:-1], None]
    assert sheet["B2"].value == "-7.5"


def test_a_csv_file_guards_what_would_be_run_and_gives_it_back(tmp_path):
    export_table(RISKY, tmp_path / "t.csv")
    back = pd.read_csv(tmp_path / "t.csv", keep_default_na=False, dtype=str)
    assert not any(str(cell).startswith(("=", "+", "@", "\t", "\r")) for cell in back.iloc[:, 0])
    assert back.columns[0] == "'=heading" and back.iloc[2, 0] == "'-2+3"
    assert unguarded(back)["=heading"].tolist() == [*HOSTILE, *PLAIN]
    assert back["n"].iloc[0] == "-7.5"  # a number stays one


def test_control_characters_stop_no_format(tmp_path):
    """Neither Word nor a page nor UTF-8 may hold them; each is shown as one that is not known."""
    table = pd.DataFrame({"a\x00": ["b\x1fc", "\ud800"]})
    endings = ["csv", "xlsx", "html", "tex", "docx"]
    paths = [tmp_path / f"t.{ending}" for ending in endings]
    export_table(table, paths, caption="\x02", notes=["\x03"])
    assert load_workbook(paths[1]).active["A2"].value == "b\ufffdc"
    cells = [row.cells[0].text for row in Document(paths[4]).tables[0].rows]
    assert cells == ["a\ufffd", "b\ufffdc", "\ufffd"]
    assert "b\ufffdc" in paths[2].read_text("utf-8")


def test_a_failed_export_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "t.docx"
    export_table(TABLE, path)
    before = path.read_bytes()
    monkeypatch.setattr("docx.document.Document.save", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_table(TABLE, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
