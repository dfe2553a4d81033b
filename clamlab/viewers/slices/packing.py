"""Check a scan and its maps, and pack them into the few bytes a browser needs."""

from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.slices.signed_map import SignedMap

UNKNOWN = -32768  # of a signed map: no value was measured there
MOST = 32767


def pack_scan(
    volume_hu: ArrayLike,
    overlays: dict[str, ArrayLike | SignedMap] | None = None,
    *,
    affine: ArrayLike | None = None,
) -> dict[str, Any]:
    """Turn a scan and its maps into the few bytes a browser needs, after checking them.

    Returns
    -------
    dict
        `volume` (int16 HU, little endian, C order), `overlay_volumes` (one map after the other:
        uint8, 255 = 1; of a signed map the low bytes of its int16, the high bytes, and then its
        evidence if it has some), `overlay_names`, `overlay_kinds` (of a signed map its `limit`,
        `step`, `units`, `evidence` and whether values go `beyond` the limit; else nothing),
        `shape`, `affine` (16 numbers by row) and `units` (``mm``, or ``px`` for a 2-D image
        without affine).

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
    maps = [_pack_map(name, values, image.shape) for name, values in (overlays or {}).items()]
    return {
        "volume": np.rint(np.clip(volume, -32768, 32767)).astype("<i2").tobytes(),
        "overlay_volumes": b"".join(packed for packed, _ in maps),
        "overlay_names": list(overlays or {}),
        "overlay_kinds": [kind for _, kind in maps],
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


def _pack_map(
    name: str, values: ArrayLike | SignedMap, shape: tuple[int, ...]
) -> tuple[bytes, dict[str, Any]]:
    bare = values.values if isinstance(values, SignedMap) else values
    overlay = np.asarray(bare, dtype=np.float32)
    if overlay.shape != shape:
        raise ValueError(
            f"map {name!r} has shape {overlay.shape}, the scan {shape}; "
            "clamlab.clam.upsample brings it to the scan's grid"
        )
    return _pack_signed(values) if isinstance(values, SignedMap) else _pack_share(name, overlay)


def _pack_share(name: str, overlay: NDArray[np.float32]) -> tuple[bytes, dict[str, Any]]:
    low, high = overlay.min(), overlay.max()
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # also false for NaN
        raise ValueError(
            f"map {name!r} lies in {low:.3g}..{high:.3g}, expected [0, 1]; "
            "clamlab.clam.importance scales it, clamlab.viewers.SignedMap shows values with a sign"
        )
    return _bytes_of_shares(overlay), {}


def _bytes_of_shares(shares: ArrayLike) -> bytes:
    volume = np.clip(_as_volume(np.asarray(shares, dtype=np.float32)), 0, 1)
    return np.rint(255 * volume).astype(np.uint8).tobytes()


def _pack_signed(signed: SignedMap) -> tuple[bytes, dict[str, Any]]:
    """Write values as steps of at most a fiftieth of the limit, at best a two-thousandth."""
    values = _as_volume(np.asarray(signed.values))
    limit = float(signed.limit or 0)
    most = float(np.nanmax(np.abs(values), initial=0))
    step = min(max(limit / 2000, most / MOST), limit / 50)
    steps = np.clip(np.rint(values / step), -MOST, MOST)
    packed = np.where(np.isnan(values), UNKNOWN, steps).astype("<i2")
    low_and_high = np.ascontiguousarray(packed).view(np.uint8).reshape(-1, 2).T.tobytes()
    evidence = b"" if signed.evidence is None else _bytes_of_shares(signed.evidence)
    kind = {
        "limit": limit,
        "step": step,
        "units": signed.units,
        "evidence": signed.evidence is not None,
        "beyond": most > limit,
    }
    return low_and_high + evidence, kind


def first_map(scan: dict[str, Any]) -> NDArray:
    """Unpack how strongly the first map of a packed scan is shown at each voxel."""
    shape, data = scan["shape"], np.frombuffer(scan["overlay_volumes"], np.uint8)
    n = int(np.prod(shape))
    kind = scan["overlay_kinds"][0]
    if not kind:
        return data[:n].reshape(shape)
    values = data[: 2 * n].reshape(2, n).T.copy().view("<i2").ravel().astype(float)
    strength = np.where(values == UNKNOWN, 0, np.abs(values)) * kind["step"] / kind["limit"]
    evidence = data[2 * n : 3 * n] / 255 if kind["evidence"] else 1
    return (np.minimum(strength, 1) * evidence).reshape(shape)


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
