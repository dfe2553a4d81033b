"""Whatever a hospital's series does, its volume is right to the HU, or it is refused and told why.

Every case is a chest whose HU are known at every mm. "Right" is held against that, not against the
files: a volume shifted by a slice, or with its halves exchanged, is some tens of HU away.
"""

import os
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hospital_cases import (
    ENHANCED,
    EXACT,
    HALF,
    NOTED,
    REFUSED,
    RIGHT,
    UNEVEN,
    combined,
    error,
    scaled,
)  # fmt: skip
from hospital_series import (
    AXIAL,
    STEP,
    N,
    each,
    slices,
    write_enhanced,
    write_series,
)

from clamlab.ingest import IngestError, read_scan


@pytest.mark.parametrize("kind", RIGHT)
def test_a_series_is_right(kind, tmp_path):
    found, allowed, told, filled = RIGHT[kind]
    scan = read_scan(write_series(tmp_path, found, shuffled=True))
    assert error(scan) <= allowed
    assert told in "; ".join(scan.notes) if told else scan.notes == []
    assert scan.facts["slices_filled"] == filled
    if allowed == EXACT:
        assert scan.facts["hu_difference"] <= 1
        assert scan.facts["resampled"] == "no"


@pytest.mark.parametrize("seed", range(200, 208))
def test_several_faults_at_once_are_right_too(seed, tmp_path):
    found, words = combined(seed)
    scan = read_scan(write_series(tmp_path, found, shuffled=True))
    one_phase = min(error(scan), error(scan, above=40.0))  # half of each would be 9 from both
    assert one_phase <= (4.5 if "tilted" in words else 1.0)
    assert ("told apart" in "; ".join(scan.notes)) == ("two phases" in words)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_series_is_refused(kind, tmp_path):
    found, said = REFUSED[kind]
    with pytest.raises(IngestError, match=said):
        read_scan(write_series(tmp_path, found, shuffled=True))


@pytest.mark.parametrize("kind", NOTED)
def test_what_is_unusual_is_used_and_told(kind, tmp_path):
    change, told = NOTED[kind]
    scan = read_scan(write_series(tmp_path, scaled(change)))
    assert any(told in note for note in scan.notes)
    assert (scan.volume < -600).mean() > 0.05


SYNTAXES = ["implicit", "big endian", "deflated", "RLE", "RLE with padding", "no preamble"]


@pytest.mark.parametrize("kind", SYNTAXES)
def test_every_way_of_storing_pixels_is_right(kind, tmp_path):
    folder = write_series(tmp_path, slices(), syntax=getattr(pydicom.uid, {
        "implicit": "ImplicitVRLittleEndian", "deflated": "DeflatedExplicitVRLittleEndian",
        "no preamble": "ImplicitVRLittleEndian",
    }.get(kind, "ExplicitVRLittleEndian")))  # fmt: skip
    for path in sorted(folder.iterdir()):
        data = pydicom.dcmread(path)
        if kind.startswith("RLE"):
            data.compress(pydicom.uid.RLELossless)
            data.save_as(path)
        if kind == "RLE with padding":
            path.write_bytes(path.read_bytes() + bytes(300))
        if kind == "big endian":
            data.PixelData = data.pixel_array.astype(">u2").tobytes()
            data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
            pydicom.dcmwrite(path, data, implicit_vr=False, little_endian=False,
                             force_encoding=True)  # fmt: skip
        if kind == "no preamble":
            del data.file_meta
            data.preamble = None
            pydicom.dcmwrite(path, data, implicit_vr=True, little_endian=True)
            assert path.read_bytes()[:2] == b"\x08\x00"
    scan = read_scan(folder)
    assert error(scan) <= EXACT and scan.notes == []


def test_a_jpeg_is_right(tmp_path):
    import gdcm

    folder = write_series(tmp_path / "plain", slices())
    (tmp_path / "packed").mkdir()
    kinds = [gdcm.TransferSyntax.JPEGLosslessProcess14_1, gdcm.TransferSyntax.JPEGLSLossless,
             gdcm.TransferSyntax.JPEG2000Lossless]  # fmt: skip
    for number, path in enumerate(sorted(folder.iterdir())):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(kinds[number % 3]))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(tmp_path / "packed" / path.name))
        assert writer.Write()
    scan = read_scan(tmp_path / "packed")
    assert error(scan) <= EXACT and scan.notes == []


def spoil(path, **values):
    data = pydicom.dcmread(path)
    for keyword, value in values.items():
        if value is None:
            del data[keyword]
        else:
            setattr(data, keyword, value)
    data.save_as(path)


def spoil_count(path):
    data = pydicom.dcmread(path)
    data.add_new(0x00280008, "LO", "1A")
    data["NumberOfFrames"].VR = "LO"
    data.save_as(path)


