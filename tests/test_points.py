"""Points, filters, search, facts and neighbours: what they hold, without a browser."""

import numpy as np
import pandas as pd
import pytest
import traitlets
from sklearn.decomposition import PCA

from clamlab.viewers.cohort.scan_facts import ScanFacts
from clamlab.viewers.cohort.scan_search import ScanSearch
from clamlab.viewers.points.columns import as_levels, in_words
from clamlab.viewers.points.filters import Filters
from clamlab.viewers.points.latent_scatter import LatentScatter
from clamlab.viewers.points.neighbours import nearest_scans
from clamlab.viewers.points.projections import principal_components, projected

TABLE = pd.DataFrame(
    {
        "age": [40.0, 50.5, np.nan, 70.0, np.inf],
        "sex": ["f", "m", None, "m", "f"],
        "stage": pd.Categorical(["II", "I", "II", None, "I"], ["I", "II"]),
        "smoker": [True, False, True, True, False],
        "note": ["", "Fibrosis", "no fibrosis", None, "STRASSE"],
    }
)


def test_components_are_those_of_a_pca_ten_at_most():
    features = np.random.default_rng(0).normal(size=(60, 14)) * np.arange(14, 0, -1)
    components, shares = principal_components(features)
    peer = PCA(10).fit(features)
    assert components.shape == (60, 10)
    assert np.allclose(shares, peer.explained_variance_ratio_)
    assert np.allclose(np.abs(components), np.abs(peer.transform(features)))
    labels = projected(features, "PCA")[1]
    assert labels[9] == f"PC 10 ({100 * peer.explained_variance_ratio_[9]:.1f} %)"


def test_rounding_is_not_stretched_to_a_component():
    flat = np.outer(np.arange(20), [1.0, 3.0, 0.1, 7.0]) + 1e6
    components, shares = principal_components(flat)
    assert components.shape == (20, 2)
    assert (components[:, 1] == 0).all()
    assert shares.tolist() == [1, 0]


def test_axes_are_two_of_the_components_and_places_follow():
    features = np.random.default_rng(1).normal(size=(30, 6)) * [9, 7, 5, 3, 2, 1]
    scatter = LatentScatter(features, [f"S{i}" for i in range(30)])
    components = principal_components(features)[0][:, [4, 2]]
    scatter.axes = [4, 2]
    unit = (components - components.min(0)) / np.ptp(components, axis=0)
    assert np.allclose(scatter.points, unit, atol=1e-6)
    with pytest.raises(traitlets.TraitError, match="0 to 5"):
        scatter.axes = [0, 6]
    with pytest.raises(ValueError, match="30 rows of features and 2 names"):
        LatentScatter(features, ["a", "b"])
    features[3, 2] = np.nan
    with pytest.raises(ValueError, match="first in row 3"):
        LatentScatter(features, scatter.names)
    for wrong in (scatter.color_by, scatter.show_only):
        with pytest.raises(ValueError, match="29 rows, the scatter 30 scans"):
            wrong(pd.Series(np.zeros(29)))


def test_levels_keep_their_names():
    assert as_levels(pd.Series([1_000_001, 1_000_002]))[0] == ["1000001", "1000002"]
    assert as_levels(pd.Series([True, False]))[0] == ["False", "True"]
    assert as_levels(pd.Series(["b", 1, None], dtype=object)) == (["1", "b"], [1, 0, None])
    assert as_levels(pd.Series([1, None], dtype="Int64")) == (["1"], [0, None])
    assert as_levels(pd.Series([0.5, np.inf]))[1] == [0.5, None]


@pytest.mark.parametrize(
    ("conditions", "shown"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"age": {}}, [1, 1, 1, 1, 1]),
        ({"age": {"low": 50.5}}, [0, 1, 1, 1, 1]),  # bounds are included; infinity is no value
        ({"age": {"low": 50.5, "high": None, "missing": False}}, [0, 1, 0, 1, 0]),
        ({"age": {"high": 50.49, "missing": False}}, [1, 0, 0, 0, 0]),
        ({"sex": {"levels": ["m"]}}, [0, 1, 1, 1, 0]),
        ({"sex": {"levels": ["m"], "missing": False}}, [0, 1, 0, 1, 0]),
        ({"sex": {"levels": []}}, [0, 0, 1, 0, 0]),
        ({"stage": {"levels": ["II"]}}, [1, 0, 1, 1, 0]),
        ({"smoker": {"levels": ["True"]}}, [1, 0, 1, 1, 0]),
        ({"age": {"low": 50}, "sex": {"levels": ["f"], "missing": False}}, [0, 0, 0, 0, 1]),
    ],
)
def test_scans_that_meet_the_conditions_are_shown(conditions, shown):
    filters, heard = Filters(TABLE), []
    filters.observe(lambda change: heard.append(change.new), "shown")
    filters.conditions = conditions
    assert filters.shown.dtype == bool
    assert filters.shown.tolist() == [bool(one) for one in shown]
    if conditions:
        assert heard[-1].tolist() == filters.shown.tolist()


