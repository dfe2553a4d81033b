"""Whole experiments over many runs: simulation study, power, retraining, null calibration."""

from clamlab.experiments.claims import latent_claims
from clamlab.experiments.explained import explain_scenario, explain_scenarios
from clamlab.experiments.map_claims import map_claims
from clamlab.experiments.null import null_calibration
from clamlab.experiments.picks import number_picks, who_was_right
from clamlab.experiments.power import power, power_summary
from clamlab.experiments.retraining import retraining_stability
from clamlab.experiments.simulation import simulation_study
from clamlab.experiments.training_length import training_length

__all__ = [
    "explain_scenario",
    "explain_scenarios",
    "latent_claims",
    "map_claims",
    "null_calibration",
    "number_picks",
    "power",
    "power_summary",
    "retraining_stability",
    "simulation_study",
    "training_length",
    "who_was_right",
]
