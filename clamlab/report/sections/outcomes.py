"""Whether the clusters mean anything clinically: adjusted means and their differences."""

from typing import Any

import pandas as pd

from clamlab import figures
from clamlab.figures.outcomes import READ, READ_WORDS
from clamlab.report.blocks import Block, Heading, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.drawing import drawn
from clamlab.report.found import Found, NotFoundError
from clamlab.report.words import capital, number
from clamlab.stats.disclosure import mask_outcomes
from clamlab.stats.disclosure.averages import sizes_of_outcomes
from clamlab.stats.disclosure.masking import as_made
from clamlab.stats.disclosure.rounding import ADDED_DIGITS, FEW_DIGITS, SHARE_DECIMALS
from clamlab.stats.outcomes.candidates import base_words
from clamlab.stats.outcomes.summary import NOTHING, covariates_words, summary_sentence
from clamlab.stats.tables.digits import decimals_for, decimals_left
from clamlab.stats.tables.rendering import p_text

NAMES = ("associations", "adjusted_means", "model_comparison")
SIZES = ("assignments",)
READER = "reader"
EQUAL_WEIGHTS = (  # as R's emmeans: differences between clusters are the same
    "Levels of a category weigh alike, however rare: compare clusters by these means, they are not "
    "those of the patients. "
)


def told(found: Found) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables of outcomes, as they may be shown."""
    associations, means, models = (as_made(found.need(name)) for name in NAMES)
    if found.small_counts:
        return associations, means, models
    return mask_outcomes(associations, means, models)


def hidden(found: Found) -> str:
    """Say why means of clusters may not be shown; nothing where they may."""
    associations = found.get("associations")
    return found.hides_averages(
        None if associations is None else sizes_of_outcomes(as_made(associations))
    )


def make(found: Found) -> list[Block]:
    """Draw Figure 10, and print each outcome's test and difference."""
    if why := hidden(found):
        raise NotFoundError(why)
    associations, means, _ = told(found)
    held = covariates_words(associations)
    for_what = "without covariates" if held == NOTHING else f"adjusted for {held}"
    weights = "" if held == NOTHING else EQUAL_WEIGHTS
    shown = means.dropna(subset="mean")
    panel = figures.outcome_panel(means if shown.empty else shown, associations)  # or says why
    drawn_here = associations["outcome"].isin(shown["outcome"])
    n = associations.loc[drawn_here & (associations["part"] == "omnibus"), "n"].dropna().astype(int)
    rows = f"{n.min()} to {n.max()} subjects" if len(n) else "numbers of subjects masked"
    caption = (
        f"Means of the outcomes by cluster with 95 % intervals, {for_what}; {rows}, complete rows "
        f"of each outcome. {weights}p: of all clusters together, not corrected for the number of "
        "outcomes."
    )
    return [drawn(panel, caption), _table(associations)]


