"""Why cluster A and not B: counterfactual scans, evidence, and contrast maps."""

from clamlab.contrast.attribution import integrated_gradients
from clamlab.contrast.cohort import average_evidence, counterfactual_hu
from clamlab.contrast.counterfactuals import counterfactual, most_probable
from clamlab.contrast.maps import contrast_map
from clamlab.contrast.planning import contrast_forecast
from clamlab.contrast.ways import WayStep, way, ways_hu

__all__ = [
    "WayStep",
    "average_evidence",
    "contrast_forecast",
    "contrast_map",
    "counterfactual",
    "counterfactual_hu",
    "integrated_gradients",
    "most_probable",
    "way",
    "ways_hu",
]
