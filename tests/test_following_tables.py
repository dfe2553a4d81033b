"""Tables and figures that follow a hand: the right rows, marked as what they are, over nothing."""

import asyncio
import json
import re
import time

import numpy as np
import pandas as pd
import pytest
from browser import (
    ask_kernel,
    chromium,
    find_chromium,
    jupyterlab,
    new_page,
    run_notebook,
    write_notebook,
)
from pandas.testing import assert_frame_equal
from PIL import Image
from small_study import small_study

from clamlab import figures
from clamlab.cli import main
from clamlab.stats import maps as stats_maps
from clamlab.stats import outcomes, tables
from clamlab.viewers.following import OutcomeExplorer, TableExplorer, follower, t_map
from clamlab.viewers.following import keeping as keeping_room
from clamlab.viewers.following import tables as tables_room

NUMBER = {"type": ["number", "null"]}
CONTRACT = {
    "properties": {
        "age": {**NUMBER, "title": "Age", "x-role": "demographic"},
        "sex": {"enum": ["female", "male"], "title": "Sex", "x-role": "demographic"},
        "kv": {**NUMBER, "title": "<kV>", "x-role": "scanner"},
        "score": {**NUMBER, "title": "Score", "x-role": "visual_score"},
        "fvc": {**NUMBER, "title": "FVC", "x-role": "outcome"},
        "crp": {**NUMBER, "title": "CRP", "x-role": "outcome", "x-transform": "log"},
        "volume": {**NUMBER, "title": "Volume", "x-role": "outcome", "x-source": "derived"},
    }
}
N = 120


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    clusters = np.arange(N) % 3
    return pd.DataFrame(
        {
            "subject_id": [f"S{i}" for i in range(N)],
            "age": rng.normal(60, 9, N),
            "sex": rng.choice(["female", "male"], N),
            "kv": rng.choice([100.0, 120], N),
            "score": rng.integers(0, 9, N).astype(float),
            "fvc": 3 - 0.3 * clusters + rng.normal(0, 0.5, N),
            "crp": np.exp(rng.normal(1, 0.5, N)),
            "volume": rng.normal(5, 1, N),
            "cluster": clusters,
            "confidence": rng.uniform(0.4, 0.99, N),
        }
    )


@pytest.fixture
def maps(table):
    maps = np.random.default_rng(1).normal(size=(N, 3, 4, 2))
    maps[:, 2, 1, 0] += 2 * (table["fvc"] - 3)
    return maps


def without(*names):
    properties = {
        name: {k: v for k, v in rule.items() if k != "x-role" or name not in names}
        for name, rule in CONTRACT["properties"].items()
    }
    return {"properties": properties}


def shown(explorer):
    return explorer._shown.value


