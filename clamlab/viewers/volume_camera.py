"""From where a volume is seen: six sides by name, and the words for any turn of the hand."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

# x runs to the patient's right, y to the front, z to the head; the camera looks at the middle.
# From the front with the head up, the patient's right is on the left: nothing is mirrored.
FAR = 1.5  # widths of the picture's box
SIDES = {
    "front": ((0, FAR, 0), (0, 0, 1)),
    "back": ((0, -FAR, 0), (0, 0, 1)),
    "patient's right": ((FAR, 0, 0), (0, 0, 1)),
    "patient's left": ((-FAR, 0, 0), (0, 0, 1)),
    "head": ((0, 0, FAR), (0, 1, 0)),
    "feet": ((0, 0, -FAR), (0, 1, 0)),
}  # camera's place, and what is up in the picture
STRAIGHT, MOSTLY = 0.99, 0.7  # cosines


def turned_to(position: Sequence[float], up: Sequence[float]) -> tuple[float, ...]:
    """Return the turn (quaternion x, y, z, w) of a camera that looks at the middle, upright.

    Examples
    --------
    >>> turned_to((0, 0, 1.5), (0, 1, 0))
    (0.0, 0.0, 0.0, 1.0)
    """
    behind = np.asarray(position, float) / np.linalg.norm(position)
    to_the_right = np.cross(np.asarray(up, float), behind)
    to_the_right /= np.linalg.norm(to_the_right)
    axes = np.column_stack([to_the_right, np.cross(behind, to_the_right), behind])
    return tuple(Rotation.from_matrix(axes).as_quat().tolist())


def seen_from(position: Sequence[float], up: Sequence[float]) -> str:
    """Say from where a camera looks, and where the patient's right is in its picture.

    Examples
    --------
    >>> seen_from((0, 1.5, 0), (0, 0, 1))
    "from the front, patient's right on the left"
    >>> seen_from((1, 1, 0.1), (0, 0, 1))
    "between the front and the patient's right, patient's right on the left"
    >>> seen_from((1.5, 0, 0), (0, 0, 1))
    "from the patient's right"
    """
    place = np.asarray(position, float) / (np.linalg.norm(position) or 1)
    nearness = {side: float(place @ np.divide(at, FAR)) for side, (at, _) in SIDES.items()}
    first, second = sorted(nearness, key=lambda side: -nearness[side])[:2]
    straight = nearness[first] > STRAIGHT
    where = f"from the {first}" if straight else f"between the {first} and the {second}"
    to_the_right = np.cross(-place, np.asarray(up, float))
    share = to_the_right[0] / (np.linalg.norm(to_the_right) or 1)
    if abs(share) < MOSTLY:
        return where
    return f"{where}, patient's right on the {'right' if share > 0 else 'left'}"


def side_of(position: Sequence[float], up: Sequence[float]) -> str | None:
    """Name the side that is seen from exactly its place and upright; None for any other turn.

    Examples
    --------
    >>> side_of((0, 1.5, 0), (0, 0, 1)), side_of((0.5, 1.4, 0), (0, 0, 1))
    ('front', None)
    """
    for side, place in SIDES.items():
        if np.allclose([position, up], place, atol=1e-3):
            return side
    return None