def compared_exactly(masked: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Give sentences what was told before it was rounded: they say which is more, not how much."""
    exact = as_made(whole)["adjusted_r2"]
    return masked.assign(adjusted_r2=exact.where(masked["adjusted_r2"].notna()))


def marked(titles: pd.Series, sources: pd.Series) -> pd.Series:
    """Mark what a person read from the images, as Figure 10 and Table 2 do."""
    return titles.where(sources != READER, titles + READ)


def marks(sources: pd.Series) -> list[str]:
    """Say what the mark means, where one stands."""
    return [READ_WORDS] if (sources == READER).any() else []


def _table(associations: pd.DataFrame) -> Table:
    associations = associations.assign(title=marked(associations["title"], associations["source"]))
    pairs = associations[associations["part"] == "pairwise"]
    tests = associations[associations["part"] == "omnibus"].set_index("outcome")
    rows, before = [], None
    for pair in pairs.itertuples():
        test = tests.loc[pair.outcome]
        silent = test["source"] == "derived" or pair.outcome == before
        before = pair.outcome
        low, high, difference = _estimates(pair)
        rows.append(
            [
                _title(pair),
                "–" if pd.isna(test["n"]) else str(int(test["n"])),
                f"{int(pair.group) + 1} − {int(pair.other_group) + 1}",
                difference,
                "–" if pd.isna(pair.low) else f"{low} to {high}",
                number(pair.standardised),
                "" if silent else p_text(test["p"]),
                "" if silent else p_text(test["p_holm"]),
                "" if silent else p_text(test["p_bh"]),
            ]
        )
    columns = ["", "Subjects", "Clusters", "Difference", "95 % interval"]
    columns += ["In SD", "P", "P (Holm)", "P (BH)"]
    notes = [
        "Subjects: complete rows of the outcome and of what it is adjusted for.",
        "P: of all clusters together; Holm and BH: corrected for the number of outcomes.",
        "What was derived from the images is described, not tested: its P is left empty.",
        "In SD: of what the model leaves unexplained.",
    ]
    if mark := marks(pairs["source"]):
        notes += [*mark, "Holm and BH correct it by itself, apart from the other outcomes."]
    if pairs.empty:
        notes.append("No difference could be estimated.")
    return Table("Differences between clusters.", pd.DataFrame(rows, columns=columns), notes)


def _estimates(pair: Any) -> list[str]:
    """Print an interval and what lies in it, with no more decimals than masking has left."""
    decimals, digits = decimals_for(pair.high - pair.low), getattr(pair, "digits", None)
    values = (pair.low, pair.high, pair.difference)
    return [number(value, decimals_left(value, decimals, digits)) for value in values]


def _title(pair: Any) -> str:
    """Name an outcome with its unit, or the scale on which it was modelled."""
    behind = next((t for t in (pair.transform, pair.units) if isinstance(t, str) and t), "")
    return f"{pair.title} ({behind})" if behind else str(pair.title)


def make_models(found: Found) -> list[Block]:
    """Print how much each model explains, with the cluster and without."""
    if why := hidden(found):
        raise NotFoundError(why)
    comparison = told(found)[2]
    sources = comparison["outcome_source"]
    comparison = comparison.assign(title=marked(comparison["title"], sources))
    shown = comparison[sources != "derived"]
    wide = shown.pivot_table(index="title", columns="model", values="adjusted_r2", sort=False)
    wide = wide.T.rename(index=capital)
    cells = wide.map(lambda value: number(value)).reset_index(names="")
    notes = ["Adjusted R². All models of one outcome rest on the same rows.", *marks(sources)]
    exactly = compared_exactly(comparison, found.need("model_comparison"))
    blocks: list[Block] = [Sentence(summary_sentence(exactly))]
    if not wide.empty:
        blocks.append(Table("What each model explains of the outcomes.", cells, notes))
    by_itself = shown["has_cluster"].astype(bool) & (shown["reader"].fillna("") == "")
    gains = shown[by_itself].dropna(subset="added_r2")
    if len(gains):
        rows = [[g.title, *_gain(g)] for g in gains.itertuples()]
        blocks += [
            Heading("What the cluster adds"),
            Table(
                f"R² that the cluster adds to {base_words(comparison, 'model')}.",
                pd.DataFrame(rows, columns=["", "Added R²", "95 % interval"]),
                ["Intervals: percentiles of a bootstrap; an added R² is never below 0."],
            ),
            Note("Higher is not better by itself: more clusters always explain more of a sample."),
        ]
    return blocks


def _gain(row: Any) -> tuple[str, str]:
    """Print what the cluster adds and its interval, as exactly as masking has left them."""
    coarse = getattr(row, "digits", None) == FEW_DIGITS
    added = decimals_left(row.added_r2, 3, ADDED_DIGITS if coarse else None)
    ends = SHARE_DECIMALS if coarse else 3
    return (
        number(row.added_r2, added),
        f"{number(row.added_low, ends)} to {number(row.added_high, ends)}",
    )


SECTION = Section("outcomes", "What the clusters mean clinically", make, needs=NAMES, uses=SIZES)
MODELS = Section(
    "models", "More than the stage that a reader sees?", make_models, needs=NAMES, uses=SIZES
)
