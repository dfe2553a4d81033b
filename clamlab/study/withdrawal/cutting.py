"""What a stage holds of subjects who leave the study, and the stage without it.

A stage is cut as a run of it would be published: what is left of its files is laid into
``unfinished`` and comes into place with its record, as one. The record tells the truth about it:
the hashes of what is there now, the inputs that it was made from, so that what was learned from
the subjects is stale.
"""

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.study.catalogue import ARTEFACTS, Artefact, artefacts_of
from clamlab.study.files import Json, read_file, write_file
from clamlab.study.fingerprints import Fingerprint, sha_of, unchanged
from clamlab.study.measured import SEAL, is_sealed, output_of, sealed
from clamlab.study.provenance import OUTSIDE_PREFIX, as_it_is, place_of, record_of
from clamlab.study.publishing import RECORD, UNFINISHED, publish
from clamlab.study.seeding import seed_from
from clamlab.study.withdrawal.mentions import without_names
from clamlab.study.withdrawal.shares import (
    Leaving,
    Share,
    files_at,
    remove,
)

# People enter a study here; who has withdrawn is one of its inputs.
BEGINNING = "01_cohort"
KEY = OUTSIDE_PREFIX + "withdrawn"
# Draws the page over all subjects from qc.csv: ingestion's business.
DrawPages = Callable[[pd.DataFrame, Path], Any]


def cut_stage(root: Path, stage: str, leaving: Leaving, draw_pages: DrawPages) -> Counter[str]:
    """Take all that is theirs out of one stage; count what it was.

    May be killed anywhere, and be done again once the stage's publication is finished.
    """
    folder, own = root / stage, artefacts_of(stage)
    if not folder.is_dir():
        return Counter()
    record, counts = record_of(root, stage), Counter[str]()
    (folder / ".checkpoint.safetensors").unlink(missing_ok=True)
    counts["unfinished runs"] += _clear_unfinished(folder, own, leaving, record)
    share = Share.of(folder, own, leaving, record, seen=leaving.are_seen(root))
    counts["rows of tables"] = share.n_rows
    counts["rows of arrays"] = len(share.arrays) * len(leaving.rows)
    counts["files and folders of their own"] = len(share.entries)
    counts["averages, pictures and arrays as a whole"] = len(share.whole)
    if record:
        _publish_cut(root, stage, share, leaving, record, draw_pages)
    else:
        share.take_away(folder, folder, leaving.rows)
        for artefact in share.whole:
            remove(folder / artefact.file)
    return +counts


def _clear_unfinished(
    folder: Path, own: Collection[Artefact], leaving: Leaving, record: Json
) -> bool:
    """Throw a run away that did not end; of a first one, finished work on others stays."""
    unfinished = folder / UNFINISHED
    if not unfinished.is_dir():
        return False
    resumed = [a for a in own if a.resumed and not record]
    for path in unfinished.iterdir():
        if path.name not in {a.file for a in resumed}:
            remove(path)
    share = Share.of(unfinished, resumed, leaving, {}, seen=True)
    share.take_away(unfinished, unfinished, ())
    for artefact in share.whole:
        remove(unfinished / artefact.file)
    for pages in unfinished.glob("*/index.html"):  # drawn anew when the run goes on
        pages.unlink()
    if not any(unfinished.iterdir()):
        unfinished.rmdir()
    return not resumed


def _publish_cut(
    root: Path, stage: str, share: Share, leaving: Leaving, record: Json, draw_pages: DrawPages
) -> None:
    folder, own = root / stage, artefacts_of(stage)
    unfinished, pages = folder / UNFINISHED, place_of(root, "qc_pages")
    redrawn = ARTEFACTS["qc"].file in share.files and pages.is_dir() and pages.parent == folder
    laid_out = share.tops | ({pages.name} if redrawn else set())
    gone = {p.name for a in share.whole for p in files_at(folder / a.file)}
    seed_from(folder, unfinished, laid_out)
    share.take_away(folder, unfinished, leaving.rows)
    if redrawn:
        qc = read_file(unfinished / ARTEFACTS["qc"].file)
        draw_pages(
            qc.assign(reason=qc["reason"].astype(object).fillna("")), unfinished / pages.name
        )
    now = _record_of_cut(folder, own, share, leaving, record)
    if stage == BEGINNING:
        now["inputs"] = _inputs_of_beginning(root, record["inputs"], leaving)
    if not share and now == record:
        remove(unfinished)
        return
    write_file(unfinished / RECORD, now)
    kept = {p.name for p in folder.iterdir()} - gone
    publish(folder, {a.file for a in own}, keep=kept)


def _record_of_cut(
    folder: Path, own: Collection[Artefact], share: Share, leaving: Leaving, record: Json
) -> Json:
    """Tell the truth about what is there now; what was altered before stays altered."""
    outputs, gone = dict(record["outputs"]), {a.name for a in share.whole}
    for artefact in own:
        cut, old = folder / UNFINISHED / artefact.file, folder / artefact.file
        was = outputs.get(artefact.name)
        if was is not None and cut.exists() and unchanged(old, was):
            outputs[artefact.name] = output_of(artefact, cut)
    after: Fingerprint = {"sha256": str(leaving.after)}
    lists = {
        name: after if sha_of(was) == leaving.before != leaving.after else was
        for name, was in record.get("scans", {}).items()
    }
    cut_arrays = {a.name for a in own if a.file in share.arrays}
    now = record | {
        "parameters": without_names(record["parameters"], leaving.ids),
        "outputs": {name: was for name, was in outputs.items() if name not in gone},
        "scans": {name: was for name, was in lists.items() if name not in gone},
        # No run goes on from an array that was cut.
        "runs": {n: r for n, r in record.get("runs", {}).items() if n not in gone | cut_arrays},
    }
    return sealed(now) if SEAL in record and is_sealed(record) else now


def _inputs_of_beginning(root: Path, inputs: Json, leaving: Leaving) -> Json:
    """Let the cut stand on the list of today, if it stood on the list as it was before."""
    was = inputs.get(KEY)
    if was is None or sha_of(was) in leaving.earlier_lists:
        return {**inputs, KEY: as_it_is(root, KEY)}
    return inputs
