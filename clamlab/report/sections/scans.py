"""A few single scans with their maps: only where that was asked for."""

from clamlab import figures
from clamlab.report.blocks import Block, Note
from clamlab.report.composing import Section
from clamlab.report.drawing import drawn
from clamlab.report.found import Found

WARNING = (
    "This page holds the CT of single persons. Treat it as patient data: store and pass it on only "
    "as your ethics approval allows, and never publish it."
)


def make(found: Found) -> list[Block]:
    """Show each scan and its own map, by its place in its cluster and not by a name."""
    shown, grid = found.need("scans_shown"), found.get("grid") or {}
    look = {"mask": found.need("lung_mask"), "spacing_mm": grid.get("spacing_mm"), "width_mm": 180}
    hu = {name: scan for name, (scan, _) in shown.items()}
    maps = {name: importance for name, (_, importance) in shown.items()}
    return [
        Note(WARNING, warning=True),
        drawn(figures.montage(hu, kind="hu", **look), "Single scans of each cluster (HU)."),
        drawn(
            figures.montage(maps, kind="importance", **look),
            "Their cluster activation maps, each for the scan's own cluster.",
        ),
    ]


SECTION = Section(
    "scans", "Single scans", make, needs=("scans_shown",), uses=("volumes", "maps"), place="page"
)
