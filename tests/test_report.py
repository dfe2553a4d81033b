"""A study's report: its numbers are those of the files, and what is not there is said."""

import html
import io
import json
import re
import shutil
from dataclasses import replace
from hashlib import sha256

import nbformat
import numpy as np
import pandas as pd
import pytest
from docx import Document
from jsonschema import Draft202012Validator
from report_study import CLUSTERS, KERNELS, report_study

from clamlab import figures, resources, stats, traces, viewers
from clamlab.atomic import put_in_place
from clamlab.baselines import agreement
from clamlab.cli import main
from clamlab.cli.collecting import collect
from clamlab.cli.report import made_of
from clamlab.cli.rerun.plan import read_plan
from clamlab.figures.style import new_figure
from clamlab.report import Found, report_of, to_page
from clamlab.report.composing import Section, compose
from clamlab.report.guidelines import CLAIM, TRIPOD
from clamlab.report.reasons import kind_of
from clamlab.report.references import REFERENCES
from clamlab.report.sections import baselines as baselines_section
from clamlab.report.sections import clusters, limits, maps, number, outcomes, quality, scanners
from clamlab.report.sections import methods as methods_section
from clamlab.report.sections import run as run_section
from clamlab.report.sections import study as study_section
from clamlab.report.words import counts
from clamlab.study import Study, StudyError
from clamlab.study.withdrawal.mentions import clear_notebook

