"""Which voxels are right and left lung, and whether that can be right."""
