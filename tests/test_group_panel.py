"""Groups drawn by eye: kept and never lost, described with right numbers, compared and saved."""

import asyncio
import time

import numpy as np
import pandas as pd
import pytest
import traitlets
from PIL import Image

from clamlab.stats.tables import describe_groups, render_table_one, table_one
from clamlab.study.withdrawal.mentions import without_rows
from clamlab.viewers import SignedMap
from clamlab.viewers.groups import GroupPanel, Groups
from clamlab.viewers.groups.averages import GroupAverages
from clamlab.viewers.groups.kept import LONGEST
from clamlab.viewers.groups.pictures import AS_BEFORE

NASTY = ['=HYPERLINK("x")', "a,b;c 'd\"", "Ärzte 日本 🫁", "../../etc", "$x_1$", "1e3", "nan", "-"]
NAME, ENDS = "upper <b>left</b>", ("pdf", "svg", "png")
CONTRACT = {
    "properties": {
        "age": {"type": "number", "title": "Age", "x-role": "demographic"},
        "sex": {"enum": ["female", "male"], "x-role": "demographic"},
        "stage": {"enum": [1, 2, 3], "title": "Stage", "x-role": "staging"},
        "fvc": {"type": ["number", "null"], "title": "FVC", "x-role": "outcome"},
        "lung_hu": {"type": "number", "x-role": "outcome", "x-source": "derived"},
    }
}


def people(n=12):
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "subject_id": [f"S{i:02}" for i in range(n)],
            "cluster": np.arange(n) % 2,
            "age": rng.normal(60, 9, n).round(1),
            "sex": np.where(np.arange(n) % 3, "male", "female"),
            "stage": np.arange(n) % 3 + 1,
            "fvc": np.where(np.arange(n) % 5, rng.normal(3, 0.5, n).round(2), np.nan),
            "lung_hu": rng.normal(-800, 40, n),
        }
    )


# Kept in a file ----------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "07_explore" / "groups.csv"


def test_groups_of_any_name_come_back_whole(path):
    kept = Groups(path)
    for i, name in enumerate(NASTY):
        kept.keep(name, [f"S{i}", "=1+1", "007", "007"], note="-first line\nsecond, with a comma")
    again = Groups(path)
    assert again.names == NASTY
    assert again[NASTY[3]].subjects == ("S3", "=1+1", "007")
    assert {again[name].note for name in NASTY} == {"-first line\nsecond, with a comma"}
    assert again["nan"].made_at.startswith("20") and again["nan"].made_at.endswith("+00:00")
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(cells) == ["group", "subject_id", "note", "made_at"]
    assert not cells.map(lambda cell: cell[0] in "=+@" if cell else False).any(axis=None)


def test_what_is_no_group_is_refused_in_a_sentence(path):
    kept = Groups(path)
    kept.keep("Dense  bases ", ["S1", "S2"])
    before = path.read_bytes()
    for name, subjects, told in [
        ("dense bases", ["S3"], "'Dense bases' already, of 2 subjects"),
        ("  \n ", ["S3"], "no name"),
        ("new", [], "choose scans first"),
        ("x" * (LONGEST + 1), ["S3"], "121 letters"),
        ("bell\x07", ["S3"], "no text file holds"),
        ("half \ud800", ["S3"], "no text file holds"),
    ]:
        with pytest.raises(ValueError, match=told):
            kept.keep(name, subjects)
    with pytest.raises(ValueError, match="there is no group 'new'"):
        kept.rename("new", "newer")
    assert path.read_bytes() == before
    kept.rename("Dense bases", "dense bases")  # its own name in other letters
    assert kept.names == ["dense bases"]


