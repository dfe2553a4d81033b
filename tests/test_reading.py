"""Reading without knowing: what is kept, what is told, and what readers' scores become."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from clamlab import resources
from clamlab.schema import load_schema
from clamlab.stats.outcomes import adjusted_means, outcome_associations
from clamlab.stats.readers import (
    join_readings,
    reader_agreement,
    reader_means,
    reading_progress,
    scores_of,
    scores_to_read,
)
from clamlab.stats.readers.agreement import icc_2_1
from clamlab.stats.tables import render_table_one, table_one
from clamlab.study import Study, StudyError
from clamlab.study.withdrawal.run import withdraw
from clamlab.viewers.reading import Reading
from clamlab.viewers.reading.blind_order import blind_order
from clamlab.viewers.reading.readings import Readings

IDS = [f"PAT-{i:03}" for i in range(12)]
SCORES = {"ground_glass": [0, 1, 2, 3], "pattern": ["none", "mild", "severe"]}
GRADES = {"fibrosis": [0, 1, 2, 3]}


def scans(n=12):
    """Slices that differ in one voxel each, so that a picture tells whose it is."""
    volumes = np.full((n, 8, 8), -800, "int16")
    volumes[np.arange(n), 2, 3] = np.arange(n)
    return volumes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "07_explore" / "readings.csv"


def reading_of(path, reader="AB", scores=SCORES, **options):
    return Reading(scans(), IDS, scores, reader=reader, path=path, **options)


def shown(reading):
    """Tell by the voxels that travel which scan a reader sees."""
    volume = np.frombuffer(reading.volume, "<i2").reshape(reading.shape)
    return IDS[volume.max()]


def saved(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def score_all(reading, value=1):
    for name in ("ground_glass", "pattern"):
        reading.score(name, "none" if name == "pattern" else value)


# --- order ------------------------------------------------------------------------------------


def test_each_reader_has_an_order_of_their_own_and_the_same_again():
    ids = [f"S{i}" for i in range(90)]
    orders = {r: blind_order(ids, reader=r, seed=1, repeated=0.1) for r in ("AB", "CD")}
    assert orders["AB"] == blind_order(ids, reader="AB", seed=1, repeated=0.1)
    assert orders["AB"] != blind_order(ids, reader="AB", seed=2, repeated=0.1)
    places = {}
    for reader, order in orders.items():
        firsts = [i for i, repeat in order if repeat == 1]
        seconds = [i for i, repeat in order if repeat == 2]
        assert sorted(firsts) == list(range(90)) and len(seconds) == 9
        # A second look comes well after the first, among first looks at others.
        apart = [order.index((i, 2)) - order.index((i, 1)) for i in seconds]
        assert min(apart) > 90 / 6 and order[-9:] != [(i, 2) for i in seconds]
        places[reader] = np.argsort(firsts)
    # Neither another reader's order nor the file's can be told from it.
    assert abs(np.corrcoef(places["AB"], places["CD"])[0, 1]) < 0.3
    assert abs(np.corrcoef(places["AB"], np.arange(90))[0, 1]) < 0.3


def test_who_leaves_the_study_does_not_mix_up_the_others():
    ids = [f"S{i}" for i in range(60)]
    before = blind_order(ids, reader="AB", seed=1, repeated=0.1)
    left = [name for name in ids if name != "S17"]
    after = blind_order(left, reader="AB", seed=1, repeated=0.1)
    stay = [ids[i] for i, repeat in before if repeat == 1 and ids[i] != "S17"]
    assert [left[i] for i, repeat in after if repeat == 1] == stay
    with pytest.raises(ValueError, match="share of scans"):
        blind_order(ids, reader="AB", seed=1, repeated=0.5)


# --- what the browser is told -----------------------------------------------------------------


def test_nothing_that_travels_tells_whose_a_scan_is(path):
    reading = reading_of(path, seed=3)
    told = []
    for position in range(reading.n_showings):
        reading.go(position)
        reading.score("ground_glass", position % 4)
        state = reading.get_state()
        for name in ("volume", "_esm", "_css"):  # the scan itself, and what is alike for all
            del state[name]
        told.append(json.dumps(state, default=str) + repr(reading)[:20000])
    assert len({t.split('"position": ')[1].split(",")[0] for t in told}) == 13
    for text in told:
        assert not re.search("pat-|cluster|confidence|readings.csv|repeat|subject", text.lower())
        assert not [name for name in IDS if name.lower() in text.lower()]
    assert {"position", "n_showings", "scored"} <= set(reading.keys)
    assert reading.overlay_names == [] and reading.title == ""
    # Of two scans, all that differs is the scan, its number and what this reader gave.
    states = []
    for position in (4, 5):
        reading.go(position)
        states.append(reading.get_state())
    differs = {name for name in states[0] if states[0][name] != states[1][name]}
    assert differs <= {"volume", "position", "scored"}


def test_messages_name_nobody(path):
    reading = reading_of(path)
    heard = []
    reading.send = lambda message, buffers=None: heard.append(message)
    reading.score("ground_glass", 1)
    table = saved(path)
    pd.concat([table, table]).to_csv(path, index=False)
    ask = {"do": "score", "position": 0, "item": 0, "value": "2", "n": 1}
    reading._hear(None, ask, [])
    reading._hear(None, {**ask, "value": "9", "n": 2}, [])
    reading._hear(None, {**ask, "position": 5, "n": 3}, [])
    assert (
        "says the same thing twice: again in row 3" in heard[0]["refused"]
        and "correct the file" in heard[0]["refused"]
    )
    assert heard[1]["refused"].startswith("Not saved: Ground glass: expected 0, 1, 2, 3 or unread")
    assert "another scan is shown" in heard[2]["refused"]
    assert not [m for m in heard if "PAT" in str(m)]
    assert len(saved(path)) == 2  # what could not be read is not written over


# --- what is kept -----------------------------------------------------------------------------


def test_each_score_is_in_the_file_at_once_and_a_correction_replaces_it(path):
    reading = reading_of(path, repeated=0)
    who = shown(reading)
    reading.score("ground_glass", 2)
    reading.score("pattern", "mild")
    reading.score("ground_glass", 3)
    table = saved(path)
    assert list(table) == ["subject_id", "reader", "score", "value", "read_at", "repeat"]
    assert table[["subject_id", "reader", "score", "value", "repeat"]].to_numpy().tolist() == [
        [who, "AB", "ground_glass", "3", "1"], [who, "AB", "pattern", "mild", "1"],
    ]  # fmt: skip
    assert pd.Timestamp(table["read_at"][0]).tz is not None
    reading.go(1)
    assert shown(reading) != who and reading.scored == ["", ""]
    reading.go(0)
    assert reading.scored == ["3", "mild"] and reading.n_read == 1
    with pytest.raises(ValueError, match="Pattern: expected none, mild, severe or unreadable"):
        reading.score("pattern", "worst")
    with pytest.raises(ValueError, match="expected one of ground_glass, pattern"):
        reading.score("fibrosis", 1)
    with pytest.raises(ValueError, match="from 0 to 11"):
        reading.go(12)
    assert saved(path).equals(table)


def test_a_reading_goes_on_at_the_first_scan_that_is_open(path):
    reading = reading_of(path)
    for position in range(3):
        reading.go(position)
        score_all(reading)
    reading.go(3)
    reading.score("pattern", "unreadable")
    again = reading_of(path)  # as after a kernel that died
    assert (again.position, again.scored, again.n_read) == (3, ["", "unreadable"], 3)
    assert shown(again) == shown(reading)
    other = reading_of(path, reader="CD")
    assert (other.position, other.n_read) == (0, 0)
    for position in range(again.n_showings):
        again.go(position)
        score_all(again)
    done = reading_of(path)
    assert done.n_read == done.n_showings == 13 and done.position == 12
    twice = saved(path).query("score == 'pattern'")
    assert sorted(twice["subject_id"].value_counts())[-2:] == [1, 2]
    assert sorted(twice["repeat"]) == ["1"] * 12 + ["2"]


def test_two_readers_at_once_lose_nothing_of_each_other(path):
    def read(reader):
        reading = reading_of(path, reader=reader, repeated=0)
        for position in range(12):
            reading.go(position)
            score_all(reading)

    with ThreadPoolExecutor(2) as both:
        list(both.map(read, ["AB", "CD"]))
    table = saved(path)
    assert table.groupby("reader").size().to_dict() == {"AB": 24, "CD": 24}
    assert not table.duplicated(["subject_id", "reader", "score", "repeat"]).any()


def test_two_windows_of_one_name_do_not_write_over_each_other_unseen(path):
    """Two persons may have the same initials, and each a kernel of their own."""
    one, other = reading_of(path), reading_of(path)
    other.score("ground_glass", 3)
    heard = []
    one.send = lambda message, buffers=None: heard.append(message)
    asked = {"do": "score", "position": 0, "item": 0, "value": "1", "n": 1}
    one._hear(None, asked, [])
    assert "another window has scored this" in heard[0]["refused"]
    assert saved(path)["value"].tolist() == ["3"] and one.scored == ["3", ""], "and it is shown"
    one._hear(None, asked, [])
    assert heard[1] == {"n": 1, "done": "score"} and saved(path)["value"].tolist() == ["1"]


def test_what_others_write_stays_and_what_a_spreadsheet_saves_is_read(path):
    reading = reading_of(path, repeated=0)
    reading.score("ground_glass", 2)
    table = saved(path)
    other = pd.DataFrame({"subject_id": ["PAT-001"], "reader": "=EF", "score": "x", "value": "1"})
    table = pd.concat([table.assign(remark='see, "this"'), other]).fillna("")
    table.loc[table["reader"] == "AB", ["value", "repeat"]] = ["2.0", "1.0"]
    table.to_csv(path, index=False, sep=";")  # as a spreadsheet here does
    again = reading_of(path, repeated=0)
    assert again.scored == ["2", ""]
    again.score("ground_glass", 1)
    again.score("pattern", "none")
    kept = saved(path)
    assert kept["remark"].tolist() == ['see, "this"', "", ""]
    assert kept["value"].tolist() == ["1", "1", "none"]
    assert Readings(path).value("PAT-001", "=EF", "x", repeat=1) == "1"


def test_a_full_disk_leaves_the_file_as_it_was(path, monkeypatch):
    reading = reading_of(path)
    reading.score("ground_glass", 2)
    before = path.read_bytes()
    heard = []
    reading.send = lambda message, buffers=None: heard.append(message)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clamlab.atomic.os.replace", full)
    reading._hear(None, {"do": "score", "position": 0, "item": 1, "value": "mild", "n": 4}, [])
    assert "No space left" in heard[0]["refused"] and heard[0]["n"] == 4
    assert path.read_bytes() == before and reading.scored == ["2", ""]
    assert [p.name for p in path.parent.iterdir() if "partial" in p.name] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subject_ids": IDS[:3]}, "found 3 for 12 volumes"),
        ({"subject_ids": [*IDS[:11], IDS[0]]}, "each subject once, found 1 again"),
        ({"reader": "  "}, "reader's name"),
        ({"scores": {}}, "at least one score"),
        ({"scores": {"properties": {"age": {"x-role": "demographic"}}}}, "x-role 'visual_score'"),
        ({"scores": {"a": [1]}}, "two or more different levels"),
        ({"scores": {"a": [1, 1.0, 2]}}, "two or more different levels"),
        ({"scores": {"a": "none"}}, "a list of levels"),
        ({"scores": {"a": ["none", "unreadable"]}}, "is no level"),
        ({"scores": {"a": {"type": "string"}}}, "free text"),
        ({"scores": {"a": list(range(11))}}, "11 levels for ten digits"),
        ({"repeated": 0.4}, "share of scans"),
    ],
)
def test_says_what_a_reading_cannot_begin_with(path, change, message):
    given = {"subject_ids": IDS, "scores": SCORES, "reader": "AB"} | change
    with pytest.raises(ValueError, match=message):
        Reading(scans(), given.pop("subject_ids"), given.pop("scores"), path=path, **given)
    assert not path.exists()


def test_keys_levels_and_ranges_come_from_the_contract(path):
    contract = load_schema("participants")
    reading = reading_of(path, scores=contract)
    titles = [item["title"] for item in reading.items]
    assert titles == ["Ground glass", "Fibrosis", "Honeycombing", "Oberstein score"]
    assert [level["key"] for level in reading.items[0]["levels"]] == ["0", "1", "2", "3"]
    assert reading.items[3]["range"] == "a whole number from 0 to 18 points"
    reading.score("oberstein_score", "12")
    for wrong in ("19", "2.5", "many", "nan"):
        with pytest.raises(ValueError, match="a whole number from 0 to 18 or unreadable"):
            reading.score("oberstein_score", wrong)
    words = reading_of(path, scores=SCORES).items[1]["levels"]
    assert [(level["key"], level["name"]) for level in words] == [
        ("1", "none"), ("2", "mild"), ("3", "severe"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "keys"),
    [
        ([0, 1, 2, "3a", "3b"], "01234"),
        ([0, 5, 10, 25, 50], "05123"),  # 5 saves 5, and not the fifth
        (["none", 1, "1a", 2], "3142"),
        (["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], "1234567890"),
        ([*"abcdefg", 9, 8, 1], "2345670981"),
    ],
)
def test_a_digit_saves_the_level_of_that_name(path, levels, keys):
    known = reading_of(path, scores={"grade": levels}).items[0]["levels"]
    assert [level["name"] for level in known] == [str(level) for level in levels]
    assert [level["key"] for level in known] == list(keys)


def test_scans_open_where_the_lung_is(path):
    mask = np.zeros((6, 7, 8), bool)
    mask[1, 2, 5], mask[1, 3, 5], mask[2, 3, 5] = True, True, True
    volumes = np.full((2, 6, 7, 8), -800)
    options = {"reader": "AB", "path": path, "affine": np.eye(4), "mask": mask}
    reading = Reading(volumes, ["a", "b"], GRADES, **options)
    assert reading.index == [1, 3, 5]
    reading.index, reading.zoom, reading.window = [0, 0, 0], 3.0, 900
    reading.go(1)
    assert (reading.index, reading.zoom, reading.window) == ([1, 3, 5], 1.0, 900)


def test_a_ruler_stays_with_the_scan_it_was_drawn_on(path):
    ruler = {"kind": "ruler", "plane": "axial", "ends": [[1, 1, 0], [5, 1, 0]]}
    reading = reading_of(path)
    twice = [place for place, (scan, repeat) in enumerate(reading._order) if repeat == 2]
    first = reading._order.index((reading._order[twice[0]][0], 1))
    reading.go(first)
    reading.measures = [ruler]
    for place in (first + 1, twice[0]):  # the same scan again: nothing tells that it was seen
        reading.go(place)
        assert reading.measures == [], place
    reading.go(first)
    assert reading.measures == [ruler]


def test_a_cell_that_runs_again_closes_the_reading_before(path):
    first = reading_of(path, key="reading")
    second = reading_of(path, key="reading")
    assert first.comm is None and second.comm is not None


# --- in a study -------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path):
    study = Study.create(tmp_path / "study")
    path = study.path("readings")
    for reader in ("AB", "CD"):
        reading = reading_of(path, reader=reader, repeated=0)
        for position in range(12):
            reading.go(position)
            reading.score("pattern", "mild")
    return study


def publish(study, name, files, *read):
    """Run a stage that writes something in each file's place; return what it read."""
    stage = study.stage(name)
    values = {artefact: stage.read(artefact) for artefact in read}
    for artefact in files:
        place = stage.path(artefact)
        (place if place.suffix else place.with_suffix(".svg")).write_text("something")
    stage.publish()
    return values


