"""A participant withdraws: nothing stays, what was learned is stale, and no rerun undoes it."""

import gzip
import html
import io
import itertools
import json
import os
import shutil
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from clamlab import cells, resources, traces
from clamlab.cli import main
from clamlab.ingest.cohort.qc_pages import write_index
from clamlab.paths import path_part
from clamlab.study import ARTEFACTS, Study, StudyError
from clamlab.study.measured import output_of
from clamlab.study.withdrawal.remembering import remember, withdrawn
from clamlab.study.withdrawal.run import withdraw

ONE, STRANGE, NUMBER = "S-01", 'Ö/7 <&">', "12"
# Ids that hold others, one that a spreadsheet would run, and one with which nothing can be told.
IDS = [ONE, "S-010", "S-01-2", STRANGE, NUMBER, "=5+A1"]
PARTS = [path_part(i) for i in IDS]
# A kill at an fsync leaves what one at the following step leaves.
STEPS = ("replace", "unlink", "rmdir", "mkdir", "link")
KILLED = 9
LEARNED = ["02_volumes", "03_autoencoder", "04_n_clusters", "05_clusters", "08_table_one"]


def tables_of(ids):
    """Return every table and list of a study, by stage."""
    n, by_scan = len(ids), pd.DataFrame({"subject_id": ids})
    labels, history = by_scan.assign(cluster=0), pd.DataFrame({"epoch": [1], "loss": [0.5]})
    reasons = [None, f"the same image as {ids[0]}, 12 slices", *[None] * (n - 2)]
    nothing = {"n": 1, "p": 0.5, "difference": 0, "low": 0, "high": 0, "note": None}
    means = {"outcome": ["bmi"], "group": 0, "n": 1, "mean": 1, "low": 0, "high": 2, "response": 1}
    zone = {"side": "both", "zone": "all", "rule": "sum", "share": 0.5}
    verdict = {"cluster": [0], "kind": "activation", "n_examined": 1, "verdict": "none"}
    variable = {"part": ["Overall"], "variable": "age", "n": 1, "test": None, "p": None}
    fit = {"outcome": ["bmi"], "model": "clusters", "n": 1, "adjusted_r2": 0.1}
    baseline = dict.fromkeys(["n_clusters", "n_groups", "n", "adjusted_rand"], 1)
    baseline |= {"baseline": "volume", "title": "lung volume", "same": False, "note": None}
    rows = np.arange(n, dtype="float32")
    grid = rows[:, None, None, None] + np.zeros((1, 2, 2, 2))
    return {
        "00_simulate": {"simulated_participants": by_scan, "true_labels": labels},
        "02_volumes": {
            "scans": by_scan,
            "grid": {"spacing_mm": [3.0] * 3},
            "volumes": grid.astype("int16"),
            "lung_mask": np.ones((2, 2, 2), bool),
            "qc": by_scan.assign(status="ok", reason=reasons),
            "template_state": {"made_from": ids[1:4], "next": "done"},
        },
        "03_autoencoder": {
            "autoencoder": {"weight": np.ones(2, "float32")},
            "autoencoder_config": {"shape": [2, 2, 2]},
            "pretraining_history": history,
            "pretrained_features": rows[:, None],
        },
        "04_n_clusters": {
            "criteria": pd.DataFrame({"n_clusters": [1, 2], "silhouette": 0.3, "gap": 0.1}),
            "stability": labels.assign(agreement=1.0, borderline=False),
            "partitions": labels.assign(n_clusters=3, agreement=0.9, jaccard=0.8, apart=False),
            "choice": {"n_clusters": 2},
        },
        "05_clusters": {
            "deep_clustering": {"weight": np.ones(2, "float32")},
            "deep_clustering_config": {"shape": [2, 2, 2]},
            "clustering_history": history,
            "features": rows[:, None],
            "soft_assignments": rows[:, None],
            "assignments": labels.assign(confidence=0.9),
            "baselines": pd.DataFrame([baseline]),
            "baseline_partitions": by_scan.assign(
                density=0, volume=None, components=0, radiomics=1
            ),
        },
        "06_clam": {
            **dict.fromkeys(["channel_confidence", "maps", "unweighted", "contrast"], grid),
            "counterfactual_hu": grid.astype("int16"),
            "map_measures": pd.concat([by_scan, by_scan]).assign(**zone),
            "trust": pd.DataFrame(verdict),
        },
        "07_explore": {
            "notes": by_scan.assign(note="thick"),
            "groups": pd.concat([by_scan.assign(group=name) for name in ("dense", "all")]),
            "readings": by_scan.assign(reader="AB", score="fibrosis", value="2", repeat=1),
            "forced_choices": by_scan.assign(
                reader="AB", kind="counterfactual", about="cluster 2", side=1, correct="yes"
            ),
        },
        "08_table_one": {"table_one": pd.DataFrame(variable)},
        "09_associations": {
            "associations": pd.DataFrame({"part": ["omnibus"], "outcome": "bmi", **nothing}),
            "adjusted_means": pd.DataFrame(means),
            "model_comparison": pd.DataFrame(fit),
            "baseline_comparison": pd.DataFrame(fit).assign(partition="volume", exploratory=True),
        },
    }  # fmt: skip


