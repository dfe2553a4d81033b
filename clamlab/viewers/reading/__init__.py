"""Readings without knowing: scans are scored, and pictures chosen, with the clusters hidden."""

from clamlab.viewers.reading.choice_desk import ChoiceDesk
from clamlab.viewers.reading.choice_trials import average_trials, counterfactual_trials
from clamlab.viewers.reading.forced_choice import ForcedChoice
from clamlab.viewers.reading.reading import Reading
from clamlab.viewers.reading.reading_desk import ReadingDesk

__all__ = [
    "ChoiceDesk",
    "ForcedChoice",
    "Reading",
    "ReadingDesk",
    "average_trials",
    "counterfactual_trials",
]