def test_readings_are_an_input_of_the_tables_and_survive_a_run(study):
    pictures = ("figure_7", "figure_8", "figure_9", "average_viewer")
    tables = ("table_one", "table_one_print")  # never read here
    before = study.path("readings").read_bytes()
    publish(study, "07_explore", pictures)
    assert study.path("readings").read_bytes() == before
    read = publish(study, "08_table_one", tables, "readings")["readings"]
    assert len(read) == 24 and set(read["value"]) == {"mild"}

    def status():
        return study.status().set_index("stage").loc[["07_explore", "08_table_one"], "status"]

    assert status().tolist() == ["fresh", "fresh"]
    Readings(study.path("readings")).put(IDS[0], "EF", "pattern", repeat=1, value="none")
    assert status().tolist() == ["fresh", "stale"]
    # Where nobody read, nothing is joined; and what comes later makes stale again.
    study.path("readings").unlink()
    assert publish(study, "08_table_one", tables, "readings") == {"readings": None}
    assert status().tolist() == ["fresh", "fresh"]
    cohort, contract = pd.DataFrame({"subject_id": IDS}), load_schema("participants")
    same, known = join_readings(cohort, contract, readings=None, scores=contract)
    assert same is cohort and known == contract
    study.path("readings").write_bytes(before)
    assert status().tolist() == ["fresh", "stale"]


