"""What leaves a study: no person, no count of a few, nothing that no longer stands."""

import gzip
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from clamlab import figures, selection, stats, traces, viewers
from clamlab.cli import main
from clamlab.cli.standing import EXPLORED
from clamlab.cli.subject_tables import _is_harmless
from clamlab.ingest.cohort.qc_pages import write_index
from clamlab.study import Study
from clamlab.study.withdrawal.run import withdraw

N = 24
PLANTED = ["DOE_JANE", "Jane Doe", "ACC-7781234", "1961-07-23", "radiologist.smith"]
CONTRACT = {
    "title": "participants",
    "type": "object",
    "properties": {
        "subject_id": {"type": "string", "x-role": "id"},
        "name": {"type": "string"},
        "accession": {"type": "string", "enum": ["ACC-7781234", "ACC-7781235"]},
        "seen": {"type": "integer", "x-role": "demographic"},
        "sex": {"type": "string", "enum": ["female", "male"], "x-role": "demographic"},
        "smoker": {"type": "string", "enum": ["no", "yes"], "x-role": "demographic"},
        "age": {"type": ["number", "null"], "x-role": "demographic"},
        "fvc": {"type": ["number", "null"], "x-role": "outcome"},
        "dlco": {"type": ["number", "null"], "x-role": "outcome"},
    },
    "required": ["subject_id"],
}


def people(clusters):
    """Three smokers in cluster 0 and ten in 1; dlco of few of cluster 1; one age missing."""
    rng = np.random.default_rng(3)
    n = len(clusters)
    within = pd.Series(range(n)).groupby(clusters).cumcount().to_numpy()
    table = pd.DataFrame({"subject_id": [f"PAT-{i:04}" for i in range(n)]})
    return table.assign(
        scan=[f"DOE_JANE/{i}" for i in range(n)],
        name="Jane Doe",
        accession="ACC-7781234",
        seen=20240201 + np.arange(n) % 28,
        sex=np.where(within % 2, "male", "female"),
        smoker=np.where(within < np.where(clusters, 10, 3), "yes", "no"),
        age=np.where(np.arange(n) == 1, np.nan, rng.normal(60, 8, n).round(1)),
        fvc=(3 - 0.5 * np.asarray(clusters) + rng.normal(0, 0.4, n)).round(2),
        dlco=np.where((np.asarray(clusters) == 1) & (within > 2), np.nan, rng.normal(15, 4, n)),
    )


def published(study, stage, **artefacts):
    work = study.stage(stage)
    if stage > "05_clusters":
        work.read("assignments")
    for name, value in artefacts.items():
        if callable(value):
            value(work.path(name))
        else:
            work.write(name, value)
    work.publish()


def touch(*names):
    return lambda path: [(path / name).write_bytes(gzip.compress(b"average")) for name in names]


def keep_group(study, ids):
    """What a person keeps after the notebook ran: it needs no run, and makes nothing stale."""
    rows = ids[:3].assign(group="Jane Doe and others", note="as ACC-7781234")
    rows.to_csv(study.path("groups"), index=False)
    (study.path("group_figures") / "one").mkdir(parents=True)
    ids.to_csv(study.path("group_figures") / "one" / "subjects.csv", index=False)
    assert study.status().set_index("stage").loc["07_explore", "status"] == "fresh"


