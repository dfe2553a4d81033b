"""Where an outcome goes along with the maps, and one sentence where that cannot be told."""

import numpy as np
import pandas as pd
import pytest

from clamlab import clam
from clamlab.stats.maps import outcome_map

NUMBER = {"type": "number"}
SCHEMA = {
    "properties": {
        "age": NUMBER | {"x-role": "demographic"},
        "seen": NUMBER | {"x-role": "outcome", "x-source": "derived"},
        "fvc": NUMBER | {"x-role": "outcome", "title": "FVC", "x-units": "l"},
        "dlco": NUMBER | {"x-role": "outcome"},
    }
}
N = 30


@pytest.fixture
def cohort():
    """Maps of six voxels, the last of which goes along with FVC."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(3, 1, (N, 4)), columns=list(SCHEMA["properties"]))
    maps = rng.normal(size=(N, 2, 3))
    maps[:, 1, 2] += 3 * table["fvc"]
    return table, maps


def told(table, maps, schema=SCHEMA, **options):
    return outcome_map(maps, table, schema, n_permutations=100, seed=1, **options)


def test_the_first_outcome_that_is_not_of_the_image_is_mapped(cohort):
    found = told(*cohort)
    assert (found.title, found.n, found.note) == ("FVC, l", N, "")
    assert np.argwhere(found.p < 0.05).tolist() == [[1, 2]]
    assert found.t[1, 2] > 5


def test_what_a_reader_saw_is_mapped_only_where_it_is_asked_for(cohort):
    table, maps = cohort
    read = {"extent": NUMBER | {"x-role": "outcome", "x-source": "reader"}}
    schema = {"properties": read | SCHEMA["properties"]}
    table = table.assign(extent=np.arange(N) * 1.0)
    assert told(table, maps, schema).title == "FVC, l"
    assert told(table, maps, schema, outcome="extent").title == "extent"
    for name in ("fvc", "dlco"):
        del schema["properties"][name]
    assert "no outcome from outside the image" in told(table, maps, schema).note


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("change", "n", "why"),
    [
        ({"fvc": 2.0}, N, "the variable is constant, or the confounders tell it exactly"),
        ({"fvc": np.nan}, 0, "no row is complete"),
        ({"fvc": [1.0, 2, 3, 4] + [np.nan] * (N - 4)}, 4, "4 complete scans are too few"),
        ({"fvc": np.arange(N) * 1.0, "age": np.arange(N) * 2.0}, N, "confounders tell it exactly"),
    ],
)
def test_an_outcome_that_allows_no_map_says_why(cohort, change, n, why):
    table, maps = cohort
    found = told(table.assign(**change), maps)
    assert found.n == n
    assert found.note.startswith("FVC, l: no map (") and why in found.note
    assert found.t.shape == found.p.shape == (2, 3)
    assert np.isnan(found.t).all() and np.isnan(found.p).all()


def test_another_outcome_can_still_be_asked_for(cohort):
    table, maps = cohort
    assert told(table.assign(fvc=2.0), maps, outcome="dlco").note == ""


@pytest.mark.parametrize("left", [["age"], ["age", "seen"], []])
def test_without_an_outcome_of_its_own_there_is_no_map(cohort, left):
    schema = {"properties": {name: SCHEMA["properties"][name] for name in left}}
    found = told(*cohort, schema)
    assert found.note == (
        "No outcome: no map (the contract marks no outcome from outside the image that is a number)"
    )


def test_what_a_person_asks_for_and_cannot_be_is_an_error(cohort):
    with pytest.raises(ValueError, match="no outcome 'weight' in numbers: there are seen, fvc"):
        told(*cohort, outcome="weight")
    with pytest.raises(ValueError, match="'seen' is derived from the images"):
        told(*cohort, outcome="seen")
    table, maps = cohort
    with pytest.raises(ValueError, match="29 maps, 30 rows"):
        told(table, maps[1:])


def test_the_p_that_is_printed_is_of_the_lung_that_is_shown():
    """A corner of the grid that no lung reaches follows the outcome: it is not in the picture."""
    rng = np.random.default_rng(1004)
    table = pd.DataFrame({"fvc": rng.normal(3, 0.5, 40)})
    schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome"}}}
    maps = rng.normal(size=(40, 4, 4))
    maps[:, 3, 3] = table["fvc"] + 0.01 * rng.normal(size=40)
    mask = np.zeros((8, 8), bool)
    mask[:4, :4] = True
    found = outcome_map(maps, table, schema, n_permutations=99, seed=1)
    assert found.smallest_p() == found.p.min() == 0.01
    assert found.smallest_p(mask) == found.p[:3, :3].min() > 0.05
    unknown = np.full_like(maps[0], np.nan)
    own = clam.own_importance(np.stack([unknown, *maps[1:]])[:, None], np.zeros(40, int))
    assert outcome_map(own, table, schema, n_permutations=0, seed=1).n == 39