def test_a_slip_in_a_persons_table_is_told(study):
    path = study.path("readings")
    path.write_text(path.read_text().replace("mild", "", 1))
    with pytest.raises(
        StudyError, match=r"07_explore/readings.csv: .*\s+value: a value is missing"
    ):
        study.read("readings")


def test_a_subject_leaves_with_its_readings(study):
    path = study.path("readings")
    others = path.read_text().splitlines()
    withdraw(study.root, ["PAT-003"], draw_pages=lambda *_: None)
    assert path.read_text().splitlines() == [row for row in others if "PAT-003" not in row]
    assert len(study.read("readings")) == 22


# --- agreement --------------------------------------------------------------------------------


def rows(first, second, *, score="fibrosis", readers=("AB", "CD")):
    """Readings of two readers, in the order of scans."""
    return pd.DataFrame(
        [
            (f"S{i:03}", reader, score, value, 1)
            for reader, values in zip(readers, (first, second), strict=True)
            for i, value in enumerate(values)
        ],
        columns=["subject_id", "reader", "score", "value", "repeat"],
    )


def estimates(table):
    return table.set_index("statistic")["estimate"].to_dict()


def test_kappa_is_the_published_one():
    """Ninety-one couples of Hout, Duncan and Sobel 1987, as Agresti reports them and R's vcd."""
    counts = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])
    pairs = np.argwhere(np.ones((4, 4))).repeat(counts.ravel(), axis=0)
    table = reader_agreement(rows(*pairs.T), GRADES)
    found = estimates(table)
    assert found["kappa, linear weights"] == pytest.approx(0.2374, abs=5e-5)
    for weights in ("linear", "quadratic"):
        name = f"kappa, {weights} weights"
        assert found[name] == pytest.approx(cohen_kappa_score(*pairs.T, weights=weights))
        assert found[name] == pytest.approx(cohens_kappa(counts, wt=weights).kappa)
    # vcd's asymptotic standard error is 0.0783.
    first = table.iloc[0]
    assert (first["high"] - first["low"]) / 3.92 == pytest.approx(0.0783, rel=0.1)
    assert first["n_scans"] == 91 and first["percent_equal"] == pytest.approx(100 * 33 / 91)