def test_two_windows_and_a_spreadsheet_lose_nothing(path):
    one = Groups(path)
    one.keep("a", ["S1", "S2"])
    two = Groups(path)
    two.keep("b", ["S2"])
    one.keep("c", ["S3"])
    assert Groups(path).names == ["a", "b", "c"]
    two.note("a", "seen by two")
    with pytest.raises(ValueError, match="'a' was changed somewhere else meanwhile"):
        one.delete("a")
    assert one["a"].note == "seen by two"  # what stands in the file is shown now
    one.delete("a")
    # A spreadsheet saves it with semicolons, a mark of its own, a column and a slip.
    text = path.read_text().replace(",", ";").splitlines()
    lines = [text[0] + ";reader", *(line + ";AB" for line in text[1:]), ";S9;;;AB", "d;S7;;;"]
    path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    one.rename("c", "cc")
    assert one.names == ["b", "cc", "d"] and one["d"].subjects == ("S7",)
    assert one.said == "Rows of groups.csv without a group or a subject, not counted: 1."
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert rows["reader"].tolist() == ["AB", "AB", "AB", ""]
    assert rows["subject_id"].tolist() == ["S2", "S3", "S9", "S7"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,text\nA,b\n", "should have the columns group, subject_id"),
        (b'group,subject_id\n"a,S1\n', "close every quote"),
        (b"group,subject_id\na,S1\nb", "is cut"),
        (b"\x00\x01", "no text"),
    ],
)
def test_a_broken_file_is_told_and_not_touched(path, content, told):
    path.parent.mkdir()
    path.write_bytes(content)
    panel = GroupPanel(people(), np.full((12, 4, 4), -800), path=path)
    assert told in panel.controls.said.value and "groups.csv" in panel.controls.said.value
    panel.current = [1, 2]
    panel.keep("mine")
    assert "Not kept" in panel.controls.said.value and told in panel.controls.said.value
    assert path.read_bytes() == content and panel.current == [1, 2]
    path.unlink()  # moved away: the next try goes through
    panel.keep("mine")
    assert Groups(path)["mine"].subjects == ("S01", "S02")


def test_a_full_disk_leaves_the_file_as_it_was(path, monkeypatch):
    panel = GroupPanel(people(), np.full((12, 4, 4), -800), path=path)
    panel.current = [1, 2]
    panel.keep("a")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clamlab.viewers.person_table.cells.write_csv", full)
    panel.keep("b")
    assert "Not kept" in panel.controls.said.value and "No space" in panel.controls.said.value
    assert path.read_bytes() == before and Groups(path).names == ["a"]
    assert sorted(p.name for p in path.parent.iterdir()) == [".groups.csv.lock", "groups.csv"]


def test_a_subject_who_withdrew_leaves_the_group_and_the_rest_stays(path):
    kept = Groups(path)
    kept.keep("a", ["S01", "S02"], note="both")
    kept.keep("b", ["S01"])
    left, rows = without_rows(path.read_bytes(), ["S01"])
    path.write_bytes(left)
    assert rows == [0, 2]
    assert Groups(path).names == ["a"] and Groups(path)["a"].subjects == ("S02",)


# Described ---------------------------------------------------------------------------------


def test_a_group_is_described_as_table_2_describes_a_cluster():
    table = people()
    told = describe_groups(table, CONTRACT, {"odd": np.flatnonzero(table["cluster"])})
    roles = ("demographic", "staging", "outcome")
    printed = render_table_one(table_one(table, CONTRACT, roles=roles), columns=())
    ours = told.printed.set_index("")
    for name, row in printed.set_index("").iterrows():
        if name != "Sample Size":
            assert ours.loc[name, ["All scans", "All others", "odd"]].tolist() == row.tolist()
    odd = table["fvc"][table["cluster"] == 1].dropna()
    q1, median, q3 = odd.quantile([0.25, 0.5, 0.75])
    assert ours.loc["FVC (median [IQR])", "odd"] == f"{median:.2f} [{q1:.2f}, {q3:.2f}]"
    assert ours.loc["\u2003FVC: missing"].tolist() == ["1", "2", "3"]
    assert ours.loc["Scans"].tolist() == ["6", "6", "12"]
    numbers = told.numbers.query("variable == 'fvc' and group == 'odd'").iloc[0]
    assert (numbers["n"], numbers["mean"]) == (5, pytest.approx(odd.mean()))
    assert not [name for name in told.numbers if name in ("p", "test", "smd")]
    assert any(note.startswith("No p-values: the groups were drawn by eye") for note in told.notes)
    assert any(note.startswith("‡ Derived from the scans") for note in told.notes)


