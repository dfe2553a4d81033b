"""What is a table, and what is told of a file that is none."""

import os
import random
import re

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from table_files import (
    PEOPLE,
    TABLES,
    book,
    changed,
    cut,
    is_people,
    lines,
    ods_people,
    ods_row,
    open_document,
    raw,
    refusal,
    repacked,
    said,
    text,
    zipped,
)

from clamlab.schema import check_table, draft_schema, read_table
from clamlab.study import Study
from studies.damage.texts import CELL, MERGED_ALL, SPANNED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_text_of_every_separator_and_encoding(tmp_path, separator, encoding):
    rows = [[*row, city] for row, city in zip(PEOPLE, ["city", "Köln", "Åbo", "x"], strict=True)]
    table = read_table(text(tmp_path, lines(rows, separator), encoding))
    assert is_people(table) and table["city"].tolist() == ["Köln", "Åbo", "x"]
    if encoding == "cp1252":
        assert "not UTF-8: read as cp1252, in which its other letters are Å, ö" in said(table)
    else:
        assert ("UTF-16-LE" in said(table)) == (encoding == "utf-16-le")


def test_what_only_latin_1_has_is_read_as_that(tmp_path):
    table = read_table(text(tmp_path, "id,city\nS1,\x81\xe9\n", "latin-1"))
    assert "latin-1" in said(table) and table["city"][0] == "\x81é"


def test_excel_may_name_its_separator(tmp_path):
    assert is_people(read_table(text(tmp_path, "sep=;\n" + lines(PEOPLE, ";"))))


def test_a_decimal_comma_is_no_separator(tmp_path):
    table = read_table(text(tmp_path, "id;fvc;fev\nS1;3,25;2,5\nS2;2,75;2\n"))
    assert table["fvc"].tolist() == [3.25, 2.75] and table["fev"].tolist() == [2.5, 2.0]


def test_libreoffice(tmp_path):
    table = read_table(open_document(tmp_path, ods_people(row2=' table:visibility="filter"')))
    assert is_people(table) and "hidden in the sheet, and read like the others: row 3" in said(
        table
    )
    twice = (
        '<table:table-row><table:table-cell table:number-columns-repeated="2"/></table:table-row>'
    )
    again = read_table(open_document(tmp_path, ods_people(last=twice + ods_row("Total", 54.3))))
    assert is_people(again) and "row 6 ('Total')" in said(again)


def test_excel_of_before_2007():
    table = read_table(TABLES / "clinic.xls")
    assert table["MRN"].tolist() == ["7", "8", "10"] and table["age"].tolist() == [61, 47, 55]
    assert table["visit"].tolist() == ["2019-09-17", "2019-09-18", "2019-09-19"]
    assert table["fvc"].tolist()[:2] == [3.25, 2.5] and np.isnan(table["fvc"][2])
    assert said(table).splitlines() == [
        "taken from sheet 'Patients', the columns' names from row 2; other sheets: 'Legend'",
        "1 row above the table left out",
        "no subjects, left out below the table: row 6 ('Mean')",
        "hidden in the sheet, and read like the others: row 4",
    ]


def test_percents_in_excel_of_before_2007_are_seen():
    """B2 and B3 hold 0.45 and 0.525 shown as percent, B4 and B5 45 and 61; C has a written sign."""
    told = refusal(TABLES / "percents.xls")
    assert "B2, B3 are shown as percent" in told
    assert "B4, B5 in the same column are not: give all of them one format" in told