def test_levels_that_nobody_gave_still_lie_between_the_others():
    rng = np.random.default_rng(0)
    first = rng.choice([0, 1, 3], 60)
    second = np.where(rng.random(60) < 0.7, first, rng.choice([0, 1, 3], 60))
    found = estimates(reader_agreement(rows(first, second), GRADES))
    whole = cohen_kappa_score(first, second, weights="linear", labels=[0, 1, 2, 3])
    gapless = cohen_kappa_score(first, second, weights="linear")
    assert found["kappa, linear weights"] == pytest.approx(whole)
    assert abs(whole - gapless) > 0.005
    # Quadratic kappa is Lin's concordance of the places.
    apart = np.square(first.mean() - second.mean())
    lin = 2 * np.cov(first, second, ddof=0)[0, 1] / (first.var() + second.var() + apart)
    assert found["kappa, quadratic weights"] == pytest.approx(lin)


def test_icc_of_one_value_is_none_however_its_mean_is_rounded():
    for value in (0.1, 0.7, 2.3):
        assert all(np.isnan(icc_2_1(np.full((n, 2), value))) for n in range(2, 20))


def test_icc_is_shrout_and_fleiss():
    """Their table 2: six targets and four judges; ICC(2,1) is .29."""
    judges = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    )
    readings = pd.DataFrame(
        [(f"S{i}", f"J{j}", "extent", judges[i, j]) for i in range(6) for j in range(4)],
        columns=["subject_id", "reader", "score", "value"],
    )
    table = reader_agreement(readings, {"extent": {"minimum": 0, "maximum": 10}})
    assert len(table) == 7 and table["kind"].eq("between readers").all()
    whole = table[table["reader"] == "all readers"].iloc[0]
    assert whole["estimate"] == pytest.approx(0.2898, abs=5e-5)
    assert whole["low"] < 0.29 < whole["high"] and "too short" in whole["note"]
    pair = table.query("reader == 'J0' and other_reader == 'J3'").iloc[0]
    a, b = judges[:, 0], judges[:, 3]  # of two judges, from variances and covariance alone
    expected = 2 * np.cov(a, b)[0, 1] / (
        a.var(ddof=1) + b.var(ddof=1) + (a.mean() - b.mean()) ** 2
        - np.var(a - b, ddof=1) / 6
    )  # fmt: skip
    assert pair["estimate"] == pytest.approx(expected)