def kept(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# What follows is what the functions say of the rows that stay.


@pytest.mark.parametrize("least", [0.0, 0.55, 0.8])
def test_the_table_is_that_of_the_rows_that_stay(table, least):
    explorer = TableExplorer(table, CONTRACT, seed=3)
    explorer.confidence.value = least
    explorer.characteristics.chosen = ("age", "sex", "score")
    rows = table[table["confidence"] >= least]
    expected = tables.table_one(rows, without("kv"), seed=3)
    assert_frame_equal(explorer.tidy, expected)
    assert f">{len(rows)}<" in shown(explorer)
    explorer.characteristics.chosen = ("age", "sex", "score", "kv")
    assert_frame_equal(explorer.tidy, tables.table_one(rows, CONTRACT, seed=3))


@pytest.mark.parametrize("covariance", ["classical", "HC3"])
def test_the_figure_is_that_of_the_rows_covariates_and_outcomes(table, covariance):
    explorer = OutcomeExplorer(table, CONTRACT, seed=1, covariance=covariance)
    assert explorer.covariates.chosen == ("age", "sex")
    planned = outcomes.outcome_associations(table, CONTRACT, covariance=covariance)
    assert_frame_equal(explorer.associations, planned)
    explorer.confidence.value = 0.6
    explorer.covariates.chosen = ("age", "kv")
    explorer.outcomes.chosen = ("fvc", "volume")
    model = {"covariates": ("age", "kv"), "covariance": covariance}
    rows = table[table["confidence"] >= 0.6]
    asked = (rows, without("crp"))
    assert_frame_equal(explorer.associations, outcomes.outcome_associations(*asked, **model))
    assert_frame_equal(explorer.adjusted, outcomes.adjusted_means(*asked, **model))
    assert explorer.associations.query("outcome == 'volume'")["p"].isna().all()


def test_the_covariates_of_the_plan_are_the_planned_setting(table):
    explorer = OutcomeExplorer(table, CONTRACT, seed=1, covariates=("kv", "age"))
    expected = outcomes.outcome_associations(table, CONTRACT, covariates=("kv", "age"))
    assert_frame_equal(explorer.associations, expected)
    assert "PLANNED" in shown(explorer) and explorer.looked_at == 0


def test_the_map_is_that_of_the_rows_and_its_p_is_corrected(table, maps, monkeypatch):
    monkeypatch.setattr(t_map, "N_PERMUTATIONS", 60)
    explorer = OutcomeExplorer(table, CONTRACT, seed=5, maps=maps, mask=np.ones((6, 8, 4), bool))
    assert "volume" not in explorer.map._titles  # derived from the image: never tested
    explorer.confidence.value = 0.6
    explorer.covariates.chosen = ("age",)
    assert explorer.map.found is None and explorer.map.ask.disabled
    explorer.map.choice.value = "fvc"
    rows = (table["confidence"] >= 0.6).to_numpy()
    model = {"outcome": "fvc", "covariates": ("age",), "n_permutations": 60, "seed": 5}
    expected = stats_maps.outcome_map(maps[rows], table[rows], CONTRACT, **model)
    np.testing.assert_array_equal(explorer.map.found.t, expected.t)
    assert np.isnan(explorer.map.found.p).all()
    titles = [axes.get_title() for axes in explorer.map._figure.axes]
    assert any("t alone: no p" in title for title in titles)
    explorer.map.ask.click()
    np.testing.assert_array_equal(explorer.map.found.p, expected.p)
    titles = " ".join(axes.get_title() for axes in explorer.map._figure.axes)
    assert f"smallest exploratory p {expected.p.min():.3f}" in titles
    assert "60 permutations, corrected for all places" in marks_of(explorer.map._figure)
    explorer.confidence.value = 0.7  # an earlier p does not stand beside a later map
    assert np.isnan(explorer.map.found.p).all()


def test_a_map_of_what_a_person_read_is_marked(table, maps):
    read = CONTRACT["properties"] | {"crp": CONTRACT["properties"]["crp"] | {"x-source": "reader"}}
    explorer = OutcomeExplorer(table, {"properties": read}, seed=5, maps=maps)
    assert [title for title, _ in explorer.map.choice.options] == ["no map", "FVC", "CRP†"]
    explorer.map.choice.value = "fvc"
    explorer.follow()
    assert "†" not in explorer.map.shown.value
    explorer.map.choice.value = "crp"
    explorer.follow()
    assert "Read from an image by a person" in explorer.map.shown.value
    assert "Read from an image by a person" in marks_of(explorer.map._figure)
    titles = [axes.get_title() for axes in explorer.map._figure.axes]
    assert any(title.startswith(f"{explorer.map.found.title}†") for title in titles), titles


def marks_of(figure):
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


# What was not planned says so.


def test_only_the_planned_table_looks_planned(table):
    explorer = TableExplorer(table, CONTRACT)
    explorer.follow()
    page = shown(explorer)
    assert "PLANNED" in page and "P (Holm)" in page and "EXPLORATORY" not in page
    explorer.confidence.value = 0.6
    page, n = shown(explorer), int((table["confidence"] < 0.6).sum())
    assert "EXPLORATORY" in page and "P (not confirmatory)" in page
    assert "Holm" not in page and "P (BH)" not in page and "P-value<" not in page
    assert f"{n} of {N} scans left out ({n} with a confidence below 0.60)" in page
    assert "1 setting of this table looked at" in page and "&lt;kV&gt;" in page
    explorer.characteristics.chosen = ("age", "score")
    assert "; characteristics: without Sex, &lt;kV&gt;." in shown(explorer)
    assert "2 settings of this table" in shown(explorer)
    explorer.characteristics.chosen = explorer.characteristics.planned
    explorer.confidence.value = 0
    assert "PLANNED" in shown(explorer) and "2 other settings looked at since" in shown(explorer)


def test_a_setting_counts_once_and_only_when_it_was_shown(table):
    explorer = TableExplorer(table, CONTRACT)
    for value in (0.6, 0.7, 0.6, 0.0, 0.2, 0.6):  # 0.2 leaves out nobody: the planned table
        explorer.confidence.value = value
    assert explorer.looked_at == 2
    explorer.characteristics._tick(("age",))  # three boxes, one look
    assert explorer.looked_at == 3


def test_what_is_passed_on_the_way_is_neither_worked_out_nor_counted(table, monkeypatch):
    done = []
    work = tables.table_one
    monkeypatch.setattr(
        tables, "table_one", lambda *a, **k: done.append(len(a[0])) or work(*a, **k)
    )

    async def move(explorer):
        for value in (0.5, 0.6, 0.7):
            explorer.confidence.value = value
            assert "clam-waiting" in explorer._shown._dom_classes
        assert done == []
        await asyncio.sleep(follower.REST + 0.3)

    explorer = TableExplorer(table, CONTRACT)
    asyncio.run(move(explorer))
    assert done == [int((table["confidence"] >= 0.7).sum())] and explorer.looked_at == 1
    assert "clam-waiting" not in explorer._shown._dom_classes


def test_nothing_is_worked_out_for_nobody(table, maps, monkeypatch):
    def never(*_, **__):
        raise AssertionError("nobody has looked")

    monkeypatch.setattr(tables, "table_one", never)
    monkeypatch.setattr(outcomes, "associations_with_means", never)
    made = [
        TableExplorer(table, CONTRACT),
        OutcomeExplorer(table, CONTRACT, seed=1, maps=maps),
    ]
    for explorer in made:
        assert f"all {N} scans" in shown(explorer) and "AssertionError" not in shown(explorer)
        assert "PLANNED" in explorer._repr_mimebundle_()["text/html"]


def test_the_mark_is_in_the_picture_and_moves_nothing(table):
    explorer = OutcomeExplorer(table, CONTRACT, seed=1)
    explorer.confidence.value = 0.6
    explorer.outcomes.chosen = ("fvc", "crp")
    figure = explorer._figure
    assert "EXPLORATORY" in marks_of(figure) and "outcomes: without Volume" in marks_of(figure)
    assert "2 settings of this figure looked at" in marks_of(figure)
    panels = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len([said for said in panels if said.startswith("exploratory p")]) == 2
    plain = figures.outcome_panel(explorer.adjusted, explorer.associations)
    for marked, own in zip(figure.axes, plain.axes, strict=True):
        size = [f.get_size_inches() * a.get_position().size for f, a in ((figure, marked),
                                                                        (plain, own))]  # fmt: skip
        np.testing.assert_allclose(*size)
    top = min(text.get_window_extent().y0 for text in figure.texts)
    assert all(axes.get_tightbbox().y1 < top for axes in figure.axes)


# What is kept lies beside the planned files, whole, over nothing.


def keep(explorer, words):
    explorer.keeping.words.value = words
    explorer.keeping.button.click()
    return re.sub("<[^>]*>", "", explorer.keeping.said.value)


def test_a_table_that_is_kept_says_what_it_is(table, tmp_path):
    folder = tmp_path / "explored"
    explorer = TableExplorer(table, CONTRACT, seed=3, folder=folder)
    explorer.confidence.value = 0.6
    explorer.characteristics.chosen = ("age", "sex")
    told = keep(explorer, "no unsure / scans")
    (place,) = folder.iterdir()
    # A press overtakes a slider while Python is busy: which setting was kept can be read.
    assert told.startswith(f"Kept in explored/{place.name}: ")
    assert "41 of 120 scans left out" in told and "without" in told
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_no-unsure-%2F-scans", place.name)
    stem = "table_one_exploratory"
    assert kept(place) == ["settings.json", f"{stem}.csv", f"{stem}.docx", f"{stem}.html"]
    written = pd.read_csv(place / f"{stem}.csv")
    assert not {"p", "p_holm", "p_bh"} & set(written)
    same = [name for name in ("mean", "count", "smd") if name in written]
    for name in same:
        np.testing.assert_allclose(written[name], explorer.tidy[name].astype(float))
    np.testing.assert_allclose(written["p_not_confirmatory"], explorer.tidy["p"])
    n = int((table["confidence"] < 0.6).sum())
    assert written["exploratory"].str.startswith(f"EXPLORATORY. {n} of {N} scans left out").all()
    page = (place / f"{stem}.html").read_text()
    assert "<caption>EXPLORATORY" in page and "P (not confirmatory)" in page
    assert "2 settings of this table looked at" in page
    settings = json.loads((place / "settings.json").read_text())
    assert settings["words"] == "no unsure / scans" and settings["least_confidence"] == 0.6
    assert settings["scans"]["left_out_for_confidence"] == n
    assert sum(settings["scans"]["stay_by_cluster_from_1"].values()) == N - n
    assert settings["characteristics_left_out"] == ["kv", "score"] and settings["seed"] == 3
    assert settings["settings_looked_at_beside_the_planned_one"] == 2
    assert not any(i in file.read_bytes() for file in place.iterdir() for i in (b"S11", b"S77"))


def test_a_figure_that_is_kept_is_fit_for_print_and_says_what_it_is(table, maps, tmp_path):
    explorer = OutcomeExplorer(table, CONTRACT, seed=1, maps=maps, folder=tmp_path)
    explorer.map.choice.value = "crp"  # the planned figure, and a map that was not planned
    keep(explorer, "map alone")
    explorer.covariates.chosen = ()
    keep(explorer, "no covariates")
    alone, both = sorted(tmp_path.iterdir())
    assert kept(alone) == ["settings.json", "t_map_exploratory.pdf", "t_map_exploratory.png"]
    assert {"figure_10_exploratory.pdf", "figure_10_exploratory.png"} < set(kept(both))
    for picture in both.glob("*.png"):
        with Image.open(picture) as image:
            assert round(image.info["dpi"][0]) == 300
    written = pd.read_csv(both / "associations_exploratory.csv")
    assert not {"p", "p_holm", "p_bh", "p_tukey"} & set(written)
    settings = json.loads((both / "settings.json").read_text())
    assert settings["covariates"] == [] and settings["covariates_planned"] == ["age", "sex"]
    assert settings["t_map"]["smallest_corrected_p_not_confirmatory"] is None
    assert settings["t_map"]["maps_looked_at_beside_the_planned_one"] == 2


def test_nothing_kept_is_written_over_or_half(table, tmp_path, monkeypatch):
    explorer = TableExplorer(table, CONTRACT, folder=tmp_path / "explored")
    assert "setting of the plan" in keep(explorer, "planned")
    explorer.confidence.value = 0.6
    assert "in a few words" in keep(explorer, "  ")
    assert kept(tmp_path / "explored") == []
    for _ in range(3):
        keep(explorer, "same")
    first, second, third = kept(tmp_path / "explored")
    assert second == f"{first}_2" and third == f"{first}_3"
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tables_room, "write_csv", full)
        assert "Not kept: [Errno 28]" in keep(explorer, "same")
        patch.undo()
        patch.setattr(keeping_room, "_json", full)
        assert "No space left" in keep(explorer, "other")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert len(list((tmp_path / "explored").iterdir())) == 3
    nowhere = TableExplorer(table, CONTRACT)
    assert nowhere.keeping.button.disabled and "no folder" in nowhere.keeping.said.value


