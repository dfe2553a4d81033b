"""Whether a lung mask from elsewhere is this scan's, held against the lungs that are found in it.

What is found is lung, and what is not found may be: dense lung is why masks are given. But dense
lung lies in some place, while a mask that is too large or another's leaves the lungs that are found
all along their border.
"""

from math import floor

from numpy.typing import NDArray

from clamlab.ingest.alignment.transforms import LEFT, RIGHT
from clamlab.ingest.errors import IngestError
from clamlab.ingest.lungs.missing import missing_ml
from clamlab.ingest.lungs.morphology import grow, shrink
from clamlab.ingest.lungs.segmentation import LUNG_BELOW_HU

WORDS = {RIGHT: "right", LEFT: "left"}
LEAST_DARK = 0.3  # of the mask: even half consolidated lungs hold more air
LEAST_FOUND = 0.9  # of the aerated lung that we find on either side
ENOUGH_ML = 200.0  # of a lung found by us, to hold a mask against it
BORDER_MM = 4.5  # on either side of the lung that is found
MOST_ASIDE = 0.15  # of that border: smoothing by a voxel reaches 0.03, a shift by 6 mm 0.17
MOST_UNSEEN_ML, MOST_UNSEEN = 150.0, 0.12  # both, of the mask
REFUSED_ASIDE, REFUSED_UNSEEN = 0.25, 0.25  # both: half consolidated lungs keep their border
MOST_CONTACT_CM2 = 30.0  # lungs that meet in front or behind reach 16, over a mediastinum 47
LEAST_ON_LUNG = 0.1  # of a label
HALF = 0.5


def check_fit(
    labels: NDArray, found: NDArray, volume: NDArray, spacing: NDArray, what: str
) -> list[str]:
    """Refuse a mask that lies elsewhere than this scan's lungs; say what a person should look at.

    Parameters
    ----------
    labels, found : array of int, shape (x, y, z)
        The mask, and the lungs that :func:`segment_lungs` finds: 1 right, 2 left.
    volume : array, same shape
        HU, RAS+ order, at about 2.5 mm.
    spacing : array, shape (3,)
    what : str
        Names the mask in a message.

    Returns
    -------
    list of str
        Sentences; empty for a mask that fits.

    Raises
    ------
    IngestError
        If it holds too little air, lacks a tenth of a lung that is found, or holds far more.
    """
    dark = float((volume[labels > 0] < LUNG_BELOW_HU).mean())
    if dark < LEAST_DARK:
        raise IngestError(
            f"{what}: expected it to lie on lung, found {dark:.0%} of its voxels below "
            f"{LUNG_BELOW_HU:.0f} HU: it belongs to another scan; look for this subject's"
        )
    doubts = [_side_doubt(labels, found, volume, side, spacing, what) for side in WORDS]
    doubts += [_contact_doubt(labels, spacing)]
    doubts += _border_doubts(labels, found, volume, spacing, what)
    return [doubt for doubt in doubts if doubt]


def label_doubt(part: NDArray, found: NDArray, volume: NDArray, label: str, what: str) -> str:
    """Refuse a label that is air outside the lungs, an airway's; doubt one that is no lung we see.

    Parameters
    ----------
    part : array of bool
        Where the label lies.
    found, volume
        As in :func:`check_fit`.
    label, what : str
        Name the label and the mask in a message.

    Raises
    ------
    IngestError
        If it is an airway's or gas.
    """
    lung, air = found[part] > 0, volume[part] < LUNG_BELOW_HU
    if not part.any() or lung.mean() > LEAST_ON_LUNG and lung[air].mean() > HALF:
        return ""
    if air.mean() > HALF and lung[air].mean() < HALF:
        raise IngestError(
            f"{what}: expected {label} to be lung, found {(air & ~lung).mean():.0%} of it to be "
            "air outside the lungs: a trachea, or gas? Remove it from the mask, or name the "
            "convention (init --mask-labels)"
        )
    if lung.mean() > LEAST_ON_LUNG:
        return ""
    return (
        f"the lung mask's {label} lies by {lung.mean():.0%} on lung that is found in the scan: it "
        "is dense all through, or no lung"
    )