def test_what_cannot_be_read_is_counted_and_left_out():
    first = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, "unreadable", 1]
    second = [0, 1, 2, 3, 0, 1, 2, 2, 0, 1, 1, 3, 2, "unreadable"]
    both = rows(first, second)
    alone = pd.DataFrame({"subject_id": ["S900"], "reader": "AB", "score": "fibrosis", "value": 3})
    blank = alone.assign(subject_id="S901", value="")
    again = both[both["reader"] == "AB"].head(5).assign(repeat=2, value=[0, 1, 2, 2, 0])
    table = reader_agreement(pd.concat([both, alone, blank, again]), GRADES)
    between = table[table["kind"] == "between readers"].iloc[0]
    assert between[["n_scans", "n_unreadable", "n_not_read_by_all"]].tolist() == [12, 2, 1]
    kept = slice(0, 12)
    assert between["estimate"] == pytest.approx(
        cohen_kappa_score(first[kept], second[kept], weights="linear")
    )
    same = table[table["kind"] == "same reader"].iloc[0]
    assert (same["reader"], same["other_reader"], same["n_scans"]) == ("AB", "AB", 5)
    assert same["percent_equal"] == 80 and same["n_not_read_by_all"] == 0


def test_what_resampling_cannot_tell_is_not_told():
    same = reader_agreement(rows([0, 1, 2] * 12, [0, 1, 2] * 12), GRADES).iloc[0]
    assert same["estimate"] == 1 and np.isnan(same["low"]) and "resampling cannot" in same["note"]
    one = reader_agreement(rows([1] * 9, [1] * 9), GRADES).iloc[0]
    assert np.isnan(one["estimate"]) and "one value only" in one["note"]
    none = reader_agreement(rows([1], ["unreadable"]), GRADES).iloc[0]
    assert none["n_scans"] == 0 and none["n_unreadable"] == 1 and "nothing to tell" in none["note"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="reader"), "missing: reader"),
        (lambda t: pd.concat([t, t[:1]]), r"stand there twice .*S000, AB, fibrosis"),
        (lambda t: t.assign(repeat=3), "repeat should be 1 or 2"),
        (lambda t: t.assign(value=7), "S000 by AB: Fibrosis: expected 0, 1, 2, 3 or unreadable"),
        (lambda t: t.assign(reader=[None, *t["reader"][1:]]), "1 readings lack"),
    ],
)
def test_says_what_readings_cannot_be_compared(change, message):
    with pytest.raises(ValueError, match=message):
        reader_agreement(change(rows([0, 1, 2], [0, 1, 1])), GRADES)