CODED = pd.DataFrame(
    {"pid": ["007", "008", "010"], "sex": [2.0, 1.0, 1.0], "fvc": [3.25, np.nan, 2.5],
     "stage": [1.0, 2.0, 99.0]}
)  # fmt: skip
LABELS = {"sex": {1.0: "male", 2.0: "female", 9.0: "unknown"}, "stage": {99.0: "unknown"}}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.sav", lambda f: pyreadstat.write_sav(CODED, f, variable_value_labels=LABELS,
                                                 column_labels={"fvc": "Vital capacity"})),
        ("t.dta", lambda f: pyreadstat.write_dta(CODED, f, variable_value_labels={
            "sex": {1: "male", 2: "female", 9: "unknown"}, "stage": {99: "unknown"}},
            column_labels={"fvc": "Vital capacity"})),
    ],
)  # fmt: skip
def test_statistics_programs_keep_their_labels(tmp_path, name, write):
    write(str(tmp_path / name))
    table = read_table(tmp_path / name)
    assert table["pid"].tolist() == ["007", "008", "010"]
    assert table["sex"].tolist() == ["female", "male", "male"]
    assert table["sex"].cat.categories.tolist()[:2] == ["male", "female"], (
        "in the order of their codes"
    )
    assert table["fvc"].tolist()[::2] == [3.25, 2.5] and table["fvc"].isna()[1]
    rules = draft_schema(table)["properties"]
    assert rules["sex"]["enum"] == ["male", "female"] and rules["sex"]["x-role"] == "demographic"
    assert rules["fvc"]["title"] == "Vital capacity"
    assert rules["stage"]["x-missing"] == ["unknown"] and rules["stage"]["enum"] == [1, 2, None]
    checked = check_table(table, draft_schema(table))
    assert checked["stage"].tolist()[:2] == [1, 2] and checked["stage"].isna()[2]


@pytest.mark.parametrize("ending", ["dta", "sav"])
def test_values_that_differ_stay_apart_whatever_their_labels(tmp_path, ending):
    smoking = [1.0, 2.0, 3.0, 4.0, 5.0, np.nan]
    coded = pd.DataFrame({"pid": list("abcdef"), "smoking": smoking, "stage": [0.0, 1, 1, 0, 2, 2]})
    labels = {
        "smoking": {1: "never", 2: "other", 3: "other ", 4: " ", 5: "twice", 6: "twice", 7: "9"},
        "stage": {0: "1"},
    }
    file = tmp_path / f"t.{ending}"
    getattr(pyreadstat, f"write_{ending}")(coded, str(file), variable_value_labels=labels)
    table = read_table(file)
    assert table["smoking"].tolist()[:5] == ["never", "other (2)", "other (3)", "4", "twice"]
    assert pd.isna(table["smoking"][5])
    assert table["smoking"].cat.categories.tolist()[:4] == ["never", "other (2)", "other (3)", "4"]
    assert table["stage"].tolist() == ["1 (0)", "1", "1", "1 (0)", "2", "2"]
    assert said(table).splitlines() == [
        "smoking: several values are called 'other', and their codes stand behind it",
        "smoking: the label of 4 is blank, and it stays 4",
        "stage: several values are called '1', and their codes stand behind it",
    ]


def test_labels_of_kinds_of_missing_do_not_damage_a_file(tmp_path):
    """Stata has .a to .z beside its numbers: they are missing, whatever they are called."""
    smoking = pd.Series([1, 2, "a", 1], dtype=object)
    pyreadstat.write_dta(
        pd.DataFrame({"pid": list("abcd"), "smoking": smoking}), str(tmp_path / "t.dta"),
        variable_value_labels={"smoking": {1: "never", 2: "ever", "a": "refused"}},
        missing_user_values={"smoking": ["a"]},
    )  # fmt: skip
    table = read_table(tmp_path / "t.dta")
    assert table["smoking"].tolist()[::3] == ["never", "never"] and table["smoking"][1] == "ever"
    assert pd.isna(table["smoking"][2])


def test_sas_transport(tmp_path):
    pyreadstat.write_xport(CODED, str(tmp_path / "t.xpt"), file_format_version=5)
    table = read_table(tmp_path / "t.xpt")
    assert table["pid"].tolist() == ["007", "008", "010"] and table["sex"].tolist() == [2, 1, 1]
    assert table["fvc"].tolist()[::2] == [3.25, 2.5] and table["fvc"].isna()[1]


