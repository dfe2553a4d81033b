"""What a reader set comes back: in the same kernel, in the next one, and for nobody else."""

import json

import numpy as np
import pandas as pd
import pytest

from clamlab import viewers
from clamlab.viewers import memory
from clamlab.viewers.following import OutcomeExplorer, TableExplorer
from clamlab.viewers.memory import Memory

AFFINE = np.diag([3.0, 3, 3, 1])
NAMES = [f"S{i}" for i in range(6)]
CONTRACT = {
    "properties": {
        "age": {"title": "Age", "type": "number", "x-role": "demographic"},
        "fvc": {"title": "FVC", "type": "number", "x-role": "outcome"},
    }
}


@pytest.fixture(autouse=True)
def reader(tmp_path, monkeypatch):
    """A reader with an own Jupyter folder, who has a notebook open and has set nothing yet."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_SESSION_NAME", "/study/notebooks/07_explore.ipynb")
    restart(monkeypatch)
    return tmp_path


def restart(monkeypatch):
    """A kernel that has just begun knows nothing but what is on the disk."""
    monkeypatch.setattr(memory, "_known", {})
    monkeypatch.setattr(memory, "_lasting", {})
    monkeypatch.setattr(memory, "_was_read", False)


def partitions():
    told = [
        pd.DataFrame(
            {
                "n_clusters": k,
                "subject_id": NAMES,
                "cluster": np.arange(6) % k,
                "jaccard": 0.9,
                "apart": k == 2,
            }
        )
        for k in (2, 3)
    ]
    return pd.concat(told)


def scans():
    return np.full((6, 8, 8, 6), -800.0) + 20 * np.arange(6)[:, None, None, None]


def soft():
    return np.array([[0.9, 0.1], [0.4, 0.6]] * 3)


def cohort(names=NAMES, **options):
    table = pd.DataFrame(
        {"subject_id": names, "age": np.linspace(40.5, 80, 6), "town": list("abcdef")}
    )
    maps = {"CLAM": np.full((6, 2, 8, 8, 6), 0.5), "Flat": np.full((6, 2, 8, 8, 6), 0.2)}
    told = partitions().assign(subject_id=[*names, *names])
    return viewers.CohortViewer(
        scans(), np.arange(18.0).reshape(6, 3) ** 2, soft(), maps=maps, table=table,
        partitions=told, affine=AFFINE, counterfactual_hu=np.repeat(scans()[:, None], 2, 1),
        key="cohort", **options,
    )  # fmt: skip


def averages():
    hu = scans()
    return viewers.ClusterAverages(
        {"Cluster 1": hu[0], "Cluster 2": hu[1]},
        {name: np.full(hu[0].shape, 0.5) for name in ("Cluster 1", "Cluster 2")},
        affine=AFFINE,
        key="averages",
    )


def way():
    from types import SimpleNamespace

    def steps(scan, rival):
        for share in np.linspace(0, 1, 5):
            image = scans()[scan] + 100 * share
            q = np.array([1 - share, share])
            yield SimpleNamespace(
                fraction=share, image=image, drawn=image, soft_assignment=q, read_again=q
            )

    return viewers.Way(scans(), soft(), steps, steps=5, names=NAMES, affine=AFFINE, key="way")


def numbers():
    return viewers.PartitionViewer(
        np.random.default_rng(0).normal(size=(6, 4)), partitions(), scans(), affine=AFFINE,
        n_clusters=2, key="numbers",
    )  # fmt: skip


def turned():
    hu = {"Cluster 1": scans()[0], "Cluster 2": scans()[1]}
    return viewers.volume_view(hu, {n: np.full((8, 8, 6), 0.5) for n in hu}, key="round")


def clinical():
    return pd.DataFrame(
        {
            "subject_id": NAMES, "age": np.linspace(40, 80, 6), "fvc": [2.0, 3, 2.5, 4, 3.5, 3],
            "cluster": [0, 1] * 3, "confidence": np.linspace(0.5, 1, 6),
        }
    )  # fmt: skip


def explored():
    return TableExplorer(clinical(), CONTRACT, key="table")


def outcomes():
    maps = np.random.default_rng(0).random((6, 3, 3))
    return OutcomeExplorer(clinical(), CONTRACT, seed=1, maps=maps, key="outcomes")


# How each viewer is opened, and what a reader sets in it, as paths of attributes.
SET = {
    cohort: {
        "choose.scan.value": 3,
        "choose.map.value": "Flat",
        "choose.cluster.value": 1,
        "choose.beside.value": -2,
        "choose.color.value": "age",
        "numbers.value": 3,
        "scatter.axes": [1, 0],
        "filters.conditions": {"age": {"low": 50}},
        "rooms.doors.0.value": True,
        "slices.level": -500,
        "slices.index": [1, 2, 3],
    },
    averages: {
        "cluster.value": "Cluster 2",
        "against.value": "Cluster 1",
        "together.value": True,
        "slices.window": 900,
    },
    way: {
        "scan.value": 2,
        "picture.value": "as the decoder draws it",
        "along.value": 3,
        "slices.zoom": 2.0,
    },
    numbers: {"numbers.value": 3, "scatter.selected": 4, "averages.children.0.index": [1, 2, 3]},
    turned: {
        "shown.value": "Cluster 2",
        "threshold.value": 0.7,
        "colormap.value": "cividis",
        "side.value": "back",
    },
    explored: {"confidence.value": 0.7, "characteristics.chosen": ()},
    outcomes: {"covariates.chosen": (), "map.choice.value": "fvc"},
}


def reach(viewer, path):
    """Return whose attribute a path names, and the attribute."""
    *way_there, last = path.split(".")
    for step in way_there:
        viewer = viewer[int(step)] if step.isdigit() else getattr(viewer, step)
    return viewer, last


def look(viewer, paths):
    return {path: getattr(*reach(viewer, path)) for path in paths}


@pytest.mark.parametrize("opened", SET, ids=lambda opened: opened.__name__)
def test_a_view_comes_back_after_a_rerun_and_a_restart(opened, monkeypatch):
    viewer, wanted = opened(), SET[opened]
    assert all(getattr(*reach(viewer, path)) != value for path, value in wanted.items())
    for path, value in wanted.items():
        setattr(*reach(viewer, path), value)
    assert look(opened(), wanted) == wanted, "after a rerun"
    restart(monkeypatch)
    assert look(opened(), wanted) == wanted, "after a restart"
    monkeypatch.setenv("JPY_SESSION_NAME", "/study/notebooks/another.ipynb")
    restart(monkeypatch)
    assert all(getattr(*reach(opened(), path)) != value for path, value in wanted.items())


def test_what_comes_back_is_shown():
    averages().cluster.value = "Cluster 2"
    assert averages().slices.title == "Cluster 2"
    first = cohort()
    first.choose.scan.value, first.choose.map.value = 4, "Flat"
    again = cohort()
    assert (again.slices.title, again.slices.overlay) == ("S4 · Cluster 1", "Flat, own cluster")
    assert again.panel.summary.value.startswith("<b>S4</b>")
    again.scatter.group = [0, 1, 2]
    assert cohort().slices.title == "Average of 3 scans"


def test_scans_of_another_cohort_are_not_remembered():
    """Rows mean other people there: a subject has withdrawn."""
    first = cohort()
    first.scatter.group, first.choose.scan.value = [0, 1, 2], 3
    again = cohort(names=["S0", "S1", "S2", "S3", "S4", "S9"])
    assert (again.scatter.group, again.choose.scan.value) == ([], 0)


def test_nothing_that_a_person_typed_or_measured_is_written(reader):
    viewer = cohort()
    viewer.filters.conditions = {"age": {"low": 50}}
    ruler = {"kind": "ruler", "plane": "axial", "ends": [[1, 1, 2], [3, 1, 2]]}
    viewer.slices.measures = [ruler]
    viewer.panel.note_box.text.value = "has been to Leiden"
    (file,) = reader.rglob("*.json")
    told = json.loads(file.read_text())
    assert told["cohort"]["values"]["filters"] == {"age": {"low": 50}}
    assert "ruler" not in file.read_text() and "Leiden" not in file.read_text()
    assert not any(name in file.read_text() for name in NAMES)
    assert cohort().slices.measures == [ruler], "in this kernel it is there"


def test_a_filter_by_a_word_lasts_as_long_as_the_kernel(reader, monkeypatch):
    table = pd.DataFrame({"name": [f"name {i}" for i in range(40)]})
    for _ in range(2):
        filters = viewers.cohort.cohort_viewer.Filters(table)
        Memory("words").tie(
            filters, "conditions", "filters",
            written=viewers.cohort.remembered.without_words,
        )  # fmt: skip
        filters.conditions = filters.conditions or {"name": {"text": "Smith"}}
    assert filters.conditions == {"name": {"text": "Smith"}}
    assert "Smith" not in next(reader.rglob("*.json")).read_text()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"cohort": 1}', '{"cohort": {"of": 1}}'])
def test_a_damaged_file_begins_anew(reader, monkeypatch, damage):
    cohort().choose.scan.value = 3
    (file,) = reader.rglob("*.json")
    file.write_text(damage)
    restart(monkeypatch)
    assert cohort().choose.scan.value == 0


def test_a_map_that_is_gone_is_forgotten():
    cohort().choose.map.value = "Flat"
    viewer = viewers.CohortViewer(
        scans(), np.eye(6), soft(), maps={"New": np.zeros((6, 2, 8, 8, 6))}, affine=AFFINE,
        table=pd.DataFrame({"subject_id": NAMES}), key="cohort",
    )  # fmt: skip
    assert viewer.choose.map.value == "New"


def test_a_script_writes_nothing(reader, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME")
    cohort().choose.scan.value = 3
    assert cohort().choose.scan.value == 3
    assert list(reader.iterdir()) == []


def test_looks_are_counted_on_when_the_cell_runs_again():
    """Who has looked has looked, and what comes back is not called the plan."""
    first = explored()
    first.confidence.value = 0.6
    first.confidence.value = 0.7
    assert first.looked_at == 2
    again = explored()
    assert again.looked_at == 2
    assert "EXPLORATORY" in again._shown.value and "PLANNED" not in again._shown.value
    assert "EXPLORATORY" in again._repr_mimebundle_()["text/html"]
    again.confidence.value = 0.8
    assert again.looked_at == 3
