"""A chest drawn by formulas: every voxel's truth is known, and nothing in it is symmetric."""

import numpy as np

AFFINE = np.diag([4.0, 4.0, 5.0, 1.0])
AFFINE[:3, 3] = -190, -150, -170


def chest(shape=(96, 72, 68), affine=AFFINE, *, seed=0, scale=(1.0, 1.0, 1.0), couch=False):
    """Return HU (x to the right, y forward, z up) and the lungs' true labels."""
    index = np.indices(shape).reshape(3, -1)
    x, y, z = (affine[:3, :3] @ index + affine[:3, 3:]).reshape(3, *shape) / np.reshape(
        scale, (3, 1, 1, 1)
    )
    hu = np.full(shape, -1000.0)
    hu[(x / 165) ** 2 + (y / 115) ** 2 < 1] = 40
    right = ((x - 75) / 62) ** 2 + (y / 85) ** 2 + (z / 130) ** 2 < 1
    left = ((x + 78) / 52) ** 2 + ((y + 5) / 80) ** 2 + ((z - 5) / 120) ** 2 < 1
    heart = ((x + 25) / 55) ** 2 + ((y - 30) / 45) ** 2 + ((z + 30) / 50) ** 2 < 1
    labels = np.where(right, 1, np.where(left, 2, 0)) * ~heart
    hu[labels > 0] = -850
    trachea = (x**2 + (y + 15) ** 2 < 10**2) & (z > 10)
    hu[trachea & (labels == 0)] = -990
    hu[(x**2 + (y + 95) ** 2 < 15**2)] = 300
    if couch:
        shell = (np.abs(x) < 180) & (np.abs(y + 132) < 14)
        hollow = (np.abs(x) < 172) & (np.abs(y + 132) < 7)
        hu[shell] = -100
        hu[hollow] = -940  # foam is no denser than emphysema
    noise = np.random.default_rng(seed).normal(0, 15, shape)
    return np.rint(hu + noise).astype("int16"), labels.astype("uint8")


def overlap(found, truth, side):
    """Dice of one lung."""
    a, b = found == side, truth == side
    return 2 * (a & b).sum() / (a.sum() + b.sum())
