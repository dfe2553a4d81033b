"""The clusters: how large, how firmly assigned, and whether they come back in other samples."""

import pandas as pd

from clamlab.report.blocks import Block, Missing, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.words import FEW, MASKED, count_of, counts, number
from clamlab.stats.tables.rendering import cluster_name


def make(found: Found) -> list[Block]:
    """Print one row for each cluster."""
    assigned, stability = found.need("assignments"), found.get("stability")
    sizes = assigned["cluster"].value_counts().sort_index()
    confidence = assigned.groupby("cluster")["confidence"].mean()
    n, told = len(assigned), counts([int(k) for k in sizes], small=found.small_counts)
    cells = pd.DataFrame(
        {
            "": [cluster_name(code) for code in sizes.index],
            "Scans": told,
            "Share": [
                f"{k / n:.0%}" if str(k) == t else MASKED for k, t in zip(sizes, told, strict=True)
            ],
            "Mean probability": [
                MASKED if t == FEW or {*told} <= {MASKED, "0"} else number(confidence[code])
                for code, t in zip(sizes.index, told, strict=True)
            ],
        }
    )
    notes = ["Cluster 1 is the densest. Mean probability: of the scans for their own cluster."]
    blocks: list[Block] = [
        Table("Clusters of the scans.", cells, notes),
    ]
    if len(sizes) < 2:
        blocks.insert(0, Sentence("There is one cluster: nothing can be compared."))
    return blocks + (_stability(stability, found) if stability is not None else [])


def _stability(stability: pd.DataFrame, found: Found) -> list[Block]:
    """Say how many scans change cluster when the cohort is drawn again."""
    borderline = int(stability["borderline"].astype(str).str.lower().eq("true").sum())
    told = count_of(borderline, len(stability), small=found.small_counts)
    agreement = stability["agreement"].mean()
    if pd.isna(agreement):
        return [Missing("Not here: how often scans change cluster in samples is not on record.")]
    return [
        Sentence(
            "When the scans were drawn again with replacement and their features clustered again, "
            f"they stayed in their cluster in {agreement:.0%} of the samples on "
            f"average; {'none' if told == '0' else told} of {len(stability)} scans are borderline."
        ),
        Note(
            "The samples cluster the features as they were before the clustering phase, with the "
            "number of clusters that the rule recommends, or two."
        ),
    ]


SECTION = Section(
    "clusters",
    "The clusters",
    make,
    needs=("assignments",),
    uses=("stability",),
)
