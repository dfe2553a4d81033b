"""No text of a table is run as a formula, and every text comes back as it was."""

import numpy as np
import pandas as pd
import pytest

from clamlab.cells import guarded, unguarded, write_csv

HOSTILE = [
    "=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)",
    "\t=1", "\r=1", "\n=1", "＝1+1", "-", "=", "+", "@", "--5", "-5 (3)", "+49 30 1234", "1e5=",
    "-1e5x", "-inf", "- 5", "'=1", "''=1", "'''-x", "=1\r\n=2", "a\rb", 'he said "=1"', "=a,b;c",
]  # fmt: skip
HARMLESS = [
    "-5",
    "+3.25",
    "-.5",
    "-1e-5",
    "12",
    "",
    " =1",
    "a=b",
    "it's",
    "'",
    "''",
    "'a",
    "O'Neil",
]
RUN_BY_SPREADSHEETS = tuple("=+-@\t\r\n＝＋－＠")


def is_number(text):
    try:
        return np.isfinite(float(text))
    except ValueError:
        return False


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_text_begins_as_a_formula(text):
    table = guarded(pd.DataFrame({text: [text]}))
    for written in (table.columns[0], table.iloc[0, 0]):
        assert not written.startswith(RUN_BY_SPREADSHEETS)


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_and_other_texts_stay_as_they_are(text):
    table = guarded(pd.DataFrame({text: [text]}))
    assert (table.columns[0], table.iloc[0, 0]) == (text, text)


def random_texts(n, seed=0):
    """Texts of the letters that matter, so that every order of them occurs."""
    rng = np.random.default_rng(seed)
    letters = list("=+-@'’\t\r\n＝ \",;.e15ab")
    return ["".join(rng.choice(letters, rng.integers(1, 6))) for _ in range(n)]


def test_every_table_comes_back_as_it_was():
    texts = [*HOSTILE, *HARMLESS, *random_texts(3000)]
    table = pd.DataFrame({"=name": texts, "=name'": pd.Categorical(texts, categories=set(texts))})
    table["'=name"] = pd.array([None, *texts[1:]], dtype="string")
    table["mixed"] = pd.Series([3, None, -2.5, *texts[3:]], dtype=object)
    table["number"], table["day"] = -1.5, pd.Timestamp("2020-01-01")
    before = table.copy(deep=True)
    safe = guarded(table)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(unguarded(safe), before)
    for text in safe.iloc[:, 0]:
        assert is_number(text) or not text.startswith(RUN_BY_SPREADSHEETS), text
    twice = guarded(safe)
    pd.testing.assert_frame_equal(unguarded(twice), safe)


def test_columns_of_one_name_are_each_guarded():
    table = pd.DataFrame([["=a", "-b"]], columns=["x", "x"])
    assert guarded(table).to_numpy().tolist() == [["'=a", "'-b"]]
    pd.testing.assert_frame_equal(unguarded(guarded(table)), table)


@pytest.mark.parametrize("texts", [HOSTILE, HARMLESS, random_texts(2000, seed=1), ["a", "b"]])
def test_a_csv_file_comes_back_cell_by_cell(tmp_path, texts):
    table = pd.DataFrame({"subject_id": texts, "=note": texts[::-1], "n": range(len(texts))})
    write_csv(table, tmp_path / "t.csv")
    read = pd.read_csv(
        tmp_path / "t.csv", dtype={"subject_id": str, "=note": str, "'=note": str},
        keep_default_na=False,
    )  # fmt: skip
    pd.testing.assert_frame_equal(unguarded(read), table, check_dtype=False)


def test_an_ordinary_csv_file_is_written_as_ever(tmp_path):
    table = pd.DataFrame({"name": ["a", "b, c"], "x": [-1.5, np.nan], "seen": [True, False]})
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == table.to_csv(index=False)