def test_the_interval_is_the_same_again_and_holds_most_truths():
    rng = np.random.default_rng(4)
    held = 0
    for cohort in range(25):
        true = rng.normal(size=60)
        a, b = (true[None] + rng.normal(0, 1, (2, 60))).round(3)
        table = reader_agreement(rows(a, b), {"fibrosis": {}}, n_resamples=300, seed=cohort)
        held += table["low"][0] <= 0.5 <= table["high"][0]
    assert held >= 20  # 24 of 25 are expected
    again = reader_agreement(rows(a, b), {"fibrosis": {}}, n_resamples=300, seed=cohort)
    assert again.equals(table)


# --- one value per scan -----------------------------------------------------------------------


def test_levels_get_their_median_and_numbers_their_mean():
    levels = rows([0, 1, 2, "unreadable", "unreadable"], [0, 2, 2, 3, "unreadable"])
    numbers = rows([1, 2, 3, 4, 5], [2, 2, 4, "unreadable", 6], score="extent")
    again = levels[:1].assign(repeat=2, value=3)  # a second look does not count
    table = pd.concat([levels, numbers, again])
    scores = {**GRADES, "extent": {"minimum": 0}}
    means = reader_means(table, scores)
    assert means["subject_id"].tolist() == [f"S{i:03}" for i in range(5)]
    assert means["fibrosis"].tolist()[:4] == [0, 1, 2, 3] and pd.isna(means["fibrosis"][4])
    assert means["extent"].tolist() == [1.5, 2, 3.5, 4, 5.5]
    assert means["fibrosis"].cat.ordered and means["fibrosis"].cat.categories.tolist() == [
        0,
        1,
        2,
        3,
    ]
    assert means.attrs["said"] == [
        "Fibrosis: median of 2 readers (3 scans have values of 2, 1 of one alone); where it lies "
        "between two levels, the lower of the two middle levels (1 scan); 1 scan unreadable to all "
        "who looked: no value",
        "Extent: mean of 2 readers (4 scans have values of 2, 1 of one alone)",
    ]
    assert reader_means(table, scores, between="upper")["fibrosis"].tolist()[:4] == [0, 2, 2, 3]
    assert reader_means(table, scores, between="missing")["fibrosis"].isna().tolist()[:3] == [
        False, True, False,
    ]  # fmt: skip
    third = rows([0, 3, 2], [1, 3, 2], readers=("EF", "GH"))[:3]
    assert reader_means(pd.concat([levels, third]), GRADES)["fibrosis"][1] == 2  # 1, 2 and 3
    with pytest.raises(ValueError, match="'higher' is not one of lower, upper, missing"):
        reader_means(table, scores, between="higher")