def test_overlap_small_groups_and_missing_others_are_said():
    table = people()
    told = describe_groups(table, CONTRACT, {"a": range(7), "All others": [5, 6, 7]})
    assert "a and All others share 2 of their 7 and 3 scans, which count in both columns." in (
        told.notes
    )
    assert any("All others (3), All others (of the table) (4)" in note for note in told.notes)
    assert list(told.printed)[1:] == ["a", "All others", "All others (of the table)", "All scans"]
    assert told.printed.iloc[0].tolist() == ["Scans", "7", "3", "4", "12"]
    whole = describe_groups(table, CONTRACT, {"a": range(12)})
    assert list(whole.printed) == ["", "a", "All scans"]
    assert "All 12 scans are in a group: there are no others." in whole.notes


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({}, "at least one group"),
        ({"a": []}, "'a' is empty"),
        ({"a": [1, 12]}, "row 12; the table has rows 0 to 11"),
        ({"a": [-1]}, "row -1"),
        ({"a": [True] * 12}, "expected numbers of rows"),
        ({"a": [1.5]}, "expected numbers of rows"),
    ],
)
def test_rows_that_are_not_there_are_not_described(groups, told):
    with pytest.raises(ValueError, match=told):
        describe_groups(people(), CONTRACT, groups)


# Averaged ----------------------------------------------------------------------------------


def test_averages_are_right_remembered_and_gone_on_with():
    volumes = np.random.default_rng(0).integers(-1000, 0, (6, 4, 5)).astype("int16")
    looked = []
    averages = GroupAverages(volumes, lambda kind, i: looked.append(i) or np.full((4, 5), i / 10))
    steps = averages.steps([4, 0, 2], "map")
    next(steps)
    assert averages.left([0, 2, 4], "map") == 2
    with pytest.raises(ValueError, match="not done: 2 scans"):
        averages([0, 2, 4], "map")
    assert len(list(averages.steps([0, 2, 4], "map"))) == 2 and looked == [0, 2, 4]
    assert np.allclose(averages([0, 2, 4], "map"), 0.2)
    assert len(list(averages.steps([1, 3]))) == 2
    assert np.allclose(averages([1, 3]), volumes[[1, 3]].mean(0))
    assert list(averages.steps([3, 1])) == []


# On the panel ------------------------------------------------------------------------------


@pytest.fixture
def cohort(tmp_path):
    folder = tmp_path / "07_explore"
    rng = np.random.default_rng(1)
    volumes = rng.integers(-1000, -300, (12, 8, 6, 5)).astype("int16")
    maps = {"CLAM": rng.random((12, 2, 8, 6, 5)), "Flat": lambda i, k: np.full((8, 6, 5), k / 2)}
    table = people()

    def panel(**options):
        return GroupPanel(
            table, volumes,
            **{"contract": CONTRACT, "maps": maps, "affine": np.diag([3.0, 3, 5, 1]),
               "path": folder / "groups.csv", "figures": folder / "groups"} | options,
        )  # fmt: skip

    return panel, volumes, maps, folder


async def over(work):
    while work.running:
        await asyncio.sleep(0.01)


def picture(viewer):
    return np.frombuffer(viewer.volume, "<i2").reshape(viewer.shape)


def test_a_group_is_kept_described_and_there_tomorrow(cohort):
    panel, _, _, folder = cohort
    today = panel()
    assert today.controls.keep.disabled
    today.current = [3, 1, 1]
    assert today.current == [1, 3] and "2 scans drawn" in today.controls.now.value
    assert list(today.description.printed) == ["", "Drawn now", "All others", "All scans"]
    today.controls.name.value = NAME
    today.controls.keep.click()
    assert today.chosen == [NAME] and today.controls.name.value == ""
    assert "upper &lt;b&gt;left&lt;/b&gt;" in today.controls.table.value
    today.controls.note.value = "effusions?"
    today.current = [5, 6, 7, 8, 9, 10]  # a new loop: what was written is saved
    assert today.chosen == [] and Groups(folder / "groups.csv")[NAME].note == "effusions?"
    today.keep("lower")

    tomorrow = panel()
    assert [name for _, name in tomorrow.controls.list.options] == [NAME, "lower"]
    tomorrow.controls.list.value = NAME
    assert tomorrow.controls.note.value == "effusions?"
    tomorrow.controls.beside.value = "lower"
    assert tomorrow.chosen == [NAME, "lower"]
    assert tomorrow.description.printed.iloc[0].tolist() == ["Scans", "2", "6", "4", "12"]
    assert tomorrow.description.printed.iloc[1, 0] == "Cluster 2‡ (%)"
    assert tomorrow.description.printed.iloc[1, 1] == "2 (100.0)"
    with pytest.raises(traitlets.TraitError, match="no group 'third'"):
        tomorrow.chosen = ["third"]
    with pytest.raises(traitlets.TraitError, match="no scan 12"):
        tomorrow.current = [12]