TOLD_BY_HASH = ("inputs", "outputs", "without_times")
FILES = ("report.html", "report.docx", "references.bib", "manifest.json")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole study with its report."""
    study = report_study(tmp_path_factory.mktemp("whole") / "study")
    assert main(["report", str(study.root)]) == 0
    return study


@pytest.fixture
def study(whole, tmp_path):
    """A copy of it that a test may change."""
    shutil.copytree(whole.root, tmp_path / "study", copy_function=shutil.copy2)
    return Study(tmp_path / "study")


@pytest.fixture
def quick(monkeypatch):
    """Figures of one colour: what takes long, for tests that look at words."""
    for name in ("average_panel", "outcome_panel", "criteria_panel"):
        monkeypatch.setattr(figures, name, lambda *args, **options: new_figure(20, 20))
    monkeypatch.setattr(viewers, "to_html", lambda *args, **options: "")


def page_of(study):
    return (study.root / "report" / "report.html").read_text("utf-8")


def words(page, key):
    """The text of one section."""
    section = re.search(rf'<section id="{key}".*?</section>', page, re.DOTALL)[0]
    section = re.sub(r' (src|srcdoc|alt)="[^"]*"', "", section)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split())


def manifest_of(study):
    return json.loads((study.root / "report" / "manifest.json").read_text("utf-8"))


def states(study):
    return {s["key"]: s["state"] for s in manifest_of(study)["report"]["sections"]}


def draft_of(study):
    return Document(io.BytesIO((study.root / "report" / "report.docx").read_bytes()))


def test_numbers_are_those_of_the_files(whole):
    page = page_of(whole)
    assert set(states(whole).values()) == {"made"}
    assert "15 sections: 15 made, 0 made in part, 0 stale, 0 missing, 0 failed." in html.unescape(
        page
    )
    assert "2 clusters of 20 and 28 scans" in words(page, "study")
    assert "48 subjects are in the study; how many are in the table is masked" in words(
        page, "flow"
    )
    assert "No scan bears the subject's id masked" in words(page, "flow")
    quality = words(page, "quality")
    assert "Lung volume outside the expected range fewer than 5" in quality
    assert "A person decided about 6 scans: 6 accepted, 0 rejected" in quality
    assert "Kernel B30 28 B70 20" in quality
    chosen = words(page, "number")
    assert "2 clusters, decided by the rule." in chosen and "p = .012" in chosen
    assert "resampled scans are stable (mean adjusted Rand index 0.97)" in chosen
    assert "About 46 scans" in chosen and "Silhouette 3" in chosen
    told = words(page, "clusters")
    assert "Cluster 1 20 42% 0.81 Cluster 2 28 58% 0.81" in told
    assert "88% of the samples on average; 7 of 48 scans are borderline" in told
    maps = words(page, "maps")
    assert "Cluster 1, activation map 6 • marking places • telling this cluster (the same)" in maps
    assert "20 scans in cluster 1 and 28 scans in cluster 2" in maps
    row = whole.read("associations").query("part == 'pairwise' and outcome == 'fvc'").iloc[0]
    shown = f"{float(f'{row.difference:.3g}'):.2f}"
    assert f"fvc – 1 − 2 {shown} " in words(page, "outcomes").replace("Fvc", "fvc")


def test_whether_it_took_a_network_is_said_first(whole, study, quick):
    same = "The same clusters come from mean lung density alone (adjusted Rand 0.84): nobody needed"
    network = words(page_of(whole), "baselines")
    assert network.startswith(f"Did it take a network? {same}")
    assert f"cluster 1 the densest. {same}" in words(page_of(whole), "study")
    compared = whole.read("baseline_comparison").query("outcome == 'fvc'")
    r2 = compared.set_index("partition")["adjusted_r2"]
    assert f"Clusters {r2['clusters']:.2f} –" in network  # of dlco a cluster has a few values
    assert f"Mean lung density {r2['mean lung density']:.2f} –" in network
    assert "of 1 outcome the clusters explain more" in network and "Exploratory" in network
    assert "of 48 scans" in network and "its index is cut to one decimal" in network
    others = whole.read("baselines").query("baseline != 'density'")
    others.to_csv(study.path("baselines"), index=False)
    assert main(["report", str(study.root), "--small-counts"]) == 0
    network = words(page_of(study), "baselines")
    assert "No baseline gives the same clusters; nearest comes site (adjusted Rand 0.69)" in network
    assert re.search(r"Clusters 0\.18 -0\.09 ", network) and "one decimal" not in network
    assert "No baseline" not in words(page_of(study), "study")


def without(study, stage, *names):
    """Make a stage one of before some of its files were made."""
    path = study.root / stage / "stage.json"
    record = json.loads(path.read_text())
    for name in names:
        study.path(name).unlink()
        del record["outputs"][name]
    path.write_text(json.dumps(record))


def test_a_study_from_before_the_baselines_says_which_notebook_makes_them(study, quick):
    without(study, "09_associations", "baseline_comparison")
    assert main(["report", str(study.root)]) == 0
    assert states(study)["baselines"] == "partial"
    assert "1 made in part (Did it take a network?)" in page_of(study)
    assert "“Did it take a network?” (in part)" not in words(page_of(study), "items")
    network = words(page_of(study), "baselines")
    assert "'baseline_comparison' is not there yet: run notebook 09_associations first" in network
    without(study, "05_clusters", "baselines", "baseline_partitions")
    assert main(["report", str(study.root)]) == 0
    assert states(study)["baselines"] == "missing"
    assert "run notebook 05_clusters first" in words(page_of(study), "baselines")
    assert "nobody needed" not in page_of(study)


def test_no_p_of_what_is_measured_on_the_image(whole):
    """Kernels tell the clusters here, and a volume never gets a p."""
    scanners = words(page_of(whole), "scanners")
    assert "The clusters go along with kernel" in scanners
    assert re.search(r"Kernel 48 corrected Cramer's V 1\.00 <0\.001 alarm", scanners)
    assert re.search(r"Lung volume \(ml\) 48 epsilon squared \d\.\d\d (?!\d)", scanners)
    assert "kernel" in words(page_of(whole), "limits")


def test_counts_of_a_few_and_single_scans_come_only_when_asked_for(whole, study):
    table = words(page_of(whole), "table_two")
    assert "masked" in table and "3 (15.0)" not in table
    assert "P (Holm) and P (BH): masked, since they would tell" in table
    assert "scans" not in states(whole) and "CT of single persons" not in page_of(whole)
    assert main(["report", str(study.root), "--small-counts", "--scans"]) == 0
    table = words(page_of(study), "table_two")
    assert "3 (15.0)" in table and "10 (35.7)" in table and "masked" not in table.lower()
    flow = words(page_of(study), "flow")
    assert "Of 49 subjects in the table, 48 are in the study, 1 of them marked for review" in flow
    assert "No scan bears the subject's id 1" in flow
    assert "holds the CT of single persons" in words(page_of(study), "scans")
    assert not any("CT of single persons" in p.text for p in draft_of(study).paragraphs)
    assert traces.find(study.root / "report", study.read("scans")["subject_id"]) == []
    told = manifest_of(study)["report"]
    assert told["small_counts"] is True and told["single_scans"] is True


def found_of(**values):
    """What a section needs, and no more."""
    stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    settings = {n: values.pop(n) for n in ("small_counts", "records") if n in values}
    return Found("x", stages, values, **settings)


def test_what_readers_saw_is_not_from_outside_the_images(quick):
    """It goes along with the clusters, as it may: fvc does not."""
    rng = np.random.default_rng(5)
    clusters = np.repeat([0, 1], 20)
    outcome = {"type": "number", "x-role": "outcome"}
    rules = {
        "fvc": outcome | {"title": "FVC"},
        "extent": outcome | {"title": "Extent", "x-source": "reader", "x-units": "%"},
        "volume": outcome | {"title": "Volume", "x-source": "derived"},
    }
    table = pd.DataFrame({name: rng.normal(3, 1, 40) for name in rules}).assign(cluster=clusters)
    table["extent"] += 4 * clusters
    ways = (stats.outcomes.outcome_associations, stats.outcomes.adjusted_means)
    tables = [way(table, {"properties": rules}) for way in ways]
    models = stats.outcomes.compare_models(table, {"properties": rules}, n_bootstrap=0)
    assigned = pd.DataFrame({"cluster": clusters})
    found = found_of(
        associations=tables[0], adjusted_means=tables[1], model_comparison=models,
        assignments=assigned,
    )  # fmt: skip
    first = study_section.make(found)[0].text
    assert "Of 1 outcome from outside the images, none differed" in first
    of_readers = tables[0][tables[0]["source"] == "reader"]
    alone = study_section.make(found_of(associations=of_readers, assignments=assigned))[0].text
    assert "No outcome from outside the images could be tested." in alone
    differences = outcomes.make(found)[-1]
    assert differences.cells[""].tolist() == ["FVC", "Extent† (%)", "Volume"]
    assert any(note.startswith("† Read from an image") for note in differences.notes)
    said, explained = outcomes.make_models(found)[:2]
    assert said.text.endswith(" Read from the images by a person, and not counted: Extent†.")
    assert list(explained.cells) == ["", "FVC", "Extent†"]
    assert any(note.startswith("† Read from an image") for note in explained.notes)


def test_a_difference_in_large_units_keeps_its_digits_and_its_sign(quick):
    rng = np.random.default_rng(5)
    outcome = {"type": "number", "x-role": "outcome"}
    rules = {"bmd": outcome | {"title": "BMD", "x-units": "g/cm2"}, "fvc": outcome}
    table = pd.DataFrame({name: rng.normal(3, 1, 40) for name in rules})
    table = table.assign(cluster=np.repeat([0, 1], 20))
    associations = stats.outcomes.outcome_associations(table, {"properties": rules})
    pair = (associations["part"] == "pairwise") & (associations["outcome"] == "bmd")
    associations.loc[pair, ["difference", "low", "high"]] = -0.0042, -0.0047, -0.0037
    means = stats.outcomes.adjusted_means(table, {"properties": rules})
    found = found_of(
        associations=associations, adjusted_means=means, model_comparison=means[:0],
        assignments=table[["cluster"]], small_counts=True,
    )  # fmt: skip
    cells = outcomes.make(found)[-1].cells
    assert cells["Difference"][0] == "-0.0042"
    assert cells["95 % interval"][0] == "-0.0047 to -0.0037"
    assert re.fullmatch(r"-?\d\.\d\d", cells["Difference"][1])  # of wide intervals two, as ever


def test_a_report_says_why_no_cluster_has_a_mean(monkeypatch):
    rng = np.random.default_rng(5)
    site = {"enum": ["A", "B"], "x-role": "demographic"}
    rules = {"site": site, "fvc": {"type": "number", "x-role": "outcome", "title": "FVC"}}
    table = pd.DataFrame({"fvc": rng.normal(3, 1, 40), "site": np.repeat(["A", "B"], 20)})
    table = table.assign(cluster=np.repeat([0, 1], 20))
    ways = (stats.outcomes.outcome_associations, stats.outcomes.adjusted_means)
    tables = [way(table, {"properties": rules}) for way in ways]
    drawn, panel = [], figures.outcome_panel
    monkeypatch.setattr(
        figures, "outcome_panel", lambda *tables: drawn.append(panel(*tables)) or drawn[0]
    )
    found = found_of(
        associations=tables[0], adjusted_means=tables[1], model_comparison=tables[1][:0],
        assignments=table[["cluster"]], small_counts=True,
    )  # fmt: skip
    outcomes.make(found)
    (axes,) = drawn[0].axes
    assert axes.get_title() == "FVC" and not axes.containers
    said = " ".join(text.get_text().replace("\n", " ") for text in axes.texts)
    assert "no mean at equal covariates" in said and "cluster 1 from cluster 2" in said


def test_a_difference_beside_masked_counts_has_no_more_digits_than_are_known(quick):
    rng = np.random.default_rng(5)
    rules = {name: {"type": "number", "x-role": "outcome"} for name in ("fvc", "volume")}
    table = pd.DataFrame({name: rng.normal(2900, 300, 60) for name in rules})
    table = table.assign(cluster=np.repeat([0, 1], 30))
    table["fvc"] += 1000 * table["cluster"]
    table.loc[:2, "fvc"] = np.nan
    ways = (stats.outcomes.outcome_associations, stats.outcomes.adjusted_means)
    associations, means = (way(table, {"properties": rules}) for way in ways)
    models = stats.outcomes.compare_models(table, {"properties": rules}, n_bootstrap=0)
    found = found_of(
        associations=associations, adjusted_means=means, model_comparison=models,
        assignments=table[["cluster"]],
    )  # fmt: skip
    exact = associations[associations["part"] == "pairwise"]["difference"].tolist()
    told = outcomes.make(found)[-1].cells["Difference"].tolist()
    assert told == [f"{float(f'{exact[0]:.3g}'):.0f}", f"{exact[1]:.2f}"]


@pytest.mark.parametrize(
    ("covariates", "words"),
    [((), "the mean alone"), (("scanner",), "Scanner"), (None, "demographics")],
)
def test_nothing_is_called_demographics_that_is_none(quick, covariates, words):
    rng = np.random.default_rng(5)
    rules = {
        "fvc": {"type": "number", "x-role": "outcome"},
        "age": {"type": "number", "x-role": "demographic"},
        "scanner": {"enum": ["A", "B"], "title": "Scanner", "x-role": "scanner"},
        "stage": {"enum": [0, 1], "x-role": "staging"},
    }
    clusters = np.repeat([0, 1], 30)
    table = pd.DataFrame({name: rng.normal(50, 9, 60) for name in ("fvc", "age")})
    table = table.assign(cluster=clusters, scanner=["A", "B"] * 30, stage=[0, 0, 1, 1] * 15)
    schema, adjust = {"properties": rules}, {"covariates": covariates}
    ways = (stats.outcomes.outcome_associations, stats.outcomes.adjusted_means)
    tables = [way(table, schema, **adjust) for way in ways]
    beside = stats.outcomes.compare_partitions(
        table, schema, pd.DataFrame({"density": clusters}), **adjust
    )
    same = agreement(pd.DataFrame({"density": clusters}), clusters)
    found = found_of(
        associations=tables[0], adjusted_means=tables[1],
        model_comparison=stats.outcomes.compare_models(table, schema, n_bootstrap=9, **adjust),
        assignments=table[["cluster"]], partitions_compared=beside, baseline_comparison=beside,
        agreement=same, agreement_said="The same.",
        records={"09_associations": {"parameters": {}}},
    )  # fmt: skip
    blocks = outcomes.make_models(found)
    assert blocks[0].text.startswith(f"Adding the cluster to {words} explained")
    figure = outcomes.make(found)[0].caption
    assert ("not those of the patients" in figure) == ("without covariates" not in figure)
    assert blocks[3].caption == f"R² that the cluster adds to {words}."
    assert len(blocks[3].cells) == 1
    explained = baselines_section.make(found)[-1]
    assert explained.notes[0].startswith(f"Adjusted R² of {words} with the groups")
    told = f"{blocks}{explained}{methods_section.make(found)}"
    assert ("emographics" in told) == (covariates is None)


@pytest.mark.parametrize("whole", range(5, 16))
def test_masked_counts_have_more_than_one_solution(whole):
    """Tried with all numbers that say the same: 12 as three below 5 can only be 4, 4 and 4."""
    ways: dict[tuple, list] = {}
    for numbers in np.ndindex(*[whole + 1] * 3):
        if sum(numbers) == whole:
            ways.setdefault(tuple(counts(numbers, small=False)), []).append(numbers)
    for told, those in ways.items():
        for place, (word, could_be) in enumerate(zip(told, zip(*those, strict=True), strict=True)):
            few = {n for n in could_be if 0 < n < 5}
            assert not few or (word in ("masked", "fewer than 5") and len({*could_be}) > 1), (
                told, those, place,
            )  # fmt: skip


def test_a_few_that_lack_a_value_are_not_told_by_who_has_it():
    rows = np.arange(48)
    qc = pd.DataFrame(
        {
            "subject_id": [f"S{i}" for i in rows],
            "status": "ok",
            "reason": np.where(rows < 46, "lung volume 900 ml", None),
            "decision": np.where(rows < 4, "accept", np.where(rows < 8, "reject", None)),
            "dice": np.where(rows < 46, 0.9 + rows / 1000, np.nan),
            "filled_fraction": 0.1,
        }
    )
    made = quality.make(found_of(qc=qc))
    few = "A person decided about some scans: fewer than 5 accepted, fewer than 5 rejected, 0"
    assert few in made[0].text
    assert made[1].cells["Scans"].tolist() == ["masked"]
    assert made[2].cells["Scans"].tolist() == ["masked", "48"]
    shown = quality.make(found_of(qc=qc, small_counts=True))
    assert "about 8 scans: 4 accepted, 4 rejected" in shown[0].text
    assert shown[2].cells["Scans"].tolist() == ["46", "48"]
    people = pd.DataFrame({"subject_id": qc["subject_id"], "cluster": CLUSTERS})
    people["scanner"] = np.where(rows < 46, KERNELS, None)
    rules = {"scanner": {"enum": ["B30", "B70"], "x-role": "scanner"}}
    values = {"people": people, "qc": qc, "contract": {"properties": rules}}
    for small, n in ((False, "masked"), (True, "46")):
        cells = scanners.make(found_of(**values, small_counts=small))[-1].cells.set_index("")
        assert cells.loc["Scanner", "Scans"] == n


def test_a_mean_of_few_probabilities_is_not_shown():
    def clusters_of(*sizes, **settings):
        assigned = pd.DataFrame({"cluster": np.repeat(range(len(sizes)), sizes), "confidence": 0.8})
        return clusters.make(found_of(assignments=assigned, **settings))[0].cells

    told = clusters_of(3, 45)
    assert told["Scans"].tolist() == ["fewer than 5", "masked"]
    assert told["Mean probability"].tolist() == ["masked", "0.80"]
    assert clusters_of(4, 4, 4)[["Scans", "Mean probability"]].eq("masked").all(axis=None)
    assert clusters_of(3, 45, small_counts=True)["Mean probability"].tolist() == ["0.80"] * 2


def test_a_test_is_told_of_the_number_that_it_tested(study):
    choice = study.read("choice")
    rule = choice["recommended"]
    test = {"n_clusters": 3, "p_value": rule["p_value"], "n_scans": 30, "is_between": None}
    test |= {"stability": "stable", "agreement": 0.97}
    by_hand = choice | {"n_clusters": 4, "decided_by": "A. Reader", "test": test}

    def points():
        return " ".join(p for b in number.make(collect(study)) if hasattr(b, "points")
                        for p in b.points)  # fmt: skip

    study.write("choice", by_hand)
    assert "held to the same test" not in points() and "Partitions of" not in points()
    study.write("choice", by_hand | {"n_clusters": 3})
    assert "held to the same test: p = .012" in points(), "also where it is the p of the rule's"
    of_three = {"recommended": rule | {"n_clusters": 3}, "n_clusters": 3, "decided_by": "rule"}
    study.write("choice", choice | of_three | {"test": test | {"p_value": 0.75}})
    assert "held to the same test: p = .75" in points(), "the rule saw them from elsewhere"
    study.write("choice", choice)
    assert "held to the same test" not in points()
    study.write("choice", by_hand | {"n_clusters": 3})
    assert "Partitions of resampled scans are stable" in points()
    assert "as split as these scans: p = .012" in points()
    study.write("choice", choice | {"recommended": rule | {"p_of_pair": True}})
    assert "as split as the two clusters hardest to tell apart: p = .012" in points()
    study.write("choice", choice | {"test": choice["test"] | {"is_between": False}})
    elsewhere = "The gap that was seen is not between these clusters"
    assert elsewhere in points()
    assert any(point.startswith(elsewhere) for point in limits.make(collect(study))[1].points)


def test_what_comes_back_as_one_cloud_does_is_not_called_unstable(study):
    """An index of 0.96 beside "unstable" says two things at once."""
    test = {"n_clusters": 2, "p_value": 0.4, "stability": "unstable", "agreement": 0.96}
    study.write("choice", study.read("choice") | {"test": test})
    found = collect(study)
    cloud = "scans come back, but no better than those of one cloud of the same shape"
    told = [p for b in number.make(found) if hasattr(b, "points") for p in b.points]
    assert any(f"{cloud} (mean adjusted Rand index 0.96)." in point for point in told)
    assert f"Partitions of resampled {cloud}." in limits.make(found)[1].points
    study.write("choice", study.read("choice") | {"test": test | {"agreement": 0.3}})
    assert "Partitions of resampled scans are unstable." in limits.make(collect(study))[1].points


def test_methods_say_what_was_run(whole):
    methods = words(page_of(whole), "methods")
    assert "4 and 8 channels, strides 2 and 2 and 60 features" in methods
    assert "at most 9 epochs and stopped after 3, with 10% of the scans kept aside" in methods
    assert "mean (-812.5 HU) and standard deviation (95.5 HU)" in methods
    assert "from 1 to 3" in methods and "weight 0.1, learning rate 0.0001" in methods
    assert "adjusted for Age" in methods.replace("adjusted for age", "adjusted for Age")
    assert "a grid of 14 × 14 × 14 voxels of 20 mm" in methods
    assert "seed 7 in every stage" in methods
    assert "On (not recorded) scans of each cluster" in methods  # not invented
    assert not re.search(r"\[@|None|nan", methods)
    numbers = [int(n) for n in re.findall(r"\[([\d, ]+)\]", methods) for n in n.split(",")]
    works = words(page_of(whole), "references")
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    assert "Ryan S, Carlson N" in works and "SyN" not in methods
    assert not re.search("Avants|ANTsX|antspyx", works + methods)  # affine fits are our own


def test_references_are_whole_and_none_is_left_over(whole):
    text = (whole.root / "report" / "references.bib").read_text("utf-8")
    keys = re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)
    assert set(keys) <= set(REFERENCES) and len(keys) == len(set(keys))
    assert text.count("{") == text.count("}")
    assert "author = {Hubert, L. and Arabie, P.}" in text
    assert "{CLAIM}" in text and "and others}" in text
    assert len(keys) == page_of(whole).split('class="works"')[1].count("<li>")


def tripod_numbers():
    """The 27 items as they were published; these have parts, the others none."""
    parts = {3: 3, 5: 2, 6: 3, 8: 3, 9: 3, 12: 7, 18: 6, 20: 3, 23: 2, 27: 3}
    lettered = {i: [f"{i}{letter}" for letter in "abcdefg"[:n]] for i, n in parts.items()}
    return [number for i in range(1, 28) for number in lettered.get(i, [str(i)])]


def test_checklists_have_every_item_and_name_who_writes_it(whole):
    items = words(page_of(whole), "items")
    assert len(CLAIM) == 44 and [n for n, _, _ in CLAIM] == [str(i) for i in range(1, 45)]
    assert [n for n, _, _ in TRIPOD] == tripod_numbers() and len(TRIPOD) == 52
    keys = {key for _, _, key in (*CLAIM, *TRIPOD)} - {""}
    assert keys <= set(states(whole))
    assert "35 Numbers included and excluded, with a flow chart “Who is in the study”" in items
    assert "44 Funding for the authors" in items


def test_the_same_study_gives_the_same_bytes(whole, study):
    first = {n: (whole.root / "report" / n).read_bytes() for n in FILES}
    shutil.rmtree(study.root / "report")
    assert main(["report", str(study.root)]) == 0  # in another place, at another time
    assert {n: (study.root / "report" / n).read_bytes() for n in FILES} == first


def test_nobody_and_no_place_is_in_the_bytes(whole):
    ids = [*whole.read("scans")["subject_id"], "PAT-9999"]
    folder = whole.root / "report"
    planted = ["DOE_JANE", "Jane Doe", "ACC-7781234", str(whole.root), str(whole.root.parent)]
    assert traces.find(folder, [*ids, *planted]) == []
    assert {p.name for p in folder.iterdir()} == set(FILES)


def test_the_manifest_keeps_its_contract(whole):
    told = manifest_of(whole)
    schema = json.loads((resources.schemas() / "manifest.schema.json").read_text())
    assert [e.message for e in Draft202012Validator(schema).iter_errors(told)] == []
    stage = told["stages"]["03_autoencoder"]
    record = json.loads((whole.root / "03_autoencoder" / "stage.json").read_text())
    assert stage["outputs"] == {k: v["sha256"] for k, v in record["outputs"].items()}
    assert stage["parameters"]["channels"] == [4, 8] and stage["seed"] == 7
    assert {"platform", "threads", "blas", "device"} <= set(stage["machine"])
    assert told["choices"]["n_clusters"]["decided_by"] == "rule"
    assert told["choices"]["contract"]["properties"]["sex"]["x-role"] == "demographic"


def test_the_draft_has_the_tables_and_figures(whole):
    draft = draft_of(whole)
    texts = [p.text for p in draft.paragraphs]
    assert texts.index("Methods") < texts.index("Results") < texts.index("Limitations")
    first = [[c.text for c in t.rows[0].cells] for t in draft.tables]
    assert ["", "Scans", "Share", "Mean probability"] in first
    table_two = next(t for t in draft.tables if "Cluster 2" in [c.text for c in t.rows[0].cells])
    assert [c.text for c in table_two.rows[1].cells][:4] == ["Sample Size", "48", "20", "28"]
    captions = [t for t in texts if re.match(r"Figure \d+\. ", t)]
    assert len(captions) == len(draft.inline_shapes) == 5
    assert [t.split(".")[0] for t in captions] == [f"Figure {i}" for i in range(1, 6)]
    assert draft.core_properties.author == "" and draft.core_properties.created is None
    items = next(t for t in draft.tables if t.rows[0].cells[0].text == "Item")
    item, asked, where = (column.width for column in items.columns)
    assert item < asked / 4 and item < where / 4
    assert items.rows[0]._tr.trPr.xpath("w:tblHeader")  # again on the next page
    caption = next(p for p in draft.paragraphs if p.text.startswith("Table 1. "))
    assert caption.paragraph_format.keep_with_next


@pytest.mark.parametrize("last", ["01", "02", "05"])
def test_a_study_that_has_not_come_so_far_says_so(tmp_path, last, quick):
    study = report_study(tmp_path / "study", last=last)
    assert main(["report", str(study.root)]) == 0
    how = states(study)
    assert "failed" not in how.values() and how["table_two"] == "missing"
    assert (how["clusters"] == "made") == (last == "05")
    assert (how["flow"] == "made") == (last != "01")
    assert how["methods"] == ("missing" if last == "01" else "partial")
    assert "Not run, and so not described: " in words(page_of(study), "methods") or last == "01"
    page = page_of(study)
    assert "08_table_one is missing" in words(page, "table_two")
    assert "(run notebook 08)" in words(page, "table_two")
    assert re.search(rf"{sum(s == 'missing' for s in how.values())} missing \(", page)
    assert 'data-whole="no"' in page
    assert "for the authors: “Who is in each cluster” could not be made" in words(page, "items")
    assert any("Not here: 08_table_one is missing" in p.text for p in draft_of(study).paragraphs)


def test_a_study_that_was_only_begun_has_no_report(tmp_path, capsys):
    study = Study.create(tmp_path / "study")
    assert main(["report", str(study.root)]) == 1
    assert "nothing to report yet" in capsys.readouterr().err
    assert not (study.root / "report").exists()


def test_methods_invent_no_number(study, quick):
    study.path("autoencoder_config").write_text("{}")
    history = study.read("pretraining_history")
    history.iloc[:0].to_csv(study.path("pretraining_history"), index=False)
    assert main(["report", str(study.root)]) == 0
    methods = words(page_of(study), "methods")
    assert "strides unknown and (not recorded) features" in methods
    assert "for at most 9 epochs, with" in methods


def test_one_cluster_is_told_as_such(study, quick):
    one = study.read("assignments").assign(cluster=0)
    one.to_csv(study.path("assignments"), index=False)
    study.write("choice", {"n_clusters": 1, "decided_by": "A. Reader", "reason": "as for PAT-0007"})
    assert main(["report", str(study.root)]) == 0
    page = page_of(study)
    assert "There is one cluster: nothing can be compared" in words(page, "clusters")
    assert "1 cluster, decided by A. Reader" in words(page, "number")
    assert "PAT-0007" not in page
    assert "failed" not in states(study).values()


def test_a_cluster_that_lost_its_scans_is_no_other_number(study, quick):
    one = study.read("assignments").assign(cluster=0)
    one.to_csv(study.path("assignments"), index=False)  # stage 05 no longer stands as it was run
    assert main(["report", str(study.root)]) == 0
    assert "decided since" not in words(page_of(study), "study")


def test_what_a_study_of_one_cluster_lacks_has_not_failed(study, quick):
    study.write("choice", {"n_clusters": 1, "decided_by": "A. Reader", "reason": "one cloud"})
    assert main(["report", str(study.root)]) == 0
    since = "decided since these 2 clusters were made: 1 cluster, decided by A. Reader"
    assert since in words(page_of(study), "study")
    for stage in ("05_clusters", "06_clam", "08_table_one", "09_associations"):
        shutil.rmtree(study.root / stage)
    path = study.root / "notebooks" / "05_clusters.ipynb"
    book = nbformat.read(path, as_version=4)
    stop = nbformat.v4.new_output("error", ename="ValueError", evalue="one", traceback=[])
    next(cell for cell in book.cells if cell.cell_type == "code").outputs = [stop]
    nbformat.write(book, path)
    assert main(["report", str(study.root)]) == 0
    assert "failed" not in states(study).values()
    page = page_of(study)
    assert "decided since" not in page
    why = "05_clusters was not made: one cluster was decided, and there is nothing to compare"
    assert why in words(page, "clusters") and "run notebook 05" not in page
    assert "nothing is shown of it" in words(page, "run")


def test_a_report_of_an_earlier_state_is_told(study, quick, capsys):
    def told():
        main(["status", str(study.root)])
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("report")]

    assert told() == []
    choice = study.read("choice")
    study.write("choice", choice | {"decided_by": "A. Reader", "reason": "as I see it"})
    assert len(said := told()) == 1 and "an earlier state of 04_n_clusters/choice.json:" in said[0]
    record = json.loads((study.root / "08_table_one" / "stage.json").read_text("utf-8"))
    record["outputs"]["table_one"]["sha256"] = 64 * "0"  # as if it had been run again
    (study.root / "08_table_one" / "stage.json").write_text(json.dumps(record))
    assert "of 08_table_one, 04_n_clusters/choice.json: run 'clamlab report" in told()[0]
    assert main(["report", str(study.root)]) == 0
    capsys.readouterr()
    assert told() == []
    (study.root / "report" / "manifest.json").write_text("{}")
    assert "cannot be read" in told()[0]


def test_what_was_tampered_with_is_told(study, quick):
    path = study.path("table_one")
    path.write_text(path.read_text().replace("48", "84"))
    assert main(["report", str(study.root)]) == 0
    assert states(study)["table_two"] == "stale"
    assert "08_table_one is altered: table_one.csv is not what" in words(
        page_of(study), "table_two"
    )
    assert "08_table_one is altered" in words(page_of(study), "run")
    assert "(stale)" in words(page_of(study), "items")
    assert "2 stale (Who is in each cluster; Methods, as they were run)" in page_of(study)


def test_a_measure_that_was_changed_beside_the_decision_is_told(study, quick):
    choice = study.read("choice")
    study.write("choice", choice | {"decided_by": "A. Reader", "reason": "as I see it"})
    assert main(["report", str(study.root)]) == 0
    assert states(study)["number"] == "made"
    study.write("choice", choice | {"test": choice["test"] | {"p_value": 0.0006}})
    assert main(["report", str(study.root)]) == 0
    assert states(study)["number"] == "stale"
    told = "04_n_clusters is altered: what was measured in choice.json (recommended, test) is not"
    assert told in words(page_of(study), "number")


def test_a_file_that_lacks_a_column_leaves_the_rest(study, capsys, quick):
    path = study.root / "02_volumes" / "qc.csv"
    pd.read_csv(path).drop(columns="decision").to_csv(path, index=False)
    assert main(["report", str(study.root)]) == 3
    page = page_of(study)
    assert "flow could not be worked out from the study" in words(page, "flow")
    assert "1 failed (Who is in the study)" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{", '{"stage": "08_table_one"}'])
def test_a_broken_record_fails_its_own_sections_and_leaves_the_rest(study, capsys, quick, content):
    (study.root / "08_table_one" / "stage.json").write_text(content)
    assert main(["report", str(study.root)]) == 3
    assert "2 failed (Who is in each cluster; Methods" in capsys.readouterr().out
    page = page_of(study)
    assert "stage.json is not what clamlab wrote there" in words(page, "table_two")
    assert "08_table_one is altered" in words(page, "run")
    assert str(study.root) not in page
    assert states(study)["maps"] == "made"


def test_a_section_that_fails_says_so_and_the_rest_is_made(study, monkeypatch, capsys, quick):
    (study.path("averages") / "hu_overall.nii.gz").write_bytes(b"torn")
    monkeypatch.setattr("clamlab.report.sections.table_two.render_table_one", lambda _: 1 / 0)
    assert main(["report", str(study.root)]) == 3
    failed = "2 failed (What drives the assignment; Who is in each cluster)"
    assert failed in capsys.readouterr().out
    page = page_of(study)
    assert "could not be made. ZeroDivisionError" in words(page, "table_two")
    assert "No averages:" in words(page, "maps") and "hu_overall" in words(page, "maps")
    assert states(study)["outcomes"] == "made"


def test_a_table_without_outcomes_or_scanner_facts(tmp_path):
    """What every report is made of may be empty."""
    stages = pd.DataFrame(
        {"stage": ["05_clusters"], "status": ["fresh"], "why": [""], "finished": None}
    )
    table = pd.DataFrame({"subject_id": list("abcdefgh"), "cluster": [0, 1] * 4})
    qc = table[["subject_id"]].assign(status="ok", reason=None)
    found = Found("bare", stages, {"people": table, "qc": qc, "contract": {}, "assignments": table})
    page = to_page(report_of(found))
    assert "not known: no fact could be compared" in words(page, "scanners")
    assert "none raises an alarm" not in page
    assert "not known: no fact could be compared" in words(page, "limits")
    assert "How the scans were made is not recorded" in words(page, "quality")


def test_a_fact_of_table_and_scans_is_named_by_where_it_stands():
    n = 20
    people = pd.DataFrame(
        {
            "subject_id": [f"s{i}" for i in range(n)],
            "cluster": [0, 1] * 10,
            "kernel": ["a", "b"] * 10,
        }
    )
    qc = people[["subject_id"]].assign(status="ok", kernel=["B30", "B70"] * 10)
    contract = {"properties": {"kernel": {"type": "string", "x-role": "scanner"}}}
    found = Found("x", pd.DataFrame(), {"people": people, "qc": qc, "contract": contract})
    table = scanners.make(found)[-1]
    assert sorted(table.cells[""]) == ["Kernel (in the table)", "Kernel (of the scan)"]


def test_a_draft_that_a_person_went_on_with_is_kept(study, capsys, quick):
    path = study.root / "report" / "report.docx"
    path.write_bytes(b"my own words")
    assert main(["report", str(study.root)]) == 1
    assert "was changed since" in capsys.readouterr().err
    assert path.read_bytes() == b"my own words"
    path.rename(path.with_name("mine.docx"))
    assert main(["report", str(study.root)]) == 0
    assert path.with_name("mine.docx").read_bytes() == b"my own words"


def test_a_report_stopped_between_its_files_is_made_whole_by_the_next(
    study, monkeypatch, quick, capsys
):
    before = page_of(study)
    study.update(name="renamed")

    def stopped(temporary, path):
        if path.name != "report.html":
            raise KeyboardInterrupt
        put_in_place(temporary, path)

    with monkeypatch.context() as patched:
        patched.setattr("clamlab.cli.report.put_in_place", stopped)
        assert main(["report", str(study.root)]) == 130
    assert "stopped; run the same command again" in capsys.readouterr().err
    assert page_of(study) != before  # a new page beside an old manifest
    assert main(["report", str(study.root)]) == 0
    told = manifest_of(study)["report"]["files"]
    assert {
        name: sha256((study.root / "report" / name).read_bytes()).hexdigest() for name in told
    } == told
    assert sorted(p.name for p in (study.root / "report").iterdir()) == sorted(FILES)


def test_a_report_is_no_stage(whole, study):
    (study.root / "report" / "report.html").write_text("anything")
    assert study.status()["status"].tolist() == whole.status()["status"].tolist()


def test_a_report_that_would_name_somebody_is_not_written(study, capsys, quick):
    study.update(name="of Jane")
    before = page_of(study)
    contract = study.root / "schemas" / "participants.schema.json"
    text = contract.read_text()
    contract.write_text(text.replace('"title":"participants"', '"title":"PAT-0007"'))
    files, _ = made_of(study)
    assert b"(a subject)" in files["report/manifest.json"]  # texts of the study are cleaned
    table = study.read("table_one").replace({"title": {"age": "PAT-0007"}})
    table.to_csv(study.path("table_one"), index=False)
    assert main(["report", str(study.root)]) == 1
    assert "would name subjects: 'PAT-0007'" in capsys.readouterr().err
    assert page_of(study) == before


def called(study, names):
    """Give the first subjects other ids, in all tables of a study."""
    for path in study.root.rglob("*.csv"):
        text = path.read_text("utf-8")
        for i, name in enumerate(names):
            text = text.replace(f"PAT-{i:04}", name)
        path.write_text(text, "utf-8")


def test_words_of_the_program_name_nobody_who_is_called_so(study, quick, capsys):
    """Of HC3 a sentence of the methods, H2 is a tag of the page, 3a an item, 1 a level."""
    called(study, ["HC3", "HC1", "H2", "3a", "1", "2", "rule"])
    study.update(visit="1")
    contract = study.root / "schemas" / "participants.schema.json"
    rules = json.loads(contract.read_text())
    grade = {"title": "as of HC1", "enum": ["1", "2", "3"], "x-reference": "1"}
    rules["properties"]["grade"] = grade | {"x-role": "staging", "x-units": "1"}
    contract.write_text(json.dumps(rules))
    record = study.root / "09_associations" / "stage.json"
    run = json.loads(record.read_text())
    run["parameters"] = {"covariance": "HC3", "mapped": "fvc", "mine": "as HC3"}
    record.write_text(json.dumps(run))
    explored = study.root / "07_explore" / "stage.json"
    explored.parent.mkdir(exist_ok=True)
    explored.write_text(json.dumps({"inputs": {}, "outputs": {}, "parameters": {"scans": ["1"]}}))
    as_run(study, "09_associations", "a.py:1: UserWarning: HC3 does not exist for HC3\n")
    assert main(["report", str(study.root)]) == 0
    assert "do not assume equal variances (HC3)" in words(page_of(study), "methods")
    assert "UserWarning: HC3 does not exist for (a subject)" in words(page_of(study), "run")
    told = manifest_of(study)
    kept = told["stages"]["09_associations"]["parameters"]
    assert kept == {"covariance": "HC3", "mapped": "fvc", "mine": "as (a subject)"}
    assert told["stages"]["07_explore"]["parameters"] == {"scans": ["(a subject)"]}
    grade["title"] = "as of (a subject)"
    assert told["choices"]["contract"]["properties"]["grade"].items() >= grade.items()
    assert told["choices"]["n_clusters"]["decided_by"] == "rule"
    assert told["study"]["settings"]["visit"] == "1"
    manifest = study.root / "report" / "manifest.json"
    plan = read_plan(manifest, last="09", given={})
    assert plan.parameters["09_associations"]["COVARIANCE"] == "HC3"
    kept["covariance"] = "(a subject)"  # as a version before wrote it: no default in its place
    (study.root / "before.json").write_text(json.dumps(told))
    with pytest.raises(StudyError, match="say what it was with -p COVARIANCE=VALUE"):
        read_plan(study.root / "before.json", last="09", given={})
    # And where the study itself tells of one of them, the report is not written.
    table = study.read("table_one").replace({"title": {"age": "age of HC3, H2, 3a and HC1"}})
    table.to_csv(study.path("table_one"), index=False)
    assert main(["report", str(study.root)]) == 1
    refused = capsys.readouterr().err
    assert all(f"'{name}' in report.html" in refused for name in ("HC3", "H2", "3a", "HC1"))


def test_an_export_takes_a_report_without_who_decided(study, tmp_path, quick):
    study.write("choice", {"n_clusters": 2, "decided_by": "dr.smith", "reason": "as for Jane Doe"})
    assert main(["report", str(study.root)]) == 0
    assert "decided by dr.smith" in page_of(study) and "Jane Doe" not in page_of(study)
    folder = tmp_path / "paper"
    stale = "05,06,08,09"
    assert main(["export", str(study.root), str(folder), "--stale", stale]) == 0
    page = (folder / "report" / "report.html").read_text("utf-8")
    assert "decided by a person" in words(page, "number")
    told = pd.read_csv(folder / "05_clusters" / "baselines.csv").set_index("title")
    assert told.loc["mean lung density", "adjusted_rand"] == 0.837
    assert told.loc["site", "adjusted_rand"] == 0.6  # which scans of a site is not told
    assert told["n"].isna().tolist() == [False, True, False, False, False]
    compared = pd.read_csv(folder / "09_associations" / "baseline_comparison.csv")
    assert compared.groupby("outcome")["adjusted_r2"].count().to_dict() == {"dlco": 0, "fvc": 7}
    assert not list(folder.rglob("baseline_partitions*"))
    assert traces.find(folder, ["dr.smith", "Jane Doe", *study.read("scans")["subject_id"]]) == []


def test_nothing_in_an_export_confirms_a_guessed_file(whole, tmp_path, capsys):
    """A small file with persons, guessed whole, would have the sha256 that a manifest tells."""
    known = {
        sha256(path.read_bytes()).hexdigest()
        for path in whole.root.rglob("*")
        if path.is_file() and path.parent.name != "report"
    }
    own = manifest_of(whole)
    records = [told for told in own["stages"].values() if "outputs" in told]
    known |= {sha for told in records for kind in TOLD_BY_HASH for sha in told[kind].values()}
    assert len(known) > 40
    assert main(["export", str(whole.root), str(tmp_path / "paper")]) == 0
    written = [path for path in (tmp_path / "paper").rglob("*") if path.is_file()]
    told = "".join(path.read_bytes().decode("latin-1") for path in written)
    assert [sha for sha in known if sha in told] == []
    manifest = tmp_path / "paper" / "report" / "manifest.json"
    schema = json.loads((resources.schemas() / "manifest.schema.json").read_text())
    handed = json.loads(manifest.read_text("utf-8"))
    assert [e.message for e in Draft202012Validator(schema).iter_errors(handed)] == []
    assert [s["parameters"] for s in handed["stages"].values() if "parameters" in s] == [
        told["parameters"] for told in records
    ]
    with pytest.raises(StudyError, match="of an export.*report/manifest.json of the study"):
        read_plan(manifest, last="09", given={})


def test_a_withdrawal_takes_the_report_away(study, capsys, quick):
    (study.root / "report" / "mine.docx").write_bytes(b"my own words")
    assert main(["withdraw", str(study.root), "PAT-0007"]) == 0
    said = capsys.readouterr().out
    assert "files of the study's report: 4" in said and "mine.docx" in said
    assert [p.name for p in (study.root / "report").iterdir()] == ["mine.docx"]
    # What had been learned from who withdrew does not come back with the next report.
    assert main(["report", str(study.root)]) == 0
    how = states(study)
    assert how["table_two"] == how["clusters"] == how["outcomes"] == "missing"
    assert "subjects have withdrawn" in words(page_of(study), "table_two")


def as_run(study, stage, text, *, error=None):
    """Leave in a stage's notebook what a cell printed, and the error that it stopped with."""
    path = study.root / "notebooks" / f"{stage}.ipynb"
    book = nbformat.read(path, as_version=4)
    cell = next(c for c in book.cells if c.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text=text)]
    if error:
        cell.outputs.append(nbformat.v4.new_output("error", ename=error, evalue="of PAT-0007"))
    nbformat.write(book, path)