def test_what_is_kept_is_a_persons_and_goes_when_a_subject_does(tmp_path, capsys):
    study = small_study(tmp_path / "study")
    people = study.read("assignments").assign(age=range(60, 72))
    contract = without("sex", "kv", "score")
    tidy = tables.table_one(people, contract)

    def run():
        stage = study.stage("08_table_one")
        stage.read("assignments")
        stage.write("table_one", tidy)
        stage.path("table_one_print").with_suffix(".html").write_text("printed")
        explorer = TableExplorer(people, contract, folder=stage.path("explored_tables"))
        stage.publish()
        return explorer

    explorer = run()
    people["confidence"] = np.linspace(0.5, 0.9, len(people))
    explorer = run()
    planned = study.path("table_one").read_bytes()
    explorer.confidence.value = 0.7
    assert keep(explorer, "sure").startswith("Kept in explored/")
    assert dict(study.status().set_index("stage")["status"])["08_table_one"] == "fresh"
    run()
    assert study.path("table_one").read_bytes() == planned
    assert len(kept(study.path("explored_tables"))) == 1
    assert main(["status", str(study.root)]) == 0
    assert "08_table_one/explored: 1 kept by a person, exploratory" in capsys.readouterr().out
    assert main(["withdraw", str(study.root), "S03"]) == 0
    assert not study.path("explored_tables").exists() and study.path("table_one").exists()


