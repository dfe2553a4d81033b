"""The study in a few sentences."""

from clamlab.report.blocks import Block, Note, Sentence
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.words import counted, counts, listed


def make(found: Found) -> list[Block]:
    """Say who was clustered, into what, and what goes along with it."""
    said = [_who(found), _what(found), _network(found), _means(found)]
    blocks: list[Block] = [Sentence(" ".join(filter(None, said)))]
    if other := _decided_since(found):
        blocks.append(Note(other, warning=True))
    if found.settings.get("simulated"):
        blocks.append(Note("The scans and persons of this study are simulated.", warning=True))
    return blocks


def _who(found: Found) -> str:
    scans = found.get("scans")
    if scans is None:
        return f"The study {found.name} has no scans on a common grid yet."
    grid = found.get("grid") or {}
    side = grid.get("spacing_mm", [])
    where = f", on a grid of {side[0]:g} mm" if side else ""
    return f"The study {found.name} holds {counted(len(scans), 'scan')}{where}."


def _what(found: Found) -> str:
    assigned, choice = found.get("assignments"), found.get("choice")
    if assigned is None:
        return "" if choice is None else found.get("decision")
    sizes = assigned["cluster"].value_counts().sort_index()
    told = counts([int(n) for n in sizes], small=found.small_counts)
    return (
        f"A convolutional autoencoder and deep clustering put them into "
        f"{counted(len(sizes), 'cluster')} of {listed(told)} scans, cluster 1 the densest."
    )


def _decided_since(found: Found) -> str:
    """Warn where another number holds now than the clusters on this page were made with."""
    network, choice = found.get("deep_clustering_config"), found.get("choice")
    if found.get("assignments") is None or network is None or choice is None:
        return ""
    # Not counted from the assignments: a cluster may be empty by now.
    made = network.get("n_clusters")
    if made is None or choice.get("n_clusters") == made:
        return ""
    return (
        f"Another number has been decided since these {counted(made, 'cluster')} were made: "
        f"{found.need('decision')}"
    )


def _network(found: Found) -> str:
    """Warn on the first page where a simpler way gives the same clusters, or a scanner does."""
    agreement = found.get("agreement")
    same = agreement is not None and agreement["same"].astype(bool).any()
    return found.get("agreement_said") or "" if same else ""


def _means(found: Found) -> str:
    associations = found.get("associations")
    if associations is None:
        return ""
    # What readers saw is of the images that were clustered, as what was derived from them is.
    outside = (associations["part"] == "omnibus") & (associations["source"] == "external")
    tested = associations[outside].dropna(subset="p_holm")
    if tested.empty:
        return "No outcome from outside the images could be tested."
    apart = tested.loc[tested["p_holm"] < 0.05, "title"]
    which = f" ({listed(list(apart))})" if len(apart) else ""
    how_many = str(len(apart)) if len(apart) else "none"
    return (
        f"Of {counted(len(tested), 'outcome')} from outside the images, {how_many} "
        f"differed between the clusters at p < .05 after Holm's correction{which}."
    )


SECTION = Section(
    "study",
    "The study in a few sentences",
    make,
    uses=("scans", "assignments", "deep_clustering_config", "choice", "baselines", "associations"),
    place="front",
)