@pytest.fixture
def cohort():
    rng = np.random.default_rng(1)
    clusters = np.arange(60) % 2
    return pd.DataFrame(
        {
            "subject_id": [f"S{i:03}" for i in range(60)],
            "cluster": clusters,
            "age_years": rng.normal(55, 8, 60),
            "fibrosis": rng.integers(0, 4, 60),
            "fev1_l": 3 - 0.4 * clusters + rng.normal(0, 0.4, 60),
        }
    ).sample(frac=1, random_state=2)


def test_what_readers_saw_enters_table_two_and_figure_ten(cohort):
    contract = load_schema("participants")
    rng = np.random.default_rng(2)
    order = cohort.sort_values("subject_id")
    true = order["cluster"].to_numpy() + rng.normal(0, 0.5, 60)
    grade = np.clip((true + 1).round(), 0, 3).astype(int)
    extent = np.clip(5 * true + 6, 0, 18).round().astype(int)
    read = pd.concat(
        [
            rows(grade, grade),
            rows(extent, np.minimum(18, extent + 1), score="oberstein_score"),
        ]
    ).query("subject_id != 'S007'")
    joined, known = join_readings(cohort, contract, readings=read, scores=contract)
    assert joined.index.equals(cohort.index)
    # What the hospital had read stays, and what we read stands beside it.
    assert joined["fibrosis"].equals(cohort["fibrosis"])
    by_subject = joined.set_index("subject_id")
    assert by_subject["fibrosis_read"]["S003"] == grade[3]
    assert (
        by_subject["oberstein_score"]["S003"] == min(18, 2 * extent[3] + 1) / 2 or extent[3] == 18
    )
    assert pd.isna(by_subject["fibrosis_read"]["S007"])
    assert "1 of 60 scans were read by nobody" in joined.attrs["said"]
    rule = known["properties"]["fibrosis_read"]
    assert (rule["x-role"], rule["x-source"], rule["enum"]) == (
        "visual_score", "reader", [0, 1, 2, 3, None],
    )  # fmt: skip
    assert contract["properties"].get("fibrosis_read") is None

    tidy = table_one(joined, known, preset="paper")
    row = tidy.query("part == 'omnibus' and variable == 'fibrosis_read'").iloc[0]
    assert (row["source"], row["role"], row["test"] != "") == ("reader", "visual_score", True)
    printed = render_table_one(tidy).to_string()
    assert "Fibrosis, read again" in printed and "†" in printed
    of_level = tidy.query("part == 'summary' and variable == 'fibrosis_read' and level == '2'")
    assert of_level["count"].max() == (grade[order["subject_id"] != "S007"] == 2).sum()

    joined, modelled = join_readings(cohort, contract, readings=read, role="outcome")
    assert "fibrosis_read" not in joined and joined.attrs["said"][2].startswith(
        "Fibrosis, read again: levels, of which no linear model is made"
    )
    roles = {name: modelled["properties"][name]["x-role"] for name in ("ground_glass", "fibrosis")}
    assert set(roles.values()) == {"visual_score"}  # what the hospital had read is none of ours
    found = outcome_associations(joined, modelled, covariates=["age_years"])
    omnibus = found[found["part"] == "omnibus"].set_index("outcome")
    assert omnibus.loc["oberstein_score", "source"] == "reader"
    assert omnibus.loc["oberstein_score", "p"] < 1e-4
    assert omnibus.loc["fev1_l", "source"] == "external"
    assert set(omnibus.index) == {"oberstein_score", "fev1_l"}
    # A family of its own: what readers saw costs the outcomes from outside nothing.
    alone = outcome_associations(cohort, contract, covariates=["age_years"])
    assert omnibus.loc["fev1_l", "p_holm"] == alone.query("part == 'omnibus'")["p_holm"].item()
    assert omnibus.loc["oberstein_score", "p_holm"] == omnibus.loc["oberstein_score", "p"]
    means = adjusted_means(joined, modelled, covariates=["age_years"])
    score = means[means["outcome"] == "oberstein_score"].set_index("group")
    assert score["source"].eq("reader").all() and score["n"].sum() == 59
    raw = joined.groupby("cluster")["oberstein_score"].mean()
    assert score["mean"].to_numpy() == pytest.approx(raw.to_numpy(), abs=0.6)