FILES = {
    "00_simulate": {"simulated_scans": "{}/1.dcm", "truth": "{}_lesion.nii.gz"},
    "02_volumes": {"template": None, "qc_pages": "{}.png", "subjects": "{}/state.json"},
    "06_clam": {"averages": None},
    "07_explore": {
        **dict.fromkeys(("figure_7", "figure_8", "figure_9", "average_viewer", "person_viewer")),
        "group_figures": "{}/subjects.csv",
    },
    "08_table_one": {"table_one_print": None},
    "09_associations": {"figure_10": None},
}
RESTS_ON = {
    "02_volumes": ["cohort"],
    "03_autoencoder": ["volumes"],
    "04_n_clusters": ["pretrained_features"],
    "05_clusters": ["volumes", "choice"],
    "06_clam": ["features"],
    "07_explore": ["maps"],
    "08_table_one": ["assignments", "cohort"],
    "09_associations": ["assignments", "cohort"],
}


def packed(path, text):
    return gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode()


def write_stage(study, name, ids, **parameters):
    stage = study.stage(name, **parameters)
    for artefact in RESTS_ON.get(name, []):
        if study.path(artefact).exists():
            stage.read(artefact)
    for artefact, pattern in FILES.get(name, {}).items():
        place = stage.path(artefact)
        if pattern is None:
            within = ARTEFACTS[artefact].file
            end = ".svg" if within.endswith(".*") else ""
            place = Path(f"{place}{end}") if "." in within else place / "overall.nii.gz"
            place.write_bytes(packed(place, "of all"))
            continue
        for subject in ids:
            own = place / pattern.format(path_part(subject))
            own.parent.mkdir(exist_ok=True, parents=True)
            own.write_bytes(packed(own, f"of {subject}"))
    for artefact, value in tables_of(ids)[name].items():
        stage.write(artefact, value)
    if name == "02_volumes":
        decided = pd.DataFrame({"subject_id": ids, "decision": "reject", "series_number": None})
        reasons = stage.read("qc")["reason"]
        cells.write_csv(decided.assign(note="moved", reason=reasons), study.path("decisions"))
        assert len(stage.previous("decisions")) == len(ids)
        write_index(stage.read("qc").fillna({"reason": ""}), stage.path("qc_pages"))
    stage.publish()


