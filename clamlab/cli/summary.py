"""What a run has made and found, and for a simulated study how that compares with the truth."""

from clamlab.cli.standing import older_report
from clamlab.study import Study
from clamlab.study.catalogue import artefact_of

PLACES = {
    "table_one_print": "Table 2",
    "figure_10": "Figure 10",
    "associations": "associations",
    "model_comparison": "model comparison",
    "figure_7": "Figures 7-9",
    "averages": "average maps (NIfTI)",
    "maps": "maps of every scan",
    "trust": "what to trust them for",
    "average_viewer": "page of the averages, opens in any browser",
    "qc_pages": "quality of the scans",
}


def summarise(study: Study) -> str:
    """Say where the results are, and for a simulated study what they are worth.

    What a stage that is not fresh has left is of an earlier run: it is marked, and not compared.
    """
    states = dict(study.status().set_index("stage")["status"])
    lines = [f"Study {study.settings['name']}: {study.root}"]
    for name, title in PLACES.items():
        path, stage = study.path(name), artefact_of(name).stage
        found = sorted(path.parent.glob(path.name))
        if found:
            shown = ", ".join(str(f.relative_to(study.root)) for f in found)
            mark = "" if states[stage] == "fresh" else f" ({stage} is {states[stage]})"
            lines.append(f"  {title}{mark}: {shown}")
    lines += [f"  {said}" for said in older_report(study)]
    if study.settings.get("simulated") and states["05_clusters"] == "fresh":
        from clamlab.cli.truth import against_truth  # brings seconds of imports

        compared = against_truth(
            study,
            places=states["06_clam"] == "fresh",
            outcomes=states["09_associations"] == "fresh",
        )
        lines += ["", "Against the known truth:", *(f"  {line}" for line in compared)]
    return "\n".join(lines)
