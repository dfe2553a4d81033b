"""Several rows of one subject: who they are, and which is taken."""

import pandas as pd
import pytest
from table_files import book, refusal, said, text

from clamlab.schema import draft_schema, one_visit

VISITS = pd.DataFrame(
    {"pid": ["S1", "S1", "S2", "S3", "S3"], "visit": ["V1", "V2", "V1", "V1", "V2"],
     "day": ["01.02.2019", "13.03.2020", "05.05.2019", "01.01.2020", "01.01.2021"],
     "fvc": [3.2, 3.1, 2.9, 4.0, 4.1]}
)  # fmt: skip


def test_repeated_patients_are_named_with_what_tells_them_apart():
    with pytest.raises(ValueError) as caught:
        draft_schema(VISITS)
    assert str(caught.value) == (
        "column 'pid' does not name the subjects, one a row: 3 subjects in 5 rows, repeated: S1 "
        "(2 rows), S3 (2 rows); column 'visit' tells the rows apart: if these are visits, choose "
        "one with --visits first:visit, last:visit or visit=V1"
    )
    with pytest.raises(ValueError, match="column 'day' tells the rows apart"):
        draft_schema(VISITS.drop(columns="visit"))
    with pytest.raises(ValueError, match="correct the ids; if these are visits, add a column"):
        draft_schema(VISITS[["pid"]].assign(sex="f", age=[1, 2, 3, 4, 4]))
    with pytest.raises(ValueError, match="the same in every column: delete the second of each"):
        draft_schema(pd.concat([VISITS[2:3], VISITS[2:3]]))


@pytest.mark.parametrize(
    ("rule", "fvc"),
    [("first:day", [3.2, 2.9, 4.0]), ("last:day", [3.1, 2.9, 4.1]), ("visit=v1", [3.2, 2.9, 4.0]),
     ("last:fvc", [3.2, 2.9, 4.1]), ("last:visit", [3.1, 2.9, 4.1]), ("visit=V2", [3.1, 4.1])],
)  # fmt: skip
def test_one_visit_of_each_is_chosen_by_a_rule(rule, fvc):
    chosen = one_visit(VISITS, rule)
    assert chosen["fvc"].tolist() == fvc
    assert draft_schema(chosen)["properties"]["pid"]["x-role"] == "id"
    assert ("without such a row, left out: S2" in said(chosen)) == (rule == "visit=V2")


@pytest.mark.parametrize(
    ("rule", "told"),
    [("visit=V9", "no row has 'V9' in 'visit': there are 'V1', 'V2'"),
     ("baseline", "expected COLUMN=VALUE, first:COLUMN or last:COLUMN"),
     ("last:nothing", "with one of pid, visit, day, fvc"),
     ("last:phase", "'phase' has no order that can be told"),
     ("fvc=4", "leaves several rows of 1 subjects .S1.")],
)  # fmt: skip
def test_a_rule_of_visits_that_does_not_fit_is_refused(rule, told):
    table = VISITS.assign(fvc=[4, 4, 1, 2, 3]) if rule == "fvc=4" else VISITS
    table = table.assign(phase=["before", "after"] * 2 + ["later"]) if "phase" in rule else table
    with pytest.raises(ValueError, match=told):
        one_visit(table, rule)


def test_days_and_months_that_could_be_either_have_no_order():
    table = pd.DataFrame({"id": ["a", "a"], "day": ["03/04/2019", "05/06/2019"]})
    with pytest.raises(ValueError, match="dates of which day and month are clear"):
        one_visit(table, "last:day")


def test_ids_that_excel_has_shortened_are_refused(tmp_path):
    told = refusal(text(tmp_path, "patient_id,age\n1.23457E+12,61\n1.23458E+12,47\n"))
    assert "1.23457E+12, 1.23458E+12 are numbers that a spreadsheet has shortened" in told
    long = book(tmp_path, Data=[["patient_id", "age"], [1234567890123456, 61]])
    assert "more digits than a spreadsheet keeps (15)" in refusal(long)


def test_what_is_proposed_can_be_chosen():
    table = VISITS.drop(columns="day").assign(visit=["base", "end", "base", "base", "end"])
    with pytest.raises(ValueError, match="choose one with --visits visit=base$"):
        draft_schema(table)
    assert one_visit(table, "visit=base")["fvc"].tolist() == [3.2, 2.9, 4.0]


def test_visits_are_counted_not_spelt():
    table = pd.DataFrame({"id": ["S1"] * 3, "visit": ["V9", "V10", "V1"], "fvc": [1, 2, 3]})
    assert one_visit(table, "last:visit")["fvc"].tolist() == [2]
    with pytest.raises(ValueError, match="no order that can be told"):
        one_visit(table.assign(visit=["6 months", "1 year", "V1"]), "last:visit")


def test_without_a_rule_the_ids_still_have_to_be_there():
    assert one_visit(VISITS, None, id_column="pid") is VISITS
    with pytest.raises(ValueError, match="no column 'id' names the subjects: there are .'pid'"):
        one_visit(VISITS, None, id_column="id")


def test_a_person_comes_before_a_scan():
    scans = VISITS.assign(scan_id=[f"X{i}" for i in range(5)])[["scan_id", "pid", "visit", "fvc"]]
    with pytest.raises(ValueError, match="'pid' does not name .* each row of 'scan_id' is another"):
        draft_schema(scans)
    assert draft_schema(scans, id_column="scan_id")["properties"]["scan_id"]["x-role"] == "id"
    assert one_visit(scans, "last:fvc")["scan_id"].tolist() == ["X0", "X2", "X4"]
    gap = pd.DataFrame({"patient_id": ["P1", None, "P3"], "scan_id": ["a", "b", "c"]})
    with pytest.raises(ValueError, match=r"'patient_id' .*no id in 1 of 3 rows .*: 2\); fill in"):
        draft_schema(gap)
