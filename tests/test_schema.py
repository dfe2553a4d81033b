"""Tables keep their contracts, and what breaks them is said in full."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from referencing.exceptions import Unresolvable

from clamlab.schema import TableError, check_table, draft_schema, load_schema, read_table
from clamlab.schema.validators import validator_of

CONTRACT = {
    "title": "participants",
    "type": "object",
    "properties": {
        "subject_id": {"type": "string", "x-role": "id"},
        "age": {"type": ["number", "null"], "minimum": 0, "maximum": 110, "x-units": "years"},
        "visits": {"type": ["integer", "null"]},
        "sex": {"type": "string", "enum": ["male", "female"], "x-role": "demographic"},
        "stage": {"type": ["integer", "null"], "enum": [0, 1, 2, 3, 4], "x-role": "staging"},
    },
    "required": ["subject_id", "age"],
}


def clinic(**changes) -> pd.DataFrame:
    table = {
        "subject_id": ["S1", "S2", "S3"],
        "age": [61.0, np.nan, 47.5],
        "visits": [1, np.nan, 3],
        "sex": ["female", "male", "female"],
        "stage": [2, np.nan, 0],
        "remark": ["", "seen twice", None],
    }
    return pd.DataFrame({**table, **changes})


def breaches(table, contract=CONTRACT, **references) -> pd.DataFrame:
    with pytest.raises(TableError) as caught:
        check_table(table, contract, references=references)
    return caught.value.violations


def test_a_good_table_comes_back_typed():
    checked = check_table(clinic(), CONTRACT)
    assert checked["visits"].dtype == "Int64" and checked["visits"].isna().tolist() == [0, 1, 0]
    assert checked["sex"].cat.categories.tolist() == ["male", "female"]
    assert not checked["sex"].cat.ordered
    assert checked["stage"].cat.categories.tolist() == [0, 1, 2, 3, 4]
    assert checked["stage"].cat.ordered and checked["stage"].isna().sum() == 1
    assert checked["age"].dtype == "float64"
    pd.testing.assert_series_equal(checked["remark"], clinic()["remark"])


def test_a_typed_table_passes_again_unchanged():
    once = check_table(clinic(), CONTRACT)
    pd.testing.assert_frame_equal(check_table(once, CONTRACT), once)


def test_the_given_table_is_left_alone():
    table = clinic()
    check_table(table, CONTRACT)
    pd.testing.assert_frame_equal(table, clinic())


def test_all_violations_at_once_with_their_subjects():
    table = clinic(age=[-4.0, 300.0, 50.0], sex=["f", "male", "f"], stage=[7, 1, 0])
    found = breaches(table)
    assert set(zip(found["subject_id"], found["column"], found["rule"], strict=True)) == {
        ("S1", "age", "minimum"),
        ("S2", "age", "maximum"),
        ("S1", "sex", "enum"),
        ("S3", "sex", "enum"),
        ("S1", "stage", "enum"),
    }
    assert list(found.columns) == ["subject_id", "row", "column", "value", "rule", "message"]
    assert found.loc[found["rule"] == "maximum", "row"].item() == 1


def test_the_message_names_unit_value_count_and_first_subjects():
    n = 12
    table = pd.DataFrame({"subject_id": [f"S{i:02d}" for i in range(n)], "age": -1.0})
    with pytest.raises(TableError, match="participants breaks its contract in 12 places") as caught:
        check_table(table, CONTRACT)
    text = str(caught.value)
    assert (
        "-1.0 years is below the minimum of 0 years (12 values; S00, S01, S02, S03, S04, ...)"
        in text
    )
    assert "S05" not in text


def test_columns_that_are_asked_for_must_be_there():
    found = breaches(clinic().drop(columns="age"))
    assert found["rule"].tolist() == ["required"] and found["column"].tolist() == ["age"]


def test_a_closed_contract_refuses_other_columns():
    found = breaches(clinic(), {**CONTRACT, "additionalProperties": False})
    assert found["column"].tolist() == ["remark"]


def test_repeated_ids_are_named_with_every_row():
    found = breaches(clinic(subject_id=["S1", "S2", "S1"]))
    assert found["rule"].tolist() == ["unique", "unique"] and found["row"].tolist() == [0, 2]


def test_a_table_with_a_repeated_index_is_judged_by_position():
    table = clinic(subject_id=["S1", "S2", "S1"]).set_index(pd.Index([0, 0, 0]))
    assert breaches(table)["row"].tolist() == [0, 2]


def test_missing_values_pass_only_where_null_is_allowed():
    found = breaches(clinic(sex=["female", None, "female"]))
    assert found[["subject_id", "column", "rule"]].to_numpy().tolist() == [["S2", "sex", "type"]]
    assert "missing" in found["message"].item()


def test_one_word_among_numbers_is_one_violation():
    found = breaches(clinic(age=["61", "unknown", "47.5"]))
    assert found["value"].tolist() == ["unknown"]


def test_types_of_the_contract_are_applied_to_a_typeless_table():
    checked = check_table(clinic(subject_id=[7, 8, 9], age=["61", "", "47.5"]), CONTRACT)
    assert checked["subject_id"].tolist() == ["7", "8", "9"]
    assert checked["age"].tolist()[::2] == [61.0, 47.5] and np.isnan(checked["age"][1])


def test_whole_numbers_that_are_not_whole_and_infinities_are_found():
    found = breaches(clinic(visits=[1, 1.5, 2], age=[1.0, np.inf, 2.0]))
    assert set(found["rule"]) >= {"type", "finite"} and set(found["subject_id"]) == {"S2"}


def test_every_foreign_key_must_be_known():
    assert len(check_table(clinic(), CONTRACT, references={"subject_id": clinic()})) == 3
    found = breaches(clinic(), subject_id=clinic()[:2])
    assert found[["subject_id", "rule"]].to_numpy().tolist() == [["S3", "reference"]]


def test_rules_over_several_columns_hold_row_by_row():
    excluded = {"properties": {"sex": {"const": "male"}}}
    together = {**CONTRACT, "if": excluded, "then": {"properties": {"age": {"type": "number"}}}}
    found = breaches(clinic(), together)
    assert found[["subject_id", "column"]].to_numpy().tolist() == [["S2", "age"]]


def test_a_hundred_thousand_rows_are_checked_in_seconds():
    n = 100_000
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "subject_id": [f"S{i:06d}" for i in range(n)],
            "age": rng.uniform(20, 80, n),
            "visits": rng.integers(0, 9, n),
            "sex": rng.choice(["male", "female"], n),
            "stage": rng.integers(0, 5, n),
        }
    )
    started = time.process_time()
    assert len(check_table(table, CONTRACT)) == n
    table.loc[::20, "age"] = -rng.uniform(1, 2, n // 20)
    assert len(breaches(table)) == n // 20
    assert time.process_time() - started < 30


# The contract itself ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"type": "nubmer"}, "not a valid JSON Schema"),
        ({"x-role": "covariate"}, "expected one of id, demographic"),
        ({"x-unit": "L"}, "unknown keyword 'x-unit'"),
        ({"enum": ["a", "b"], "x-reference": "c"}, "not among its levels"),
    ],
)
def test_a_wrong_contract_is_refused(tmp_path, rule, said):
    file = tmp_path / "wrong.schema.json"
    file.write_text(json.dumps({"properties": {"dlco": rule}}))
    with pytest.raises(ValueError, match=said):
        load_schema(file)


# A contract is a file from outside -------------------------------------------------------


@pytest.fixture
def server():
    """Serve a contract that anything fits, and remember who asked for it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/rule.json", asked
        http.shutdown()


