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


def with_slices(where, change):
    """The same chest, its slices from one to another changed."""
    hu = HU.copy()
    hu[:, :, where] = change(hu)
    return hu


MIDDLE, FIVE = slice(46, 47), slice(46, 51)
OTHER = chest_hu(affine=GRID + np.eye(4, k=3) * 30)  # another patient, 30 mm to the side
PAIRS = np.arange(96) ^ 1
Z = np.arange(96)
OTHERS = {
    "lungs denser": np.where((HU < -500) & (HU > -960), HU + 100, HU),
    "a phase brighter": np.where(HU > -300, HU + 80, HU),
    "mirrored": HU[::-1],
}
HALF_LOST = np.arange(64)[:, None] < 32
# name: (HU, what its notes say)
BROKEN_COURSE = {
    "a blank slice": (with_slices(MIDDLE, lambda hu: -1000), "slice 47 is blank"),
    "five slices without a patient": (
        with_slices(FIVE, lambda hu: -1000), "5 slices from 47 to 51 are blank",
    ),
    "a slice half lost": (
        with_slices(MIDDLE, lambda hu: np.where(HALF_LOST, -1024, hu[:, :, MIDDLE])),
        "do not go on from slice 46 to the next",
    ),
    "five slices 150 HU too high": (
        with_slices(FIVE, lambda hu: hu[:, :, FIVE] + 150), "do not go on from slice 46",
    ),
    "the upper half of another": (
        np.concatenate([HU[:, :, :48], OTHER[:, :, 48:]], 2), "do not go on from slice 48",
    ),
    "a slice mirrored": (
        with_slices(MIDDLE, lambda hu: hu[::-1, :, MIDDLE]), "do not go on from slice 46",
    ),
    "odd and even exchanged": (HU[:, :, PAIRS], "they are out of order"),
    "pairs exchanged": (HU[:, :, PAIRS[PAIRS ^ 3]], "they are out of order"),
    **{
        f"{other}, {name}": (np.where(turn, OTHERS[other], HU), "slices of two scans lie in turn")
        for other, name, turn in [
            ("lungs denser", "every second", Z % 2 == 0),
            ("lungs denser", "every third", Z % 3 == 0),
            ("lungs denser", "every fourth", Z % 4 == 0),
            ("lungs denser", "in pairs", Z // 2 % 2 == 0),
            ("lungs denser", "in threes", Z // 3 % 2 == 0),
            ("a phase brighter", "every second", Z % 2 == 0),
            ("a phase brighter", "in pairs", Z // 2 % 2 == 0),
            ("a phase brighter", "in threes", Z // 3 % 2 == 0),
            ("mirrored", "in pairs", Z // 2 % 2 == 0),
        ]
    },
    "cut below and filled": (
        with_slices(slice(0, 30), lambda hu: -1024), "the scan begins at slice 31",
    ),
    "cut above and filled": (
        with_slices(slice(60, 96), lambda hu: -1024), "the scan ends at slice 60",
    ),
    "a slice that comes again, far from itself": (
        with_slices(MIDDLE, lambda hu: hu[:, :, 36:37]), "slices 37 and 47 are the same image",
    ),
    "a slice five times": (
        with_slices(FIVE, lambda hu: hu[:, :, MIDDLE]),
        "slices 47 and 48 are the same image, and 3",
    ),
    "padding of 500": (
        np.pad(HU[3:-3, 3:-3], ((3, 3), (3, 3), (0, 0)), constant_values=500),
        "exactly 500: surroundings were filled",
    ),
    "emphysema cut off": (np.maximum(HU, -955), "values below -955 were cut off"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN_COURSE)
def test_slices_that_do_not_go_on_are_told(kind, tmp_path):
    hu, told = BROKEN_COURSE[kind]
    assert read_scan(write(tmp_path / "right.nii")).notes == []
    assert any(told in note for note in read_scan(write(tmp_path / "s.nii", hu)).notes)


def test_padding_above_all_hu_is_refused(tmp_path):
    hu = np.where(np.indices(SHAPE)[1] < 3, 5000, HU)
    with pytest.raises(IngestError, match="5% of the voxels above it, up to 5000: padding"):
        read_scan(write(tmp_path / "s.nii", hu))
