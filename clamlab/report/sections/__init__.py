"""The sections of a report, in the order of its page; one idea each."""

from clamlab.report.sections import (
    baselines,
    clusters,
    flow,
    limits,
    maps,
    methods,
    number,
    outcomes,
    quality,
    run,
    scanners,
    scans,
    study,
    table_two,
)

SECTIONS = (
    study.SECTION,
    flow.SECTION,
    quality.SECTION,
    number.SECTION,
    clusters.SECTION,
    baselines.SECTION,
    maps.SECTION,
    table_two.SECTION,
    outcomes.SECTION,
    outcomes.MODELS,
    scanners.SECTION,
    limits.SECTION,
    run.SECTION,
    methods.SECTION,
)
SCANS = scans.SECTION