def test_many_levels_are_searched_by_a_word():
    table = pd.DataFrame({"site": [f"Köln {i}" if i % 2 else f"Bonn {i}" for i in range(40)]})
    filters = Filters(table)
    assert filters.columns[0]["kind"] == "text"
    filters.conditions = {"site": {"text": "KÖLN 1"}}
    assert np.flatnonzero(filters.shown).tolist() == [1, 11, 13, 15, 17, 19]


def test_a_condition_that_cannot_be_met_is_refused_and_says_why():
    filters = Filters(TABLE)
    for wrong, words in [
        ({"weight": {}}, "no column 'weight'; there are age, sex"),
        ({"sex": {"levels": ["x"]}}, "no level 'x'; it has f, m"),
        ({"age": {"levels": ["x"]}}, "expected high, low, missing, found levels"),
    ]:
        with pytest.raises(traitlets.TraitError, match=words):
            filters.conditions = wrong
    assert filters.conditions == {}
    with pytest.raises(ValueError, match="age more than once"):
        Filters(pd.DataFrame(np.zeros((2, 2)), columns=["age", "age"]))


def test_another_table_keeps_the_conditions_that_still_make_sense():
    filters = Filters(TABLE)
    filters.conditions = {"age": {"low": 50}, "stage": {"levels": ["II"]}}
    regrouped = TABLE.assign(stage=["A", "B", "A", "B", "A"], age=[60.5, 10, 20, 80, np.nan])
    filters.replace(regrouped)
    assert filters.conditions == {"age": {"low": 50}}
    assert filters.shown.tolist() == [True, False, False, True, True]
    assert filters.told == "Filter taken off: stage has no level 'II'; it has A, B."
    with pytest.raises(ValueError, match="expected 5 rows, one per scan, found 2"):
        filters.replace(TABLE[:2])


def test_a_scatter_takes_over_what_filters_show():
    filters = Filters(TABLE)
    filters.conditions = {"sex": {"levels": ["f"]}}
    scatter = LatentScatter(np.eye(5), list("abcde"))
    scatter.follow(filters)
    assert list(scatter.shown) == [1, 0, 1, 0, 1]
    with pytest.raises(ValueError, match="the filter has 5 rows, the scatter 3 scans"):
        LatentScatter(np.eye(3), list("abc")).follow(filters)


def test_a_search_takes_rows_there_are():
    search = ScanSearch(["a ", "b"], value=1)
    assert search.name == "b"
    search.value = 0
    assert search.name == "a "  # as it is
    for wrong in (-1, 2):
        with pytest.raises(traitlets.TraitError, match="from 0 to 1"):
            search.value = wrong
    with pytest.raises(ValueError, match="at least one"):
        ScanSearch([])


def test_nearest_scans_in_feature_space():
    features = np.array([[0, 0], [3, 4], [0, 1], [1, 0], [0, 0], [6, 8]], float)
    rows, distances = nearest_scans(features, 0, n=4)
    assert rows.tolist() == [4, 2, 3, 1]  # a twin is a neighbour; of equals the first comes first
    assert distances.tolist() == [0, 1, 1, 5]
    rows, distances = nearest_scans(features, 5, n=99)
    assert sorted(rows) == [0, 1, 2, 3, 4]
    assert rows[0] == 1
    assert distances[0] == 5
    assert len(nearest_scans(features[:1], 0)[0]) == 0
    for scan, n in [(6, 1), (-1, 1), (0, 0)]:
        with pytest.raises(ValueError, match="expected"):
            nearest_scans(features, scan, n)


def test_facts_are_the_row_and_nothing_else():
    contract = {"properties": {"age": {"title": "Age <at scan>", "x-units": "years"}}}
    facts = ScanFacts(TABLE, contract)
    facts.show(1)
    assert facts.rows == [
        ("Age <at scan>", "50.5", "years"), ("sex", "m", ""), ("stage", "I", ""),
        ("smoker", "False", ""), ("note", "Fibrosis", ""),
    ]  # fmt: skip
    assert "Age &lt;at scan&gt;" in facts.value
    facts.show(2)
    assert facts.rows[:2] == [("Age <at scan>", "missing", ""), ("sex", "missing", "")]
    with pytest.raises(ValueError, match="from 0 to 4, found 5"):
        facts.show(5)


def test_values_are_written_so_that_they_are_not_others():
    words = [in_words(v) for v in (0.1 + 0.2, 1234567.25, 1e-7, -0.05, np.float32(2.05), 7, pd.NA)]
    assert words == ["0.3", "1234567", "1e-07", "-0.05", "2.05", "7", ""]