def study_of(tmp_path, clusters):
    """A study whose stages are all published: tables for real, large files in their place."""
    study = Study.create(tmp_path / "study")
    (study.root / "schemas" / "participants.schema.json").write_text(pd.Series(CONTRACT).to_json())
    clusters = np.asarray(clusters)
    table = people(clusters)
    ids = table[["subject_id"]]
    reason = {"reason": "DOE_JANE/7 could not be read"}
    published(study, "01_cohort", cohort=table, exclusions=ids[:1].assign(**reason))
    none = np.zeros((len(ids), 2, 2, 2), "int16")
    published(
        study,
        "02_volumes",
        scans=ids,
        grid={},
        volumes=none,
        lung_mask=none[0],
        template=lambda path: path.write_text("template"),
        qc=ids.assign(status="ok", decision="accept", series="Jane Doe", lung_ml=4000.0, **reason),
    )
    person = {
        "n_clusters": 2,
        "decided_by": "radiologist.smith",
        "reason": "as for Jane Doe",
        "test": {"n_clusters": 2, "p_value": 0.01, "stability": "stable", "words": "of Jane Doe"},
        "recommended": {"answer": "undecided", "n_clusters": 1, "reason": "of Jane Doe"},
    }
    criteria = pd.DataFrame({"n_clusters": [1, 2], "silhouette": [None, 0.4], "gap": [0.1, 0.3]})
    agreement = ids.assign(cluster=clusters, agreement=1.0, borderline=False)
    parts = ids.assign(n_clusters=3, cluster=clusters, agreement=1.0, jaccard=1.0, apart=False)
    tables = {"criteria": criteria, "stability": agreement, "partitions": parts}
    published(study, "04_n_clusters", **tables, choice=person)
    study.write("choice", person)
    assignments = ids.assign(cluster=clusters, confidence=0.9)
    few = np.zeros((len(ids), 2))
    history = pd.DataFrame({"epoch": [0], "loss": [1.0]})
    published(
        study,
        "05_clusters",
        deep_clustering={"w": few},
        deep_clustering_config={},
        clustering_history=history,
        features=few,
        soft_assignments=few,
        assignments=assignments,
    )
    arrays = ("channel_confidence", "maps", "unweighted", "contrast", "counterfactual_hu")
    measures = ids.assign(side="both", zone="all", rule="sum", share=0.5)
    sizes = pd.Series(clusters).value_counts().sort_index()
    card = {"cluster": sizes.index, "kind": "contrast", "n_scans": sizes, "n_examined": 6}
    published(
        study,
        "06_clam",
        **dict.fromkeys(arrays, none),
        map_measures=measures,
        trust=pd.DataFrame(card).assign(verdict="stands"),
        averages=touch("hu_cluster_1.nii.gz"),
    )
    picture = figures.latent_scatter(np.zeros((2, 2)), [0, 1])
    pictures = {f"figure_{i}": lambda path: figures.save_figure(picture, path) for i in (7, 8, 9)}
    said = selection.decision_words(person, names=False)
    about = viewers.pages.About(clusters, name="study", decision=said, partitions=parts)
    flat = {f"Cluster {k + 1}": np.full((4, 4), -800.0) for k in range(2)}
    averages = viewers.ClusterAverages(flat)
    each = viewers.pages.Persons(
        few, few + 0.5, table, columns=["age"], ids=list(ids["subject_id"])
    )
    pages = {
        "average_viewer": lambda path: averages.to_html(about, path),
        "person_viewer": lambda path: averages.to_html(about, path, persons=each),
    }
    published(study, "07_explore", **pictures, **pages)
    keep_group(study, ids)
    read = ids.assign(reader="radiologist.smith", score="fibrosis", value="2", note="Jane Doe")
    study.write("readings", read)
    about = {"kind": "counterfactual", "about": "Jane Doe", "side": 1, "correct": "yes"}
    study.write("forced_choices", ids.assign(reader="radiologist.smith", **about))
    table = table.merge(assignments, on="subject_id")
    tidy = stats.tables.table_one(table, CONTRACT)
    printed = stats.tables.render_table_one(tidy)
    endings = (".html", ".tex", ".docx")
    published(
        study,
        "08_table_one",
        table_one=tidy,
        table_one_print=lambda path: stats.tables.export_table(
            printed, [path.with_suffix(e) for e in endings], notes=stats.tables.table_notes(tidy)
        ),
    )
    plain = {"covariates": ()}
    associations = stats.outcomes.outcome_associations(table, CONTRACT, **plain)
    adjusted = stats.outcomes.adjusted_means(table, CONTRACT, **plain)
    models = stats.outcomes.compare_models(table, CONTRACT, n_bootstrap=5, **plain)
    panel = figures.outcome_panel(adjusted, associations)
    published(
        study,
        "09_associations",
        associations=associations,
        adjusted_means=adjusted,
        model_comparison=models,
        figure_10=lambda path: figures.save_figure(panel, path),
    )
    assert set(study.status()["status"][4:]) == {"fresh"}
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return study_of(tmp_path_factory.mktemp("even"), [0] * N + [1] * N)