# Bad input is said, and the rest is kept.


def test_without_confidence_the_rest_works(table):
    for bad in (table.drop(columns="confidence"), table.assign(confidence=np.nan)):
        explorer = TableExplorer(bad, CONTRACT)
        assert explorer.confidence.disabled and "No cut:" in explorer._cut._said.value
        explorer.characteristics.chosen = ("age",)
        expected = tables.table_one(bad, without("sex", "kv", "score"), seed=1)
        assert_frame_equal(explorer.tidy, expected)


def test_scans_of_unknown_confidence_stay_until_there_is_a_cut(table):
    table.loc[:4, "confidence"] = np.nan
    table.loc[5, "confidence"] = np.inf
    explorer = TableExplorer(table, CONTRACT)
    assert "6 unknown, left out by any cut" in explorer._cut._said.value
    assert explorer.tidy.query("part == 'size'")["n"].iloc[0] == N
    explorer.confidence.value = explorer.confidence.min + explorer.confidence.step
    assert explorer.tidy.query("part == 'size'")["n"].iloc[0] == N - 6
    assert f"6 of {N} scans left out (6 of unknown confidence)" in shown(explorer)


def test_the_largest_cut_leaves_a_scan_and_says_what_is_gone(table, maps):
    table["confidence"] = np.where(table["cluster"] == 0, 0.9666, 0.5)
    explorer = TableExplorer(table, CONTRACT)
    explorer.confidence.value = explorer.confidence.max
    assert explorer.tidy.query("part == 'size' and group.notna()")["group"].tolist() == [0]
    assert "Cluster 2 and Cluster 3 has no scan left" not in shown(explorer)
    assert "Cluster 2 and Cluster 3 have no scan left." in shown(explorer)
    assert "One cluster only" in shown(explorer)
    outs = OutcomeExplorer(table, CONTRACT, seed=1, maps=maps)
    outs.map.choice.value = "fvc"
    outs.confidence.value = 0.9
    assert "one cluster only: nothing to compare" in shown(outs)
    assert outs.adjusted.query("outcome == 'fvc'")["mean"].notna().sum() == 1
    table["confidence"] = np.where(np.arange(N) < 3, 0.9, 0.5)
    outs = OutcomeExplorer(table, CONTRACT, seed=1, maps=maps)
    outs.map.choice.value = "fvc"
    outs.confidence.value = 0.9
    assert "too few" in outs.map.shown.value and outs.map.ask.disabled
    assert "3 rows for" in shown(outs) and "Cluster 1 has 1" in shown(outs)