def spoil_syntax(path):
    data = pydicom.dcmread(path)
    del data.file_meta.TransferSyntaxUID
    pydicom.dcmwrite(path, data, implicit_vr=False, little_endian=True)


def spoil_colour(path):
    data = pydicom.dcmread(path)
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.PixelData = data.PixelData * 3
    data.save_as(path)


def spoil_packed(path):
    data = pydicom.dcmread(path)
    data.compress(pydicom.uid.RLELossless)
    data.PixelData = data.PixelData[:80] + bytes(len(data.PixelData) - 90) + data.PixelData[-10:]
    data.save_as(path)


def spoil_image(path):
    data = pydicom.dcmread(path)
    data.PixelData = bytes(len(data.PixelData))
    data.save_as(path)


def spoil_deflated(path):
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    data.PixelData += bytes(80_000_000)
    data.save_as(path)


# name: (what is done to one file, why that file is left out)
SPOILED = {
    "number of frames 1A": (spoil_count, "no proper number of frames"),
    "colour": (spoil_colour, "is a colour image"),
    "no rows": (lambda path: spoil(path, Rows=None), "no proper numbers of rows"),
    "no position": (lambda path: spoil(path, ImagePositionPatient=None), "has no position"),
    "no place at all": (
        lambda path: spoil(path, ImagePositionPatient=None, PixelSpacing=None),
        "has no position and no pixel spacing",
    ),
    "a position that is no number": (
        lambda path: path.write_bytes(
            path.read_bytes().replace(b"-182.0000\\", b"nan      \\")
        ),
        "no position",
    ),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is truncated"),
    "no pixels": (lambda path: spoil(path, PixelData=None), "holds no pixels"),
    "pixels as wide as the world": (
        lambda path: spoil(path, PixelSpacing=["1e300", "1e300"]), "pixels of no proper size",
    ),
    "an element of no known kind": (
        lambda path: path.write_bytes(path.read_bytes().replace(b"\x50\0DS", b"\x50\0FS", 1)),
        "cannot be read (NotImplementedError)",
    ),
    "blank": (spoil_image, "left out 1 slice(s) that can't be decoded"),
    "deflated zeros": (spoil_deflated, "inflates to more than 64 MiB"),
    "pixels that can't be decoded": (spoil_packed, "left out 1 slice(s) that can't be decoded"),
    "a slope of 0": (lambda path: spoil(path, RescaleSlope="0"), None),
    "KVP with two values": (lambda path: spoil(path, KVP=["120", "80"]), None),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILED)
def test_one_spoiled_file_costs_itself_only(kind, tmp_path):
    harm, why = SPOILED[kind]
    folder = write_series(tmp_path, slices())
    harm(sorted(folder.iterdir())[50])
    scan = read_scan(folder)
    assert error(scan) <= UNEVEN
    if why:
        assert any(f"left out 1 file(s): file 51 {why}" in note or why in note
                   for note in scan.notes)  # fmt: skip
        assert scan.facts["slices_left_out"] == scan.facts["slices_filled"] == 1


def test_padding_is_air_whatever_its_value(tmp_path):
    def padded(hu):
        return np.where(np.arange(hu.shape[1]) < 5, 62512, hu)  # stored as 63536

    folder = write_series(tmp_path, slices(change=padded, header={"PixelPaddingValue": 63536}))
    scan = read_scan(folder)
    assert scan.volume.max() < 1000 and scan.notes == []
    assert (scan.volume[-5:] == -1024).all()
    assert scan.facts["hu_difference"] <= 1


def test_a_file_that_does_not_name_its_syntax_is_read(tmp_path):
    folder = write_series(tmp_path, slices())
    spoil_syntax(sorted(folder.iterdir())[50])
    scan = read_scan(folder)
    assert error(scan) <= EXACT and scan.facts["slices_filled"] == 0


def test_what_is_no_file_is_passed_by_and_told(tmp_path):
    """A named pipe would be waited for without end; a link to nothing must not cost the scan."""
    folder = write_series(tmp_path, slices())
    os.mkfifo(folder / "z1")
    (folder / "z2").symlink_to(folder / "nowhere")
    (folder / "z3").touch()
    scan = read_scan(folder)
    assert error(scan) <= EXACT and scan.facts["slices"] == N
    (note,) = scan.notes
    for number, found in enumerate(("a named pipe", "a link to nothing", "an empty file"), N + 1):
        assert f"file {number} is {found}" in note


def test_slices_of_another_direction_are_counted_and_told(tmp_path):
    turned = AXIAL @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    found = [replace(one, axes=turned) if i >= N - 20 else one for i, one in enumerate(slices())]
    scan = read_scan(write_series(tmp_path, found))
    assert scan.facts["slices"] == N - 20 and scan.facts["slices_left_out"] == 20
    assert scan.notes == ["20 slice(s) of the series lie in another direction and were left out"]


