"""Readings without knowing: scans are scored, and pictures chosen, with the clusters hidden."""

from clamlab.viewers.reading.choice_trials import average_trials, counterfactual_trials
from clamlab.viewers.reading.forced_choice import ForcedChoice
from clamlab.viewers.reading.reading import Reading

__all__ = ["ForcedChoice", "Reading", "average_trials", "counterfactual_trials"]
