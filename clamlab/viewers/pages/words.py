"""What stands on the page of a cohort before anything is drawn, for a reader who has no other."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from clamlab.viewers.pages.about import About
from clamlab.viewers.pages.persons import Persons

POINTS = (
    '<section id="clam-points"><h2>Every scan as a point</h2><p>Scans that lie together are alike '
    "to the network. Click one; draw a loop around several, or click a level of the legend, and "
    "they are counted.</p></section>"
)
READING = {
    "Pictures": "Grey is the average HU of a cluster's scans, brought onto one template: nobody's "
    "lung, and softer than one. The patient's right is on the left. Drag, scroll or use the arrow "
    "keys; <b>?</b> in a picture lists all keys.",
    "Map of the cluster": "From dark to yellow: on which parts of the lung the assignment to the "
    "cluster depends, from 0 to 1, averaged over its scans. It says where, not whether that part "
    "is denser or diseased.",
    "Against": "The difference of two averages in HU. Orange is denser and blue less dense than "
    "what is chosen; grey is neither.",
    "Evidence": "Differences fade where they are less than one standard deviation between scans of "
    "a cluster, and are fully coloured from there on. <b>Cut</b> shows all above a threshold "
    "instead.",
    "The rule": "It looks for gaps: it asks how often a single cloud of scans would look as split "
    "as these do, and calls for clusters where that is rare.",
    "Other numbers": "k-means on the features before the network learned to cluster; averages and "
    "maps are those of the decided number only. <b>Comes back</b> tells how much of a cluster is "
    "found again when scans are drawn anew, from 0 to 1 (Jaccard index); of the network's own "
    "clusters it is not known (–).",
    "Masked": "Counts of one to four scans are not told in other numbers of clusters, nor what "
    "would give them away.",
}


@dataclass(frozen=True)
class Drawn:
    """What there is to explain: mean HU in the lung by cluster, maps, evidence, other clusters."""

    mean_hu: Mapping[str, float]
    has_maps: bool
    has_evidence: bool
    has_others: bool


def words(about: About, drawn: Drawn, persons: Persons | None) -> dict[str, str]:
    """Write the parts of the page that are words, as HTML."""
    title = f"{about.name}: clusters of scans" if about.name else "Clusters of scans"
    kind = "simulated " if about.simulated else ""
    counted = f"{about.n_scans} {kind}scan{'s' * (about.n_scans != 1)}"
    k = len(about.sizes)
    return {
        "title": escape(title),
        "facts": f"{counted} in {k} cluster{'s' * (k != 1)}",
        "notes": _notes(about, persons),
        "glance": _glance(about, drawn.mean_hu),
        "decision": escape(about.decision) + _order(drawn.mean_hu),
        "points": "" if persons is None else POINTS,
        "reading": _reading(about, drawn),
    }


def _notes(about: About, persons: Persons | None) -> str:
    """Say what is in the page of persons, and what is not: only what is true of this one."""
    promise = about.promise() if persons is None or about.simulated else ""
    warnings = about.warnings()
    if persons is not None and not about.simulated:
        warnings.append(persons.warning(about.n_scans))
    told = [("clam-promise", promise)] if promise else []
    told += [("clam-warning", words) for words in warnings]
    return "".join(f'<p class="{kind}" role="note">{escape(words)}</p>' for kind, words in told)


def _glance(about: About, mean_hu: Mapping[str, float]) -> str:
    """Tell of each cluster how many scans it has, and how dense its average lung is."""
    rows = []
    for name, n in about.sizes.items():
        hu = f"{mean_hu[name]:.0f}".replace("-", "−") if name in mean_hu else "–"
        cells = f"<td>{n}</td><td>{100 * n / about.n_scans:.0f} %</td><td>{hu}</td>"
        few = ' class="clam-few"' if name in about.few else ""
        rows.append(f'<tr{few}><th scope="row">{name}</th>{cells}</tr>')
    return "".join(rows)


def _order(mean_hu: Mapping[str, float]) -> str:
    dense = list(mean_hu.values())
    densest_first = len(dense) > 1 and dense == sorted(dense, reverse=True)
    return " Clusters are numbered from the densest lungs on." if densest_first else ""


def _reading(about: About, drawn: Drawn) -> str:
    shown = {
        "Map of the cluster": drawn.has_maps,
        "Against": drawn.has_others,
        "Evidence": drawn.has_others and drawn.has_evidence,
        "The rule": bool(about.decision) or about.partitions is not None,
        "Other numbers": about.partitions is not None,
        "Masked": about.partitions is not None,
    }
    rows = (f"<dt>{k}</dt><dd>{v}</dd>" for k, v in READING.items() if shown.get(k, True))
    return f"<dl>{''.join(rows)}</dl>"