def test_the_slider_begins_where_its_first_steps_leave_scans_out(table):
    table["confidence"] = np.r_[0.8353, np.linspace(0.92, 0.993, N - 1)]
    explorer = TableExplorer(table, CONTRACT)
    slider = explorer.confidence
    assert (slider.value, slider.min, slider.step) == pytest.approx((0.834, 0.834, 0.001))
    assert "PLANNED" in shown(explorer)
    slider.value += slider.step  # no confidence is below 0.835
    assert explorer.looked_at == 0 and "PLANNED" in shown(explorer)
    slider.value += slider.step
    assert explorer.tidy.query("part == 'size'")["n"].iloc[0] == N - 1
    assert "1 with a confidence below 0.836" in shown(explorer)
    slider.value = slider.min
    assert explorer.tidy.query("part == 'size'")["n"].iloc[0] == N


def test_crowded_confidences_are_told_apart(table):
    table["confidence"] = 0.99 + 0.009 * np.arange(N) / N
    explorer = TableExplorer(table, CONTRACT)
    assert explorer.confidence.step == 0.001
    explorer.confidence.value = 0.995
    assert (
        explorer.tidy.query("part == 'size'")["n"].iloc[0] == (table["confidence"] >= 0.995).sum()
    )
    assert "below 0.995" in shown(explorer)