def test_stages_of_several_versions_of_any_package_are_told():
    records = {
        "02_volumes": {"versions": {"numpy": "2.3", "antspyx": "0.6.1"}},
        "09_associations": {"versions": {"numpy": "2.3", "antspyx": "0.6.3", "numba": "0.68"}},
    }
    stages = pd.DataFrame({"stage": list(records), "status": "fresh", "why": ""})
    found = Found("lungs", stages, {}, records=records)
    assert run_section.warnings_of(found) == [
        "Stages were run with several versions of antspyx: 02_volumes 0.6.1 and "
        "09_associations 0.6.3."
    ]


def test_warnings_of_the_notebooks_are_told_once_without_whom(study, quick):
    text = (
        "\r60%|##  | 3/5/opt/venv/a.py:7: UserWarning: 3 of 48 scans of PAT-0007 in "
        "/data/DOE_JANE/x hold 'Doe' (9 clusters)\n  warn(said)\n"
    )
    logged = "ERROR:pydicom:header of PAT-0007 is torn\nINFO:pydicom:all read\n"
    as_run(study, "05_clusters", text + text + logged + "not a warning\n")
    assert main(["report", str(study.root)]) == 0
    run = words(page_of(study), "run")
    told = "05_clusters warned: UserWarning: a few of 48 scans of (a subject) in x hold (…)"
    assert run.count(told) == 1 and "(9 clusters)." in run
    assert run.count("05_clusters warned: ERROR:pydicom:header of (a subject) is torn.") == 1
    assert "3 to look at:" in run  # and that stage 07 was not run
    assert "not a warning" not in run and "warn(said)" not in run and "all read" not in run
    assert main(["report", str(study.root), "--small-counts"]) == 0
    assert "UserWarning: 3 of 48 scans" in words(page_of(study), "run")