PEOPLE = pd.DataFrame({"subject_id": ["S1", "S2"], "age": [61.0, -3.0]})
# Every place where a reference may stand, as a contract that holds one.
PLACES = {
    "column": lambda ref: {"properties": {"age": ref}},
    "within a column": lambda ref: {"properties": {"age": {"allOf": [ref]}}},
    "top": lambda ref: ref,
    "allOf": lambda ref: {"allOf": [ref]},
    "if": lambda ref: {"if": ref, "then": False},
    "not": lambda ref: {"not": ref},
    "items": lambda ref: {"properties": {"age": {"items": ref}}},
    "patternProperties": lambda ref: {"patternProperties": {"^a": ref}},
    "propertyNames": lambda ref: {"propertyNames": ref},
    "dependentSchemas": lambda ref: {"dependentSchemas": {"age": ref}},
    "$defs, used": lambda ref: {"$defs": {"x": ref}, "allOf": [{"$ref": "#/$defs/x"}]},
    "$defs, unused": lambda ref: {"$defs": {"x": ref}},
}


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_fetched_for_a_contract(server, keyword, place):
    address, asked = server
    contract = PLACES[place]({keyword: address})
    with pytest.raises(ValueError, match=r"leads outside of the contract, to 'http://127"):
        check_table(PEOPLE, contract)
    # Nor could it be, if a reference were overlooked.
    with pytest.raises(Unresolvable):
        list(validator_of({keyword: address}).iter_errors({"age": 1}))
    assert asked == []


