"""The forced choice: what is asked, what is kept, what is told and when."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from clamlab.stats.readers import choice_result
from clamlab.study import Study
from clamlab.study.withdrawal.run import withdraw
from clamlab.viewers.reading import (
    ChoiceDesk,
    ForcedChoice,
    average_trials,
    counterfactual_trials,
)

IDS = [f"PAT-{i:03}" for i in range(16)]
CLUSTERS = np.arange(16) % 2
SOFT = np.where(CLUSTERS[:, None] == [0, 1], 0.8, 0.2)
MAPS = {"Overall": np.full((6, 6), 0.5), "Cluster 1": np.eye(6), "Cluster 2": np.eye(6)[::-1]}


def scans():
    """Scan i is i - 800 all over; drawn as cluster k it is that many hundreds lighter."""
    hu = np.full((16, 6, 6), -800.0) + np.arange(16)[:, None, None]
    drawn = np.stack([hu - 100, hu - 200], axis=1)
    return hu, drawn


def trials_of(n=8):
    hu, drawn = scans()
    return [
        *counterfactual_trials(hu, drawn, SOFT, subject_ids=IDS, n_trials=n),
        *average_trials(hu, CLUSTERS, MAPS, n_trials=n, backdrop=hu.mean(0)),
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "forced_choices.csv"


def picture(viewer):
    return np.frombuffer(viewer.volume, "<i2").reshape(viewer.shape)[:, :, 0]


def right_side(choice):
    """Answer as somebody who knows the truth, from the pictures that travelled."""
    *given, one, two = choice.viewers
    if not given:
        return 1 if picture(one).mean() < picture(two).mean() else 2
    assert [v.overlay for v in choice.viewers] == ["", "Map", "Map"]  # on, whatever was before
    shown = [np.frombuffer(v.overlay_volumes, np.uint8).reshape(6, 6, 1) for v in (one, two)]
    # An average of cluster 1 has an even number in the middle of its eight.
    cluster = int(round(picture(given[0]).mean() + 800)) != 7
    wanted = np.eye(6) if not cluster else np.eye(6)[::-1]
    is_wanted = [np.array_equal(v[::-1, ::-1, 0].T > 0, wanted > 0) for v in shown]
    assert sum(is_wanted) == 1
    return 1 + is_wanted.index(True)


def test_who_knows_the_truth_is_always_right_and_is_told_so_at_the_end(path):
    choice = ForcedChoice(trials_of(), reader="AB", path=path)
    sides, kinds = [], []
    for n in range(16):
        assert (choice.panel.position, choice.panel.n_trials) == (n, 16)
        assert choice.panel.result == []
        sides.append(right_side(choice))
        kinds.append(len(choice.viewers))
        choice.choose(sides[-1])
    assert 3 <= sides.count(1) <= 13 and set(kinds) == {2, 3} and kinds != sorted(kinds)
    assert len(choice.panel.result) == 2
    low = 100 * beta.ppf(0.025, 8, 1)
    assert f"Right: 8 of 8 (100 %, 95 % interval {low:.0f} to 100 %" in choice.panel.result[0]
    with pytest.raises(ValueError, match="a trial that is open"):
        choice.choose(1)
    result = choice_result(pd.read_csv(path))
    assert result[["reader", "kind", "n_right", "n_trials"]].to_numpy().tolist() == [
        ["AB", "average", 8, 8], ["AB", "counterfactual", 8, 8],
    ]  # fmt: skip
    assert result["p"].to_numpy() == pytest.approx([2 / 2**8] * 2)


def test_choices_are_kept_at_once_and_gone_on_with(path):
    choice = ForcedChoice(trials_of(4), reader="AB", path=path)
    for side in (1, 2, 1):
        choice.choose(side)
    again = ForcedChoice(trials_of(4), reader="AB", path=path)
    assert again.panel.position == 3
    assert [picture(v).tolist() for v in again.viewers] == [
        picture(v).tolist() for v in choice.viewers
    ]
    other = ForcedChoice(trials_of(4), reader="CD", path=path)
    assert other.panel.position == 0
    other.choose(2)
    again.choose(2)
    table = pd.read_csv(path, keep_default_na=False)
    assert table["reader"].value_counts().to_dict() == {"AB": 4, "CD": 1}
    assert table["side"].tolist()[:3] == [1, 2, 1]
    orders = {tuple(t.about for t in c._trials) for c in (choice, other)}
    assert len(orders) == 2


def test_nothing_that_travels_tells_which_is_right(path):
    choice = ForcedChoice(trials_of(), reader="AB", path=path)
    heard = []
    choice.panel.send = lambda message, buffers=None: heard.append(message)
    for n in range(15):
        states = [w.get_state() for w in (choice.panel, *choice.viewers)]
        for state in states:
            for name in ("volume", "overlay_volumes", "_esm", "_css"):
                state.pop(name, None)
        told = json.dumps(states, default=str).lower()
        assert not [w for w in ("pat-", "cluster", "correct", "rival") if w in told]
        # Beside the pictures, the two differ in nothing but their number.
        one, two = states[-2:]
        assert {k for k in one if one[k] != two[k]} <= {"title", "layout", "index", "_model_name"}
        assert [one["title"], two["title"]] == ["1", "2"]
        choice._hear(None, {"position": n, "side": 1 + n % 2}, [])
    assert heard == [{"done": True}] * 15 and choice.panel.result == []
    choice._hear(None, {"position": 3, "side": 1}, [])
    assert heard[-1] == {"refused": "Not saved: another trial is shown by now"}


def swapped():
    return {name: MAPS[other] for name, other in (("Cluster 1", "Cluster 2"),
                                                   ("Cluster 2", "Cluster 1"))}  # fmt: skip


def average_trials_of(**change):
    hu, _ = scans()
    given = {"volumes": hu, "clusters": CLUSTERS, "average_maps": MAPS, "n_trials": 4} | change
    return average_trials(**given)


def counterfactual_trials_of(**change):
    hu, drawn = scans()
    given = {"volumes": hu, "counterfactual_hu": drawn, "soft_assignments": SOFT} | change
    return counterfactual_trials(**given, subject_ids=IDS, n_trials=4)


@pytest.mark.parametrize(
    ("trials", "change"),
    [
        (average_trials_of, {"average_maps": swapped()}),
        (average_trials_of, {"volumes": scans()[0] + 1}),  # members that look otherwise
        (average_trials_of, {"clusters": 1 - CLUSTERS}),
        (average_trials_of, {"mask": np.eye(6, dtype=bool)}),
        (counterfactual_trials_of, {"counterfactual_hu": scans()[1] - 1}),
        (counterfactual_trials_of, {"volumes": scans()[0] + 1}),
    ],
)
def test_an_answer_counts_only_for_the_pictures_it_was_given_about(path, trials, change):
    choice = ForcedChoice(trials(), reader="AB", path=path)
    for _ in range(4):
        choice.choose(1)
    assert choice.panel.result and choice.panel.left_out == ""
    before = pd.read_csv(path)
    assert before["pictures"].str.fullmatch("p[0-9a-f]{16}").all()
    assert ForcedChoice(trials(), reader="AB", path=path).panel.result == choice.panel.result

    again = ForcedChoice(trials(**change), reader="AB", path=path)
    names = [(t.kind, t.subject_id, t.about) for t in choice._trials]
    assert names == [(t.kind, t.subject_id, t.about) for t in again._trials]
    assert (again.panel.position, again.panel.result) == (0, [])
    assert again.panel.left_out.startswith("Not counted: 4 answers about other pictures")
    other = ForcedChoice(trials(**change), reader="CD", path=path)
    assert other.panel.left_out == ""
    right = [again._right_side(trial) for trial in again._trials]
    for side in right:
        again.choose(side)
    assert "Right: 4 of 4 (100 %" in again.panel.result[0]
    kept = pd.read_csv(path)
    assert len(kept) == 8 and kept.head(4).equals(before), "what was answered stays"


def test_answers_from_before_pictures_were_told_do_not_count(path):
    choice = ForcedChoice(average_trials_of(), reader="AB", path=path)
    for _ in range(4):
        choice.choose(1)
    pd.read_csv(path).drop(columns="pictures").to_csv(path, index=False)
    desk = ChoiceDesk(average_trials_of(), path=path)
    assert desk.said.value.endswith("So far: AB.")
    desk.name.value = "AB"
    choice, results = desk.work.children
    assert choice.panel.position == 0 and "4 answers" in choice.panel.left_out
    for _ in range(4):
        choice.choose(1)
    assert "of 4</td>" in results.value and "Not counted: 4 answers" in results.value
    assert len(pd.read_csv(path)) == 8


def test_trials_are_told_by_voxels_and_not_by_rows():
    """Who leaves the study moves the rows of the others, and changes no picture of theirs."""
    hu, clusters = scans()[0], np.repeat([0, 1], 8)
    whole = average_trials(hu, clusters, MAPS, n_trials=2)
    turned = average_trials(hu[::-1], clusters[::-1], MAPS, n_trials=2)
    assert [t.pictures for t in whole] == [t.pictures for t in turned]
    fewer = average_trials(hu[1:], clusters[1:], MAPS, n_trials=2)
    assert [a.pictures == b.pictures for a, b in zip(whole, fewer, strict=True)] == [False, True]


def test_an_answer_of_another_window_stays(path):
    one, other = (ForcedChoice(trials_of(2), reader="AB", path=path) for _ in range(2))
    other.choose(2)
    heard = []
    one.panel.send = lambda message, buffers=None: heard.append(message)
    one._hear(None, {"position": 0, "side": 1}, [])
    assert "another window has answered this trial" in heard[0]["refused"]
    assert pd.read_csv(path)["side"].tolist() == [2]
    assert one.panel.position == 1 and one._next() is one._trials[1], "and on to the next"


def test_a_damaged_file_is_neither_believed_nor_written_over(path):
    choice = ForcedChoice(trials_of(2), reader="AB", path=path)
    choice.choose(1)
    path.write_text("who,what\n1,2\n")
    heard = []
    choice.panel.send = lambda message, buffers=None: heard.append(message)
    choice._hear(None, {"position": 1, "side": 1}, [])
    assert "forced_choices.csv should have the columns" in heard[0]["refused"]
    assert choice.panel.position == 1 and path.read_text() == "who,what\n1,2\n"


def test_says_what_it_cannot_ask(path):
    hu, drawn = scans()
    with pytest.raises(ValueError, match="as many ids as scans"):
        counterfactual_trials(hu, drawn, SOFT, subject_ids=IDS[:3])
    with pytest.raises(ValueError, match="maps of two clusters"):
        average_trials(hu, CLUSTERS, {"Cluster 1": MAPS["Cluster 1"]})
    for trials, reader, message in [
        ([], "AB", "each another one"), (trials_of(1) * 2, "AB", "each another one"),
        (trials_of(1), " ", "reader's name"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            ForcedChoice(trials, reader=reader, path=path)
    with pytest.raises(ValueError, match="missing: {'correct'}"):
        choice_result(pd.DataFrame({"reader": ["AB"], "kind": "average"}))
    with pytest.raises(ValueError, match="yes or no"):
        choice_result(pd.DataFrame({"reader": ["AB"], "kind": "average", "correct": "maybe"}))


def test_choices_are_a_persons_file_of_the_study(tmp_path):
    study = Study.create(tmp_path / "study")
    assert study.read("forced_choices") is None
    choice = ForcedChoice(trials_of(), reader="AB", path=study.path("forced_choices"))
    for n in range(16):
        choice.choose(1 + n % 2)
    read = study.read("forced_choices")
    assert len(read) == 16 and choice_result(read)["n_trials"].tolist() == [8, 8]
    who = read.loc[read["kind"] == "counterfactual", "subject_id"].iloc[0]
    withdraw(study.root, [who], draw_pages=lambda *_: None)
    assert who not in study.path("forced_choices").read_text()
    assert len(study.read("forced_choices")) == 15


def test_maps_are_not_shown_outside_the_lung():
    hu, mask = np.zeros((4, 2, 2, 2)), np.zeros((2, 2, 2), bool)
    mask[0] = True
    maps = {
        name: np.full(mask.shape, value) for name, value in (("Cluster 1", 1), ("Cluster 2", 0.5))
    }
    (trial,) = average_trials(hu, [0, 0, 1, 1], maps, mask=mask, n_trials=1)
    assert trial.right()[1].tolist() == (1.0 * mask).tolist()
    assert trial.wrong()[1].tolist() == (0.5 * mask).tolist()