def test_rename_and_delete_ask_first(cohort):
    panel, _, _, folder = cohort
    shown = panel()
    for name, scans in {"a": [0, 1], "b": [1, 2]}.items():
        shown.current = scans
        shown.keep(name)
    shown.chosen = ["a", "b"]
    shown.controls.rename.click()
    assert Groups(folder / "groups.csv").names == ["a", "b"]
    question = shown.controls.question
    assert question.layout.display == "" and question.text.value == "a"
    question.text.value = "B"
    question.yes.click()
    assert "Not renamed: there is a group &#x27;b&#x27;" in shown.controls.said.value
    shown.rename("a", "first")
    assert shown.chosen == ["first", "b"] and shown.controls.list.value == "first"
    shown.controls.delete.click()
    assert "Delete first  (2 scans)?" in question.words.value
    question.no.click()
    assert Groups(folder / "groups.csv").names == ["first", "b"]
    shown.controls.delete.click()
    question.yes.click()
    assert Groups(folder / "groups.csv").names == ["b"] == shown.chosen


def test_who_has_no_scan_any_more_is_said_and_the_rest_is_shown(cohort):
    panel, volumes, _, folder = cohort
    Groups(folder / "groups.csv").keep("old", ["S01", "gone", "S03", "S99"])
    Groups(folder / "groups.csv").keep("lost", ["gone"])
    shown = panel()
    shown.chosen = ["old"]
    assert shown.controls.list.options[0][0] == "old  (2 of 4 scans are here)"
    assert "no scan here of 2 of its 4 subjects (gone, S99)" in shown.controls.table.value
    assert shown.description.printed.loc[0, "old"] == "2"
    shown.compare()
    wanted = np.rint(volumes[[1, 3]].mean(0, dtype="float32"))
    assert np.array_equal(picture(shown.pictures.pair.first), wanted)
    shown.chosen = ["lost"]
    assert shown.description is None and "no scan here of 1 of its 1" in shown.controls.table.value
    shown.compare()
    assert "Nothing to compare" in shown.controls.said.value
    assert len(Groups(folder / "groups.csv")["old"].subjects) == 4  # the file is as it was


def test_two_groups_are_compared_in_pictures(cohort):
    panel, volumes, maps, _ = cohort
    shown = panel()
    for name, scans in {"a": [0, 1, 2, 3, 4, 5], "b": [5, 7]}.items():
        shown.current = scans
        shown.keep(name)
    shown.chosen = ["a", "b"]
    shown.compare()
    first, second = shown.pictures.pair.first, shown.pictures.pair.second
    a, b = (volumes[i].mean(0) for i in ([0, 1, 2, 3, 4, 5], [5, 7]))
    assert np.abs(picture(first) - a).max() <= 0.5 and np.abs(picture(second) - b).max() <= 0.5
    assert (first.title, second.title) == ("a: average of 6 scans", "b: average of 2 scans")
    assert first.overlay_names == second.overlay_names == ["Mean: CLAM", "a minus b"]
    own = np.mean([maps["CLAM"][i, i % 2] for i in (5, 7)], axis=0)
    size = own.size
    mean_map = np.frombuffer(second.overlay_volumes, np.uint8)[:size].reshape(own.shape) / 255
    assert np.abs(mean_map - own).max() < 0.003
    difference = next(iter(shown.pictures._difference(shown.sides()).values()))
    assert isinstance(difference, SignedMap) and np.allclose(difference.values, a - b, atol=1e-3)
    said = shown.controls.said.value
    assert "b: the average of fewer than 5 scans shows persons." in said
    assert "a and b share 1 of their 6 and 2 scans, which are in both averages." in said
    shown.controls.beside.value = ""  # one group is held against all others
    shown.controls.map.value = "no map"
    shown.compare()
    others = volumes[6:].mean(0)
    assert np.abs(picture(shown.pictures.pair.second) - others).max() <= 0.5
    assert shown.pictures.pair.second.overlay_names == ["a minus All others"]