@pytest.mark.parametrize(
    "elsewhere", ["file:///{}", "{}", "other.json#/age", "#/$defs/none", "#no"]
)
def test_no_other_file_is_read_for_a_contract(tmp_path, elsewhere):
    (tmp_path / "rule.json").write_text('{"minimum": 0}')
    reference = elsewhere.format(tmp_path / "rule.json")
    contract = {"properties": {"age": {"$ref": reference}}}
    with pytest.raises(ValueError, match="outside of the contract|there is nothing at"):
        check_table(PEOPLE, contract)


def test_the_draft_cannot_be_changed_from_within(server):
    """Another draft would bring another validator, which fetches and backtracks."""
    old = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "(a|a)*$"}
    with pytest.raises(ValueError, match="properties/age: .schema cannot be used"):
        check_table(PEOPLE, {"properties": {"age": old}})
    with pytest.raises(ValueError, match="expected https://json-schema.org/draft/2020-12/schema"):
        check_table(PEOPLE, {"$schema": server[0]})
    with pytest.raises(ValueError, match=".id cannot be used"):
        check_table(PEOPLE, {"$defs": {"x": {"$id": server[0]}}})


SHARED = {
    "$id": "https://example.org/clinic.json",
    "$defs": {
        "years": {"type": "number", "minimum": 0, "x-units": "years", "title": "Years"},
        "old": {"$ref": "#/$defs/years", "x-role": "demographic"},
        "named": {"$anchor": "code", "type": "string", "pattern": "^S[0-9]$"},
    },
    "properties": {
        "subject_id": {"$ref": "#code", "x-role": "id"},
        "age": {"$ref": "#/$defs/old", "title": "Age"},
        "seen": {"allOf": [{"$ref": "#/$defs/years"}], "type": ["number", "null"]},
    },
    "if": {"properties": {"age": {"minimum": 50}}},
    "then": {"properties": {"seen": {"$ref": "#/$defs/years"}}},
}


def test_references_within_the_contract_are_followed(tmp_path):
    file = tmp_path / "clinic.schema.json"
    file.write_text(json.dumps(SHARED))
    contract = load_schema(file)
    assert contract["properties"]["age"] == {
        "type": "number", "minimum": 0, "x-units": "years", "title": "Age",
        "x-role": "demographic",
    }  # fmt: skip
    people = pd.DataFrame({"subject_id": ["S1", "S2"], "age": ["61", "30"], "seen": [1.0, np.nan]})
    for schema in (SHARED, contract):
        assert check_table(people, schema)["age"].tolist() == [61.0, 30.0]
    wrong = people.assign(subject_id=["S1", "T2"], age=[61.0, np.nan], seen=[-1.0, np.nan])
    found = breaches(wrong, contract)
    assert set(zip(found["row"], found["column"], found["rule"], strict=True)) == {
        (1, "subject_id", "pattern"), (1, "age", "type"), (0, "seen", "minimum"),
        (1, "seen", "type"),  # no age is not below 50, so "then" holds
    }  # fmt: skip
    assert "-1.0 years is below the minimum of 0 years" in found["message"].tolist()


