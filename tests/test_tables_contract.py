"""The contract of a table, read and edited by a person."""

import json

import pandas as pd
import pytest

from clamlab.schema import analysed, check_table, describe_contract, draft_schema, save_contract
from clamlab.viewers import TableEditor


@pytest.fixture
def clinic(tmp_path):
    table = pd.DataFrame(
        {"id": ["S1", "S2", "S3", "S4"], "sex": ["m", "f", "M", "f"], "fvc": [3.1, 2.9, -999, 4.0],
         "stage": [0, 2, 1, 1], "note": ["a", "b", "c", "d"]}
    )  # fmt: skip
    file = tmp_path / "participants.schema.json"
    file.write_text(json.dumps(draft_schema(table)))
    return table, file


def test_a_contract_is_described_in_one_row_a_column(clinic):
    table, file = clinic
    told = describe_contract(json.loads(file.read_text()), table)
    assert list(told) == ["column", "role", "type", "units", "levels", "reference",
                          "missing_codes", "why", "look_at"]  # fmt: skip
    assert told["role"].tolist() == ["id", "demographic", "", "staging", ""]
    assert told["type"].tolist() == ["string", "string", "number", "integer", "string"]
    assert told["levels"].tolist() == ["", "f | m", "", "0 | 1 | 2", ""]
    assert told["look_at"].tolist() == ["", "'M' (1: S3)", "-999 (1: S3)", "", ""]
    assert not any("S3" in why for why in told["why"]), "no subject stands in the contract itself"


def test_a_column_that_came_since_the_contract_has_its_odd_cells_shown(clinic):
    table, file = clinic
    since = table.assign(walk=["410 m", "a friend's letter", "388 m", "402 m"])
    told = describe_contract(json.loads(file.read_text()), since).set_index("column")
    assert told.loc["walk", "look_at"] == "a text of 17 characters (1: S2)"


def test_what_is_analysed_keeps_the_contracts_order():
    """So that a manifest of the same study is the same bytes, whatever a process hashes by."""
    of_columns = ["type", "title", "$schema", "description"]
    for order in (of_columns, of_columns[::-1], sorted(of_columns)):
        assert list(analysed(dict.fromkeys(order, "")))[:4] == order


def test_what_is_edited_is_written_and_holds(clinic):
    table, file = clinic
    rows = describe_contract(json.loads(file.read_text()), table).set_index("column")
    rows.loc["fvc", ["role", "units", "missing_codes"]] = ["outcome", "l", "-999"]
    rows.loc["sex", ["levels", "reference"]] = ["m | f", "m"]
    before = json.loads(file.read_text())
    assert save_contract(rows.reset_index(), file, table) == {}
    after = json.loads(file.read_text())
    assert after["properties"]["fvc"] == {
        "title": "Fvc", "description": "Set by hand.", "type": ["number", "null"], "x-units": "l",
        "x-missing": ["-999"], "x-role": "outcome", "x-source": "external",
    }  # fmt: skip
    assert after["properties"]["sex"]["enum"] == ["m", "f"]
    assert after["properties"]["sex"]["x-reference"] == "m"
    assert after["properties"]["stage"] == before["properties"]["stage"]
    checked = check_table(table, after)
    assert checked["fvc"].isna().tolist() == [False, False, True, False]
    assert checked["sex"].tolist() == ["m", "f", "m", "f"]


WRONG = {
    "no such level": ("sex", "reference", "x", "x-reference 'x' is not among its levels"),
    "a level is missing": ("stage", "levels", "0 | 1", "2 is not one of 0, 1"),
    "levels that are no numbers": ("stage", "levels", "none | some", "'none' is not a integer"),
    "a type that does not fit": ("note", "type", "number", "'a' is not a number"),
    "nobody is named": ("id", "role", "", "has to keep the role id"),
    "two that name": ("note", "role", "id", "one column may have x-role 'id'"),
    "missing where it may not be": ("id", "type", "integer", "'S1' is not a integer"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_told_where_it_stands_and_not_written(clinic, kind):
    column, part, value, told = WRONG[kind]
    table, file = clinic
    before = file.read_bytes()
    rows = describe_contract(json.loads(file.read_text()), table).set_index("column")
    rows.loc[column, part] = value
    wrong = save_contract(rows.reset_index(), file, table)
    assert told in wrong.get(column, wrong.get("", "")), wrong
    assert set(wrong) <= {column, ""} and file.read_bytes() == before


def test_where_no_widget_can_be_a_plain_table_stands():
    rows = pd.DataFrame({"column": ["age"], "role": ["demographic"], "why": ["<0.1 & more"]})
    data, _ = TableEditor(rows, lambda rows: {})._repr_mimebundle_()
    assert "<td>demographic</td>" in data["text/html"]
    assert "&lt;0.1 &amp; more" in data["text/html"]


def test_a_disk_that_refuses_is_told_in_the_editor():
    def full(rows):
        raise OSError("no space left on the device")

    editor = TableEditor(pd.DataFrame({"column": ["age"], "role": [""]}), full)
    assert editor.save([["age", "outcome"]]) == {"": "no space left on the device"}
    assert editor.rows == [["age", ""]]


def test_a_column_that_the_contract_does_not_name_is_shown_and_may_be_added(clinic):
    table, file = clinic
    table = table.assign(dlco=[80.5, 75, 60, 71])
    rows = describe_contract(json.loads(file.read_text()), table).set_index("column")
    assert "Not in the contract, so not analysed" in rows.loc["dlco", "why"]
    rows.loc["sex", "levels"] = "m | f"
    assert save_contract(rows.reset_index(), file, table) == {}
    assert "dlco" not in json.loads(file.read_text())["properties"]
    rows.loc["dlco", ["role", "units"]] = ["outcome", "%"]
    assert save_contract(rows.reset_index(), file, table) == {}
    rule = json.loads(file.read_text())["properties"]["dlco"]
    assert (rule["x-role"], rule["type"], rule["x-units"]) == ("outcome", ["number", "null"], "%")


def test_what_a_person_wrote_beside_the_table_stays(clinic):
    table, file = clinic
    contract = json.loads(file.read_text())
    contract["properties"]["stage"] |= {"type": ["integer", "number"], "x-source": "derived"}
    contract["properties"]["fvc"]["minimum"] = -1000
    file.write_text(json.dumps(contract))
    rows = describe_contract(contract, table).set_index("column")
    assert rows.loc["stage", "type"] == "integer or number"
    rows.loc["fvc", "units"], rows.loc["stage", "reference"] = "l", "0"
    assert save_contract(rows.reset_index(), file, table) == {}
    after = json.loads(file.read_text())["properties"]
    assert after["fvc"]["minimum"] == -1000 and after["fvc"]["x-units"] == "l"
    assert after["stage"]["type"] == ["integer", "number"]
    assert (after["stage"]["x-source"], after["stage"]["x-reference"]) == ("derived", 0)