def run_notebook_01(study, monkeypatch):
    """Run the cells of the notebook as they stand."""
    monkeypatch.chdir(study.root / "notebooks")
    names = {}
    for cell in nbformat.read(resources.notebooks() / "01_cohort.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source.replace("MIN_SUBJECTS = 12", "MIN_SUBJECTS = 0"), names)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that has every kind of file, its table and scans outside of it."""
    place = tmp_path_factory.mktemp("withdrawal")
    scans = place / "scans"
    scans.mkdir()
    for part in PARTS:
        (scans / f"{part}.nii.gz").write_bytes(b"")
    table = {"subject_id": IDS, "scan": [f"{p}.nii.gz" for p in PARTS], "age": range(60, 66)}
    pd.DataFrame(table).to_csv(place / "table.csv", index=False)
    made = ["init", f"{place}/study", "--participants", f"{place}/table.csv", "--scans", f"{scans}"]
    assert main([*made, "--path-column", "scan"]) == 0
    study = Study.open(place / "study")
    with pytest.MonkeyPatch.context() as patch:
        write_stage(study, "00_simulate", IDS)
        run_notebook_01(study, patch)
    for name in RESTS_ON:
        write_stage(study, name, IDS, scans=[ONE, "S-010"])
    add_what_runs_leave(study)
    assert set(states(study).values()) == {"fresh"}
    return study.root


def add_what_runs_leave(study):
    """Outputs that name everybody, copies of notebooks, and a training that was stopped."""
    path = study.root / "notebooks" / "01_cohort.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells[5].outputs = [new_output("stream", text=" ".join(IDS))]
    book.cells.append(new_code_cell(f"SCANS = {ONE!r}", metadata={"tags": ["injected-parameters"]}))
    nbformat.write(book, path)
    copies = study.root / "notebooks" / ".ipynb_checkpoints"
    copies.mkdir()
    shutil.copy(path, copies / "01_cohort-checkpoint.ipynb")
    (study.root / "03_autoencoder" / "unfinished").mkdir()
    (study.root / "03_autoencoder" / "unfinished" / "history.csv").write_text(ONE)
    (study.root / "03_autoencoder" / ".checkpoint.safetensors").write_bytes(b"half trained")


@pytest.fixture
def study(whole, tmp_path):
    return copied(whole, tmp_path / "study")


def copied(source, target):
    shutil.copytree(source, target, copy_function=shutil.copy2)
    return Study(target)


def states(study, *, verify=False):
    return dict(study.status(verify=verify).set_index("stage")["status"])


def ways(subject):
    """Every way in which a file of ours may write an id."""
    written = {subject, path_part(subject), html.escape(subject), quote(subject)}
    written |= {json.dumps(subject)[1:-1], subject.replace('"', '""')}
    return {way.encode(encoding) for way in written for encoding in ("utf-8", "utf-16-le")}


def traces_of(root, subject, others):
    """List files that hold an id, or are named by it; longer ids that hold it are cut out."""
    found, longer = [], [other for other in others if subject in other]
    for path in root.rglob("*"):
        data = os.fsencode(path.name)
        if path.is_file():
            content = path.read_bytes()
            data += b"\n" + (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
        for other in longer:
            for way in ways(other):
                data = data.replace(way, b"")
        if any(way in data for way in ways(subject)):
            found.append(path)
    return found


def contents(root):
    """Return all files but for times, the salt, and what follows from it."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or name.startswith((".lock", "withdrawn.json")):
            continue
        found[name] = path.read_bytes()
        if path.name == "stage.json":
            record = json.loads(found[name])
            for was in [
                w for part in ("inputs", "outputs", "scans") for w in record[part].values()
            ]:
                was.pop("stamp", None)
            record["inputs"].pop("outside:withdrawn", None)
            found[name] = record
    return found


@pytest.mark.parametrize("subject", [ONE, "S-01-2", STRANGE, "=5+A1"])
def test_nothing_of_a_subject_is_left(study, subject, capsys):
    others = [i for i in IDS if i != subject]
    assert traces_of(study.root, subject, others)
    assert main(["withdraw", str(study.root), "--", subject]) == 0
    assert traces_of(study.root, subject, others) == []
    said = capsys.readouterr().out
    assert "tells of them any more" in said
    assert str(study.settings["participants"]) in said
    assert "--from 02" in said


def test_all_others_stay_byte_for_byte(whole, study):
    assert main(["withdraw", str(study.root), ONE]) == 0
    before, after = contents(whole), contents(study.root)
    tables = [n for n in after if n.endswith(".csv") and b"subject_id" in after[n].splitlines()[0]]
    assert len(tables) == 16
    assert not study.path("group_figures").exists()  # averages of a few
    for name in tables:
        lines = before[name].splitlines(keepends=True)
        rest = [line for line in lines if line.strip().split(b",")[0] != ONE.encode()]
        left = b"".join(rest).replace(b"as S-01,", b"as (withdrawn),")
        assert after[name] == left, name
        assert (left != before[name]) == (name != "01_cohort/exclusions.csv")
    arrays = [n for n in after if n.endswith(".npy") and "mask" not in n]
    assert len(arrays) == 9
    for name in arrays:
        old, new = np.load(whole / name), np.load(study.root / name)
        assert new.dtype == old.dtype
        assert np.array_equal(new, old[1:]), name
    for name in after.keys() - {*tables, *arrays}:
        if not name.endswith(("stage.json", ".ipynb")) and not name.startswith("study.json"):
            changed = after[name] != before[name]
            assert changed == name.endswith("index.html"), name
    page = after["02_volumes/qc/index.html"].decode()
    assert page.count('{"id":') == len(IDS) - 1
    assert "the same image as (withdrawn), 12 slices" in page


def test_what_was_learned_is_stale_and_what_is_there_is_true(study):
    assert main(["withdraw", str(study.root), ONE]) == 0
    for verify in (False, True):
        now = states(study, verify=verify)
        assert now["00_simulate"] == now["01_cohort"] == "fresh"
        assert {now[stage] for stage in LEARNED} == {"stale"}
        # Averages go too: less the scans that stay, they are the scan that went.
        assert now["06_clam"] == now["07_explore"] == "partial"
    for name in ("features", "maps", "assignments", "volumes"):
        assert len(study.read(name)) == len(IDS) - 1
    assert not (study.root / "03_autoencoder" / "unfinished").exists()
    assert not (study.root / "03_autoencoder" / ".checkpoint.safetensors").exists()
    assert not (study.root / "notebooks" / ".ipynb_checkpoints").exists()
    record = json.loads((study.root / "05_clusters" / "stage.json").read_text())
    assert record["parameters"]["scans"] == ["S-010"]
    # And all that follows can be made again.
    ids = study.read("cohort")["subject_id"].tolist()
    for name in RESTS_ON:
        write_stage(study, name, ids)
    assert set(states(study).values()) == {"fresh"}


def test_the_template_goes_with_whoever_it_was_made_of(study):
    assert main(["withdraw", str(study.root), IDS[2]]) == 0
    for name in ("template", "template_state", "lung_mask"):
        assert not study.path(name).exists()
    assert states(study)["02_volumes"] == "partial"
    assert len(study.read("volumes")) == len(IDS) - 1


def test_what_a_person_had_altered_stays_altered(study):
    path = study.path("stability")
    path.write_text(path.read_text().replace("1.0", "0.9"))
    assert main(["withdraw", str(study.root), ONE]) == 0
    assert states(study)["04_n_clusters"] == "altered"
    assert ONE not in study.read("stability")["subject_id"].tolist()


def test_measures_without_who_left_are_what_stands_on_record(study):
    study.write("choice", {"n_clusters": 2, "recommended": {"apart": IDS[:2]}})
    path = study.root / "04_n_clusters" / "stage.json"
    record = json.loads(path.read_text())
    record["outputs"]["choice"] = output_of(ARTEFACTS["choice"], study.path("choice"))
    path.write_text(json.dumps(record))
    assert main(["withdraw", str(study.root), ONE]) == 0
    choice = study.read("choice")
    assert choice["recommended"] == {"apart": IDS[1:2]}
    assert states(study)["04_n_clusters"] == "stale"
    study.write("choice", choice | {"recommended": {"apart": []}})
    assert states(study)["04_n_clusters"] == "altered"


def test_the_outside_table_does_not_bring_a_subject_back(study, monkeypatch, capsys):
    assert main(["withdraw", str(study.root), ONE]) == 0
    cut = study.path("cohort").read_bytes()
    capsys.readouterr()
    run_notebook_01(study, monkeypatch)
    said = capsys.readouterr().out
    assert "1 withdrawn subject left out." in said
    assert f"{ONE}:" not in said
    assert study.path("cohort").read_bytes() == cut
    assert states(study)["01_cohort"] == "fresh"


def test_an_old_notebook_is_refused_and_its_output_names_nobody(study):
    everybody = study.read("cohort")
    assert main(["withdraw", str(study.root), ONE]) == 0
    for name in ("cohort", "exclusions"):
        with pytest.raises(
            StudyError, match=r"would hold 1 subject who withdrew .*\(row 1\)"
        ) as no:
            study.stage("01_cohort").write(name, everybody.assign(reason="none"))
        assert ONE not in str(no.value)
    with pytest.raises(StudyError, match="withdrew"):
        study.write("cohort", everybody)


def test_a_kernel_that_was_left_open_does_not_bring_a_subject_back(study):
    stage = study.stage("02_volumes")
    everybody = stage.read("cohort")
    assert main(["withdraw", str(study.root), ONE]) == 0
    with pytest.raises(StudyError, match="cohort was changed while 02_volumes ran"):
        stage.write("scans", everybody[["subject_id"]])


def test_who_is_no_longer_on_the_list_is_missing_from_a_stale_cohort(study):
    """A withdrawal that was a slip is undone in the file, and a rerun is asked for."""
    assert main(["withdraw", str(study.root), ONE]) == 0
    listed = study.root / "withdrawn.json"
    known = json.loads(listed.read_text())
    assert len(known["digests"]) == 1
    listed.write_text(json.dumps({**known, "digests": []}))
    assert states(study)["01_cohort"] == "stale"
    assert main(["withdraw", str(study.root), "S-010"]) == 0  # which does not hide it
    assert states(study)["01_cohort"] == "stale"
    listed.unlink()
    with pytest.raises(StudyError, match="withdrawn is not at"):
        study.stage("01_cohort")


def test_the_list_tells_no_names_and_who_has_the_table_can_ask(study):
    assert main(["withdraw", str(study.root), ONE, NUMBER]) == 0
    assert study.without_withdrawn(pd.DataFrame({"n": IDS}), "n")["n"].tolist() == [
        i for i in IDS if i not in (ONE, NUMBER)
    ]
    table = pd.DataFrame({"subject_id": [ONE, "S-01-2"], "reason": [None, "as S-01, not S-01-2"]})
    left = study.without_withdrawn(table)
    assert left["reason"].tolist() == ["as (withdrawn), not S-01-2"]
    known = json.loads((study.root / "withdrawn.json").read_text())
    assert known["digests"] == sorted(known["digests"])
    assert len(known["digests"]) == 2


def test_an_unknown_subject_is_refused_with_all_others_and_nothing_is_changed(study, capsys):
    before = contents(study.root)
    assert main(["withdraw", str(study.root), ONE, "S-99", "S-9"]) == 1
    assert "knows no subject 'S-99', 'S-9'" in capsys.readouterr().err
    assert contents(study.root) == before
    assert "withdrawing" not in study.settings
    assert main(["withdraw", str(study.root)]) == 1
    assert "no withdrawal" in capsys.readouterr().err


def test_a_withdrawal_that_was_stopped_is_told_and_nothing_leaves_the_study(
    study, tmp_path, capsys
):
    study.update(withdrawing=[ONE])
    told = f"a withdrawal from {study.root} has begun and not ended: finish it with 'clamlab withd"
    assert main(["status", str(study.root)]) == 0
    assert capsys.readouterr().out.startswith(told)
    for command in (["export", str(study.root), str(tmp_path / "out")], ["run", str(study.root)]):
        assert main(command) == 1
        assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["withdraw", str(study.root)]) == 0
    capsys.readouterr()
    assert main(["status", str(study.root)]) == 0
    assert "withdraw" not in capsys.readouterr().out


def test_an_id_that_is_a_number_is_not_looked_for_in_texts(study, capsys):
    assert main(["withdraw", str(study.root), NUMBER]) == 0
    said = capsys.readouterr().out
    assert "12 could stand anywhere by chance" in said
    assert not [p for p in study.root.rglob("*") if p.name.split(".")[0].split("_")[0] == NUMBER]
    for path in study.root.rglob("*.csv"):
        table = pd.read_csv(path, dtype=str)
        assert "subject_id" not in table or NUMBER not in table["subject_id"].tolist()
    assert "12 slices" in study.read("qc")["reason"].dropna().item()
    assert states(study)["02_volumes"] == "stale"


def test_two_at_once_leave_what_one_after_the_other_leaves(whole, study, tmp_path):
    other = copied(whole, tmp_path / "other")
    assert main(["withdraw", str(study.root), ONE, STRANGE]) == 0
    assert main(["withdraw", str(other.root), STRANGE]) == 0
    assert main(["withdraw", str(other.root), ONE]) == 0
    assert contents(study.root) == contents(other.root)
    assert study.read("volumes")[:, 0, 0, 0].tolist() == [1, 2, 4, 5]


def test_the_last_subject_of_all(study):
    assert main(["withdraw", str(study.root), *IDS[:-1]]) == 0
    assert study.read("volumes")[:, 0, 0, 0].tolist() == [5]
    assert main(["withdraw", str(study.root), IDS[-1]]) == 0
    assert len(study.read("cohort")) == len(study.read("volumes")) == len(study.read("notes")) == 0
    assert states(study)["01_cohort"] == "fresh"
    assert traces_of(study.root, IDS[-1], []) == []
    assert main(["withdraw", str(study.root), ONE]) == 0  # once more does no harm


def test_whose_scan_was_never_used_leaves_what_was_learned(whole, tmp_path):
    study = copied(whole, tmp_path / "study")
    stage = study.stage("01_cohort")
    stage.write("cohort", study.read("cohort"))
    stage.write("exclusions", pd.DataFrame({"subject_id": ["S-99"], "reason": ["no scan"]}))
    stage.publish()
    assert main(["withdraw", str(study.root), "S-99"]) == 0
    assert set(states(study).values()) == {"fresh"}
    assert traces_of(study.root, "S-99", []) == []


def test_arrays_of_another_list_of_scans_go_as_a_whole(study):
    """Whose row is whose cannot be told any more."""
    write_stage(study, "02_volumes", IDS[::-1])
    assert main(["withdraw", str(study.root), ONE]) == 0
    assert not study.path("features").exists() and not study.path("maps").exists()
    assert study.read("volumes")[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert states(study)["05_clusters"] == "partial"


def test_a_first_ingestion_that_was_stopped_keeps_its_work_on_others(study):
    folder = study.root / "02_volumes"
    shutil.rmtree(folder)
    for part in PARTS:
        own = folder / "unfinished" / "scans" / part
        own.mkdir(parents=True)
        (own / "state.json").write_text(part)
    (folder / "unfinished" / "scans.csv").write_text(ONE)
    assert main(["withdraw", str(study.root), ONE]) == 0
    assert sorted(p.name for p in (folder / "unfinished" / "scans").iterdir()) == sorted(PARTS[1:])
    assert [p.name for p in (folder / "unfinished").iterdir()] == ["scans"]


def test_what_is_a_persons_is_listed_and_left(study, capsys):
    (study.root / "letter.docx").write_bytes(zipped("word/document.xml", f"to {ONE}.".encode()))
    path = study.root / "notebooks" / "07_explore.ipynb"
    path.write_text(path.read_text().replace("None  # subject ids", f"('{ONE}',)  # of"))
    assert main(["withdraw", str(study.root), ONE]) == 1
    said = capsys.readouterr().err
    assert f"letter.docx: {ONE}" in said and f"notebooks/07_explore.ipynb: {ONE}" in said
    assert (study.root / "letter.docx").exists()
    (study.root / "letter.docx").unlink()
    path.unlink()
    assert main(["withdraw", str(study.root), ONE]) == 0


def zipped(name, data):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


def png_text(kind, data):
    return b"\x89PNG\r\n\x1a\n" + len(data).to_bytes(4) + kind + data + b"\x00" * 4


@pytest.mark.parametrize(
    "content",
    [
        b"of sub-007x.", "of SUB-007X".encode("utf-16"), b"\x00\x01sub-007x\x00",
        gzip.compress(gzip.compress(b"sub-007x")), zipped("a.zip", zipped("sub-007x.txt", b"")),
        png_text(b"zTXt", b"Title\x00\x00" + zlib.compress(b"sub-007x")),
        png_text(b"iTXt", b"Title\x00\x01\x00\x00\x00" + zlib.compress(b"sub-007x")),
        b"%PDF-1.4\nstream\n" + zlib.compress(b"(sub-007x) Tj") + b"\nendstream",
        b"x" * (traces.CHUNK - 4) + b" sub-007x ",
        "of SUB-007X".encode("utf-32"),
    ],
    ids=["text", "utf-16", "binary", "gzip", "zip", "zTXt", "iTXt", "pdf", "chunks", "utf-32"],
)  # fmt: skip
def test_an_id_is_found_wherever_it_is_written(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert traces.find(tmp_path, ["sub-007x", "sub-008x"]) == [("file", "sub-007x")]
    assert traces.find(tmp_path, ["sub-007"]) == []
    assert traces.find(tmp_path, ["007x"], others=["sub-007x"]) == []


ESCAPED = {
    "choice.json": json.dumps({"reason": "agreed\nS-07 odd"}),
    "pasted.ipynb": json.dumps({"source": ["S-06\tS-07\n"]}),
    "link.md": "[scan](https://viewer/of%20S-07.png)",
    "control.json": json.dumps("agreed\x0bS-07"),
    "repr.txt": repr("agreed\xa0S-07\x7fS-07").encode("ascii", "backslashreplace").decode(),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ESCAPED)
def test_an_id_behind_an_escape_is_found(tmp_path, name, encoding):
    """The letter before it is the escape's and not a word's."""
    (tmp_path / name).write_bytes(ESCAPED[name].encode(encoding))
    assert traces.find(tmp_path, ["S-07"]) == [(name, "S-07")]


def test_an_escape_across_two_chunks_is_seen(tmp_path):
    for short in range(1, 12):
        (tmp_path / "a").write_bytes(b" " * (traces.CHUNK - short) + rb"\u0009S-07" + b" " * 9)
        assert traces.find(tmp_path, ["S-07"]) == [("a", "S-07")]


def test_letters_of_a_picture_in_a_page_spell_nobody(tmp_path):
    packed = "iVBORw0KGgo/P7/" * 40
    (tmp_path / "page.html").write_text(f'<p>of S9</p><img src="data:image/png;base64,{packed}">')
    assert traces.find(tmp_path, ["P7", "S9"]) == [("page.html", "S9")]


def test_arrays_of_texts_are_looked_into(tmp_path):
    np.save(tmp_path / "names.npy", np.array(["a", "sub-007x"]))
    np.savez(tmp_path / "names.npz", ids=np.array(["a", "sub-007x"]))
    np.save(tmp_path / "voxels.npy", np.frombuffer(b"sub-007x" * 4, "u1"))
    found = traces.find(tmp_path, ["sub-007x"])
    assert found == [("names.npy", "sub-007x"), ("names.npz", "sub-007x")]


def test_what_cannot_be_opened_is_no_proof(tmp_path):
    (tmp_path / "half.gz").write_bytes(gzip.compress(b"sub-007x" * 1000)[:40])
    assert traces.find(tmp_path, ["sub-007x"]) == [("half.gz", traces.UNOPENED)]


def test_an_id_that_is_not_telling_is_found_in_names_and_columns_of_ids(tmp_path):
    (tmp_path / "12.png").write_bytes(b"12")
    (tmp_path / "a.csv").write_text("PatientID;age\n012;12\n")
    (tmp_path / "b.csv").write_text("PatientID;age\n12;61\n")
    (tmp_path / "figure_12.txt").write_text("12")
    assert traces.find(tmp_path, ["12"]) == [("12.png", "12"), ("b.csv", "12")]


def small(root):
    """Make a study of two with one of every kind of file, so that many withdrawals take seconds."""
    study, ids = Study.create(root), [ONE, "S-010"]
    write_stage(study, "00_simulate", ids)
    stage = study.stage("01_cohort")
    stage.write("cohort", pd.DataFrame({"subject_id": ids, "scan": ids}))
    stage.write("exclusions", pd.DataFrame({"subject_id": [STRANGE], "reason": ["no scan"]}))
    stage.publish()
    for name in ("02_volumes", "03_autoencoder", "07_explore"):
        write_stage(study, name, ids)
    add_what_runs_leave(study)
    remember(root, ["S-99"])  # one salt, and so one slow hash for all
    shutil.rmtree(root / "schemas")
    for path in (root / "notebooks").glob("[01][02-9]_*.ipynb"):
        path.unlink()
    return study


# Every fifth step, so that stages, files and kinds of kill come in turn; CLAMLAB_EVERY_STEP=1: all.
EVERY = int(os.environ.get("CLAMLAB_EVERY_STEP", "5"))


def killed_at(number, root):
    """Withdraw in a process of its own that dies at its n-th step; tell whether it got so far.

    Odd steps are not done any more, even ones are.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    count = 0

    def dying(real):
        def step(*args, **kwargs):
            nonlocal count
            count += 1
            if count == number and number % 2:
                os._exit(KILLED)
            try:
                return real(*args, **kwargs)
            finally:
                if count == number:
                    os._exit(KILLED)

        return step

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))
    withdraw(root, [ONE], draw_pages=write_index)
    os._exit(0)


