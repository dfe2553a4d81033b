"""What a run says at its end: what of the study is this run's, and what an earlier one left."""

import pandas as pd
import pytest
from report_study import CLUSTERS, report_study

from clamlab.cli import truth
from clamlab.cli.summary import summarise


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A whole simulated study; where its lesions lie is not asked here."""
    monkeypatch.setattr(truth, "_places", lambda study: "places: looked at")
    made = report_study(tmp_path / "study")
    made.update(simulated=True)
    place = made.path("truth")
    place.mkdir(parents=True)
    ids = made.read("scans")[["subject_id"]]
    ids.assign(cluster=CLUSTERS).to_csv(place / "labels.csv", index=False)
    effects = pd.DataFrame({"outcome": ["fvc", "dlco"], "cluster_1": [3, 1], "cluster_2": [2.5, 1]})
    effects.to_csv(place / "known_effects.csv", index=False)
    return made


def line_of(said, start):
    return next(line.strip() for line in said.splitlines() if line.strip().startswith(start))


def test_what_this_run_made_is_named_and_held_against_the_truth(study):
    said = summarise(study)
    assert line_of(said, "Table 2").startswith("Table 2: 08_table_one/table_one.csv")
    assert line_of(said, "assignment:").endswith("index 1.000, accuracy 100.0%")
    assert line_of(said, "places:") == "places: looked at"
    told = line_of(said, "outcomes:")
    assert told.startswith("outcomes: of 1 true differences 1 have the right sign and 1 reach")


def test_what_an_earlier_run_left_is_marked_and_not_compared(study):
    """As after ``run --to 05`` with another seed: maps and tables are of other clusters."""
    work = study.stage("05_clusters")
    work.read("choice")
    for name in (
        "deep_clustering", "deep_clustering_config", "clustering_history", "features",
        "soft_assignments", "baselines", "baseline_partitions",
    ):  # fmt: skip
        work.write(name, study.read(name))
    work.write("assignments", study.read("assignments").assign(cluster=1 - CLUSTERS))
    work.publish()
    said = summarise(study)
    assert line_of(said, "Table 2").startswith("Table 2 (08_table_one is stale): ")
    assert line_of(said, "Figure 10").startswith("Figure 10 (09_associations is stale): ")
    assert line_of(said, "maps of every scan").startswith("maps of every scan (06_clam is stale)")
    assert "assignment: adjusted Rand index 1.000" in said  # what is fresh is compared
    assert "places:" not in said and "outcomes:" not in said