def test_constant_covariates_missing_outcomes_and_empty_boxes_are_said(table):
    table["sex"] = np.where(table["confidence"] < 0.6, "male", "female")
    table["crp"] = np.where(table["confidence"] < 0.6, table["crp"], np.nan)
    explorer = OutcomeExplorer(table, CONTRACT, seed=1)
    explorer.confidence.value = 0.6
    assert "Sex: one level only, left out" in shown(explorer)
    assert "CRP: no row is complete: no model" in shown(explorer)
    assert explorer.associations.query("outcome == 'fvc' and part == 'omnibus'")["p"].notna().all()
    explorer.outcomes.chosen = ()
    assert "outcomes: none" in shown(explorer)
    explorer.covariates.chosen = ("kv",)
    assert "covariates: only &lt;kV&gt;;" in shown(explorer)
    assert "No outcome is ticked" in shown(explorer) and "<img" not in shown(explorer)
    bare = OutcomeExplorer(table, without(*CONTRACT["properties"]), seed=1)
    bare.confidence.value = 0.6
    assert "No outcome is ticked" in shown(bare)
    empty = TableExplorer(table, CONTRACT)
    empty.characteristics.chosen = ()
    assert "Sample Size" in shown(empty)


def test_an_old_table_never_stands_under_a_new_cut(table, monkeypatch, tmp_path):
    explorer = TableExplorer(table, CONTRACT, folder=tmp_path)
    explorer.confidence.value = 0.5

    def broken(*_, **__):
        raise RuntimeError("<odd>")

    monkeypatch.setattr(tables, "table_one", broken)
    explorer.confidence.value = 0.6
    assert "could not be worked out: &lt;odd&gt;" in shown(explorer)
    assert "<table" not in shown(explorer)
    assert "could not be worked out" in keep(explorer, "what") and kept(tmp_path) == []


