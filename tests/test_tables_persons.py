"""Nobody is named by a draft: who could be, gets no role and no level."""

import json

import pandas as pd
import pytest
from table_files import drafted

from clamlab.schema import check_table, describe_contract, draft_schema, save_contract


@pytest.mark.parametrize("name", ["volume (ml)", "volume_ml", "platelets", "Anzahl Zellen"])
def test_large_numbers_that_are_named_as_measured_are_outcomes(name):
    assert drafted(**{name: [212000, 187000, 305000, 250000]})[name]["x-role"] == "outcome"


def test_numbers_of_several_digits_are_outcomes_if_few_are_long():
    assert drafted(x=[8000, 9500, 12000, 4000])["x"]["x-role"] == "outcome"


def test_nobody_is_named_in_a_drafted_contract():
    table = pd.DataFrame(
        {"id": ["S1", "S2", "S3", "S4"], "treated": ["Dr Who", "dr who", "Dr Brownlee", "Dr Who"],
         "ward": pd.Categorical(["Mrs Smith", "Mrs Smith", "Mr Roe", "Mr Roe"]),
         "called": ["M", "Miller", "M", "Miller"], "code": [1, 2, 2, 1]}
    )  # fmt: skip
    contract = draft_schema(table)
    for cell in ("Who", "dr who", "Brownlee", "Smith", "Roe", "Miller"):
        assert cell not in json.dumps(contract)
    assert describe_contract(contract, table)["look_at"].tolist() == [""] * 5
    assert check_table(table, contract)["treated"].tolist() == table["treated"].tolist()


def test_labels_of_which_everyone_has_another_are_no_levels():
    labelled = pd.Categorical(["Jane", "Max", "Eve"])
    rule = drafted(sex=labelled)["sex"]
    assert "x-role" not in rule and "enum" not in rule and "another label" in rule["description"]


def test_levels_come_with_the_role_and_not_before(tmp_path):
    table = pd.DataFrame(
        {"id": ["S1", "S2", "S3", "S4"], "arm": ["a", "B", "b", "B"], "site": [2, 1, 2, 9]}
    )
    file = tmp_path / "participants.schema.json"
    file.write_text(json.dumps(draft_schema(table)))
    rows = describe_contract(json.loads(file.read_text()), table).set_index("column")
    assert rows["levels"].tolist() == ["", "", ""]
    rows.loc["arm", "role"] = "demographic"
    rows.loc["site", ["role", "missing_codes"]] = ["scanner", "9"]
    assert save_contract(rows.reset_index(), file, table) == {}
    rules = json.loads(file.read_text())["properties"]
    assert rules["arm"]["enum"] == ["B", "a"] and "enum" not in rules["site"]
    assert check_table(table, {"properties": rules})["arm"].tolist() == ["a", "B", "B", "B"]
