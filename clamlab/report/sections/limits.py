"""What the study cannot show, in plain words; its own weak points first."""

from clamlab.report.blocks import Block, Heading, Listing
from clamlab.report.composing import Section
from clamlab.report.found import Found, NotFoundError
from clamlab.report.sections.number import GAP_ELSEWHERE
from clamlab.report.sections.scanners import UNKNOWN, alarms, plain
from clamlab.report.words import counted, listed

ALWAYS = (
    "A partition always exists: that scans were put into clusters is no evidence of diseases or "
    "subtypes. Whether there are clusters is asked before they are made, above.",
    "The clusters were made from these scans, and nothing here shows that they come out in "
    "another cohort, on another scanner or with another network.",
    "What was measured on the same images (density, volumes, maps) differs between clusters by "
    "construction. It is described, and no p-value of it is printed.",
    "A p-value of an outcome is about this partition as it was found. It does not say that the "
    "clusters are real, and nothing about cause.",
    "A map shows what the network's assignment depends on, as far as its trust card goes: not "
    "where disease is. Maps are as coarse as their layer, and each is scaled to its own maximum.",
    "Scans are compared on one template: the shape and size of the lungs are taken out on purpose, "
    "and an error of the registration may look like disease at the rim.",
    "This is research. It is no medical device, and no statement about a single patient.",
)


def make(found: Found) -> list[Block]:
    """List the weak points of this study, then what no study of this kind can show."""
    own = [*_of_numbers(found), *_of_scanners(found), *_of_stages(found)]
    blocks: list[Block] = [Heading("Of this study"), Listing(own)] if own else []
    return [*blocks, Heading("Of the method"), Listing(ALWAYS)]


def _of_numbers(found: Found) -> list[str]:
    said, choice = [], found.get("choice") or {}
    rule, test = choice.get("recommended") or {}, choice.get("test") or {}
    n, k = rule.get("n_scans"), choice.get("n_clusters")
    needed = rule.get("n_scans_needed")
    if rule.get("answer") in ("continuum", "undecided") and (k or 1) > 1:
        said.append(f"The rule saw no clusters ({rule['answer']}); {k} were made all the same.")
    if n and needed and n < needed:
        said.append(
            f"There are {n} scans; about {needed} would show halves 4 standard deviations apart."
        )
    if test.get("is_between") is False:
        said.append(GAP_ELSEWHERE)
    if test.get("stability") in ("doubtful", "unstable") and found.get("come_back"):
        said.append(f"Partitions of resampled scans {found.get('come_back')}.")
    assigned = found.get("assignments")
    if assigned is not None and (smallest := int(assigned["cluster"].value_counts().min())) < 20:
        told = str(smallest) if smallest >= 5 or found.small_counts else "fewer than 5"
        said.append(f"The smallest cluster has {told} scans: intervals are wide, and small "
                    "differences go unseen.")  # fmt: skip
    if found.settings.get("simulated"):
        said.append("Scans and persons are simulated: no result is about patients.")
    return said


def _of_scanners(found: Found) -> list[str]:
    try:
        alarm = alarms(found)
    except NotFoundError:
        return ["Whether the clusters follow the scanner could not be examined."]
    if "effect_size" in alarm and alarm["effect_size"].isna().all():
        return [UNKNOWN]
    loud = [plain(name) for name in alarm.loc[alarm["alarm"], "variable"]]
    return [f"The clusters go along with {listed(loud)}: see above."] if loud else []


def _of_stages(found: Found) -> list[str]:
    states = found.stages[found.stages["stage"] > "01"]
    said = []
    if len(odd := states[states["status"].isin(["stale", "altered", "partial"])]):
        names = listed(list(odd["stage"]))
        said.append(f"{capital_of(names)} no longer {'stands' if len(odd) == 1 else 'stand'}.")
    if len(absent := states[states["status"] == "missing"]):
        said.append(
            f"{counted(len(absent), 'stage')} of the study "
            f"{'was' if len(absent) == 1 else 'were'} not run: {listed(list(absent['stage']))}."
        )
    return said


def capital_of(text: str) -> str:
    """Put what may begin with a digit behind a word.

    >>> capital_of("05_clusters")
    'What 05_clusters wrote'
    """
    return f"What {text} wrote"


SECTION = Section(
    "limits",
    "What this cannot show",
    make,
    uses=("choice", "assignments"),
    place="discussion",
)