def exported(study, folder, *options):
    assert main(["export", str(study.root), str(folder), *options]) == 0
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def test_nothing_of_a_person_leaves(study, tmp_path):
    files = exported(study, tmp_path / "paper")
    ids = study.read("scans")["subject_id"]
    assert traces.find(tmp_path / "paper", [*PLANTED, *ids]) == []
    assert traces.find(study.root, PLANTED)  # where they do stand they are found
    assert study.path("groups").exists() and study.path("group_figures").exists()
    assert not [name for name in files if "groups" in name]
    assert {name.split("/")[0] for name in files} == {
        "02_volumes", "04_n_clusters", "06_clam", "07_explore", "08_table_one", "09_associations",
        "stages.csv",
    }  # fmt: skip
    assert set(pd.read_csv(files["stages.csv"])["status"]) == {"fresh"}
    assert not [name for name in files if "figure_8" in name or "figure_9" in name]
    assert "06_clam/averages/hu_cluster_1.nii.gz" in files
    choice = files["04_n_clusters/choice.json"].read_text()
    assert json.loads(choice) == {
        "n_clusters": 2,
        "decided_by": "a person",
        "test": {"n_clusters": 2, "p_value": 0.01, "stability": "stable"},
        "recommended": {"answer": "undecided", "n_clusters": 1},
    }


def test_what_somebody_looked_for_stays(study, tmp_path, capsys):
    """Table 2 beside one of two scans less would tell of these two."""
    places = [study.path(name) / "2026-11-27_look" for name in EXPLORED]
    for place in places:
        place.mkdir(parents=True)
        (place / "settings.json").write_text("{}")
    try:
        for options in ([], ["--small-counts"], ["--subjects"]):
            files = exported(study, tmp_path / f"paper{options}", *options)
            said = capsys.readouterr().out
            assert not [name for name in files if "explored" in name or "look" in name]
            for stage in ("08_table_one", "09_associations"):
                assert f"without {stage}/explored: 1 kept by a person" in said
    finally:
        for place in places:
            shutil.rmtree(place.parent)


def test_a_page_of_persons_stays(study, tmp_path, capsys):
    """The page of averages goes; that with a row for each scan does not, whatever is asked for."""
    ids = study.read("scans")["subject_id"]
    assert all(name in study.path("person_viewer").read_text("utf-8") for name in ids)
    for options in ([], ["--small-counts"], ["--subjects"]):
        files = exported(study, tmp_path / f"paper{options}", *options)
        assert "without persons.html: it holds a row for each scan" in capsys.readouterr().out
        assert "07_explore/averages.html" in files and "07_explore/persons.html" not in files
        page = files["07_explore/averages.html"].read_text("utf-8")
        assert "decided by a person" in page and not [
            name for name in [*PLANTED, *ids] if name in page
        ]


def test_the_flow_of_the_cohort_goes_without_small_counts(study, tmp_path):
    table = pd.read_csv(exported(study, tmp_path / "paper")["02_volumes/cohort_flow.csv"])
    assert table["step"].tolist()[:2] == ["in the table", "without a scan of their own"]
    assert table["n"].isna().tolist() == [True, True, True, True, False, False]
    assert table["n"].tolist()[4:] == [2 * N, 0]
    whole = pd.read_csv(
        exported(study, tmp_path / "all", "--small-counts")["02_volumes/cohort_flow.csv"]
    )
    assert whole["n"].tolist() == [2 * N + 1, 1, 0, 0, 2 * N, 0]


