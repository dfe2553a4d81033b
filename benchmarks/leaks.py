"""What of patients' data reaches a study, its log and its exports: planted, then looked for.

    make bench leaks      ten minutes, or twice that beside other work

A simulated cohort is handed over as a hospital does: names, dates and numbers in DICOM headers, in
the table's columns, in names of folders and in a person's note. The whole study is run on it, from
the command line, reported with and without single scans, and exported in all three ways, each with
its report. Every file is then searched, also inside gz, xlsx, docx, png, pdf
and html, in UTF-8, UTF-16 and Latin-1. The table stays in leaks.csv beside this file: for each
planted text the files that hold it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from clamlab import traces
from clamlab.study import Study
from studies.hospital import PLANTED, hand_over

NOTE = "as Dr House told her sister"
RESULT = Path(__file__).with_suffix(".csv")
COHORT = ["-p", "N_SUBJECTS=20"]
RUN = ["-p", "SPACING_MM=6", "-p", "REGISTRATION=affine", "-p", "CHANNELS=(16, 32, 64)"]
RUN += ["-p", "BATCH_SIZE=4", "-p", "EPOCHS=150", "-p", "HELD_OUT=0", "-p", "N_CLUSTERS=2"]
REPORTS = {
    "report --small-counts --scans": ["--small-counts", "--scans"],
    "report": [],
}
FILES = 4  # of a report: page, draft, references, manifest
EXPORTS = {
    "export": [],
    "export --small-counts": ["--small-counts"],
    "export --subjects": ["--subjects"],
}


def clamlab(*arguments: str) -> str:
    """Run one command and return all that it says."""
    command = [sys.executable, "-m", "clamlab", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(done.stdout[-2000:])
    return done.stdout


def main() -> None:
    """Plant, run, export, search."""
    folder = Path(tempfile.mkdtemp())
    root, log = folder / "study", folder / "log"
    said = [clamlab("simulate", str(root), *COHORT)]
    study = Study.open(root)
    hand_over(study, folder / "hospital")
    take_note(study)
    said.append(clamlab("run", str(root), *RUN))
    for name, options in REPORTS.items():
        said.append(clamlab("report", str(root), *options))
        shutil.copytree(root / "report", folder / name)
    for name, options in EXPORTS.items():
        said.append(clamlab("export", str(root), str(folder / name), *options))
    for place in (*REPORTS, *EXPORTS):
        check_report(folder / place)
    log.mkdir()
    (log / "log.txt").write_text("\n".join(said).replace(str(folder), ""))
    ids = study.read("scans")["subject_id"].tolist()
    rows = [
        found_in({"planted": place, "text": text}, folder, [text])
        for place, text in {**PLANTED, "note of a decision": NOTE}.items()
    ]
    rows.append(
        found_in({"planted": "ids of subjects", "text": f"{ids[0]} ... {ids[-1]}"}, folder, ids)
    )
    table = pd.DataFrame(rows)
    table.to_csv(RESULT, index=False)
    print(table.drop(columns="text").to_string(index=False))


def take_note(study: Study) -> None:
    """Let a person accept the first scan, and write why."""
    first = study.read("simulated_participants")["subject_id"][0]
    row = {"subject_id": first, "decision": "accept", "series_number": "", "note": NOTE}
    study.path("decisions").parent.mkdir(exist_ok=True)
    pd.DataFrame([row]).to_csv(study.path("decisions"), index=False)


def found_in(row: dict[str, str], folder: Path, texts: list[str]) -> dict[str, str]:
    """Name the files in which a planted text is, place by place; "-" where it is in none."""
    for place in ("hospital", "study", "log", *REPORTS, *EXPORTS):
        files = sorted({file for file, _ in traces.find(folder / place, texts)})
        row[place] = " ".join(files) if len(files) < 5 else f"{len(files)} files"
        row[place] = row[place] or "-"
    return row


def check_report(folder: Path) -> None:
    """Make sure that a report is among what is searched, or none would be said to be clean."""
    reported = [
        p for p in folder.rglob("*") if p.name.startswith(("report.", "references.", "man"))
    ]
    if len(reported) != FILES:
        raise SystemExit(f"{folder.name} holds {len(reported)} files of a report: expected {FILES}")


if __name__ == "__main__":
    main()