def test_a_rule_is_not_lost_where_a_reference_and_its_column_both_speak():
    contract = {"$defs": {"n": {"minimum": 0}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    contract["properties"]["a"]["minimum"] = -5
    with pytest.raises(ValueError, match="minimum is -5 here and 0 at '#/.defs/n': write it once"):
        check_table(PEOPLE, contract)


def nested(depth):
    rule = {}
    for _ in range(depth):
        rule = {"not": rule}
    return rule


def doubled(n):
    """Write rules of which each is twice the next."""
    rules = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(n)}
    return {"$defs": rules | {f"d{n}": {}}, "allOf": [{"$ref": "#/$defs/d0"}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "expected a contract in braces {}, found a list"),
        ("true", "expected a contract in braces {}, found true"),
        ('"x"', "found a text"),
        ("7", "found the number 7"),
        ("null", "found null"),
        ('{"properties": []}', "expected the columns by name in braces {}, found a list"),
        ('{"properties": {"age": true}}', "column 'age': expected its rules in braces {}, found t"),
        ('{"type": "array"}', "a row is an object, found 'array'"),
        ('{"additionalProperties": {}}', "expected true or false at the top"),
        ('{"unevaluatedProperties": false}', "write additionalProperties: false"),
        ('{"$recursiveRef": "#"}', "belongs to an older draft"),
        ('{"properties": {"age": {"maximum": 1e999}}}', "properties/age/maximum: expected a nu"),
        ('{"properties": {"age": {"minimum": NaN}}}', "properties/age/minimum: .* found none"),
        ('{"properties": {"age": {"maximum": 1%s}}}' % ("0" * 400), "found a greater one"),
        ('{"properties": {"age": {"maximum": 1%s}}}' % ("0" * 5000), "4300"),
        ('{"properties": {"age": {"multipleOf": 0}}}', "not a valid JSON Schema at properties/age"),
        (json.dumps(nested(100)), "nested more than 40 deep"),
        ("[" * 100_000, "nested too deeply"),
        ('{"$ref": "#"}', "lead in a circle"),
        ('{"properties": {"a": {"$ref": "#/properties/b"}, "b": {"$ref": "#/properties/a"}}}',
         "lead in a circle"),
        ('{"properties": {"a": {"allOf": [{"$ref": "#/properties/a"}]}}}', "lead in a circle"),
        ('{"examples": [{"minimum": "x"}], "$ref": "#/examples/0"}', "no rule stands at"),
        ('{"title": "x", "$ref": "#/title/y"}', "there is nothing at"),
        (json.dumps(doubled(30)), "make more than 100000 rules"),
        ('{"properties": {"age": {"pattern": "("}}}', r"properties/age: the pattern '\('"),
        ('{"properties": {"age": {"pattern": "(?=a)b"}}}', "without looking ahead"),
        ('{"properties": {"age": {"pattern": "((a{999}){999}){999}"}}}', "at most 1000"),
        ('{"patternProperties": {"(?<=a)b": {}}}', "the top level: the pattern"),
        ('{"propertyNames": {"pattern": "(a)\\\\1"}}', "propertyNames: the pattern"),
    ],
)  # fmt: skip
def test_a_contract_that_cannot_be_used_is_told_by_file_and_place(tmp_path, text, said):
    file = tmp_path / "clinic.schema.json"
    file.write_text(text)
    started = time.process_time()
    with pytest.raises(ValueError, match=said) as caught:
        load_schema(file)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value)
    assert time.process_time() - started < 2


def test_a_python_contract_that_holds_itself_is_refused():
    contract = {"properties": {}}
    contract["properties"]["age"] = contract
    with pytest.raises(ValueError, match="nested more than 40 deep"):
        check_table(PEOPLE, contract)


@pytest.mark.parametrize(
    ("pattern", "right"),
    [
        ("(a+)+$", [False, False, False, False]),
        ("(a|a)*$", [True, True, True, True]),  # nothing at all is found at every end
        ("^(a|b|ab)*c$", [False, False, False, True]),
        ("(.*a){20}$", [False, False, False, False]),
        ("(x+x+)+y", [False, False, False, False]),
    ],
)
def test_patterns_take_no_longer_than_their_text(pattern, right):
    texts = ["a" * 32 + "!", "ab" * 5000, "x" * 10_000, "a" * 40 + "c"]
    started = time.process_time()
    validator = validator_of({"pattern": pattern})
    assert [validator.is_valid(text) for text in texts] == right
    if not all(right):
        people = pd.DataFrame({"code": texts})
        found = breaches(people, {"properties": {"code": {"pattern": pattern}}})
        assert found["row"].tolist() == [i for i, fits in enumerate(right) if not fits]
    rows = {"patternProperties": {pattern: {"const": 1}}, "propertyNames": {"maxLength": 99_999}}
    check_table(pd.DataFrame({"a" * 32 + "!": [1], "x" * 50: [1]}), rows)
    names = {"propertyNames": {"pattern": pattern}, "additionalProperties": True}
    list(validator_of(names).iter_errors({"a" * 40 + "!": 1}))
    closed = {"allOf": [{"patternProperties": {pattern: {}}, "additionalProperties": False}]}
    list(validator_of(closed).iter_errors({"a" * 40 + "!": 1}))
    assert time.process_time() - started < 2


