"""Whole experiments over many runs: simulation study, power, retraining, null calibration."""

from clamlab.experiments.areas import area_by_threshold
from clamlab.experiments.claims import assignment_claims, latent_claims, map_claims
from clamlab.experiments.explained import ExplainedRun, explain_scenario, explain_scenarios
from clamlab.experiments.false_positives import false_positive_rates
from clamlab.experiments.maps.blind_spots import blind_spots
from clamlab.experiments.maps.study import map_study
from clamlab.experiments.maps.volumes import typical_place, volume_map_measures
from clamlab.experiments.null import NullCalibration, null_calibration
from clamlab.experiments.picks import number_picks, who_was_right
from clamlab.experiments.power import power, power_summary
from clamlab.experiments.retraining import RetrainingStability, retraining_stability
from clamlab.experiments.simulation import PAPER_SCENARIOS, simulation_study
from clamlab.experiments.training_length import training_length

__all__ = [
    "PAPER_SCENARIOS",
    "ExplainedRun",
    "NullCalibration",
    "RetrainingStability",
    "area_by_threshold",
    "assignment_claims",
    "blind_spots",
    "explain_scenario",
    "explain_scenarios",
    "false_positive_rates",
    "latent_claims",
    "map_claims",
    "map_study",
    "null_calibration",
    "number_picks",
    "power",
    "power_summary",
    "retraining_stability",
    "simulation_study",
    "training_length",
    "typical_place",
    "volume_map_measures",
    "who_was_right",
]
