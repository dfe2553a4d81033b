"""The one list of what a study holds, and which stage writes it."""

from dataclasses import dataclass

from clamlab.study.errors import StudyError


@dataclass(frozen=True)
class Artefact:
    """One file or folder of a study.

    Attributes
    ----------
    name : str
        What notebooks call it.
    stage : str
        The stage, and so the notebook, that writes it.
    file : str
        Where it lies inside the stage's folder. A name without a suffix is a folder; ``name.*`` is
        one figure or table in several formats.
    per_scan : bool
        Row i belongs to row i of ``scans.csv``.
    schema : str or None
        The contract that a table keeps.
    required : bool
        Without it the stage is not complete.
    clinical : bool
        A table with the user's own columns, read as carefully as the user's own file.
    personal : bool
        A person decides what stands in it: kept when its stage runs again, and free to change.
    measured : tuple of str
        What in a person's JSON file is the run's all the same, and not free to change.
    resumed : bool
        Work on single subjects that the next run of the stage goes on from.
    of_subject : tuple of str
        What is one subject's within a folder, ``{}`` for the id as part of a path: goes when the
        subject withdraws.
    shows_scans : bool
        Made of scans, so that one can be seen in it, or worked out from it and what is made anew
        without it: goes as a whole when a subject withdraws.
    made_of : str or None
        The list of the subjects that it was made of: goes as a whole when one of them withdraws.

    Examples
    --------
    >>> volumes = artefact_of("volumes")
    >>> volumes.stage, volumes.file, volumes.per_scan
    ('02_volumes', 'volumes.npy', True)
    """

    name: str
    stage: str
    file: str
    per_scan: bool = False
    schema: str | None = None
    required: bool = True
    clinical: bool = False
    personal: bool = False
    measured: tuple[str, ...] = ()
    resumed: bool = False
    of_subject: tuple[str, ...] = ()
    shows_scans: bool = False
    made_of: str | None = None

    @property
    def by_hand(self) -> bool:
        """Whether a person may keep it or not: it stands, however its stage does."""
        return self.personal and not self.required


def _stage(stage: str, *rows: tuple) -> list[Artefact]:
    return [Artefact(row[0], stage, row[1], **(row[2] if len(row) > 2 else {})) for row in rows]


SCAN = {"per_scan": True}
EXTRA = {"required": False}
RESUMED = {"resumed": True}
PERSONAL = {"personal": True}
SHOWS = {"shows_scans": True}
# No run makes these again, so that an earlier table less a new one would be who has withdrawn.
EXPLORED = {**EXTRA, **PERSONAL, **SHOWS}
OF_SAMPLE = {"made_of": "template.json"}


def _holds(*names: str) -> dict[str, tuple[str, ...]]:
    return {"of_subject": names}


