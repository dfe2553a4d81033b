"""Who is in the study, and who is not: the flow that STROBE asks for, with its numbers."""

import pandas as pd

from clamlab.figures.flow import flow_chart
from clamlab.report.blocks import Block, Heading, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.drawing import drawn
from clamlab.report.found import Found
from clamlab.report.reasons import count_kinds
from clamlab.report.words import MASKED, capital, count, count_of
from clamlab.stats.disclosure import SMALLEST, mask_flow


def make(found: Found) -> list[Block]:
    """Draw the flow, and count the reasons of those who are not in the study."""
    flow, small = found.need("flow"), found.small_counts
    shown = flow if small else mask_flow(flow)
    numbers = {str(step): count(n, small=True) for step, n in shown["n"].items()}
    total, *lost, left, _ = numbers
    first = [f"{capital(step)} (n = {numbers[step]})" for step in lost]
    chart = flow_chart(
        [
            (f"{capital(total)} (n = {numbers[total]})", first),
            (f"{capital(left)} (n = {numbers[left]})", []),
        ]
    )
    caption = f"Flow of the cohort. {_sentence(numbers)}"
    blocks: list[Block] = [Sentence(_sentence(numbers)), drawn(chart, caption)]
    if not small:
        blocks.append(Note(f"Steps that lost one to {SMALLEST - 1} subjects are masked."))
    return [*blocks, *_reasons(found, hidden=MASKED in numbers.values())]


def _sentence(numbers: dict[str, str]) -> str:
    total, *_, left, undecided = numbers
    review = numbers[undecided]
    if numbers[total] == MASKED:
        said = f"{numbers[left]} subjects are in the study; how many are in the table is masked"
    elif numbers[total] == numbers[left]:
        said = f"All {numbers[total]} subjects of the table are in the study"
    else:
        said = f"Of {numbers[total]} subjects in the table, {numbers[left]} are in the study"
    if review not in ("0", MASKED):
        said += f", {review} of them marked for review by the checks and not decided by a person"
    return f"{said}."


def _reasons(found: Found, *, hidden: bool) -> list[Block]:
    """Count reasons, where no step of the flow is masked: they would tell its numbers."""
    qc, exclusions = found.get("qc"), found.get("exclusions")
    parts = [exclusions["reason"]] if exclusions is not None else []
    parts += [qc.loc[qc["status"] == "excluded", "reason"]] if qc is not None else []
    out = [cell for part in parts for cell in part]
    if not out:
        return [Heading("Who is not in the study, and why"), Sentence("Nobody was left out.")]
    kinds = count_kinds(out)
    cells = pd.DataFrame(
        {
            "Reason": [capital(kind) for kind in kinds.index],
            "Subjects": [
                MASKED if hidden else count_of(n, len(out), small=found.small_counts) for n in kinds
            ],
        }
    )
    return [
        Heading("Who is not in the study, and why"),
        Table("Reasons of those who are not in the study; one may have several.", cells),
    ]


SECTION = Section(
    "flow", "Who is in the study", make, needs=("flow",), uses=("qc", "exclusions", "scans")
)
