"""The committed results are what the code gives: a sample of their rows is computed again."""

from pathlib import Path

import pandas as pd
import pytest

from clamlab.experiments import simulation_study
from clamlab.experiments.simulation import RUN

RESULTS = Path(__file__).parents[1] / "benchmarks"
EITHER = "one run whole, either gives these bytes"


def again_and_stored(scenario, n_true, seed, *, slices, **arguments):
    """Compute the rows of one cohort again, and find them in the committed table."""
    again = simulation_study(
        [(scenario, n_true)], [seed], fitted=None, slices=slices, progress=False, **arguments
    )
    stored = pd.read_csv(RESULTS / "simulation.csv", dtype={"n_fitted": "Int64"})
    stored = again[[*RUN, "n_fitted"]].merge(stored, how="left")
    return again.drop(columns="seconds"), stored[again.columns].drop(columns="seconds")


@pytest.mark.parametrize(
    ("scenario", "n_true", "seed", "anatomy", "method"),
    [("location", 4, 7, "sharp", "texture"), ("none", 1, 7, "smooth", "linear")],
)
def test_baselines_come_back_to_the_digit(scenario, n_true, seed, anatomy, method):
    again, stored = again_and_stored(
        scenario, n_true, seed, slices={"anatomy": anatomy}, methods=[method]
    )
    pd.testing.assert_frame_equal(again, stored, check_dtype=False)


def test_a_trained_network_comes_back():
    again, stored = again_and_stored(
        "location", 5, 7, slices={"anatomy": "sharp"}, methods=["deep"], channels=(8, 16, 32)
    )
    assert again["pick_recommended"].tolist() == stored["pick_recommended"].tolist()
    # Another processor rounds otherwise, and a scan between two clusters may fall to either.
    pd.testing.assert_series_equal(again["accuracy"], stored["accuracy"], atol=0.01)


def test_no_crash_left_a_mixture_or_other_bytes():
    """Every row is a run of a real notebook, stopped at a step and run again."""
    table = pd.read_csv(RESULTS / "crashes.csv", dtype=str).fillna("")
    assert set(table["stage"]) == {f"{number:02}" for number in range(10)}
    told = {"missing", "partial", "earlier run whole", "new run whole", EITHER}
    assert set(table["found"]) <= told
    assert set(table["then"]) == {"the same bytes"}