def _side_doubt(
    labels: NDArray, found: NDArray, volume: NDArray, side: int, spacing: NDArray, what: str
) -> str:
    lung = (found == side) & (volume < LUNG_BELOW_HU)
    ml = lung.sum() * spacing.prod() / 1000
    if ml <= ENOUGH_ML:
        return (
            f"the lung mask's {WORDS[side]} lung was held against nothing: {ml:.0f} ml of it are "
            "found in the scan"
        )
    share = float((labels[lung] == side).mean())
    if share < LEAST_FOUND:
        raise IngestError(
            f"{what}: expected it to hold at least {LEAST_FOUND:.0%} of the {WORDS[side]} lung "
            f"that is found in the scan, found {floor(100 * share)}% of it: another scan's, "
            "another side's, of other labels, or a part only; look for this subject's, name its "
            "convention (init --mask-labels), or leave lung_mask empty"
        )
    return ""


def _contact_doubt(labels: NDArray, spacing: NDArray) -> str:
    one, next_one = labels[:-1], labels[1:]
    meet = (one > 0) & (next_one > 0) & (one != next_one)
    area = meet.sum() * spacing[1] * spacing[2] / 100
    if area <= MOST_CONTACT_CM2:
        return ""
    return (
        f"the lung mask's right and left lung touch over {area:.0f} cm2: it holds a part of what "
        "lies between them"
    )


def _border_doubts(
    labels: NDArray, found: NDArray, volume: NDArray, spacing: NDArray, what: str
) -> list[str]:
    """Say how much of the mask nothing shows to be lung, and how far the borders go apart."""
    if not found.any():
        return []
    whole = (labels > 0).sum() * spacing.prod() / 1000
    unseen = _unseen_ml(labels, found, volume, spacing)
    aside = _aside(labels > 0, found > 0, volume < LUNG_BELOW_HU, spacing)
    if aside > REFUSED_ASIDE and unseen > REFUSED_UNSEEN * whole:
        raise IngestError(
            f"{what}: expected it to follow the lungs that are found in the scan, found "
            f"{unseen:.0f} of its {whole:.0f} ml outside them, on all sides: another scan's, "
            "or far too large; look for this subject's, or leave lung_mask empty"
        )
    doubts = []
    if unseen > max(MOST_UNSEEN_ML, MOST_UNSEEN * whole):
        doubts.append(
            f"the lung mask holds about {unseen:.0f} ml outside the lungs that are found, which "
            "the rib cage does not show to be dense lung: it is too large, or both lungs are dense"
        )
    if aside > MOST_ASIDE:
        doubts.append(
            f"along the border of the lungs that are found {aside:.0%} lies on the other side of "
            "the lung mask's border: it is moved, too large or too small"
        )
    return doubts


def _unseen_ml(labels: NDArray, found: NDArray, volume: NDArray, spacing: NDArray) -> float:
    """Measure the mask outside the lungs found, less what it fills of their missing lung."""
    outside = ((labels > 0) & (found == 0)).sum() * spacing.prod() / 1000
    if outside <= MOST_UNSEEN_ML:
        return float(outside)  # as of most masks: the ribs need not be looked at
    before, after = (
        sum(ml or 0.0 for ml in missing_ml(volume, lungs, spacing)) for lungs in (found, labels)
    )
    return float(outside - max(0.0, before - after))


def _aside(mask: NDArray, lung: NDArray, air: NDArray, spacing: NDArray) -> float:
    """Return the share of what lies along the found lung's border that the mask tells otherwise.

    Only tissue outside and air inside are asked: airways and vessels may be in a mask or not.
    """
    reach = max(BORDER_MM, 1.01 * spacing.max())
    outer = grow(lung, reach, spacing) & ~lung & ~air
    inner = lung & ~shrink(lung, reach, spacing) & air
    return float(((outer & mask) | (inner & ~mask)).sum() / max(1, (outer | inner).sum()))
