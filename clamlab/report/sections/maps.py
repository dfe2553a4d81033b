"""Which regions go with each cluster, on average, beside what those maps can be trusted for."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from clamlab import figures, viewers
from clamlab.report.blocks import Block, Heading, Missing, Note, Table
from clamlab.report.composing import Section
from clamlab.report.drawing import drawn
from clamlab.report.found import Found
from clamlab.report.words import count, listed
from clamlab.stats.disclosure.averages import sizes_of_maps
from clamlab.stats.disclosure.sentences import without_counts
from clamlab.stats.tables.rendering import cluster_name

# Each list of claims ends with its sentence; what a card says beside them holds of none.
_VERDICT = re.compile(
    r"(?:Trust it for: (?P<good>.*?)\.)?(?: Do not trust it for: (?P<bad>.*?)\.)?"
    r"(?:(?:^| )(?P<rest>.*))?"
)


def make(found: Found) -> list[Block]:
    """Show averages and maps, then the trust cards; the first may be hidden, or not be there."""
    trust, codes = found.need("trust"), found.codes
    lacking = [cluster_name(code) for code in codes if code not in set(trust["cluster"])]
    blocks = [
        *_averages(found),
        Heading("What these maps can be trusted for"),
        *_cards(trust, small=found.small_counts),
    ]
    return [*blocks, *_lacking("trust card", lacking)]


def _lacking(what: str, names: Sequence[str]) -> list[Block]:
    """Say of which clusters something is not there: who looks at the others would not miss it."""
    return [Missing(f"No {what} of {listed([_named(n) for n in names])}.")] if names else []


def _averages(found: Found) -> list[Block]:
    hu, maps, mask = (found.get(name) for name in ("average_hu", "average_map", "lung_mask"))
    if not hu or not maps or mask is None:
        why = found.reasons.get("average_hu", "average scans or maps are not in 06_clam/averages")
        return [Missing(f"No averages: {why}.")]
    names = [name for name in hu if name in maps]
    sizes = _sizes(found.need("trust"), names)
    if why := found.hides_averages(sizes):
        return [Missing(f"No averages: {why}.")]
    wanted = ["Overall", *map(cluster_name, found.codes)]
    lacking = [name for name in wanted if name not in names]
    scans, shown = {n: hu[n] for n in names}, {n: maps[n] for n in names}
    grid = found.get("grid") or {}
    panel = figures.average_panel(scans, shown, mask=mask, spacing_mm=grid.get("spacing_mm"))
    caption = (
        f"Average scans (a, HU) and average cluster activation maps (b, importance from 0 to 1) "
        f"of {listed([_named(n) for n in names])}; {_told(sizes)}. Axial slices from the top "
        "of the lung down, the patient's right on the left."
    )
    page = viewers.to_html(
        scans,
        {name: {"Cluster activation map": shown[name]} for name in names},
        affine=grid.get("affine"),
        mask=np.asarray(mask, bool),
        title="Averages",
        patient_data=False,
    )
    return [drawn(panel, caption, page=str(page)), *_lacking("average scan or map", lacking)]


def _named(name: str) -> str:
    return "all scans" if name == "Overall" else name.lower()


def _sizes(trust: pd.DataFrame, names: Sequence[str]) -> pd.Series | None:
    """Return of how many scans the averages are: of their own run, whatever clusters are now."""
    sizes = sizes_of_maps(trust)
    shown = [code for code in trust["cluster"].unique() if cluster_name(code) in names]
    others = len(names) - len(shown) - ("Overall" in names)
    return None if sizes is None or others or sizes.isna().any() else sizes[shown].astype(int)


def _told(sizes: pd.Series | None) -> str:
    if sizes is None:
        return "numbers of scans not known"
    return listed([f"{n} scans in {cluster_name(k).lower()}" for k, n in sizes.items()])


def _cards(trust: pd.DataFrame, *, small: bool) -> list[Block]:
    rows, notes = [], []
    for card in trust.itertuples():
        verdict = card.verdict if small else without_counts(card.verdict)
        read = _VERDICT.fullmatch(verdict)
        good, bad, rest = read.groups("") if read else ("", "", verdict)
        kind = f"{cluster_name(card.cluster)}, {card.kind} map"
        rows.append([kind, count(card.n_examined, small=small), _lines(good), _lines(bad)])
        notes += [f"{kind}: {rest}"] if rest else []
    cells = pd.DataFrame(rows, columns=["", "Scans", "Trust it for", "Do not trust it for"])
    return [
        Table("Trust cards: what was tested of the maps, on some scans of each cluster.", cells,
              notes, wordy=True),
        Note(
            "Importance is not abnormality: healthy tissue may be what separates two clusters. "
            "Maps come from the network that made the clusters: differences between clusters in "
            "them are described, never tested."
        ),
    ]  # fmt: skip


def _lines(claims: str) -> str:
    """Put each claim on a line of its own."""
    return "\n".join(f"• {claim.strip()}" for claim in claims.split("; ") if claim) or "–"


SECTION = Section(
    "maps",
    "What drives the assignment",
    make,
    needs=("trust",),
    uses=("average_hu", "average_map", "assignments", "lung_mask"),
)
