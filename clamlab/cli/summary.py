"""What a run has made and found, and for a simulated study how that compares with the truth."""

from clamlab.study import Study

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
    """Say where the results are, and for a simulated study what they are worth."""
    lines = [f"Study {study.settings['name']}: {study.root}"]
    for name, title in PLACES.items():
        path = study.path(name)
        found = sorted(path.parent.glob(path.name))
        if found:
            shown = ", ".join(str(f.relative_to(study.root)) for f in found)
            lines.append(f"  {title}: {shown}")
    fresh = dict(study.status().set_index("stage")["status"])["05_clusters"] == "fresh"
    if study.settings.get("simulated") and fresh:
        from clamlab.cli.truth import against_truth  # brings seconds of imports

        lines += ["", "Against the known truth:", *(f"  {line}" for line in against_truth(study))]
    return "\n".join(lines)
