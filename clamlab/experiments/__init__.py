"""Whole experiments over many runs: simulation study, power, retraining, null calibration."""

from clamlab.experiments.null import NullCalibration, null_calibration
from clamlab.experiments.picks import number_picks, who_was_right
from clamlab.experiments.power import power
from clamlab.experiments.retraining import RetrainingStability, retraining_stability
from clamlab.experiments.simulation import PAPER_SCENARIOS, simulation_study

__all__ = [
    "PAPER_SCENARIOS",
    "NullCalibration",
    "RetrainingStability",
    "null_calibration",
    "number_picks",
    "power",
    "retraining_stability",
    "simulation_study",
    "who_was_right",
]
