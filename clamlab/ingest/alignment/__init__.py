"""From a scan's own space to the study's grid: affine and SyN registration, template, warping."""
