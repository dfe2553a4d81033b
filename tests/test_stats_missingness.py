"""Values that are missing by cluster are found, and those missing by chance left in peace."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from clamlab.stats.tables import missing_by_cluster

SCHEMA = {
    "properties": {
        "age": {"type": "number", "x-role": "demographic"},
        "sex": {"type": "string", "enum": ["f", "m", None], "x-role": "demographic"},
        "fvc": {"type": "number", "x-role": "outcome"},
    }
}


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"cluster": np.repeat([0, 1, 2], 40), "age": rng.normal(60, 9, 120)})
    table["sex"] = rng.choice(["f", "m"], 120)
    table["fvc"] = rng.normal(3, 1, 120)
    table.loc[rng.random(120) < 0.2, "sex"] = None
    table.loc[table["cluster"].eq(2) & (rng.random(120) < 0.5), "fvc"] = np.nan
    return table


def test_uneven_gaps_come_first_and_complete_columns_not_at_all(table):
    told = missing_by_cluster(table, SCHEMA)
    assert told["variable"].tolist() == ["fvc", "sex"]
    assert told["p_holm"].iloc[0] < 1e-4 < 0.05 < told["p_holm"].iloc[1]
    assert (told.loc[0, 0], told.loc[0, 1]) == (0, 0) and told.loc[0, 2] > 25
    assert told.loc[0, "n_missing"] == table["fvc"].isna().sum()


def test_the_test_is_that_of_the_table(table):
    told = missing_by_cluster(table, SCHEMA).set_index("variable").loc["sex"]
    counts = pd.crosstab(table["sex"].isna(), table["cluster"])
    assert told["p"] == pytest.approx(scipy_stats.chi2_contingency(counts, correction=False)[1])


def test_row_order_and_nothing_missing(table):
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        missing_by_cluster(table, SCHEMA), missing_by_cluster(shuffled, SCHEMA)
    )
    assert missing_by_cluster(table.dropna(), SCHEMA).empty


def test_a_column_missing_altogether_has_no_test(table):
    told = missing_by_cluster(table.assign(fvc=np.nan), SCHEMA).set_index("variable").loc["fvc"]
    assert np.isnan(told["p"]) and told["percent_missing"] == 100
