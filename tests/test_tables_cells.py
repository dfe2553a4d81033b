"""Cells as people fill them: numbers, codes for missing, categories, free text."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from table_files import book, drafted, refusal, said, text, typed

from clamlab.schema import TableError, check_table, describe_contract, draft_schema, read_table

NUMBERS = {
    "unit": (["60 y", "61", "70 yrs"], [60, 61, 70], {"x-units": "years"}),
    "litres": (["2,5 l", "3,1", "2.9 L"], [2.5, 3.1, 2.9], {"x-units": "l"}),
    "percent": (["45 %", "50%", "7.5 %"], [45, 50, 7.5], {"x-units": "%"}),
    "watt": (["100 W", "85 W", "120"], [100, 85, 120], {"x-units": "W"}),
    "giga per litre": (["6.1 G/l", "5.2 G/L", "7"], [6.1, 5.2, 7], {"x-units": "G/l"}),
    "compound unit": (["1.2 mg/dl", "2", "3"], [1.2, 2, 3], {"x-units": "mg/dl"}),
    "comma beside point": (["2.5", "2,75", "3"], [2.5, 2.75, 3], {}),
    "thousands": (["1,234.5", "2,000.25", "12"], [1234.5, 2000.25, 12], {}),
    "another minus": (["\N{MINUS SIGN}3.5", "2.5", "-1"], [-3.5, 2.5, -1], {}),
    "dash": (["2.5", "-", "3.5"], [2.5, None, 3.5], {"x-missing": ["-"]}),
    "unknown": (["61", "unknown", "47.5"], [61, None, 47.5], {"x-missing": ["unknown"]}),
    "two words": (["61", "n.d.", "?", "4"], [61, None, None, 4], {"x-missing": ["n.d.", "?"]}),
    "German": (["61", "k.A.", "47,5"], [61, None, 47.5], {"x-missing": ["k.A."]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERS)
def test_cells_of_numbers_become_numbers_by_the_contract(kind):
    cells, right, rules = NUMBERS[kind]
    rule = drafted(x=cells)["x"]
    assert rule["x-role"] == "outcome" and "number" in rule["type"]
    assert {key: rule[key] for key in rules} == rules
    checked = typed(rule, cells)["x"]
    assert checked.dtype == "float64"
    assert [None if np.isnan(v) else v for v in checked] == right
    for code in rules.get("x-missing", []):
        assert f"{code!r}" in said(typed(rule, cells)) and "taken as missing" in said(
            typed(rule, cells)
        )


KEPT = {
    "bounds": (["0.5", "<0.1", ">4", "2.5"], "2 of 4 cells are numbers; not: ", ["<0.1", ">4"]),
    "bound with unit": (["0.5 l", "≥ 4 l", "2.5 l"], "not: bounds such as '<0.1' (1)", ["≥ 4 l"]),
    "about": (["0.5", "ca. 4", "2.5"], "not: bounds", ["ca. 4"]),
    "comma of what": (["1,234", "2,500", "3"], "a mark that may be decimal or of thousands (2)",
                      ["1,234", "2,500"]),
    "point of what": (["1.234", "2,5", "3"], "a mark that may be decimal or of th", ["1.234"]),
    "a word": (["61", "see letter", "47.5"], "other words (1)", ["see letter"]),
    "two units": (["1.8 m", "180 cm", "170 cm"], "numbers in several units: cm, m",
                  ["1.8 m", "180 cm", "170 cm"]),
    "two units of one letter": (["6.1 G/l", "71 g/l", "5 G/l"], "several units: G/l, g/l",
                                ["6.1 G/l", "71 g/l", "5 G/l"]),
    "an error of Excel": (["61", "#DIV/0!", "47.5"], "errors of a spreadsheet (1)", ["#DIV/0!"]),
    "a range": (["60-70", "61", "62", "63"], "other words (1)", ["60-70"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KEPT)
def test_what_may_be_no_number_stays_as_it_is_and_is_named(kind):
    cells, why, odd = KEPT[kind]
    rule = drafted(fvc=cells)["fvc"]
    assert rule["type"] == "string" and "x-role" not in rule and why in rule["description"]
    assert typed(rule, cells)["x"].tolist() == cells
    table = pd.DataFrame({"id": [f"S{i}" for i in range(len(cells))], "fvc": cells})
    told = describe_contract(draft_schema(table), table).set_index("column")["look_at"]["fvc"]
    # What is no number may be anybody's name, and the study does not keep the column.
    shown = ["a text of 10 characters" if cell == "see letter" else repr(cell) for cell in odd]
    assert [part.split(" (")[0] for part in told.split("; ")] == shown
    assert f"{shown[0]} (1: S{cells.index(odd[0])})" in told
    if "unit" in kind:
        return  # of two units, one could be made the contract's
    with pytest.raises(TableError, match=re.escape(repr(odd[0]))):
        typed({"type": "number", "x-units": ""}, cells)


@pytest.mark.parametrize(
    ("cell", "unit", "why"),
    [("<0.1", "", "it is a bound, and no number is known"),
     ("60 y", "months", "its unit is years, the contract's is months"),
     ("1,234", "", "its mark may be a decimal one or that of thousands")],
)  # fmt: skip
def test_a_violation_says_why_a_cell_is_no_number(cell, unit, why):
    with pytest.raises(TableError, match=f"{cell!r} .*is not a number: {why}"):
        typed({"type": "number", "x-units": unit}, [cell, "5"])


SUSPICIOUS = {
    "-999": ([61.0, 47.0, -999.0, -999.0], "-999 (2)"),
    "999": ([61.0, 47.0, 999.0, 55.0], "999 (1)"),
    "9999 among texts": (["2,5", "3,1", "9999", "-"], "9999 (1)"),
    "-9 of levels": ([0, 1, 1, 0, -9], "-9 (1)"),
    "9 of a stage": ([0, 1, 2, 2, 9], "9 (1)"),
    "word and number": (["m", "f", "999", "f", "m"], "999"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SUSPICIOUS)
def test_a_code_for_missing_is_proposed_and_not_applied(kind):
    cells, told = SUSPICIOUS[kind]
    name = "stage" if "stage" in kind else "x"
    rule = drafted(**{name: cells})[name]
    assert "x-role" not in rule and f"may stand for missing: {told}" in rule["description"]
    assert told.split(" ")[0] not in rule.get("x-missing", [])
    assert typed(rule, cells)["x"].notna().sum() == len([c for c in cells if c != "-"])
    code = told.split(" ")[0]
    applied = typed({"type": ["number", "string", "null"], "x-missing": [code]}, cells)["x"]
    assert applied.isna().sum() == sum(str(c).removesuffix(".0") == code for c in cells)


@pytest.mark.parametrize("cells", [[61, 99, 98, 97], [8.5, 9, 9.5, 7], [-999, -998, -997, -3]])
def test_numbers_that_belong_to_the_others_are_no_codes(cells):
    assert drafted(x=cells)["x"]["x-role"] == "outcome"


def test_a_code_within_the_reach_of_a_score_is_asked_about_where_it_repeats():
    """99 is no farther from scores of 20 to 70 than these from one another, and yet is none."""
    scores = [20.1 + 2.3 * i for i in range(22)]
    rule = drafted(promis=[*scores, 99, 99, 99])["promis"]
    assert "x-role" not in rule and "may stand for missing: 99 (3)" in rule["description"]
    for belong in ([*scores, 99], [*scores, 88.3, 91, 94, 99, 99, 99]):
        assert drafted(promis=belong)["promis"]["x-role"] == "outcome"


def test_of_two_columns_that_say_the_same_one_has_the_role():
    """An outcome that stands twice would be counted twice, and corrected for twice."""
    rng = np.random.default_rng(1)
    age, fvc = rng.integers(30, 80, 40).astype(float), rng.normal(3, 0.7, 40).round(2)
    table = pd.DataFrame({"id": [f"S{i}" for i in range(40)], "age": age, "fvc": fvc})
    table["age_months"] = age * 12 + rng.integers(0, 12, 40)
    table["fvc_after"] = fvc + rng.normal(0, 0.05, 40).round(2)
    table["fvc_copy"] = [f"{v:.2f} l" if i else None for i, v in enumerate(fvc)]
    rules = draft_schema(table)["properties"]
    roles = {name: rule.get("x-role") for name, rule in rules.items()}
    assert roles == {
        "id": "id", "age": "demographic", "fvc": "outcome", "age_months": None,
        "fvc_after": "outcome", "fvc_copy": None,
    }  # fmt: skip
    assert "the same as 'fvc' (r = 1.0000)" in rules["fvc_copy"]["description"]
    assert "the same as 'age' (r = 0.99" in rules["age_months"]["description"]


def test_thousands_beside_decimal_commas_are_refused(tmp_path):
    told = refusal(text(tmp_path, "id;fvc;volume\nS1;3,25;1.234\nS2;2,75;2.345\n"))
    assert "column 'volume': '1.234' may be 1.234 or 1234, since column 'fvc' has decimal c" in told


def test_decimal_commas_in_quotes_tell_what_a_point_may_be(tmp_path):
    """LibreOffice writes cells as they are shown, with commas between them if it is told to."""
    told = refusal(text(tmp_path, 'id,fvc,volume\nS1,"3,25",1.234\nS2,"2,75",2.345\n'))
    assert "column 'volume': '1.234' may be 1.234 or 1234, since column 'fvc' has decimal c" in told
    known = read_table(
        text(tmp_path, 'id,codes,volume,bmi\nS1,"1,2",1.234,24.5\nS2,"3",2.345,31\n')
    )
    assert known["volume"].tolist() == [1.234, 2.345]  # and "1,2" is what was ticked


def test_what_programs_write_for_missing_is_counted(tmp_path):
    table = read_table(text(tmp_path, "id,fvc,sex\nS1,NA,f\nS2,3.1,NULL\nS3,NA,m\n"))
    assert table["fvc"].isna().tolist() == [True, False, True] and table["sex"].isna()[1]
    assert said(table) == "taken as missing: 'NA' (2), 'NULL' (1)"


def test_dates_that_excel_made_of_numbers_are_named(tmp_path):
    rows = [["id", "fvc"], ["S1", 2.5], ["S2", date(2019, 5, 3)], ["S3", 3.1]]
    table = read_table(book(tmp_path, Data=rows))
    told = describe_contract(draft_schema(table), table).set_index("column")
    assert told["role"]["fvc"] == "" and told["look_at"]["fvc"] == "'2019-05-03' (1: S2)"


def test_spellings_that_differ_in_case_and_blanks_are_one_level():
    cells = ["M", "m", "F", "f", "m", " f", "F", "M ", "m"]
    rule = drafted(sex=cells)["sex"]
    assert rule["enum"] == ["F", "m"] and rule["x-role"] == "demographic"
    assert "taken as one: 'M' = 'm' = 'M ', 'F' = 'f' = ' f'" in rule["description"]
    checked = typed(rule, cells)
    assert checked["x"].tolist() == ["m", "m", "F", "F", "m", "F", "F", "m", "m"]
    assert said(checked) == "x: 4 cells ('M', 'f', ' f', 'M ') taken as a level that is written " \
        "otherwise"  # fmt: skip
    blanks = drafted(smoker=["never smoker", "Never  smoker", "ex", "ex", "EX"])["smoker"]
    assert blanks["enum"] == ["ex", "never smoker"]


def test_levels_that_the_contract_tells_apart_stay_apart():
    rule = {"type": "string", "enum": ["a", "A", "b"]}
    assert typed(rule, ["a", "A", "B"])["x"].tolist() == ["a", "A", "b"]


def test_an_initial_and_its_word_are_left_to_a_person():
    rule = drafted(sex=["M", "male", "f", "f", "M"])["sex"]
    assert "x-role" not in rule and "may be one: 'M' and 'male'" in rule["description"]
    assert drafted(race=["A", "AB", "A", "AB", "B", "B"])["race"]["x-role"] == "demographic"


NO_COVARIATES = {
    "text in a number's place": ("age", ["old", "very old", "young", "so so"], "free text: 4"),
    "long words": ("smoking", ["x" * 50, "y", "y", "x" * 50], "free text"),
    "mostly once": ("race", [*"abcdefg", "a", "a"], "free text: 7 different"),
    "one text for each": ("sex", ["Jane", "Max", "Eve"], "free text: 3 different texts in 3"),
    "ids of other systems": ("accession_no", [1, 2, 3], "its name says"),
    "scanner's ids": ("scanner_id", ["a", "a", "b"], "its name says that it identifies"),
    "long numbers": ("lab", [1029384, 2938475, 3948576, 4857690], "whole numbers of five digits"),
    "a constant": ("fvc", [3, 3, 3, 3, 3], "the same in every row"),
    "row numbers": ("pos", [1, 2, 3, 4, 5, 6], "it counts the rows"),
    "phone numbers": ("phone", ["0551 39", "0551 40", "0551 39"], "its name says that it holds"),
    "phone by values": ("reach", ["+49 551 39", "+49 551 40", "+49 1 2"], "free text"),
    "accessions": ("x", [7700001, 7700002, 7700002, 7700005], "whole numbers of five digits"),
    "telephones beside a word": ("x", ["551391", "551402", "-", "5514"], "whole numbers of five"),
    "postcodes that repeat": ("x", [37075, 37075, 37079, 37079, 37081, 37081, 1067], "whole n"),
    "days of spreadsheets": ("x", [43725, 43726, 43725, 43725], "whole numbers of five digits"),
    "birth, day first": ("x", [2031951, 9021951, 24121960, 0], "dates; no role"),
    "birth, beside a word": ("x", ["2031951", "9021951", "unknown"], "dates; no role"),
    "months": ("x", [202304, 202304, 202305, 202304, 202304], "dates; no role"),
    "dates with a unit": ("x in days", [20230402, 20230511, 20230402], "dates; no role"),
    "dates beside a word": ("smoker", ["1.2.1980", "never", "3.4.1990", "3.4.1990"], "dates; no"),
    "day of admission": ("Aufnahmedatum", [1, 2, 2], "its name says that it holds"),
    "number of a case": ("Aufnahmenummer", [11, 12, 12], "its name says that it holds"),
    "number in a laboratory": ("Lab no.", [11, 12, 12], "its name says that it holds"),
    "year of birth": ("Geburtsjahr", [1951, 1960, 1960], "its name says that it holds"),
    "who took the scan": ("CT operator", ["Roe", "Doe", "Roe"], "its name says that it holds"),
    "names":  ("Nachname", ["Roe", "Doe", "Roe"], "its name says that it holds"),
    "dates by name": ("exam_date", [20190717, 20190718, 20200101], "its name says"),
    "dates by values": ("scanned", ["17.09.2019", "01.02.2020", "03.04.2020"], "dates; no"),
    "dates in words": ("scanned", ["17 Sep 2019", "1 Oktober 2020", "3 mai 2020"], "dates; no"),
    "packed dates": ("scanned", [20190717, 20190718, 20200101], "dates; no"),
    "empty": ("age", [None, None, None], "it is empty"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_COVARIATES)
def test_what_tells_who_somebody_is_gets_no_role(kind):
    name, cells, why = NO_COVARIATES[kind]
    rule = drafted(**{name: cells})[name]
    assert "x-role" not in rule and why in rule["description"], rule
    if "free" in why or "names" in why:
        assert "enum" not in rule


@pytest.mark.parametrize(
    ("cells", "right"),
    [(["yes", "no", "1", "0", "ja"], [True, False, True, False, True]),
     (["ja", "nein", "Yes", "NO", None], [True, False, True, False, None]),
     (["true", "n", "j", "N", "y"], [True, False, True, False, True])],
)  # fmt: skip
def test_yes_and_no_in_several_words_are_truths(cells, right):
    rule = drafted(smoker=cells)["smoker"]
    assert "boolean" in rule["type"] and rule["x-role"] == "demographic"
    assert [None if pd.isna(v) else bool(v) for v in typed(rule, cells)["x"]] == right


def test_yes_and_no_are_levels_of_which_no_is_the_first():
    assert drafted(smoker=["ja", "nein", "Ja", "nein"])["smoker"]["enum"] == ["nein", "ja"]
    assert drafted(white=["yes", "no", "yes", "no"])["white"]["enum"] == ["no", "yes"]


def test_what_excel_calculated_wrong_is_no_level(tmp_path):
    rule = drafted(sex=["m", "f", "#REF!", "m", "f"])["sex"]
    assert "x-role" not in rule and "may stand for missing: #REF!" in rule["description"]


def test_truths_of_excel_are_truths(tmp_path):
    file = book(tmp_path, Data=[["id", "smoker", "x"], ["S1", True, 1], ["S2", None, 1]])
    table = read_table(file)
    rule = draft_schema(table)["properties"]["smoker"]
    assert rule["type"] == ["boolean", "null"] and rule["x-role"] == "demographic"
    assert check_table(table, draft_schema(table))["smoker"].tolist() == [True, pd.NA]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([2.5, 3.1, 99.9, 2.2], "99.9 (1)"),
        ([2.5, -1, 3.1, 4.2], "-1 (1)"),
        ([4, 5, 88, 3], "88 (1)"),
    ],
)
def test_codes_with_a_point_and_a_lone_minus_one_are_proposed(cells, code):
    rule = drafted(fev1=cells)["fev1"]
    assert "x-role" not in rule and f"may stand for missing: {code}" in rule["description"]
    assert drafted(score=[-1, 0, 1, 2, 0])["score"]["x-role"] == "outcome"


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("age [years]", "years"), ("FVC (l)", "l"), ("DLCO in %", "%"), ("score (visual)", ""),
        ("Peak load (W)", "W"), ("Follow-up (w)", "weeks"), ("Leukocytes (G/l)", "G/l"),
        ("Albumin (g/L)", "g/l"), ("Creatinine (µM)", "µM"), ("Glucose (mM)", "mM"),
        ("Nodule (mm)", "mm"), ("Sphere (D)", "D"), ("Hb (G/DL)", "g/dl"), ("ALT (U/L)", "U/l"),
        ("PaO2 (mmHg)", "mmHg"), ("PaO2 (kPa)", "kPa"), ("Density (hu)", "HU"),
    ],
)  # fmt: skip
def test_a_unit_in_a_name_is_proposed(name, unit):
    assert drafted(**{name: [61.5, 47, 50]})[name]["x-units"] == unit


def test_common_words_of_other_languages_speak_for_a_role():
    rules = drafted(Alter=[61, 47, 55], Geschlecht=["m", "w", "w"], Größe=[180, 170, 171])
    assert {rules[n]["x-role"] for n in ("Alter", "Geschlecht", "Größe")} == {"demographic"}


def test_roman_numerals_are_stages():
    cells = ["I", "II", "III", "IV"] * 2
    assert drafted(stage=cells)["stage"]["x-role"] == "staging"
    assert drafted(stage=cells)["stage"]["enum"] == ["I", "II", "III", "IV"]


@pytest.mark.parametrize("cells", [["1 234,5", "2 345,6", "3,5"], ["1'234.5", "2'345", "3.5"]])
def test_other_marks_of_thousands_are_named(cells):
    rule = drafted(volume=cells)["volume"]
    assert "x-role" not in rule and "decimal or of thousands (2)" in rule["description"]


def test_points_that_may_mark_thousands_are_said(tmp_path):
    table = read_table(text(tmp_path, "id;plt\nS1;1.234\nS2;2.345\n"))
    assert table["plt"].tolist() == [1.234, 2.345]
    assert "'1.234' is read as 1.234, not as 1234; if its point marks thousands" in said(table)
    assert said(read_table(text(tmp_path, "id;plt\nS1;1.234\nS2;2.5\n"))) == ""


def test_points_beside_hundreds_may_mark_thousands(tmp_path):
    table = read_table(text(tmp_path, "id;volume\nS1;1.234\nS2;987\nS3;2.345\n"))
    rule = draft_schema(table)["properties"]["volume"]
    assert table["volume"].tolist() == ["1.234", "987", "2.345"] and "x-role" not in rule
    assert "a mark that may be decimal or of thousands (2)" in rule["description"]
    small = read_table(text(tmp_path, "id;fvc\nS1;1.234\nS2;3\nS3;2.345\n"))
    assert small["fvc"].tolist() == [1.234, 3, 2.345] and "'1.234' is read as 1.234" in said(small)


def test_ids_are_read_without_the_decimals_that_a_program_gave_them(tmp_path):
    table = read_table(text(tmp_path, "patient_id,site_id\n7.0,1.1\n10,1.0\n"))
    assert table["patient_id"].tolist() == ["7", "10"] and table["site_id"].tolist() == [
        "1.1",
        "1.0",
    ]
    assert said(table) == "column 'patient_id': ids such as '7.0' are read without their decimals"
    told = refusal(text(tmp_path, "patient_id,age\n7.0,61\n7,47\n"))
    assert "1 subjects in 2 rows, repeated: 7 (2 rows)" in told


@pytest.mark.parametrize(
    ("name", "cells", "far"),
    [
        ("age", [61, 47, 55, 72, 66, 1954], "1954 (1)"),
        ("height", [1.62, 1.71, 1.8, 1.75, 1.68, 168, 181], "168 (1), 181 (1)"),
        ("Gewicht", ["61", "47,5", "55", "72", "66", "6600"], "6600 (1)"),
    ],
)
def test_a_demographic_far_from_all_others_has_no_role(name, cells, far):
    rule = drafted(**{name: cells})[name]
    assert "x-role" not in rule and f"far from all others: {far}" in rule["description"]


@pytest.mark.parametrize(
    ("name", "cells", "far"),
    [
        ("fev1", [3.52, 2.9, 352, 3.1, 2.2, 1.9, 4.0], "352"),
        ("FVC", ["3,52", "2,9", "352", "3,1", "2,2", "1,9", "4,0"], "352"),
        ("bmi", [22.5, 0, 31.1, 27, 25, 24, 29], "0"),
    ],
)
def test_a_slip_that_may_be_true_keeps_its_role_and_is_told(name, cells, far):
    rule = drafted(**{name: cells})[name]
    assert rule["x-role"] in ("outcome", "demographic")
    assert f"far from all others: {far} (1): slips, or true?" in rule["description"]
    table = pd.DataFrame({"subject_id": [f"S{i}" for i in range(len(cells))], name: cells})
    told = describe_contract(draft_schema(table), table).set_index("column")["look_at"][name]
    assert told.replace("'", "") == f"{far} (1: S{[str(cell) for cell in cells].index(far)})"


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("pack_years", [0, 5, 10, 20, 35, 60, 150]),
        ("age", [61, 47, 1954]),
        ("crp", [*range(9), 900]),
    ],
)
def test_skewed_numbers_and_few_of_them_keep_their_role(name, cells):
    assert "x-role" in drafted(**{name: cells})[name]
