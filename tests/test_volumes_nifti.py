"""A NIfTI file is right by its header, or refused with both of the things that disagree."""

import nibabel
import numpy as np
import pytest
from hospital_cases import EXACT, eight_bit, error, padded, window
from hospital_series import hu_at

from clamlab.ingest import IngestError, read_scan

SHAPE = (92, 64, 96)
GRID = np.array([[4.0, 0, 0, -182], [0, 4.0, 0, -126], [0, 0, 3.0, -142], [0, 0, 0, 1]])


def chest_hu(shape=SHAPE, affine=GRID):
    index = np.stack(np.indices(shape), -1)
    return hu_at(index @ affine[:3, :3].T + affine[:3, 3])


HU = chest_hu()


def write(path, hu=HU, *, sform=GRID, qform=GRID, codes=(1, 1), dtype="int16", **header):
    image = nibabel.Nifti1Image(np.rint(hu).astype(dtype), None)
    image.set_sform(sform, code=codes[0])
    image.set_qform(qform, code=codes[1])
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def turned(axes):
    """The same chest stored along other axes: its array and its affine."""
    given = nibabel.orientations.axcodes2ornt(axes)
    turn = nibabel.orientations.ornt_transform(nibabel.orientations.io_orientation(GRID), given)
    hu = nibabel.orientations.apply_orientation(HU, turn)
    return hu, GRID @ nibabel.orientations.inv_ornt_aff(turn, SHAPE)


@pytest.mark.parametrize("axes", ["RAS", "LAS", "LPS", "RPI", "ASR", "PIL"])
def test_any_order_of_axes_is_right(axes, tmp_path):
    hu, affine = turned(axes)
    scan = read_scan(write(tmp_path / "s.nii.gz", hu, sform=affine, qform=affine))
    assert error(scan) <= EXACT and scan.notes == []


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (2, 1), (1, 1)])
def test_either_affine_serves(codes, tmp_path):
    assert error(read_scan(write(tmp_path / "s.nii", codes=codes))) <= EXACT


def test_a_stored_slope_is_used(tmp_path):
    path = write(tmp_path / "s.nii", (HU + 1024) / 2, dtype="uint16")
    data = bytearray(path.read_bytes())
    data[112:120] = np.array([2.0, -1024.0], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(data)
    assert error(read_scan(path)) <= EXACT + 1


MIRRORED = GRID * [[-1], [1], [1], [1]]
LARGER = GRID * [[2], [1], [1], [1]]

# name: (what is written, what is said)
REFUSED = {
    "sform and qform disagree in left and right": (
        {"qform": MIRRORED}, "towards RAS by the sform and LAS by the qform",
    ),
    "sform and qform disagree in size": (
        {"qform": LARGER}, r"\[8.0, 4.0, 3.0\] mm by pixdim, found \[4.0, 4.0, 3.0\] by the sform",
    ),
    "sform and pixdim disagree": (
        {"codes": (1, 0), "qform": LARGER}, r"\[8.0, 4.0, 3.0\] mm by pixdim, found \[4.0, 4.0",
    ),
    "no orientation": ({"codes": (0, 0)}, "sform_code 0 and qform_code 0"),
    "metres": ({"xyzt_units": 1}, "expected lengths in mm, found xyzt_units 1"),
    "micrometres": ({"xyzt_units": 3}, "expected lengths in mm, found xyzt_units 3"),
    "8 bit of a display window": ({"hu": eight_bit(HU)}, "fat near -100 and muscle near 50"),
    "HU x 10": ({"hu": HU * 10}, "fat near -100 and muscle near 50"),
    "intercept twice": ({"hu": HU - 1024}, "fat near -100 and muscle near 50"),
    "intercept lost": ({"hu": HU + 1024}, "intercept was lost"),
    "intercept lost, padding": (
        {"hu": padded((HU + 1024).transpose(2, 1, 0), -2000).transpose(2, 1, 0)},
        "intercept was lost",
    ),
    "clip(-600, 150)": ({"hu": window(-600, 150)(HU)}, "a display window was applied"),
    "scaled to 0..1": ({"hu": (HU + 1000) / 2000, "dtype": "float32"}, "near -1000"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_contradicts_itself_is_refused(kind, tmp_path):
    options, said = REFUSED[kind]
    with pytest.raises(IngestError, match=said):
        read_scan(write(tmp_path / "s.nii.gz", **options))
