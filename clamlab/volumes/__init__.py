"""From HU volumes on one grid to what the network sees, and back to files any viewer opens."""

from clamlab.volumes.averages import average_by_cluster, average_volume, mean_inside
from clamlab.volumes.grid import describe_grid, fit_to_grid, grid_for
from clamlab.volumes.nifti import load_nifti, save_averages, save_nifti
from clamlab.volumes.scaling import fit_scaling, scale, unscale

__all__ = [
    "average_by_cluster",
    "average_volume",
    "describe_grid",
    "fit_scaling",
    "fit_to_grid",
    "grid_for",
    "load_nifti",
    "mean_inside",
    "save_averages",
    "save_nifti",
    "scale",
    "unscale",
]