def standing(contents, stage):
    """Return of a study's files those that a stage has published."""
    hidden = (f"{stage}/unfinished/", f"{stage}/.")
    return {n: c for n, c in contents.items() if n.startswith(stage) and not n.startswith(hidden)}


def test_a_kill_at_every_step(tmp_path):
    origin = small(tmp_path / "origin")
    undisturbed = copied(origin.root, tmp_path / "undisturbed")
    withdraw(undisturbed.root, [ONE], draw_pages=write_index)
    old, new = contents(origin.root), contents(undisturbed.root)
    tried, half = 0, 0
    for number in itertools.count(1, EVERY):
        root = tmp_path / "study"
        study = copied(origin.root, root)
        if not killed_at(number, root):
            break
        tried += 1
        # Opening a study finishes what was being put in place; a withdrawal does not rely on it.
        study, begun = (Study.open if number % 3 else Study)(root), False
        now = contents(root)
        for stage in [s for s, state in states(study).items() if state == "fresh"]:
            assert standing(now, stage) in (standing(old, stage), standing(new, stage)), number
        if study.settings.get("withdrawing"):
            half, begun = half + 1, True
            with pytest.raises(StudyError, match="finish it with 'clamlab withdraw"):
                study.stage("01_cohort")
        # Nobody is remembered as withdrawn whose files nobody is going to take out.
        assert begun or now == new or withdrawn(root, [ONE]) == set(), number
        withdraw(root, [] if begun else [ONE], draw_pages=write_index)
        assert contents(root) == new, number
        shutil.rmtree(root)
    assert number > 100
    assert half > 0.9 * tried