def test_counts_of_a_few_persons_are_masked_and_cannot_be_worked_out(study, tmp_path):
    files = exported(study, tmp_path / "paper")
    tidy = pd.read_csv(files["08_table_one/table_one.csv"])
    for column in ("n", "n_missing", "count"):
        assert not tidy[column].between(1, 4).any(), column
    smoker = tidy.query("variable == 'smoker'")
    assert smoker.query("part == 'summary' and group.notna()")["count"].isna().all()
    assert smoker.query("part == 'omnibus'")["p"].isna().all()
    assert tidy.query("variable == 'sex' and part == 'omnibus'")["p"].notna().all()
    age = tidy.query("variable == 'age' and part == 'summary'").set_index("group")
    assert age["mean"].notna().all() and age["n_missing"].isna().any()
    told = "age: counts below 5, and what would tell them, are masked, and other numbers have three"
    assert told in files["08_table_one/table_one.html"].read_text()
    (page,) = pd.read_html(files["08_table_one/table_one.html"], index_col=0)
    assert page.loc["smoker (%)", "Overall"] == "13 (27.1)"
    assert (page.loc["smoker (%)", ["Cluster 1", "Cluster 2"]] == "masked").all()


def test_an_outcome_of_a_few_persons_is_not_told(study, tmp_path):
    files = exported(study, tmp_path / "paper")
    means = pd.read_csv(files["09_associations/adjusted_means.csv"]).set_index("outcome")
    assert means.loc["dlco", ["n", "mean", "low", "high"]].isna().all(axis=None)
    assert "masked" in means.loc["dlco", "note"].iloc[0]
    assert means.loc["fvc", "mean"].notna().all()
    tests = pd.read_csv(files["09_associations/associations.csv"])
    assert tests.query("outcome == 'dlco'")[["n", "p", "difference"]].isna().all(axis=None)
    kept = study.read("associations").query("outcome == 'fvc' and part == 'omnibus'")["p"].item()
    assert tests.query("outcome == 'fvc' and part == 'omnibus'")["p"].item() == float(f"{kept:.3g}")
    # Of a family with a masked p-value, an adjusted one may be that, or twice that.
    assert study.read("associations")["p_holm"].notna().any()
    assert tests[["p_holm", "p_bh"]].isna().all(axis=None)
    picture = files["09_associations/figure_10.svg"].read_text()
    assert ">fvc<" in picture and ">dlco<" not in picture


def test_small_counts_go_along_where_they_are_asked_for(study, tmp_path):
    files = exported(study, tmp_path / "paper", "--small-counts")
    for name in ("08_table_one/table_one.csv", "09_associations/figure_10.pdf"):
        assert files[name].read_bytes() == (study.root / name).read_bytes()


def test_a_cluster_of_a_few_scans_is_not_averaged(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * 3)
    files = exported(study, tmp_path / "paper")
    assert "without outcomes: a cluster had fewer than 5 scans" in capsys.readouterr().out
    assert {name.split("/")[0] for name in files} == {
        "02_volumes", "04_n_clusters", "08_table_one", "stages.csv",
    }  # fmt: skip
    tidy = pd.read_csv(files["08_table_one/table_one.csv"])
    assert tidy.loc[tidy["group"].notna(), ["n", "count", "mean", "percent"]].isna().all(axis=None)
    assert tidy.query("part == 'size' and group.isna()")["n"].item() == N + 3
    assert "06_clam/averages/hu_cluster_1.nii.gz" in exported(
        study, tmp_path / "all", "--small-counts"
    )