@pytest.mark.parametrize("ends", [("A", "B"), ("12 months", "12 months, both lungs")])
def test_groups_whose_long_names_begin_alike_stay_two_in_pictures(cohort, ends):
    panel, volumes, _, _ = cohort
    shown = panel(maps=None)
    names = [f"Dense at the bases, seen again in follow-up {end}" for end in ends]
    for name, scans in zip(names, ([0, 1], [2, 3]), strict=True):
        shown.current = scans
        shown.keep(name)
    shown.chosen = names
    shown.compare()
    images = shown.pictures.images(shown.sides(), "")
    assert [np.array_equal(image, volumes[i].mean(0, dtype="float32")) for image, i in zip(
        images["hu"].values(), ([0, 1], [2, 3]), strict=True)] == [True, True]  # fmt: skip
    (difference,) = images["difference"]
    one, other = difference.split(" minus ")
    assert one != other and shown.pictures.pair.first.overlay == difference
    assert shown.pictures.pair.first.title != shown.pictures.pair.second.title
    assert max(len(one), len(other)) <= 40


def test_averages_can_be_stopped_and_what_was_shown_stays(cohort):
    panel, volumes, _, _ = cohort
    looked = []

    def slow(i, k):
        looked.append(i)
        time.sleep(0.02)
        return np.zeros(volumes.shape[1:])

    shown = panel(maps={"Flat": lambda i, k: np.zeros(volumes.shape[1:]), "Slow": slow})

    async def person():
        shown.current = [0, 1]
        shown.keep("a")
        shown.compare()
        await over(shown.pictures.work)
        title, before = shown.pictures.pair.first.title, shown.pictures.pair.first.volume
        shown.current = list(range(10))
        shown.keep("b")
        shown.controls.map.value = "Slow"
        shown.compare()
        assert shown.controls.compare.disabled
        while not looked:  # the kernel is free meanwhile
            await asyncio.sleep(0.01)
        shown.pictures.work.stop.click()
        await over(shown.pictures.work)
        assert not shown.controls.compare.disabled
        n = len(looked)
        assert 0 < n < 10 and AS_BEFORE in shown.controls.said.value
        assert f"Stopped after {shown.pictures.work.done} of 24 steps" in shown.controls.said.value
        pair = shown.pictures.pair
        assert (pair.first.title, pair.first.volume) == (title, before)
        shown.compare()  # goes on from there
        await over(shown.pictures.work)
        assert sorted(looked) == sorted({*range(12)})
        assert pair.first.title == "b: average of 10 scans"

    asyncio.run(person())
    wanted = volumes[:10].mean(0)
    assert np.abs(picture(shown.pictures.pair.first) - wanted).max() <= 0.5


def test_a_map_that_cannot_be_made_is_said(cohort):
    panel, volumes, _, _ = cohort

    def broken(i, k):
        raise ValueError("the maps are of another cohort")

    shown = panel(maps={"Broken": broken})
    shown.current = [0, 1]
    shown.compare()
    assert "the maps are of another cohort" in shown.controls.said.value
    assert shown.pictures.pair is None and not shown.controls.compare.disabled


def test_a_yes_replaces_the_group_that_was_asked_about_and_no_other(cohort):
    panel, _, _, folder = cohort
    shown = panel(maps=None)
    for name, scans in (("one", [0, 1, 2, 3, 4]), ("other", [5, 6, 7, 8, 9])):
        shown.current = scans
        shown.keep(name)
        shown.save()
    (mark := folder / "groups" / "other" / "mine.txt").write_text("kept by hand")
    shown.chosen = ["one"]
    shown.save()
    assert "one is saved already" in shown.controls.question.words.value
    shown.chosen = ["other"]
    shown.controls.question.yes.click()
    assert mark.exists(), "nobody was asked about this one"
    assert "other is saved already" in shown.controls.question.words.value
    shown.controls.question.yes.click()
    assert not mark.exists()