def test_that_nothing_warned_is_said_only_of_notebooks_that_hold_their_outputs(study):
    def said():
        found = collect(study)
        stands = found.stages.assign(status="fresh", why="")
        blocks = run_section.make(replace(found, stages=stands, values={}))
        return found.notices, [getattr(block, "text", "") for block in blocks]

    notices, texts = said()
    assert notices == () and "Every stage stands, and none has a warning." in texts
    for stage in ("05_clusters", "09_associations"):
        assert clear_notebook(study.root / "notebooks" / f"{stage}.ipynb")
    (study.root / "notebooks" / "08_table_one.ipynb").unlink()
    notices, texts = said()
    assert notices == (
        "05_clusters, 08_table_one, 09_associations: what the run warned of is not known, since "
        "no outputs are left in the notebook (cleared, or copied anew).",
    )
    assert "Every stage stands, and none has a warning." not in texts


def test_notes_of_the_tables_stand_with_the_run(whole):
    run = words(page_of(whole), "run")
    assert "Notes in the tables" in run and "are masked" not in run
    assert "05_clusters: lung volume: not known of all scans." in run  # of 46 of 48
    # The outcome is masked, and a note on who has a value of it would tell what the mask hides.
    assert "group 2 has no complete row" in str(whole.read("baseline_comparison")["note"].tolist())
    assert "group 2 has no complete row" not in run