def test_averages_of_another_run_need_sizes_of_their_own(study, tmp_path, capsys):
    """Clusters of today are large, and those that the maps were averaged of were not."""
    shutil.copytree(study.root, tmp_path / "study", copy_function=shutil.copy2)
    study = Study(tmp_path / "study")
    ids = study.read("assignments")
    ids.assign(cluster=1 - ids["cluster"]).to_csv(study.path("assignments"), index=False)
    study.read("trust").assign(n_scans=[2, 46]).to_csv(study.path("trust"), index=False)
    files = exported(study, tmp_path / "paper", "--stale", "05,06,07,08,09")
    said = capsys.readouterr().out
    assert "without averages and trust cards: a cluster had fewer than 5 scans when they" in said
    assert "without pictures of averages: how many scans each cluster had when they were" in said
    assert not [name for name in files if name.startswith(("06_clam", "07_explore"))]
    assert "09_associations/adjusted_means.csv" in files  # its table tells of how many it is


def test_tables_of_subjects_bear_pseudonyms_and_no_dates(study, tmp_path, capsys):
    files = exported(study, tmp_path / "paper", "--subjects")
    said = capsys.readouterr().out
    assert "cohort: sex, smoker, age, fvc, dlco; without" in said and "seen" in said
    cohort = pd.read_csv(files["subjects/cohort.csv"])
    assert list(cohort) == ["pseudonym", "sex", "smoker", "age", "fvc", "dlco"]
    assert list(pd.read_csv(files["subjects/qc.csv"])) == ["pseudonym", "status", "lung_ml"]
    ids = study.read("scans")["subject_id"]
    assert traces.find(tmp_path / "paper", [*PLANTED, *ids]) == []
    assert cohort["pseudonym"].is_unique and cohort["pseudonym"].is_monotonic_increasing
    assert sorted(cohort["fvc"]) == sorted(study.read("cohort")["fvc"])
    assert cohort["fvc"].tolist() != study.read("cohort")["fvc"].tolist()  # another order
    again = exported(study, tmp_path / "again", "--subjects")
    assert again["subjects/cohort.csv"].read_bytes() == files["subjects/cohort.csv"].read_bytes()
    clusters = pd.read_csv(files["subjects/assignments.csv"]).merge(cohort, on="pseudonym")
    own = study.read("assignments").merge(study.read("cohort"), on="subject_id")
    assert clusters.groupby("cluster")["fvc"].sum().round(6).tolist() == (
        own.groupby("cluster")["fvc"].sum().round(6).tolist()
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([20240229, 20240301, 0, 20230110], False),  # dates, and a code for unknown
        ([9021951, 24121960, 31011949, 5051970], False),  # of birth, day first, without their zero
        ([12241960, 1311949, 5301970, 2281951], False),  # month first
        ([7700001, 7700002, 7700007, 7700005], False),  # accession numbers
        ([3035550001.0, 3035550002.0, np.nan, 3035550009.0], False),  # telephones
        ([250000, 250000, 250000, 180000], True),  # platelets, rounded
        ([7700001.5, 7700002.5, 7700007.5, 7700005.5], True),
        ([61, 72, 58, 80], True),
    ],
)
def test_numbers_that_name_somebody_are_told_from_measures(values, told):
    column = pd.Series(values, name="x")
    assert _is_harmless(column, {"properties": {"x": {"type": "number"}}}) == told
    if values[0] == 7700001:  # unless the contract says what they measure
        assert _is_harmless(column, {"properties": {"x": {"type": "number", "x-units": "1/µl"}}})


def test_pseudonyms_want_a_key_that_nobody_can_guess(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * N)
    for key in ("", "hello", 5, None):
        study.update(pseudonym_key=key)
        assert main(["export", str(study.root), str(tmp_path / "paper"), "--subjects"]) == 1
        assert "pseudonym_key as 32 hexadecimal digits" in capsys.readouterr().err
        assert not (tmp_path / "paper").exists()