def test_joining_says_who_is_not_there(cohort):
    read = rows([1, 2], [1, 2]).replace("S001", "X")
    joined, _ = join_readings(cohort, {"properties": {}}, readings=read, scores={"grade": [0, 1]})
    assert list(joined) == list(cohort) and joined.attrs["said"][:2] == [
        "Grade: read by nobody, left out",
        "fibrosis: no visual score of the contract; 4 readings left out",
    ]
    joined, known = join_readings(cohort, {"properties": {}}, readings=read, scores=GRADES)
    assert joined.attrs["said"][1:] == [
        "59 of 60 scans were read by nobody", "1 scan was read and is not in this table",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="fibrosis_read already"):
        join_readings(joined, known, readings=read, scores=GRADES)
    with pytest.raises(ValueError, match="each subject once"):
        join_readings(pd.concat([cohort, cohort]), known, readings=read, scores=GRADES)


def test_a_reading_half_way_says_how_much_of_it_is_whose():
    first = rows([0, 1, 2, 3], [])
    begun = rows([], [1, "unreadable"], readers=("AB", "CD"))
    other = rows([5], [], score="extent")
    again = first[:1].assign(repeat=2)
    read = pd.concat([first, begun, other, again]).assign(read_at="2026-11-27")
    ids = [f"S{i:03}" for i in range(6)]
    scores = {**GRADES, "extent": {"minimum": 0}}
    progress = reading_progress(read, scores, subject_ids=ids)
    assert progress.to_numpy().tolist() == [["AB", 1, 3, 6], ["CD", 0, 2, 6]]
    progress = reading_progress(read, GRADES, subject_ids=ids[1:])
    assert progress.to_numpy().tolist() == [["AB", 3, 0, 5], ["CD", 1, 0, 5]]
    wrong = read.assign(value="9")  # the levels were others when it was written
    assert reading_progress(wrong, GRADES, subject_ids=ids)["n_read"].tolist() == [0, 0]
    for nothing in (None, read[:0]):
        assert reading_progress(nothing, scores, subject_ids=ids).empty
    contract = {"properties": {"fibrosis": {"enum": [0, 1, 2, 3], "x-role": "visual_score"}}}
    joined, known = join_readings(pd.DataFrame({"subject_id": ids}), contract, readings=read)
    assert joined["fibrosis"].tolist()[:4] == [0, 1, 2, 3] and joined["fibrosis"].isna().sum() == 2
    assert list(known["properties"]) == ["fibrosis"] and joined.attrs["said"] == [
        "fibrosis: median of 2 readers (1 scan has values of 2, 3 of one alone); where it lies "
        "between two levels, the lower of the two middle levels (1 scan)",
        "extent: no visual score of the contract; 1 reading left out",
        "2 of 6 scans were read by nobody",
    ]
    nothing, known = join_readings(joined[["subject_id"]], {}, readings=other)
    assert list(nothing) == ["subject_id"] and known["properties"] == {}


def test_a_contract_without_visual_scores_is_read_by_the_one_that_stands_in():
    contract = {"properties": {"notes": {"type": "string"}}}
    scores = scores_to_read(contract)
    assert [(s.name, s.range) for s in scores_of(scores)] == [
        ("extent_of_disease", "a number from 0 to 100")
    ]
    read = rows([5, 20], [15, 30], score="extent_of_disease")
    table = pd.DataFrame({"subject_id": ["S000", "S001"], "cluster": [0, 1]})
    joined, known = join_readings(table, contract, readings=read, role="outcome")
    assert joined["extent_of_disease"].tolist() == [10, 25]
    rule = known["properties"]["extent_of_disease"]
    assert (rule["x-source"], rule["x-role"], rule["x-units"]) == ("reader", "outcome", "%")
    # One that the hospital keeps in words is in nobody's way who reads another.
    words = {"type": "string", "x-role": "visual_score"}
    grade = {"enum": [0, 1], "x-role": "visual_score"}
    contract = {"properties": {"words": words, "grade": grade}}
    assert list(scores_to_read(contract, only=["grade"])) == ["grade"]
    read = rows([0, 1], [0, 1], score="grade")
    assert join_readings(table, contract, readings=read)[0]["grade"].tolist() == [0, 1]
    with pytest.raises(ValueError, match="no score 'fibrosis': there are words, grade"):
        scores_to_read(contract, only=["fibrosis"])
    with pytest.raises(ValueError, match="'staging' is not one of visual_score, outcome"):
        join_readings(table, contract, readings=read, role="staging")


def test_scores_are_those_of_the_contract_of_the_package():
    assert [s.name for s in scores_of(load_schema("participants"))] == [
        "ground_glass", "fibrosis", "honeycombing", "oberstein_score",
    ]  # fmt: skip
    assert (resources.notebooks().parent / "data_schemas" / "readings.schema.json").exists()