@pytest.mark.parametrize("press", ["save", "compare"])
def test_a_group_that_another_page_changed_is_not_saved_as_it_was(cohort, press):
    panel, _, _, folder = cohort
    shown, elsewhere = panel(maps=None), panel(maps=None)
    shown.current = [0, 1, 2, 3, 4]
    shown.keep("one")
    elsewhere.current = [7, 8, 9]  # opened before it was kept: it hears of it by keeping one
    elsewhere.keep("other")
    elsewhere.delete("one")
    elsewhere.current = [5, 6, 7, 8, 9, 10]
    elsewhere.keep("one")
    getattr(shown, press)()
    assert "changed somewhere else" in shown.controls.said.value
    assert not (folder / "groups").exists() and shown.pictures.pair is None
    assert shown.description.printed["one"].iloc[0] == "6", "as the file has it by now"
    shown.save()
    assert len(pd.read_csv(next((folder / "groups").rglob("subjects.csv")))) == 6


def test_a_group_is_saved_for_the_paper_and_never_written_over_in_silence(cohort, tmp_path):
    panel, volumes, _, folder = cohort
    shown = panel(maps=None)
    shown.save()
    assert "Nothing to save" in shown.controls.said.value
    shown.current = [0, 1, 2, 3, 4, 5]
    shown.keep("a/b $x$")
    shown.compare()
    shown.pictures.pair.first.window, shown.pictures.pair.first.level = 400, 40
    shown.controls.save.click()
    place = folder / "groups" / "a%2Fb %24x%24"
    names = {f"{kind}.{end}" for kind in ("hu", "difference") for end in ENDS}
    assert {p.name for p in place.iterdir()} == names | {
        "description.csv", "description.docx", "subjects.csv",
    }  # fmt: skip
    assert "with the list of subjects, as this is the study&#x27;s own" in (
        shown.controls.said.value
    )
    assert pd.read_csv(place / "subjects.csv")["subject_id"].tolist() == [
        f"S{i:02}" for i in range(6)
    ]
    told = pd.read_csv(place / "description.csv", dtype=str)
    assert list(told)[0] == "Exploratory: groups drawn by eye, not tested"
    assert told["a/b $x$"].iloc[0] == "6" and "S00" not in (place / "description.csv").read_text()
    with Image.open(place / "hu.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    svg = (place / "hu.svg").read_text()
    assert "a/b $x$" in svg and "(n = 6)" in svg and ">200<" in svg  # the window's upper end
    (place / "hu.svg").write_text("my own labels")
    shown.save()
    assert "a/b $x$ is saved already" in shown.controls.question.words.value
    assert (place / "hu.svg").read_text() == "my own labels"
    shown.controls.question.yes.click()
    assert (place / "hu.svg").read_text() == svg
    assert sorted(p.name for p in place.parent.iterdir()) == [place.name]

    elsewhere = panel(figures=tmp_path / "usb stick")
    elsewhere.chosen = ["a/b $x$"]
    elsewhere.save()
    files = {p.name for p in (tmp_path / "usb stick").rglob("*") if p.is_file()}
    maps = {f"importance.{end}" for end in ENDS}
    assert files == names | maps | {"description.csv", "description.docx"}
    assert "without the list of subjects" in elsewhere.controls.said.value


def test_the_panel_says_what_does_not_fit():
    scans = np.full((3, 4, 4), -800)
    with pytest.raises(ValueError, match="found 2 rows for 3 volumes"):
        GroupPanel(pd.DataFrame({"subject_id": ["a", "b"]}), scans)
    with pytest.raises(ValueError, match="'a' has two rows.*each scan a subject_id of its own"):
        GroupPanel(pd.DataFrame({"subject_id": ["a", "b", "a"]}), scans)
    with pytest.raises(ValueError, match="column 'cluster'"):
        GroupPanel(pd.DataFrame({"subject_id": list("abc")}), scans, maps={"m": scans})


def test_columns_without_a_contract_are_described_as_they_look():
    table = pd.DataFrame(
        {
            "subject_id": list("abcdefghijklmn"),
            "free": [f"text {i}" for i in range(14)],
            "age": np.arange(14) + 50,
            "smoker": [True, False] * 7,
            "grade": pd.Categorical(["low", "high"] * 7, ["low", "high"], ordered=True),
            "visits": [1, 2] * 7,
        }
    )
    panel = GroupPanel(table, np.full((14, 4, 4), -800))
    panel.current = list(range(0, 14, 2))
    printed = panel.description.printed.set_index("")["Drawn now"]
    assert printed["age (mean (sd))"] == "56.00 (4.32)"
    assert printed["smoker (%)"] == "7 (100.0)" and printed["High (%)"] == "0 (0.0)"
    assert not [name for name in printed.index if "free" in name]