def test_an_export_says_what_it_is_without(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * N)
    (study.root / "09_associations" / "stage.json").unlink()
    files = exported(study, tmp_path / "paper")
    assert "without 09_associations" in capsys.readouterr().out
    states = pd.read_csv(files["stages.csv"], index_col="stage")["status"]
    assert states["09_associations"] == "missing" and states["08_table_one"] == "fresh"


def test_subjects_come_from_stages_that_stand(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * N)
    for stage in ("06_clam", "07_explore", "08_table_one", "09_associations"):
        shutil.rmtree(study.root / stage)
    table = study.read("assignments")
    table.assign(cluster=1 - table["cluster"]).to_csv(study.path("assignments"), index=False)
    arguments = ["export", str(study.root), str(tmp_path / "paper")]
    assert main([*arguments, "--subjects"]) == 1
    assert "05_clusters is altered: assignments.csv" in capsys.readouterr().err


def test_a_measure_that_was_changed_beside_the_decision_does_not_leave(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * N)
    choice = study.read("choice")
    arguments = ["export", str(study.root), str(tmp_path / "paper")]
    study.write("choice", choice | {"test": choice["test"] | {"p_value": 0.0006}})
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "04_n_clusters is altered: what was measured in choice.json (recommended, tes" in said
    study.write("choice", choice | {"decided_by": "somebody else"})
    exported(study, tmp_path / "paper")


def test_a_file_is_read_before_it_leaves(tmp_path, capsys):
    """One number in the place of another, of the same size, and the time put back."""
    study = study_of(tmp_path, [0] * N + [1] * N)
    path, was = study.path("table_one"), study.path("table_one").stat()
    path.write_text(path.read_text().replace("48", "84"))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert set(study.status()["status"]) <= {"fresh", "missing"}
    assert main(["export", str(study.root), str(tmp_path / "paper")]) == 1
    said = capsys.readouterr().err
    assert "although size and time are the same: 08_table_one/table_one.csv" in said


def test_an_export_lies_outside_the_study_and_waits_for_its_turn(study, tmp_path, capsys):
    inside = study.root / "paper"
    assert main(["export", str(study.root), str(inside)]) == 1
    assert "lies in the study" in capsys.readouterr().err and not inside.exists()
    holder = "from clamlab.study import lock; import pathlib, sys\n"
    holder += (
        "lock.take(pathlib.Path(sys.argv[1]), 'somebody'); print('taken', flush=True); input()"
    )
    command = [sys.executable, "-c", holder, str(study.root)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout.readline() == "taken\n"
        assert main(["export", str(study.root), str(tmp_path / "paper")]) == 1
        assert "is being written by process" in capsys.readouterr().err
        other.communicate("\n")
    exported(study, tmp_path / "paper")


def test_after_a_withdrawal_nothing_stale_leaves(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * N)
    withdraw(study.root, [study.read("scans")["subject_id"][0]], draw_pages=write_index)
    stale = ["--stale", "04,06", "--stale", "07,08,09"]
    assert main(["export", str(study.root), str(tmp_path / "paper"), *stale]) == 1
    assert "subjects have withdrawn" in capsys.readouterr().err


def test_what_no_longer_stands_is_not_exported(tmp_path, capsys):
    study = study_of(tmp_path, [0] * N + [1] * N)
    with study.path("table_one").open("a") as file:
        file.write("\n")
    arguments = ["export", str(study.root), str(tmp_path / "paper")]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "08_table_one is altered: table_one.csv" in said and "--stale 08" in said
    assert not (tmp_path / "paper").exists()
    assert main([*arguments, "--stale", "08"]) == 0


def test_an_export_that_fails_leaves_nothing(study, tmp_path):
    taken = tmp_path / "paper"
    taken.write_text("mine")
    assert main(["export", str(study.root), str(taken)]) == 1
    assert taken.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["paper"]
