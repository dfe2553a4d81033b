"""What the run says of itself: stages, warnings, and what differs between them."""

import pandas as pd

from clamlab.report.blocks import Block, Heading, Listing, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.sections.noted import notes_of
from clamlab.report.words import capital, listed


def make(found: Found) -> list[Block]:
    """Print how every stage stands, then every warning there is."""
    warnings = warnings_of(found)
    blocks: list[Block] = [
        Listing(warnings) if warnings else Sentence("Every stage stands, and none has a warning.")
    ]
    if warnings:
        blocks.insert(0, Note(f"{len(warnings)} to look at:", warning=True))
    if notes := notes_of(found):
        blocks += [Heading("Notes in the tables"), Listing(notes)]
    return [*blocks, _stages(found)]


def warnings_of(found: Found) -> list[str]:
    """Say what of the run a reader should know."""
    said = [
        f"{row.stage} is {row.status}: {row.why}."
        for row in found.stages.itertuples()
        if row.status != "fresh" and not (row.status == "missing" and row.stage < "01")
    ]
    # A killed run leaves its words in no notebook; its files would pass for those that stand.
    fresh = found.stages[found.stages["status"] == "fresh"]
    said += [f"{row.stage} stands, but {row.why}." for row in fresh.itertuples() if row.why]
    for stage, record in found.records.items():
        if built := record.get("built_on_stale"):
            said.append(f"{stage} was allowed to build on stale stages ({listed(built)}).")
    said += _differing(found)
    return [*said, *(capital(notice) for notice in found.notices)]


def _differing(found: Found) -> list[str]:
    """Say where stages were run with other versions, or on other machines."""
    said = []
    recorded = [name for r in found.records.values() for name in r.get("versions", {})]
    for name in dict.fromkeys(recorded):
        versions = {s: r.get("versions", {}).get(name) for s, r in found.records.items()}
        if len(set(versions.values()) - {None}) > 1:
            which = listed([f"{s} {v}" for s, v in versions.items() if v])
            said.append(f"Stages were run with several versions of {name}: {which}.")
    machines = {str(sorted(r["machine"].items())) for r in found.records.values() if "machine" in r}
    if len(machines) > 1:
        said.append(
            "Stages were run on several machines, or with other threads: see manifest.json."
        )
    return said


def _stages(found: Found) -> Table:
    rows = [
        [row.stage, row.status, "" if pd.isna(row.finished) else _moment(row.finished)]
        for row in found.stages.itertuples()
        if row.status != "missing" or row.stage >= "01"
    ]
    cells = pd.DataFrame(rows, columns=["Stage", "Status", "Finished (UTC)"])
    notes = [
        "Fresh: what lies there is what its notebook wrote, from what lies there now. Stale: an "
        "input has changed since. Altered: a file is not what the notebook wrote."
    ]
    return Table("Stages of the study.", cells, notes, wordy=True)


def _moment(text: str) -> str:
    return str(text)[:16].replace("T", " ")


SECTION = Section("run", "Warnings and errors of the run", make, place="page")