def test_patterns_of_column_names_open_a_closed_contract():
    closed = {"patternProperties": {"^fvc_": {"minimum": 0}}, "additionalProperties": False}
    table = pd.DataFrame({"fvc_1": [1.0, -2.0], "fev": [1.0, 1.0]})
    found = breaches(table, closed)
    assert set(zip(found["row"].fillna(-1), found["column"], found["rule"], strict=True)) == {
        (-1, "fev", "additionalProperties"), (1, "fvc_1", "minimum"),
    }  # fmt: skip


def test_a_pattern_ends_where_the_text_does():
    contract = {"properties": {"code": {"type": "string", "pattern": "^S[0-9]+$"}}}
    found = breaches(pd.DataFrame({"code": ["S1", "S1\n", "S\u0661", "\udcff"]}), contract)
    assert found["row"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("step", "good", "bad"),
    [
        (0.01, 4.35, 4.355),
        (0.1, 0.3, 0.35),
        (1e-320, 1e300, None),
        (5e-324, 1.5, None),
        (7, 21, 22),
    ],
)
def test_multiples_are_told_as_they_are_written(step, good, bad):
    contract = {"properties": {"n": {"multipleOf": step}}}
    assert len(check_table(pd.DataFrame({"n": [good]}), contract)) == 1
    if bad is not None:
        assert breaches(pd.DataFrame({"n": [bad]}), contract)["rule"].tolist() == ["multipleOf"]


def test_a_number_beyond_all_bounds_is_a_violation():
    for great in (10**400, "1" * 400, "1e400"):
        table = pd.DataFrame({"n": [great, 1]}, dtype=object)
        found = breaches(table, {"properties": {"n": {"type": "number", "multipleOf": 0.5}}})
        assert found[["row", "rule"]].to_numpy().tolist() == [[0, "finite"]]
    rows = {"allOf": [{"properties": {"n": {"multipleOf": 0.5}}}]}
    assert breaches(pd.DataFrame({"n": [np.inf, 1.0]}), rows)["row"].tolist() == [0]


def test_a_message_repeats_no_row():
    """Other columns than the ones at fault may hold a name."""
    either = {"anyOf": [{"properties": {"age": {"minimum": 99}}}, {"not": {}}]}
    table = PEOPLE.assign(name=["Jane Doe", "Max Roe"])
    with pytest.raises(TableError, match="the row is not valid under any") as caught:
        check_table(table, either | {"properties": {"subject_id": {"x-role": "id"}}})
    assert "Doe" not in str(caught.value) + caught.value.violations.to_string()
    assert caught.value.violations["subject_id"].tolist() == ["S1", "S2"]


def test_an_unknown_contract_lists_those_there_are():
    with pytest.raises(FileNotFoundError, match="assignments, associations"):
        load_schema("nothing_of_the_kind")


FOLDER = Path(__file__).parents[1] / "data_schemas"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.schema.json")), ids=lambda f: f.name)
def test_every_packaged_contract_is_sound(file):
    schema = load_schema(file)
    assert schema["title"] == file.name.removesuffix(".schema.json")
    assert set(schema.get("required", [])) <= set(schema["properties"])


def test_assignments_refuse_what_no_reader_can_use():
    schema = load_schema("assignments")
    good = pd.DataFrame({"subject_id": ["a", "b"], "cluster": [0, 1], "confidence": [1.0, 0.5]})
    assert check_table(good, schema)["cluster"].dtype == "Int64"
    found = breaches(good.assign(cluster=[-1, 0.5], confidence=[2.0, np.nan]), schema)
    assert len(found) == 4


# Drafting --------------------------------------------------------------------------------


def registry() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 60
    return pd.DataFrame(
        {
            "PatientID": [f"{i:03d}" for i in range(n)],
            "Age": rng.integers(30, 80, n),
            "sex": rng.choice(["f", "m"], n),
            "scanner_model": rng.choice(["Alpha", "Beta", "Gamma"], n),
            "ScaddingStage": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 5, n)),
            "fibrosis": rng.integers(0, 4, n),
            "FVC": rng.normal(3, 0.5, n),
            "exam_date": [f"2020-01-{i % 28 + 1:02d}" for i in range(n)],
            "file": [f"scans/{i}.nii.gz" for i in range(n)],
        }
    )


