"""Whether a finished report names somebody: looked for in its bytes, as anybody could."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clamlab import traces, viewers
from clamlab.cli.cleaning import METHODS, may_name
from clamlab.report import Found, Report, bibliography, report_of, to_document, to_page
from clamlab.report.references import REFERENCES
from clamlab.report.told import told
from clamlab.study import StudyError
from clamlab.study.catalogue import STAGES

Files = dict[str, bytes]


def name_nobody(files: Files, report: Report, manifest: Mapping[str, Any], ids: set[str]) -> None:
    """Look once more, in the finished bytes, for subjects.

    An id may be a word of the program as well: "H2" of any page, "HC3" of a model. Such a one is
    somebody only where it stands in what the study itself tells.

    Parameters
    ----------
    files : dict of str to bytes
        All that is to be written, by name.
    report : Report
        What they were made of.
    manifest : dict
        That of the files.
    ids : set of str
        All subjects.

    Raises
    ------
    StudyError
        If one of them is named.
    """
    if not (found := _found(files, ids)):
        return
    ways = {text for _, text in found}
    own = {text for _, text in _found(_of_any_study(manifest), ways)}
    study = {"told.txt": _as_text([*told(report), *_told_by(manifest)])}
    meant = {text for _, text in _found(study, own, others=METHODS)}
    if named := [f"{text!r} in {file}" for file, text in found if text not in own - meant]:
        raise StudyError(
            f"the report would name subjects: {', '.join(named)}. Nothing was written; look where "
            "that stands (a level of the contract, the study's name, a header) and change it there"
        )


def _found(
    files: Files, ids: Iterable[str], *, others: Iterable[str] = ()
) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        return traces.find(folder, ids, others=others)


def _of_any_study(manifest: Mapping[str, Any]) -> Files:
    """Return what the program writes whatever a study holds: a frame, works, its own records."""
    nothing = report_of(Found("", pd.DataFrame({"stage": STAGES, "status": "missing"}), {}))
    records = [
        {**stage, "why": "", "parameters": _parameters(name, stage, may=False)}
        for name, stage in manifest["stages"].items()
    ]
    return {
        "report.html": to_page(nothing).encode(),
        "report.docx": to_document(nothing),
        "averages.html": str(viewers.to_html(np.zeros((2, 2, 2)))).encode(),
        "references.bib": bibliography(dict.fromkeys(REFERENCES, 1)).encode(),
        "records.txt": _as_text([json.dumps(records, ensure_ascii=False), *METHODS]),
    }


def _told_by(manifest: Mapping[str, Any]) -> list[str]:
    """List what a study has a part in of its manifest: what a person may have written."""
    parameters = [_parameters(name, stage) for name, stage in manifest["stages"].items()]
    parts = [manifest["study"], manifest["choices"], parameters]
    return [json.dumps(part, ensure_ascii=False) for part in parts]


def _parameters(name: str, stage: Mapping[str, Any], *, may: bool = True) -> dict[str, Any]:
    """Pick the parameters of a stage that may name somebody, or those that may not."""
    return {n: v for n, v in stage.get("parameters", {}).items() if may_name(name, n) == may}


def _as_text(texts: Iterable[str]) -> bytes:
    return "\n".join(texts).encode()