def test_no_clusters_or_too_few_maps_are_refused(table, maps):
    with pytest.raises(ValueError, match="join the cluster assignments"):
        TableExplorer(table.drop(columns="cluster"), CONTRACT)
    with pytest.raises(ValueError, match="no box for 'height': there are age, sex"):
        TableExplorer(table, CONTRACT).characteristics.chosen = ("age", "height")
    with pytest.raises(ValueError, match="119 maps, 120 rows"):
        OutcomeExplorer(table, CONTRACT, seed=1, maps=maps[1:])


def test_permutations_stop_when_asked_and_when_the_setting_changes(table, maps, monkeypatch):
    monkeypatch.setattr(t_map, "N_PERMUTATIONS", 100_000)

    async def stop_by(press):
        explorer = OutcomeExplorer(table, CONTRACT, seed=1, maps=maps)
        explorer.map.choice.value = "fvc"
        explorer.follow()
        explorer.map.ask.click()
        end = time.monotonic() + 20
        while explorer.map.bar.value == 0 and time.monotonic() < end:
            await asyncio.sleep(0.02)
        assert explorer.map.bar.value > 0 and explorer.map.ask.disabled
        press(explorer)
        await asyncio.sleep(0.5)
        assert np.isnan(explorer.map.found.p).all() and not explorer.map.ask.disabled
        return explorer.map.said.value

    assert "Stopped" in asyncio.run(stop_by(lambda e: e.map.stop.click()))
    changed = asyncio.run(stop_by(lambda e: setattr(e.confidence, "value", 0.7)))
    assert "The setting has changed" in changed


# A person moves a slider.

CELL = """
import numpy as np, pandas as pd
from clamlab.viewers.following import TableExplorer
rng = np.random.default_rng(0)
table = pd.DataFrame({"age": rng.normal(60, 9, 90), "cluster": np.arange(90) % 2,
                      "confidence": 0.5 + 0.005 * np.arange(90)})
contract = {"properties": {"age": {"title": "Age", "x-role": "demographic"}}}
explorer = TableExplorer(table, contract, folder="explored")
explorer
"""


def test_a_slider_is_moved_by_keys_and_the_numbers_follow(tmp_path):
    find_chromium()
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write_notebook(folder / "table.ipynb", [CELL])
    with jupyterlab(folder, tmp_path / "home") as url, chromium() as browser:
        page = new_page(browser)
        run_notebook(page, url, "table.ipynb")
        cells = page.locator(".clam-shown tbody td")
        cells.get_by_text("90", exact=True).wait_for()  # nobody moved anything: the planned table
        assert page.get_by_text("PLANNED").is_visible()
        planned = cells.all_inner_texts()
        page.locator(".noUi-handle").focus()
        page.keyboard.press("End")
        for _ in range(10):
            page.keyboard.press("ArrowLeft")
        page.get_by_text("EXPLORATORY").wait_for()
        least = page.locator(".widget-readout").inner_text()
        n = sum(0.5 + 0.005 * i >= float(least) - 1e-9 for i in range(90))
        page.get_by_text(f"{n} of 90 scans stay.").wait_for()
        cells.get_by_text(str(n), exact=True).wait_for()
        assert cells.all_inner_texts() != planned
        mean = ask_kernel(page, f"table['age'][table['confidence'] >= {least} - 1e-9].mean()")
        row = page.locator(".clam-shown tbody tr", has_text="Age")
        assert row.locator("td").nth(1).inner_text().startswith(f"{float(mean):.2f} (")
        page.get_by_placeholder("in a few words").fill("sure ones")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("Kept in explored/").wait_for()
        (place,) = (folder / "explored").iterdir()
        settings = json.loads((place / "settings.json").read_text())
        assert settings["scans"]["stay"] == n
        assert settings["settings_looked_at_beside_the_planned_one"] == int(
            ask_kernel(page, "explorer.looked_at")
        )
        assert page.js_errors == [] and page.requests_outside == []
