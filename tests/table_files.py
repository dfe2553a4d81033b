"""Tables as people keep them, written for tests: what is in them is known."""

import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from clamlab.schema import check_table, draft_schema, read_table

TABLES = Path(__file__).parent / "tables"  # made by Excel's own formats, not by what reads them
PEOPLE = [["subject_id", "age", "sex"], ["007", 61, "m"], ["008", 47, "f"], ["010", 55, "f"]]


def text(folder: Path, content: str, encoding="utf-8", name="table.csv") -> Path:
    (folder / name).write_bytes(content.encode(encoding))
    return folder / name


def lines(rows, separator=",") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def book(folder: Path, name="table.xlsx", **sheets) -> Path:
    """Write a workbook; a sheet is a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(folder / name)
    return folder / name


def changed(file: Path, act) -> Path:
    """Open a workbook, do something to it, and save it."""
    made = openpyxl.load_workbook(file)
    act(made)
    made.save(file)
    return file


def repacked(file: Path, change) -> Path:
    """Rewrite the members of a ZIP file, as another program would."""
    with zipfile.ZipFile(file) as archive:
        members = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


def said(table) -> str:
    return "\n".join(table.attrs.get("said", []))


def refusal(file: Path, **options) -> str:
    """Return the one sentence with which a file is refused."""
    with pytest.raises(ValueError) as caught:
        draft_schema(read_table(file, **options))
    told = str(caught.value)
    assert "\n" not in told and "\x00" not in told and len(told) < 700, told
    return told


def drafted(**columns) -> dict:
    n = len(next(iter(columns.values())))
    table = pd.DataFrame({"subject_id": [f"S{i + 1}" for i in range(n)], **columns})
    contract = draft_schema(table)
    check_table(table, contract)  # the table keeps its own draft
    return contract["properties"]


def typed(contract_rule: dict, cells: list) -> pd.DataFrame:
    table = pd.DataFrame({"subject_id": [f"S{i + 1}" for i in range(len(cells))], "x": cells})
    return check_table(
        table,
        {"properties": {"subject_id": {"type": "string", "x-role": "id"}, "x": contract_rule}},
    )


def is_people(table) -> bool:
    return (
        table["subject_id"].tolist() == ["007", "008", "010"]
        and table["age"].tolist() == [61, 47, 55]
        and table["sex"].astype(str).tolist() == ["m", "f", "f"]
    )


def open_document(folder: Path, body: str, name="table.ods") -> Path:
    spaces = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text", "style")
    )
    content = f"<office:document-content{spaces}>{body}</office:document-content>"
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return folder / name


def ods_row(*cells, attributes="") -> str:
    def cell(value):
        if value is None:
            return "<table:table-cell/>"
        kind, known = ("float", f' office:value="{value}"') if not isinstance(value, str) else (
            "string", "")  # fmt: skip
        attributes = f'office:value-type="{kind}"{known}'
        return f"<table:table-cell {attributes}><text:p>{value}</text:p></table:table-cell>"

    return f"<table:table-row{attributes}>{''.join(map(cell, cells))}</table:table-row>"


def ods_people(*, last="", **attributes) -> str:
    rows = [ods_row(*row, attributes=attributes.get(f"row{i}", "")) for i, row in enumerate(PEOPLE)]
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    edge = f'<table:table-row table:number-rows-repeated="1048000">{blank}</table:table-row>'
    return f'<table:table table:name="Data">{"".join(rows)}{last}{edge}</table:table>'


def raw(folder, name, data) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def cut(file: Path, share=0.6) -> Path:
    data = file.read_bytes()
    return raw(file.parent, file.name, data[: int(share * len(data))])


def zipped(folder, name, *members, data=b"x") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, data)
    return folder / name
