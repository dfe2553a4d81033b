"""How the number of clusters was chosen, by whom, and how sure that is."""

import pandas as pd

from clamlab import figures
from clamlab.report.blocks import Block, Listing, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.drawing import drawn
from clamlab.report.found import Found
from clamlab.report.words import number, p_text

GAP_ELSEWHERE = (
    "The gap that was seen is not between these clusters: they cut something else, which varies "
    "more."
)

TITLES = {
    "silhouette": "Silhouette",
    "silhouette_sparse": "Silhouette, sparse",
    "silhouette_multimodal": "Silhouette, multimodal",
    "gap": "Gap",
    "calinski_harabasz": "Calinski-Harabasz",
    "prediction_strength": "Prediction strength",
    "gmm_bic": "GMM BIC",
    "separation": "Separation, the rule",
}
_ANSWERS = {
    "clusters": "clusters, each apart from every other",
    "continuum": "one continuum, as far as so many scans tell: clusters would be slices of it",
    "undecided": "it cannot be told from so many scans whether there are clusters",
}


def make(found: Found) -> list[Block]:
    """Print the decision, the rule's answer, and every common criterion beside it."""
    choice, criteria = found.need("choice"), found.get("criteria")
    blocks: list[Block] = [Sentence(found.need("decision"))]
    rule = choice.get("recommended") or {}
    if points := _points(rule, choice.get("test") or {}, found.get("come_back") or ""):
        blocks.append(Listing(points))
    if str(choice.get("decided_by") or "rule") not in ("rule", "parameter"):
        where = "A person overruled or confirmed the rule; the reason given stands in the study"
        blocks.append(Note(f"{where} (04_n_clusters/choice.json).", warning=True))
    if criteria is None or criteria.empty:
        return blocks
    told = criteria.dropna(axis="columns", how="all")
    panel = figures.criteria_panel(told, recommended=choice["n_clusters"], titles=TITLES)
    at = f"the dashed line is the number that was decided ({choice['n_clusters']})"
    blocks.append(drawn(panel, f"Criteria for the number of clusters; {at}."))
    if picks := rule.get("picks"):
        blocks.append(_picks(picks))
    return blocks


def _points(rule: dict, test: dict, come_back: str) -> list[str]:
    points = []
    if rule.get("answer") in _ANSWERS:
        points.append(f"Answer of the rule: {_ANSWERS[rule['answer']]}.")
    if rule.get("p_value") is not None:
        what = "the two clusters hardest to tell apart" if rule.get("p_of_pair") else "these scans"
        told = p_text(rule["p_value"])
        points.append(f"How often one continuous cloud looks as split as {what}: {told}.")
    if rule.get("seen_from_sd") is not None:
        points.append(
            "Two halves of the cohort would have been seen with probability .8 from "
            f"{rule['seen_from_sd']:.1f} standard deviations apart."
        )
    if rule.get("n_scans_needed") is not None:
        points.append(
            f"About {rule['n_scans_needed']} scans show two halves that are 4 standard deviations "
            "apart with the same probability."
        )
    # Two clusters by the rule are tested as the scans are; three or more were seen from elsewhere.
    is_other = test.get("n_clusters") != rule.get("n_clusters") or test.get("n_clusters", 0) > 2
    if test.get("p_value") is not None and is_other:
        points.append(
            f"The clusters that were made, held to the same test: {p_text(test['p_value'])} that "
            "one cloud looks as split as the two of them that are hardest to tell apart."
        )
    if test.get("is_between") is False:
        points.append(GAP_ELSEWHERE)
    if come_back:
        points.append(
            f"Partitions of resampled scans {come_back} (mean adjusted Rand index "
            f"{number(test['agreement'])})."
        )
    return points


def _picks(picks: dict) -> Table:
    titles = {"recommended": "The rule", **TITLES}
    known = [name for name in picks if name in titles]
    cells = pd.DataFrame(
        {
            "Criterion": [titles[name] for name in known],
            "Clusters": [str(picks[name]) for name in known],
        }
    )
    notes = [
        "Each criterion has cohorts without clusters in which it finds some; the rule decides."
    ]
    return Table("The number that each criterion picks.", cells, notes)


SECTION = Section(
    "number", "How many clusters, and how sure that is", make, needs=("choice",), uses=("criteria",)
)
