"""Why cluster A and not B: counterfactual scans, evidence, and contrast maps."""

from clamlab.contrast.attribution import integrated_gradients
from clamlab.contrast.counterfactuals import counterfactual, most_probable
from clamlab.contrast.maps import contrast_map

__all__ = ["contrast_map", "counterfactual", "integrated_gradients", "most_probable"]