def test_a_file_is_what_lies_in_it(tmp_path):
    file = text(tmp_path, lines(PEOPLE, ";"), name="table.xlsx")
    assert is_people(read_table(file))
    assert "named .xlsx, and is text with separators (CSV)" in said(read_table(file))
    other = book(tmp_path, "other.csv", Data=PEOPLE)
    assert is_people(read_table(other)) and "is an Excel workbook" in said(read_table(other))
    assert said(read_table(book(tmp_path, "macros.xlsm", Data=PEOPLE))) == ""


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
XLSX = "xl/workbook.xml"
FOREIGN = {
    "Word named xlsx": (lambda d: zipped(d, "t.xlsx", "word/document.xml"), "is a Word document"),
    "OpenDocument text": (
        lambda d: zipped(d, "t.ods", "mimetype", data=b"application/vnd.oasis.opendocument.text"),
        "is an OpenDocument text",
    ),
    "old Word": (
        lambda d: raw(d, "t.xls", OLE + "WordDocument".encode("utf-16-le")),
        "is a Word document of before 2007",
    ),
    "xlsb": (lambda d: zipped(d, "t.xlsb", "xl/workbook.bin"), r"\.xlsb\), whatever its name"),
    "Numbers": (lambda d: zipped(d, "t.xlsx", "Index/Document.iwa"), "is an Apple Numbers"),
    "zip": (lambda d: zipped(d, "t.xlsx", "a.csv"), "is a ZIP archive, whatever its name says"),
    "PDF": (lambda d: raw(d, "t.csv", b"%PDF-1.4\n%\xe2"), "is a PDF, whatever .* save it as .xls"),
    "RTF": (lambda d: raw(d, "t.csv", b"{\\rtf1 id,age}"), r"is a text document \(RTF\)"),
    "picture": (lambda d: raw(d, "t.csv", b"\x89PNG\r\n\x1a\n" + bytes(50)), r"is a picture \(PNG"),
    "web page": (
        lambda d: text(d, "<html><table><tr><td>id</td></tr></table>", name="t.xls"),
        r"is a web page \(HTML\)",
    ),
    "web page, later": (
        lambda d: text(d, "\n\ufeff<!DOCTYPE html><p>", name="t.csv"),
        r"is a web page",
    ),
    "Excel 2003 XML": (
        lambda d: text(
            d, '<?xml version="1.0"?><x xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            name="t.xls",
        ),
        "is an Excel workbook of 2003, written as XML",
    ),
    "XML": (lambda d: text(d, "<?xml version='1.0'?><a/>", name="t.csv"), "is an XML file"),
    "gzip": (lambda d: raw(d, "t.csv", b"\x1f\x8b\x08" + bytes(40)), "packed with gzip"),
    "binary": (lambda d: raw(d, "t.csv", bytes(range(256)) * 9), "binary file of a kind that"),
    "zeros": (lambda d: raw(d, "t.csv", bytes(5000)), "binary file of a kind"),
    "password": (lambda d: TABLES / "protected.xlsx", "protected by a password: open it in Excel"),
    "password, xls": (
        lambda d: raw(d, "t.xls", OLE + "EncryptedPackage".encode("utf-16-le")),
        "protected by a password",
    ),
    "nothing": (lambda d: raw(d, "t.xlsx", b""), "expected a table, found an empty file"),
    "blank": (lambda d: text(d, " \n , \n\n"), "is empty: expected a header row"),
    "blank sheets": (lambda d: book(d, A=[], B=[[None, " "]]), "is empty: expected"),
    "Excel is open": (lambda d: raw(d, "~$t.xlsx", b"\x05Jane"), "the mark that Excel leaves"),
    "cut xlsx": (lambda d: cut(book(d, Data=PEOPLE)), "is damaged .* copy it again"),
    "cut xls": (
        lambda d: cut(raw(d, "t.xls", (TABLES / "clinic.xls").read_bytes()), 0.5),
        "is damaged .*an Excel workbook of before 2007|of another Office program",
    ),
    "no head": (
        lambda d: raw(d, "t.xlsx", b"\0\0" + book(d, Data=PEOPLE).read_bytes()[2:]),
        r"damaged: it begins like no \.xlsx",
    ),
    "sheet is no XML": (
        lambda d: repacked(
            book(d, Data=PEOPLE), lambda n, b: b[:200] if "sheet1" in n else b
        ),
        "is damaged",
    ),
    "ZIP bomb": (
        lambda d: zipped(d, "t.xlsx", XLSX, "xl/worksheets/sheet1.xml", data=bytes(120_000_000)),
        "found what unpacks to 240 MB from 0.2 MB",
    ),
    "endless sheet": (
        lambda d: changed(
            book(d, Data=PEOPLE), lambda b: b["Data"].cell(1_048_576, 16_384, "x")
        ),
        "sheet 'Data' reaches to cell XFD1048576",
    ),
    "a cell far away": (
        lambda d: changed(book(d, Data=PEOPLE), lambda b: b["Data"].cell(1_100, 16_000, "x")),
        "sheet 'Data' reaches to cell WQJ1100",
    ),
    "all is merged": (
        lambda d: repacked(
            book(d, Data=PEOPLE), lambda n, b: b.replace(b"</sheetData>", MERGED_ALL)
        ),
        "merged or linked over all of A1:XFD1048576: expected a table; unmerge",
    ),
    "ods, a row without end": (
        lambda d: open_document(d, ods_people(row3=' table:number-rows-repeated="900000"')),
        "sheet 'Data' reaches to cell C900003: expected a table",
    ),
    "ods, cells merged without end": (
        lambda d: repacked(
            open_document(d, ods_people()),
            lambda n, b: b.replace(CELL, CELL + SPANNED, 1),
        ),
        "is damaged .it begins like an OpenDocument",
    ),
    "ods, a row less than once": (
        lambda d: open_document(d, ods_people(row2=' table:number-rows-repeated="-5"')),
        "is damaged .it begins like an OpenDocument",
    ),
    "entities": (
        lambda d: repacked(
            open_document(d, ods_people()),
            lambda n, b: b'<!DOCTYPE x [<!ENTITY a "b">]>' + b if n == "content.xml" else b,
        ),
        "no spreadsheet as programs write them",
    ),
    "cut ods": (
        lambda d: repacked(
            open_document(d, ods_people()), lambda n, b: b[:300] if n == "content.xml" else b
        ),
        "is damaged .it begins like an OpenDocument",
    ),
    "cut sav": (
        lambda d: [pyreadstat.write_sav(CODED, str(d / "t.sav")), cut(d / "t.sav", 0.5)][1],
        "is damaged .it begins like an SPSS file",
    ),
    "cut dta": (
        lambda d: [pyreadstat.write_dta(CODED, str(d / "t.dta")), cut(d / "t.dta", 0.5)][1],
        "is damaged .it begins like a Stata file",
    ),
    "NUL in a line": (
        lambda d: text(d, "id,age\n" + "S1,61\n" * 30 + "S2,4\x007\n"),
        r"a character that no text has \(number 0\) in line 32",
    ),
    "two encodings": (
        lambda d: raw(d, "t.csv", "id,c\nS1,Köln\n".encode() + "S2,Åbo\n".encode("cp1252")),
        r"two encodings: 1 line in UTF-8 \(first line 2\), 1 line not \(first line 3\)",
    ),
    "cut UTF-16": (lambda d: raw(d, "t.csv", lines(PEOPLE).encode("utf-16")[:-1]), "cut or dama"),
    "cut CSV": (lambda d: text(d, "id,age,sex\nS1,61,m\nS2,4"), r"cut: its last line \(3\) ends"),
    "open quote": (
        lambda d: text(d, 'id,note,age\nS1,"he said,61\nS2,b,47\n'),
        r'the quotes \("\) do not fit from line 2 on',
    ),
    "inner quote": (lambda d: text(d, 'id,note\nS1,"a" b\n'), "the quotes .* from line 2 on"),
    "decimal comma in comma text": (
        lambda d: text(d, "id,fvc,age\nS1,3,25,61\nS2,2,5,47\n"),
        r"column 4 \(D\) holds values but has no name in the header in row 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path, kind):
    make, told = FOREIGN[kind]
    file = make(tmp_path)
    found = refusal(file)
    assert found.startswith(str(file)) and re.search(told, found), found


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    file = text(tmp_path, lines(PEOPLE))
    file.chmod(0)
    assert "may not be read: its owner has to allow it" in refusal(file)


APART = {
    "blanks": ("id age sex\nS1 61 m\nS2 47 f\n", "holds one column, in which each cell .'id age s"),
    "quoted lines": ('"id,age"\n"S1,61"\n"S2,47"\n', "holds one column, in which each cell .'id,a"),
    "a line apart": ("id,age,sex\nS1,61,m\nS2;47;f\n", "line 3 holds one cell where others hold 3"),
    "a header apart": ("id,age\nS1;61\nS2;47\n", "line 1 holds one cell where others hold 2"),
    "quoted but the header": ('id,age\n"S1,61"\n', "expected commas|line 2 holds one cell"),
}


@pytest.mark.parametrize("kind", APART)
def test_lines_that_are_separated_otherwise_are_refused(tmp_path, kind):
    content, told = APART[kind]
    assert re.search(told, refusal(text(tmp_path, content)))


def test_a_sentence_with_commas_is_one_cell(tmp_path):
    table = read_table(text(tmp_path, lines(PEOPLE, ";") + "* age, sex, both by telephone\n"))
    assert is_people(table) and "row 5 ('* age, sex, both by telephone')" in said(table)


def test_lines_that_end_early_are_said(tmp_path):
    table = read_table(text(tmp_path, "id,age,sex\nS1,61,m\nS2,47\nS3,50,f"))
    assert table["sex"].isna().tolist() == [False, True, False]
    assert said(table).splitlines() == [
        "fewer cells than elsewhere, the last taken as blank: line 3",
        "no line break after the last line (4): see that the file is whole",
    ]


def test_letters_that_nobody_sees_are_none(tmp_path):
    table = read_table(text(tmp_path, "id,\ufeffsex\nS1,m\u200b\nS2,m\nS3\u00ad,f\n"))
    assert list(table) == ["id", "sex"] and table["sex"].tolist() == ["m", "m", "f"]
    assert table["id"].tolist() == ["S1", "S2", "S3"]


def test_a_reader_that_does_not_start_is_no_damaged_file(tmp_path, monkeypatch):
    pyreadstat.write_sav(CODED, str(tmp_path / "t.sav"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "no python"))
    told = refusal(tmp_path / "t.sav")
    assert "was not read: the process that reads" in told and "damaged" not in told


def test_a_transport_file_cut_within_a_record_is_refused(tmp_path):
    pyreadstat.write_xport(CODED, str(tmp_path / "t.xpt"), file_format_version=5)
    assert "is damaged" in refusal(cut(tmp_path / "t.xpt", 0.97))


def test_what_the_study_wrote_is_read_as_it_was_written(tmp_path):
    """Its own table has no totals and no titles, whatever its subjects are called."""
    cohort = pd.DataFrame(
        {"subject_id": ["patient", "S1", "007", "Mean"], "scan": ["a", "b", "c", "d"]}
    )
    study = Study.create(tmp_path / "study")
    study.write("cohort", cohort)
    assert study.read("cohort")["subject_id"].tolist() == cohort["subject_id"].tolist()
    assert len(read_table(study.path("cohort"))) < 4, "a user's table would be read otherwise"


# Damage, by the hundred: see the seed. Formats with check sums give the table or a refusal; in
# text and in old formats a changed digit is a digit.
CHECKED = ("xlsx", "ods")


def damaged(raw_bytes: bytes, rng: random.Random) -> bytes:
    """Cut, turn a bit, blank a block, take a piece away, add to the end, or repeat a piece."""
    n = len(raw_bytes)
    i, j = sorted(rng.sample(range(1, n), 2))
    flipped = bytearray(raw_bytes)
    flipped[i] ^= 1 << rng.randrange(8)
    ways = [
        raw_bytes[:i],
        bytes(flipped),
        raw_bytes[:i] + bytes(64) + raw_bytes[i + 64 :],
        raw_bytes[:i] + raw_bytes[j:],
        raw_bytes + rng.randbytes(100),
        raw_bytes[:i] + raw_bytes[max(0, i - 64) :],
    ]
    return rng.choice(ways)


@pytest.mark.parametrize("kind", ["csv", "utf-16", "xlsx", "ods", "xls"])
def test_a_damaged_file_ends_in_its_table_or_in_one_sentence(tmp_path, kind):
    whole = {
        "csv": lambda: text(tmp_path, lines(PEOPLE * 3, ";")),
        "utf-16": lambda: text(tmp_path, lines(PEOPLE, "\t"), "utf-16"),
        "xlsx": lambda: book(tmp_path, Data=PEOPLE),
        "ods": lambda: open_document(tmp_path, ods_people()),
        "xls": lambda: TABLES / "clinic.xls",
    }[kind]().read_bytes()
    rng = random.Random(7)
    for i in range(30):
        file = raw(tmp_path, f"damaged{i}.{rng.choice([kind, kind, 'csv', 'xlsx'])}",
                   damaged(whole, rng))  # fmt: skip
        try:
            table = read_table(file)
        except ValueError as error:
            told = str(error)
            assert told.startswith(str(file)) and "\n" not in told and "\0" not in told, told
            assert len(told) < 700
        else:
            assert kind not in CHECKED or is_people(table), file
