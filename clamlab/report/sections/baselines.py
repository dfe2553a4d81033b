"""Whether the clusters needed a network: groups made without one, and what they explain."""

import pandas as pd

from clamlab.figures import validation
from clamlab.report.blocks import Block, Heading, Missing, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.drawing import drawn
from clamlab.report.found import Found, NotFoundError
from clamlab.report.references import cite
from clamlab.report.sections.outcomes import compared_exactly, hidden, marked, marks
from clamlab.report.words import capital, number
from clamlab.stats.disclosure.partitions import CUT
from clamlab.stats.outcomes import partitions_sentence
from clamlab.stats.outcomes.candidates import base_words
from clamlab.stats.variables import COVARIATES, DEMOGRAPHICS

NETWORK = "clusters"


def make(found: Found) -> list[Block]:
    """Say first whether a simpler way gives the same clusters; then what each way explains."""
    agreement = found.need("agreement")
    said = Sentence(found.need("agreement_said"))
    blocks: list[Block] = [
        Note(said.text, warning=True) if agreement["same"].astype(bool).any() else said,
        drawn(validation.agreement_panel(agreement), _caption(agreement)),
    ]
    return [*blocks, Heading("What each of them explains of the outcomes"), *_outcomes(found)]


def _caption(agreement: pd.DataFrame) -> str:
    n = agreement.loc[agreement["adjusted_rand"].notna(), "n"].dropna().astype(int)
    of = f", of {n.max()} scans" if len(n) else ""
    few = agreement["note"].str.contains(CUT, na=False).any()
    cut = " Where a scanner made a few scans of a cluster, its index is cut to one decimal."
    return (
        f"Adjusted Rand index {cite('hubert1985')} of the clusters with groups that needed no "
        f"network{of}: 0 is chance, 1 the same groups; beyond the dashed line (.8) they are "
        "called the same. Each way was asked for as many groups as there are clusters; scanners "
        f"are groups as they are.{cut if few else ''}"
    )


def _outcomes(found: Found) -> list[Block]:
    try:
        compared = found.need("partitions_compared")
    except NotFoundError as error:
        return [Missing(f"Not here: {error}.")]
    if why := hidden(found):
        return [Missing(f"Not here: {why}.")]
    exactly = compared_exactly(compared, found.need("baseline_comparison"))
    blocks: list[Block] = [Sentence(partitions_sentence(exactly))]
    shown = compared[compared["outcome_source"] != "derived"]
    shown = shown.assign(title=marked(shown["title"], shown["outcome_source"]))
    wide = shown.pivot_table(
        index="partition", columns="title", values="adjusted_r2", sort=False, dropna=False
    )
    if shown.empty or wide.empty:
        return blocks
    names = {name: _title(name) for name in wide.index}
    cells = wide.rename(index=names | {NETWORK: "Clusters"}).map(number).reset_index(names="")
    notes = [
        f"Adjusted R² of {base_words(compared, 'partition')} with the groups, all of one outcome "
        "on the same rows; a dash: not estimated, or groups of a few persons. Exploratory: nobody "
        "planned these models.",
        *marks(shown["outcome_source"]),
    ]
    return [*blocks, Table("What each way of grouping explains.", cells, notes)]


def _title(partition: str) -> str:
    """Name a row as a sentence begins; what every model holds stands alone in one."""
    alone = " alone" if partition in (DEMOGRAPHICS, COVARIATES) else ""
    return capital(f"{partition}{alone}")


SECTION = Section(
    "baselines",
    "Did it take a network?",
    make,
    needs=("agreement", "agreement_said"),
    uses=("baselines", "baseline_comparison", "partitions_compared"),
)
