"""Check a scan and its maps, and pack them into the few bytes a browser needs."""

from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike


def pack_scan(
    volume_hu: ArrayLike,
    overlays: dict[str, ArrayLike] | None = None,
    *,
    affine: ArrayLike | None = None,
) -> dict[str, Any]:
    """Turn a scan and its maps into the few bytes a browser needs, after checking them.

    Returns
    -------
    dict
        `volume` (int16 HU, little endian, C order), `overlay_volumes` (uint8, 255 = 1, one map
        after the other), `overlay_names`, `shape`, `affine` (16 numbers by row) and `units`
        (``mm``, or ``px`` for a 2-D image without affine).

    Raises
    ------
    ValueError
        See `SliceViewer`.

    Examples
    --------
    >>> scan = pack_scan(np.zeros((64, 48)))
    >>> scan["shape"], scan["units"], len(scan["volume"])
    ([48, 64, 1], 'px', 6144)
    """
    image = np.asarray(volume_hu)
    volume = _as_volume(image)
    if not np.isfinite(volume).all():
        raise ValueError("the volume holds NaN or infinity; give finite HU (air is -1000)")
    if np.abs(volume).max(initial=0) < 32 and not np.array_equal(volume, np.rint(volume)):
        raise ValueError(
            f"the volume lies in {volume.min():.3g}..{volume.max():.3g}, which is a scaled image, "
            "not HU; clamlab.volumes.unscale turns it back"
        )
    maps = [_overlay_bytes(name, values, image.shape) for name, values in (overlays or {}).items()]
    return {
        "volume": np.rint(np.clip(volume, -32768, 32767)).astype("<i2").tobytes(),
        "overlay_volumes": b"".join(maps),
        "overlay_names": list(overlays or {}),
        "shape": list(volume.shape),
        "affine": _ras_affine(affine, image.ndim).ravel().tolist(),
        "units": "px" if affine is None else "mm",
    }


def _as_volume(image: np.ndarray) -> np.ndarray:
    """Put a displayed slice (row 0 anterior, column 0 patient's right) into RAS+ voxel order."""
    if image.ndim == 2:
        return image[::-1, ::-1].T[:, :, None]
    if image.ndim == 3:
        return image
    raise ValueError(f"expected a volume (X, Y, Z) or a slice (H, W), found shape {image.shape}")


def _overlay_bytes(name: str, values: ArrayLike, shape: tuple[int, ...]) -> bytes:
    overlay = np.asarray(values, dtype=np.float32)
    if overlay.shape != shape:
        raise ValueError(
            f"map {name!r} has shape {overlay.shape}, the scan {shape}; "
            "clamlab.clam.upsample brings it to the scan's grid"
        )
    low, high = overlay.min(), overlay.max()
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # also false for NaN
        raise ValueError(
            f"map {name!r} lies in {low:.3g}..{high:.3g}, expected [0, 1]; "
            "clamlab.clam.importance scales it"
        )
    return np.rint(255 * np.clip(_as_volume(overlay), 0, 1)).astype(np.uint8).tobytes()


def _ras_affine(affine: ArrayLike | None, dimensions: int) -> np.ndarray:
    if affine is None:
        if dimensions == 3:
            raise ValueError("a volume needs its affine (4 x 4): the viewer shows mm and sides")
        return np.eye(4)
    matrix = np.asarray(affine, dtype=float)
    if matrix.shape != (4, 4):
        raise ValueError(f"expected an affine of shape (4, 4), found {matrix.shape}")
    if nib.aff2axcodes(matrix) != ("R", "A", "S"):
        raise ValueError(
            f"the affine says {''.join(map(str, nib.aff2axcodes(matrix)))}, expected RAS; "
            "nibabel.as_closest_canonical turns the scan"
        )
    return matrix