def test_a_draft_guesses_roles_levels_and_sources():
    rules = draft_schema(registry())["properties"]
    assert {name: rule.get("x-role") for name, rule in rules.items()} == {
        "PatientID": "id",
        "Age": "demographic",
        "sex": "demographic",
        "scanner_model": "scanner",
        "ScaddingStage": "staging",
        "fibrosis": "visual_score",
        "FVC": "outcome",
        "exam_date": None,
        "file": None,
    }
    assert rules["ScaddingStage"]["enum"] == [0, 1, 2, 3, 4, None]
    assert rules["ScaddingStage"]["type"] == ["integer", "null"]
    assert rules["ScaddingStage"]["x-source"] == rules["fibrosis"]["x-source"] == "reader"
    assert "enum" not in rules["Age"] and "enum" not in rules["file"]
    assert rules["FVC"]["x-units"] == "" and "an outcome" in rules["FVC"]["description"]


def test_a_table_keeps_its_own_draft():
    table = registry()
    schema = draft_schema(table)
    assert json.loads(json.dumps(schema)) == schema
    checked = check_table(table, schema)
    assert checked["ScaddingStage"].isna().sum() == table["ScaddingStage"].isna().sum()


def test_a_draft_asks_who_the_subjects_are():
    table = pd.DataFrame({"value": [1.0, 2.0], "label": ["a", "a"]})
    with pytest.raises(ValueError, match="give id_column"):
        draft_schema(table)
    with pytest.raises(ValueError, match="repeated: a"):
        draft_schema(table, id_column="label")
    assert draft_schema(table, id_column="value")["properties"]["value"]["x-role"] == "id"


# Reading ---------------------------------------------------------------------------------


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "table.csv"
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_dialect_gives_the_same_table(tmp_path, encoding, separator):
    lines = [["subject_id", "bmi", "city"], ["007", "24.5", "Göttingen"], ["008", "NA", "Åbo"]]
    table = read_table(write(tmp_path, "\n".join(map(separator.join, lines)), encoding))
    assert table["subject_id"].tolist() == ["007", "008"]
    assert table["bmi"][0] == 24.5 and table["bmi"].isna()[1]
    assert table["city"].tolist() == ["Göttingen", "Åbo"]


def test_decimal_commas_are_numbers_unless_points_stand_beside(tmp_path):
    table = read_table(write(tmp_path, "id;fvc;mixed;n\n1;3,25;1.234;2\n2;-,5;1,5;3,5\n"))
    assert table["fvc"].tolist() == [3.25, -0.5]
    assert table["n"].tolist() == [2.0, 3.5]
    assert table["mixed"].tolist() == ["1.234", "1,5"]


def test_quoted_separators_and_leading_zeros_stay(tmp_path):
    table = read_table(write(tmp_path, 'id,"name, first",code\n1,"Doe, J",0123\n2,"Roe, K",0456\n'))
    assert table["name, first"].tolist() == ["Doe, J", "Roe, K"]
    assert table["code"].tolist() == ["0123", "0456"] and table["id"].tolist() == ["1", "2"]


def test_a_level_called_none_is_a_level(tmp_path):
    assert read_table(write(tmp_path, "id,fibrosis\n1,None\n2,mild\n"))["fibrosis"][0] == "None"


def test_a_sheet_reads_like_a_file(tmp_path):
    file = tmp_path / "clinic.xlsx"
    cells = pd.DataFrame(
        {"subject_id": [12, 13], "code": ["007", "008"], "fvc": [3.25, None], "sex": ["f", ""]}
    )
    cells.to_excel(file, index=False)
    table = read_table(file)
    assert table["subject_id"].tolist() == ["12", "13"] and table["code"][0] == "007"
    assert table["fvc"][0] == 3.25 and table["fvc"].isna()[1] and table["sex"].isna()[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found an empty file"),
        ("\n\n", "is empty"),
        ("id,age,age\n1,2,3\n", "appear twice: age"),
        ("id,,age\n1,2,3\n", "column 2 .B. holds values but has no name"),
        ("id,age\n1,2,3,4\n", "column 3 .C. holds values but has no name"),
    ],
)
def test_unreadable_tables_say_why(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        read_table(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        read_table(tmp_path / "nowhere.csv")