def test_a_note_says_of_which_outcome_or_grouping_it_is():
    from clamlab.report.sections.noted import notes_of

    stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    rows = [(way, outcome) for way in ("clusters", "site") for outcome in ("FVC", "CRP")]
    compared = pd.DataFrame(rows, columns=["partition", "title"])
    compared["note"] = ["all; a", "all", "all; a; b", "all; b"]
    found = Found("x", stages, {"partitions_compared": compared}, small_counts=True)
    assert notes_of(found) == [
        "09_associations: all.", "09_associations: FVC: a.", "09_associations: site: b.",
    ]  # fmt: skip


def test_a_notebook_that_stopped_is_told_with_its_stage(study, quick, capsys):
    as_run(study, "09_associations", "", error="ZeroDivisionError")
    assert main(["report", str(study.root)]) == 0  # what an earlier run wrote stands
    run = words(page_of(study), "run")
    assert "09_associations: its notebook stopped with ZeroDivisionError" in run
    shutil.rmtree(study.root / "09_associations")
    assert main(["report", str(study.root)]) == 3
    why = "09_associations is missing: its notebook stopped with ZeroDivisionError"
    assert why in words(page_of(study), "outcomes")
    assert states(study)["outcomes"] == states(study)["models"] == "failed"
    assert states(study)["table_two"] == "made"