def test_a_series_that_goes_on_in_another_is_told(tmp_path):
    write_series(tmp_path, slices()[:-20], series="1")
    write_series(tmp_path, slices()[-20:], series="2")
    scan = read_scan(tmp_path)
    assert scan.facts["slices"] == N - 20
    (note,) = scan.notes
    assert "series 2 (20 slices of 3 mm, kernel B35f) goes on where this one ends" in note


def test_two_that_serve_as_well_are_told_apart_by_number_only_where_it_differs(tmp_path):
    for series, folder in (("1", "a"), ("2", "a"), ("1", "b"), ("2", "b")):
        number = {"a": int(series), "b": 1}[folder]
        found = each(slices(), SeriesNumber=lambda i, n=number: n)
        write_series(tmp_path / folder, found, series=series)
    advised, not_advised = (read_scan(tmp_path / folder).notes for folder in "ab")
    assert "name one in the cohort table's column series_number" in "; ".join(advised)
    assert not_advised == [
        "series 1 (96 slices of 3 mm, kernel B35f) would serve as well: their numbers are the "
        "same: give one of them alone"
    ]


def test_only_unusable_files_are_to_be_exported_again(tmp_path):
    found = each(slices()[:2], ImagePositionPatient=lambda i: None)
    with pytest.raises(IngestError) as refused:
        read_scan(write_series(tmp_path, found))
    assert "file 1 has no position, file 2 has no position" in str(refused.value)
    assert str(refused.value).endswith("export the series again")


def test_copies_in_two_codings_are_to_be_deleted(tmp_path):
    """One of them lossy: no pixel is told to be equal."""
    write_series(tmp_path / "a", slices(above=1.0), syntax=pydicom.uid.ImplicitVRLittleEndian)
    write_series(tmp_path / "b", each(slices(), InstanceNumber=lambda i: i % N + 1))
    with pytest.raises(
        IngestError, match="192 at 96 places, .* two codings: if one is a copy, delete it"
    ):
        read_scan(tmp_path)


@pytest.mark.parametrize("ending", ["mha", "mhd", "nrrd", "hdr", "img"])
def test_a_file_of_another_format_is_to_be_converted(ending, tmp_path):
    path = tmp_path / f"scan.{ending}"
    path.write_bytes(b"ObjectType = Image")
    with pytest.raises(IngestError, match=f"found a .{ending} file; convert to NIfTI"):
        read_scan(path)


def test_a_last_slice_that_was_emptied_is_told(tmp_path):
    """No gap tells of it: the scan only ends a slice earlier."""
    folder = write_series(tmp_path, slices())
    sorted(folder.iterdir())[-1].write_bytes(b"")
    scan = read_scan(folder)
    assert scan.facts["slices"] == N - 1
    assert any(f"file {N} is an empty file" in note for note in scan.notes)


@pytest.mark.parametrize("kind", ENHANCED)
def test_an_enhanced_file_is_right(kind, tmp_path):
    frames, per_frame, allowed = ENHANCED[kind]
    scan = read_scan(write_enhanced(tmp_path / "all.dcm", frames, per_frame=per_frame).parent)
    assert error(scan) <= allowed
    assert ("told apart" in "; ".join(scan.notes)) == kind.startswith("two phases")
    assert scan.facts["slices"] == N - (kind == "a frame missing")


def test_an_enhanced_scan_in_two_files_is_right(tmp_path):
    write_enhanced(tmp_path / "a.dcm", slices()[:HALF])
    write_enhanced(tmp_path / "b.dcm", slices()[HALF:])
    scan = read_scan(tmp_path)
    assert error(scan) <= EXACT and scan.facts["slices"] == N and scan.notes == []


@pytest.mark.parametrize(
    ("soft", "sharp"),
    [("FC08", "FC30"), ("Br36d", "Bl57d"), ("STANDARD", "LUNG"), ("B", "YA"), ("I31f\\3", "I70f")],
)
def test_the_soft_kernel_is_chosen(soft, sharp, tmp_path):
    few = slices(STEP * np.arange(80))
    for number, kernel in ((1, sharp), (2, soft)):
        write_series(
            tmp_path, each(few, ConvolutionKernel=lambda i, k=kernel: k), series=str(number)
        )
    assert read_scan(tmp_path).facts["kernel"] == soft.split("\\")[0]


@pytest.mark.parametrize(
    "word", ["Exspiration", "EXPIRATION", "Thorax exp.", "Espirazione", "呼気"]
)
def test_an_expiration_is_not_preferred(word, tmp_path):
    few = slices(STEP * np.arange(80))
    described = each(
        few, SeriesDescription=lambda i: word, SpecificCharacterSet=lambda i: "ISO_IR 192"
    )
    write_series(tmp_path, described, series="1")
    write_series(tmp_path, each(few, ConvolutionKernel=lambda i: "B70f"), series="2")
    assert read_scan(tmp_path).facts["kernel"] == "B70f"
