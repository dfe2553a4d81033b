"""Notebooks from which readers read, and those whose tables take what they saw."""

import ast
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
from browser import find_chromium, jupyterlab, run_notebook
from small_study import small_study

from clamlab import resources, traces
from clamlab.cli.export import WRITERS
from clamlab.stats.readers import reading_progress
from clamlab.study.withdrawal.run import withdraw
from clamlab.viewers.reading import ChoiceDesk, ReadingDesk, average_trials
from clamlab.viewers.reading.readings import Readings

IDS = [f"S{i:02}" for i in range(12)]
PAGE_SIZE = {"width": 1500, "height": 1400}
GRADES = {"fibrosis": [0, 1, 2, 3]}


def read_all(path, reader, scores, *, until=12):
    """Let a reader give each scan a value of each score."""
    for name, values in scores.items():
        for subject, value in list(zip(IDS, values, strict=True))[:until]:
            Readings(path).put(subject, reader, name, repeat=1, value=str(value))


def cells_of(name, *, until, **parameters):
    """Run a notebook's cells here, up to one; return what they leave, and what each shows."""
    left: dict = {"shown": []}
    for cell in nbformat.read(resources.notebooks() / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            *body, last = ast.parse(cell.source).body
            if not isinstance(last, ast.Expr):
                body, last = [*body, last], ast.Expr(ast.Constant(None))
            exec(compile(ast.Module(body, []), f"{name} {cell.id}", "exec"), left)
            shown = ast.fix_missing_locations(ast.Expression(last.value))
            left["shown"].append(eval(compile(shown, f"{name} {cell.id}", "eval"), left))
            left |= {key: parameters.pop(key) for key in [*parameters] if key in left}
        if cell.id == f"{name}-{until}":
            return left
    raise AssertionError(f"no cell {until}")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of twelve whose outcome and hospital's score are known; 07 was never run."""
    made = small_study(
        tmp_path / "study", fev1_l=[2.0, 3.0, 2.2, 3.1, 2.4, 3.2] * 2, honeycombing=[0, 1, 2] * 4
    )
    monkeypatch.chdir(made.root / "notebooks")
    return made


def state(study, stage):
    return study.status().set_index("stage")["status"][stage]


# --- the tables -------------------------------------------------------------------------------


def test_two_readers_enter_table_two_and_figure_ten_and_a_change_makes_both_stale(study, capsys):
    before = cells_of("08_table_one", until="06")
    assert before["read"] == [] and set(before["tidy"]["variable"]) == {"", "honeycombing"}
    before["stage"].publish()
    assert state(study, "07_explore") == "missing" and state(study, "08_table_one") == "fresh"
    planned = cells_of("09_associations", until="05")

    # Cluster 1 is S00, S02, ...: its six have a mean of 4, those of cluster 2 one of 12.
    points = [3, 11, 4, 12, 5, 13] * 2
    path = study.path("readings")
    read_all(path, "Dr. Reader-ZQ", {"oberstein_score": points, "honeycombing": [3] * 12})
    read_all(path, "CD", {"oberstein_score": [p + 2 for p in points]}, until=11)
    assert state(study, "08_table_one") == "stale"
    after = cells_of("08_table_one", until="06")
    tidy = after["tidy"]
    row = tidy.query("variable == 'oberstein_score' and part == 'summary'").set_index("group")
    # S11 (13, and so in cluster 2) was read by one alone.
    assert row["mean"].to_dict() == pytest.approx(
        {0: 5, 1: (6 * 13 - 1) / 6, pd.NA: (30 + 77) / 12}
    )
    assert set(row["source"]) == {"reader"} and set(row["role"]) == {"visual_score"}
    again = tidy.query("variable == 'honeycombing_read' and part == 'summary' and level == '3'")
    assert again["count"].max() == 12 and again["title"].unique() == ["Honeycombing, read again"]
    assert tidy.query("variable == 'honeycombing' and level == '3'")["count"].max() == 0
    page = (study.root / "08_table_one" / "unfinished").rglob("table_one.html")
    said = "Oberstein score: mean of 2 readers (11 scans have values of 2, 1 of one alone)."
    assert said in next(page).read_text() and said in capsys.readouterr().out
    after["stage"].publish()
    assert state(study, "08_table_one") == "fresh"

    now = cells_of("09_associations", until="05")
    means = now["adjusted"].query("outcome == 'oberstein_score'").set_index("group")
    assert means["mean"].to_dict() == pytest.approx({0: 5, 1: 77 / 6})
    assert set(means["source"]) == {"reader"}
    outside = now["associations"].query("outcome == 'fev1_l'").reset_index(drop=True)
    assert outside.equals(
        planned["associations"].query("outcome == 'fev1_l'").reset_index(drop=True)
    )
    titles = [axes.get_title() for axes in now["figure_10"].axes]
    assert titles == ["FEV1", "Oberstein score†"]
    assert "Read from an image by a person" in now["figure_10"].texts[0].get_text()
    assert not planned["figure_10"].texts
    # Neither the comparison of models nor the t-map rests on the scans that were read.
    assert now["table"].equals(planned["table"]) and now["contract"] == planned["contract"]

    # A table that leaves names no reader; who withdraws takes the readings along.
    for name, small_counts in (("masked", False), ("whole", True)):
        paper = study.root.parent / name
        WRITERS["08_table_one"](study, paper, small_counts)
        assert traces.find(paper, ["Reader-ZQ"]) == []
        assert "Honeycombing, read again†" in (paper / "08_table_one/table_one.html").read_text()
    withdraw(study.root, ["S11"], draw_pages=lambda *_: None)
    assert "S11" not in path.read_text() and len(path.read_text().splitlines()) == 1 + 22 + 11
    assert state(study, "08_table_one") == "stale"


# --- the desks --------------------------------------------------------------------------------


def desk_of(tmp_path, reader="", **options):
    scans = np.full((12, 8, 8), -800, "int16")
    path = tmp_path / "readings.csv"
    return ReadingDesk(scans, IDS, GRADES, path=path, reader=reader, repeated=0, **options)


def test_a_name_is_asked_for_and_found_again_however_it_is_spelled(tmp_path):
    desk = desk_of(tmp_path)
    assert desk.work is None and desk.said.value.startswith("Type your name or initials")
    desk.begin.click()
    assert desk.work is None
    desk.name.value = " A B "
    assert (desk.reader, desk.said.value) == ("A B", "A B begins")
    reading, _ = desk.work.children
    reading.score("fibrosis", 2)
    desk.name.value = "ab"  # the same person, and no second reader
    assert desk.reader == "A B" and desk.work.children[0] is reading
    desk.name.value = "CD"
    assert desk.reader == "CD" and reading.comm is None and len(desk.children) == 3
    again = desk_of(tmp_path)
    assert again.said.value.endswith("So far: A B (1 of 12 scans read).")
    again.name.value = "aB"
    assert again.said.value == "A B goes on: 1 of 12 scans read"
    assert again.work.children[0].n_read == 1
    (tmp_path / "readings.csv").write_text("subject_id,reader\nS00,<b>")
    broken = desk_of(tmp_path, "AB")
    assert broken.work is None and "should have the columns" in broken.said.value
    many = ReadingDesk(np.zeros((1, 4, 4)), ["S1"], {"x": range(11)}, path=tmp_path / "other.csv")
    many.name.value = "AB"
    assert many.work is None and "11 levels for ten digits" in many.said.value


def test_readers_sit_side_by_side_and_who_moves_leaves_the_desk_before(tmp_path):
    (tmp_path / "other").mkdir()
    first, second, third = desk_of(tmp_path), desk_of(tmp_path), desk_of(tmp_path / "other")
    first.name.value, second.name.value, third.name.value = "AB", "CD", "AB"
    left, right = (desk.work.children[0] for desk in (first, second))
    left.score("fibrosis", 1)
    assert (left.comm is not None, right.comm is not None) == (True, True)
    assert third.reader == "AB"  # another study's file is another desk

    second.name.value = "a b"  # who sat at the first desk takes the second one over
    assert second.reader == "AB" and second.work.children[0].n_read == 1
    assert left.comm is None and right.comm is None  # no scan of theirs stays in memory
    assert first.reader == "" and first.work is None and len(first.children) == 2
    assert "AB reads in another window or cell now" in first.said.value
    first.begin.click()  # and back, with the name that still stands there
    assert first.reader == "AB" and first.work.children[0].n_read == 1
    assert second.work is None and third.reader == "AB"


def test_agreement_waits_for_the_last_scan_and_is_that_of_the_file(tmp_path):
    read_all(tmp_path / "readings.csv", "CD", {"fibrosis": [0, 1, 2, 3] * 3})
    desk = desk_of(tmp_path, "AB")
    reading, agreement = desk.work.children
    for position in range(12):
        assert agreement.show.disabled and agreement.table.value == ""
        assert "once your last scan is read" in agreement.said.value
        reading.go(position)
        reading.score("fibrosis", [0, 1, 2, 3][IDS.index(whose(reading)) % 4])
    assert not agreement.show.disabled and agreement.said.value == ""
    reading.score("fibrosis", "unreadable")
    agreement.show.click()
    told = " ".join(
        re.sub("<style.*?</style>|<[^>]+>", " ", agreement.table.value, flags=re.S).split()
    )
    assert "Fibrosis CD and AB 11 100 % kappa, linear weights: 1.00; kappa, quad" in told
    assert "1 unreadable, left out" in told
    (tmp_path / "readings.csv").write_text("broken")
    agreement.show.click()
    assert "should have the columns" in agreement.said.value and agreement.table.value == ""


def test_who_is_alone_is_told_what_a_comparison_takes(tmp_path):
    desk = desk_of(tmp_path, "AB")
    reading, agreement = desk.work.children
    for position in range(12):
        reading.go(position)
        reading.score("fibrosis", 1)
    agreement.show.click()
    assert agreement.said.value.startswith("Nothing to compare yet") and not agreement.table.value


def whose(reading):
    scan, _ = reading._order[reading.position]
    return IDS[scan]


def test_who_has_begun_to_read_does_not_choose_before_the_end(tmp_path):
    maps = {"Cluster 1": np.zeros((4, 4)), "Cluster 2": np.ones((4, 4))}
    trials = average_trials(np.zeros((12, 4, 4)), [0, 1] * 6, maps, n_trials=3)
    path = tmp_path / "readings.csv"
    read_all(path, "AB", {"fibrosis": [1] * 12}, until=11)
    read_all(path, "CD", {"fibrosis": [1] * 12})

    def progress():
        return reading_progress(pd.read_csv(path), GRADES, subject_ids=IDS)

    desk = ChoiceDesk(trials, path=tmp_path / "choices.csv", reader="ab", progress=progress)
    assert desk.work is None and desk.said.value.startswith("AB has 1 of 12 scans to read")
    desk.name.value = "CD"
    choice, results = desk.work.children
    for _ in range(3):
        assert results.value == ""
        choice.choose(1)
    n_right = (pd.read_csv(tmp_path / "choices.csv")["correct"] == "yes").sum()
    assert f"{n_right} of 3" in results.value and "CD" in results.value
    desk.name.value = "EF"  # who does not read need not wait for it
    assert desk.said.value == "EF begins" and desk.work.children[1].value == ""
    read_all(path, "GH", {"fibrosis": [1] * 12}, until=3)  # meanwhile, elsewhere
    desk.name.value = "GH"
    assert desk.said.value.startswith("GH has 9 of 12 scans to read")
    other = ChoiceDesk(trials, path=tmp_path / "choices.csv", progress=progress)
    assert other.said.value.endswith("So far: AB, CD (3 trials answered), GH.")


def test_a_reader_chooses_from_the_notebook(study):
    read_all(study.path("readings"), "AB", {"fibrosis": [1] * 12}, until=11)
    left = cells_of("choosing", until="08")
    desk = left["shown"][-2]
    assert desk.said.value.endswith("So far: AB.")
    desk.name.value = "ab"  # one of four scores: no scan is read to the end
    assert desk.work is None and desk.said.value.startswith("AB has 12 of 12 scans to read")
    desk.name.value = "CD"
    choice, _ = desk.work.children
    assert choice.panel.n_trials == 12 + 20  # all scans, and twenty averages
    choice.choose(2)
    assert study.read("forced_choices")[["reader", "side"]].to_numpy().tolist() == [["CD", 2]]
    assert state(study, "07_explore") == "missing"


def test_who_was_asked_for_some_scores_only_chooses_after_these(study):
    read_all(study.path("readings"), "AB", {"fibrosis": [1] * 12})
    desk = cells_of("choosing", until="08", SCORES=("fibrosis",))["shown"][-2]
    desk.name.value = "AB"
    assert desk.said.value == "AB begins" and desk.work is not None


# --- in JupyterLab ----------------------------------------------------------------------------


def test_a_reader_reads_from_the_notebook_by_keys_alone(tmp_path, page):
    find_chromium()
    study = small_study(tmp_path / "study")
    path = study.path("readings")
    with jupyterlab(study.root / "notebooks", tmp_path / "home") as url:
        run_notebook(page, url, "reading.ipynb")
        desk = page.locator(".clam-desk")
        desk.get_by_text("Type your name or initials").wait_for()
        assert not path.exists() and page.locator(".clam-reading").count() == 0
        desk.get_by_placeholder("name or initials").fill("AB")
        page.keyboard.press("Enter")
        title = desk.locator(".clam-reading > .clam-bar .clam-title")
        title.filter(has_text="Scan 1 of 13").wait_for()
        page.wait_for_function("document.activeElement.classList.contains('clam-reading')")
        # Nobody clicks: four scores of the contract, the last of them a number that is typed.
        for item, key in enumerate("213"):
            page.keyboard.press(key)
            desk.locator(f"[data-item='{item}'] .clam-value", has_text="saved").wait_for()
            page.keyboard.press("Tab")
        page.keyboard.press("1")
        page.keyboard.press("4")
        page.keyboard.press("Enter")
        title.filter(has_text="Scan 2 of 13").wait_for()
        table = pd.read_csv(path)
        assert len(set(table["subject_id"]) & set(IDS)) == len(set(table["subject_id"])) == 1
        assert table[["reader", "score", "value", "repeat"]].to_numpy().tolist() == [
            ["AB", "ground_glass", 2, 1], ["AB", "fibrosis", 1, 1],
            ["AB", "honeycombing", 3, 1], ["AB", "oberstein_score", 14, 1],
        ]  # fmt: skip
        assert desk.get_by_role("button", name="How well do readers agree?").is_disabled()
        shown = desk.inner_text()
        assert not re.search(r"S\d\d|[Cc]luster|confidence", shown), shown
    assert state(study, "07_explore") == "missing"  # nothing was run