_ALL = [
    *_stage(
        "00_simulate",
        ("simulated_participants", "participants.csv"),
        ("simulated_scans", "dicom", _holds("{}")),
        ("truth", "truth", _holds("{}_lesion.nii.gz", "{}_lungs.nii.gz")),
        ("true_labels", "truth/labels.csv"),
    ),
    *_stage(
        "01_cohort",
        ("cohort", "cohort.csv", {"schema": "cohort", "clinical": True}),
        ("exclusions", "exclusions.csv", {"schema": "exclusions"}),
    ),
    *_stage(
        "02_volumes",
        ("grid", "grid.json"),
        ("scans", "scans.csv", {"schema": "scans"}),
        ("volumes", "volumes.npy", SCAN),
        ("lung_mask", "lung_mask.npy", OF_SAMPLE),
        ("template", "template.nii.gz", RESUMED | OF_SAMPLE),
        ("template_state", "template.json", RESUMED | EXTRA | OF_SAMPLE),
        ("qc", "qc.csv", {"schema": "qc"}),
        (
            "decisions",
            "decisions.csv",
            {"schema": "decisions", "clinical": True, **EXTRA, **PERSONAL},
        ),
        ("qc_pages", "qc", RESUMED | EXTRA | _holds("{}.png")),
        ("subjects", "scans", RESUMED | EXTRA | _holds("{}")),
    ),
    *_stage(
        "03_autoencoder",
        ("autoencoder", "autoencoder.safetensors"),
        ("autoencoder_config", "config.json"),
        ("pretraining_history", "history.csv", {"schema": "history"}),
        ("pretrained_features", "features.npy", SCAN),
    ),
    *_stage(
        "04_n_clusters",
        ("criteria", "criteria.csv", {"schema": "criteria"}),
        ("stability", "stability.csv", {"schema": "stability"}),
        ("partitions", "partitions.csv", {"schema": "partitions"}),
        ("choice", "choice.json", {**PERSONAL, "measured": ("recommended", "test")}),
    ),
    *_stage(
        "05_clusters",
        ("deep_clustering", "deep_clustering.safetensors"),
        ("deep_clustering_config", "config.json"),
        ("clustering_history", "history.csv", {"schema": "clustering_history"}),
        ("features", "features.npy", SCAN),
        ("soft_assignments", "soft_assignments.npy", SCAN),
        ("assignments", "assignments.csv", {"per_scan": True, "schema": "assignments"}),
        ("baselines", "baselines.csv", {"schema": "baselines", **EXTRA}),
        (
            "baseline_partitions",
            "baseline_partitions.csv",
            {"per_scan": True, "schema": "baseline_partitions", **EXTRA},
        ),
    ),
    *_stage(
        "06_clam",
        ("channel_confidence", "channel_confidence.npy", SCAN),
        ("maps", "maps.npy", SCAN),
        ("unweighted", "unweighted.npy", SCAN),
        ("contrast", "contrast.npy", SCAN),
        ("counterfactual_hu", "counterfactual_hu.npy", SCAN),
        ("map_measures", "map_measures.csv", {"schema": "map_measures"}),
        ("trust", "trust.csv", {"schema": "trust"}),
        ("averages", "averages", SHOWS),
    ),
    *_stage(
        "07_explore",
        ("figure_7", "figure_7.*", SHOWS),
        ("figure_8", "figure_8.*", SHOWS),
        ("figure_9", "figure_9.*", SHOWS),
        ("average_viewer", "averages.html", SHOWS),
        ("person_viewer", "persons.html", SHOWS | EXTRA),
        ("notes", "notes.csv", {"schema": "notes", **EXTRA, **PERSONAL}),
        ("groups", "groups.csv", {"schema": "groups", "clinical": True, **EXTRA, **PERSONAL}),
        ("group_figures", "groups", {**SHOWS, **EXTRA, **PERSONAL}),
        ("readings", "readings.csv", {"schema": "readings", "clinical": True, **EXTRA, **PERSONAL}),
        (
            "forced_choices",
            "forced_choices.csv",
            {"schema": "forced_choices", "clinical": True, **EXTRA, **PERSONAL},
        ),
    ),
    *_stage(
        "08_table_one",
        ("table_one", "table_one.csv", {"schema": "table_one"}),
        ("table_one_print", "table_one.*"),
        ("explored_tables", "explored", EXPLORED),
    ),
    *_stage(
        "09_associations",
        ("associations", "associations.csv", {"schema": "associations"}),
        ("adjusted_means", "adjusted_means.csv", {"schema": "adjusted_means"}),
        ("model_comparison", "model_comparison.csv", {"schema": "model_comparison"}),
        (
            "baseline_comparison",
            "baseline_comparison.csv",
            {"schema": "baseline_comparison", **EXTRA},
        ),
        ("figure_10", "figure_10.*"),
        ("explored_outcomes", "explored", EXPLORED),
    ),
]

ARTEFACTS: dict[str, Artefact] = {artefact.name: artefact for artefact in _ALL}
"""Every file of a study by its name."""
STAGES: tuple[str, ...] = tuple(dict.fromkeys(artefact.stage for artefact in _ALL))
"""The stages in order; each has the notebook of its name."""
REPORT = tuple(
    f"report/{name}" for name in ("report.html", "report.docx", "references.bib", "manifest.json")
)
"""What ``clamlab report`` writes: no stage, and made anew at will; the manifest is the last."""

RERUN = "report/rerun.json"
"""How a rerun compares with its manifest: written by ``clamlab rerun`` alone."""


def artefacts_of(stage: str) -> list[Artefact]:
    """List what a stage writes."""
    return [artefact for artefact in _ALL if artefact.stage == stage]


def artefact_of(name: str) -> Artefact:
    """Return an artefact by its name, or raise StudyError."""
    if name not in ARTEFACTS:
        raise StudyError(f"a study holds no {name!r}: expected one of {', '.join(ARTEFACTS)}")
    return ARTEFACTS[name]