def test_reasons_are_told_by_kind_alone():
    assert kind_of("DOE_JANE/7 could not be read") == "another reason"
    assert "Jane" not in kind_of("a person rejected it: as Jane Doe said")


def test_a_page_that_would_be_too_large_keeps_its_pictures(whole, monkeypatch):
    report = report_of(collect(whole))
    monkeypatch.setattr("clamlab.report.page.LARGEST", 100_000)
    page = to_page(report)
    assert "<iframe" not in page and "<img" in page and "too large" in page


def test_what_was_found_is_all_that_a_section_needs():
    stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    section = Section("a", "A", lambda found: found.need("absent"), needs=())
    [part] = compose(Found("x", stages, {}, {"absent": "not run"}), [section])
    assert (part.state, part.why) == ("missing", "not run")


def test_the_page_opens_from_a_file_and_asks_for_nothing(whole, page):
    page.goto((whole.root / "report" / "report.html").as_uri())
    assert page.title() == "Report of the study Lungs <2026>"
    assert page.locator("h1").inner_text() == "Lungs <2026>"
    links = page.locator("nav a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert len(links) == 16
    assert all(page.locator(link).count() == 1 for link in links)
    widths = page.locator("figure img").evaluate_all("all => all.map(i => i.naturalWidth)")
    assert len(widths) == 5 and min(widths) > 500
    page.locator("details.explored summary").click()
    frame = page.frame_locator("details.explored iframe")
    frame.locator("canvas").first.wait_for()
    frame.get_by_role("button", name="Cluster 2").click()
    assert "Cluster 2" in frame.locator("#clam-place").inner_text()
    cut = "all => all.filter((box) => box.scrollWidth > box.clientWidth).length"
    for width in (1100, 1280):  # half a large screen, a small one
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator(".table").evaluate_all(cut) == 0
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_clusters_of_a_few_show_no_average(study, quick):
    few = np.where(np.arange(len(CLUSTERS)) < 3, 0, 1)
    study.read("assignments").assign(cluster=few).to_csv(study.path("assignments"), index=False)
    assert main(["report", str(study.root)]) == 0
    page = page_of(study)
    assert "<img" not in re.search(r'<section id="maps".*?</section>', page, re.DOTALL)[0]
    assert "an average of so few shows persons" in words(page, "maps")
    assert "fewer than 5 masked" in words(page, "clusters")
    assert "2 clusters of fewer than 5 and masked scans" in words(page, "study")
    assert "an average of so few shows persons" in words(page, "outcomes")
    how = states(study)
    assert how["outcomes"] == how["models"] == "missing"
    assert "29 Uncertainty and significance for the authors" in words(page, "items")


def maps_of(sizes, clusters=CLUSTERS, **settings):
    """The section of maps whose averages were made of so many scans."""
    shown = {f"Cluster {k + 1}": np.zeros((2, 2, 2)) for k in range(len(sizes))}
    cards = {"cluster": range(len(sizes)), "kind": "activation", "n_scans": sizes}
    trust = pd.DataFrame(cards).assign(n_examined=6, verdict="Trust it for: marking places.")
    values = {"average_hu": shown, "average_map": shown, "lung_mask": np.ones((2, 2, 2), bool)}
    if clusters is not None:
        values["assignments"] = pd.DataFrame({"cluster": clusters})
    return maps.make(found_of(trust=trust, **values, **settings))


def test_averages_are_shown_where_their_own_sizes_and_those_of_today_are_known(quick):
    picture = maps_of([30, 18])[0]  # another run than today's
    assert "30 scans in cluster 1 and 18 scans in cluster 2" in picture.caption
    few = maps_of([2, 46])[0]
    assert "a cluster had fewer than 5 scans when they were made" in few.text
    assert "had when they were made is not known" in maps_of([np.nan, 46])[0].text
    assert "how many scans each cluster has is not known" in maps_of([20, 28], None)[0].text
    assert "2 scans in cluster 1" in maps_of([2, 46], None, small_counts=True)[0].caption


def cards_of(*verdicts, n_examined=10, **settings):
    rows = {"cluster": range(len(verdicts)), "kind": "contrast", "n_examined": n_examined}
    trust = pd.DataFrame(rows).assign(verdict=verdicts, n_scans=n_examined)
    return next(b for b in maps.make(found_of(trust=trust, **settings)) if hasattr(b, "cells"))


def test_what_a_card_says_beside_its_claims_is_no_claim():
    same, empty = (
        "The same places count against every rival: read the HU.",
        "3 of 10 maps are empty.",
    )
    told = cards_of(
        f"Trust it for: marking places; showing more. Do not trust it for: telling. {same} {empty}",
        f"Trust it for: marking places. {same}",
        "Every examined map is empty: it says nothing about this cluster.",
        small_counts=True,
    )
    assert told.cells["Trust it for"].tolist() == [
        "• marking places\n• showing more", "• marking places", "–",
    ]  # fmt: skip
    assert told.cells["Do not trust it for"].tolist() == ["• telling", "–", "–"]
    assert told.notes == [
        f"Cluster 1, contrast map: {same} {empty}",
        f"Cluster 2, contrast map: {same}",
        "Cluster 3, contrast map: Every examined map is empty: it says nothing about this cluster.",
    ]


def test_cards_of_a_few_scans_do_not_count_them():
    said = (
        "Trust it for: a. Judged on 2 scans: too few to decide a comparison. 1 of 3 maps are empty."
    )
    few = cards_of(said, n_examined=3)
    assert few.cells["Scans"].tolist() == ["fewer than 5"]
    assert "Judged on a few scans" in few.notes[0] and "some of a few maps" in few.notes[0]
    assert not re.search(r"[123](?! map|,)", few.notes[0].removeprefix("Cluster 1"))
    shown = cards_of(said, n_examined=3, small_counts=True)
    assert shown.cells["Scans"].tolist() == ["3"] and "1 of 3 maps" in shown.notes[0]


def test_means_of_outcomes_are_shown_as_averages_are():
    rows = {"part": "group", "outcome": "fvc", "group": [0, 1], "n": [2, 40], "n_missing": [0, 6]}
    values = {
        "associations": pd.DataFrame(rows),
        "assignments": pd.DataFrame({"cluster": CLUSTERS}),
    }
    assert "had fewer than 5 scans when" in outcomes.hidden(found_of(**values))
    values["associations"]["n"] += 6
    assert not outcomes.hidden(found_of(**values))
    for name in values:  # nobody knows of how many they were, or are
        others = {n: v for n, v in values.items() if n != name}
        assert "is not known" in outcomes.hidden(found_of(**others))


def test_what_other_groups_explain_is_masked_by_its_own_tables_or_not_told(study):
    moved = study.read("assignments").assign(cluster=1 - CLUSTERS)
    moved.to_csv(study.path("assignments"), index=False)
    found = collect(study)
    why = "09_associations was run with another assignments than there is now"
    assert found.get("partitions_compared") is None
    assert why in found.reasons["partitions_compared"]
    assert collect(study, small_counts=True).get("partitions_compared") is not None


EDITS = {
    "no cluster": ("assignments", {"cluster": [None] * 48}, "clusters"),
    "a cluster in words": ("assignments", {"cluster": ["α <b>"] * 48}, "maps"),
    "a p in words": ("associations", {"p": "tiny"}, "outcomes"),
    "no verdict": ("trust", {"verdict": None}, "maps"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_table_that_was_edited_out_of_its_contract_is_not_believed(study, quick, edit, capsys):
    name, columns, section = EDITS[edit]
    study.read(name).assign(**columns).to_csv(study.path(name), index=False)
    assert main(["report", str(study.root)]) == 3
    assert states(study)[section] == "failed"
    told = f"other cells or columns in {next(iter(columns))}; run notebook"
    assert told in words(page_of(study), section)
    assert "failed (" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_fails_what_stands_on_it(study, quick):
    study.path("stability").write_bytes(b"\x00\xff")
    assert main(["report", str(study.root)]) == 3
    page = page_of(study)
    assert "A part of this could not be made: 04_n_clusters/stability.csv" in words(
        page, "clusters"
    )
    assert "Cluster 1 20 42%" in words(page, "clusters")  # the rest stands


def test_what_is_lacking_of_one_cluster_is_named(study, quick):
    (study.path("averages") / "clam_cluster_2.nii.gz").unlink()
    study.read("stability").assign(agreement=None).to_csv(study.path("stability"), index=False)
    assert main(["report", str(study.root)]) == 0
    assert "No average scan or map of cluster 2." in words(page_of(study), "maps")
    assert "nan" not in words(page_of(study), "clusters")
    study.read("trust").iloc[1:].to_csv(study.path("trust"), index=False)
    assert main(["report", str(study.root)]) == 0
    told = words(page_of(study), "maps")
    assert "No trust card of cluster 1." in told
    assert "had when they were made is not known" in told  # it stands on the card


def test_a_run_that_was_killed_is_told_beside_the_one_that_stands(study, quick):
    (study.root / "09_associations" / "unfinished").mkdir()
    assert main(["report", str(study.root)]) == 0
    told = "09_associations stands, but a later run of it did not come to its end."
    assert told in words(page_of(study), "run") and states(study)["outcomes"] == "made"


def test_on_paper_the_number_of_a_work_is_whole(whole, page):
    """Left of the text, "12." needs room: what lies outside of the page's body is not printed."""
    page.goto((whole.root / "report" / "report.html").as_uri())
    page.emulate_media(media="print")
    room, needed = page.evaluate("""() => {
        const list = document.querySelector(".works"), ruler = document.createElement("span");
        ruler.textContent = "99. ";
        ruler.style.whiteSpace = "pre";
        list.firstElementChild.append(ruler);
        return [parseFloat(getComputedStyle(list).paddingLeft), ruler.offsetWidth];
    }""")
    assert room >= needed


def test_a_difference_is_printed_with_the_number_of_its_subjects(whole):
    """An outcome of ten rows has tests like any other, and only their number tells it apart."""
    made = whole.read("associations")
    tests = made[made["part"] == "omnibus"].set_index("title")["n"]
    shown = outcomes._table(made).cells.set_index("")["Subjects"]
    assert shown["fvc"] == str(int(tests["fvc"])) == "47"
    assert "fvc – 1 − 2" in words(page_of(whole), "outcomes")  # one is missing, so it is masked
