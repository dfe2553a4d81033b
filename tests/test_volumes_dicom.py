"""Whatever a hospital's series does, its volume is right to the HU, or it is refused and told why.

Every case is a chest whose HU are known at every mm. "Right" is held against that, not against the
files: a volume shifted by a slice, or with its halves exchanged, is some tens of HU away.
"""

import os
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hospital_series import (
    STEP,
    N,
    each,
    hu_at,
    slices,
    tilted,
    write_enhanced,
    write_series,
)

from clamlab.ingest import IngestError, read_scan

EXACT = 1.0  # HU, mean: rounding
UNEVEN, TILTED = 5.0, 12.0
RNG = np.random.default_rng(11)


def error(scan):
    """Mean HU error inside the field of view that every slice shares."""
    index = np.stack(np.indices(scan.volume.shape), -1)
    truth = hu_at(index @ scan.affine[:3, :3].T + scan.affine[:3, 3])
    seen = scan.volume > -1024  # outside a tilted stack there is nothing
    return float(np.abs(np.clip(truth, -1024, 3071) - scan.volume)[seen].mean())


def without(found, *numbers):
    return [one for i, one in enumerate(found) if i not in numbers]


def photon_counting(found):
    return [replace(one, intercept=-8192) for one in found]


def phases(**told):
    """Two phases at the same places; the second is 30 HU brighter where there is tissue."""
    first = each(slices(), **{k: (lambda i, v=v: v[0](i)) for k, v in told.items()})
    second = each(slices(above=30.0), **{k: (lambda i, v=v: v[1](i)) for k, v in told.items()})
    return first + second


def constant(first, second):
    return lambda i: first, lambda i: second


def counting(first, second):
    return lambda i: f"{first + i * 0.1:.2f}", lambda i: f"{second + i * 0.1:.2f}"


MIDDLE = STEP * (np.arange(N) - (N - 1) / 2)
JITTER = MIDDLE + RNG.uniform(-0.05, 0.05, N) * STEP
COARSE_ABOVE = np.concatenate([np.arange(-144, 0, 2.5), np.arange(1, 146, 5.0)])
COARSE_BELOW = -COARSE_ABOVE[::-1]
HALF = N // 2

# name: (slices, mean error allowed, what a person is told, slices filled)
RIGHT = {
    "even": (slices(), EXACT, "", 0),
    "signed": (slices(stored="int16", intercept=0), EXACT, "", 0),
    "one slice missing, unsigned": (without(slices(), 50), UNEVEN, "1 slice(s) are missing", 1),
    "one slice missing, signed": (
        without(slices(stored="int16", intercept=0), 60), UNEVEN, "1 slice(s) are missing", 1,
    ),
    "photon counting, one slice missing": (
        without(photon_counting(slices()), 70), UNEVEN, "1 slice(s) are missing", 1,
    ),
    "two neighbours missing": (without(slices(), 30, 31), UNEVEN, "2 slice(s) are missing", 2),
    "spacing jitters": (slices(JITTER), UNEVEN, "", 0),
    "coarser above": (slices(COARSE_ABOVE), UNEVEN, "", 0),
    "coarser below": (slices(COARSE_BELOW), UNEVEN, "", 0),
    "upper half numbered first": (
        each(slices(), InstanceNumber=lambda i: (i + HALF) % N + 1), EXACT, "", 0,
    ),
    "numbers shuffled": (
        each(slices(), InstanceNumber=lambda i: int((i * 37) % N) + 1), EXACT, "", 0,
    ),
    "numbers missing": (each(slices(), InstanceNumber=lambda i: None), EXACT, "", 0),
    "numbers constant": (each(slices(), InstanceNumber=lambda i: 1), EXACT, "", 0),
    "numbers restart": (each(slices(), InstanceNumber=lambda i: i % HALF + 1), EXACT, "", 0),
    "even slices first": (
        each(slices(), InstanceNumber=lambda i: i // 2 + 1 + HALF * (i % 2)), EXACT, "", 0,
    ),
    "time of the study varies": (
        each(slices(), StudyTime=lambda i: f"1200{i % 60:02d}"), EXACT, "", 0,
    ),
    "series number varies": (each(slices(), SeriesNumber=lambda i: i % 3), EXACT, "", 0),
    "description varies": (
        each(slices(), SeriesDescription=lambda i: f"Thorax {'ab'[i * 7 % 5 % 2]}"), EXACT, "", 0,
    ),
    "acquisition number by table position": (
        each(slices(), AcquisitionNumber=lambda i: i // 8), EXACT, "", 0,
    ),
    "a few thicker by their header": (
        each(slices(), SliceThickness=lambda i: 3 if i in (5, 6, 90) else STEP), EXACT, "", 0,
    ),
    "gantry +15": (tilted(15), TILTED, "", 0),
    "gantry -15": (tilted(-15), TILTED, "", 0),
    "gantry +8, one slice missing": (without(tilted(8), 60), TILTED, "are missing", 1),
    "field of view changes half way": (
        slices(MIDDLE[:HALF]) + slices(MIDDLE[HALF:], pixel_mm=(4.4, 4.4)), TILTED, "", 0,
    ),
    "position changes half way": (
        slices(MIDDLE[:HALF])
        + [replace(one, place=one.place + [6.3, -9.1, 0]) for one in slices(MIDDLE[HALF:])],
        TILTED, "", 0,
    ),
    "one slice without rescale": (
        [replace(one, slope=None, intercept=None) if i == 40 else one
         for i, one in enumerate(slices())],
        EXACT, "1 slice(s) have no rescale", 0,
    ),
    "every second without rescale": (
        [replace(one, slope=None, intercept=None) if i % 2 else one
         for i, one in enumerate(slices())],
        EXACT, "48 slice(s) have no rescale", 0,
    ),
    "rescale slope by slice": (
        [replace(one, slope=[1, 2, 0.5][i % 3]) for i, one in enumerate(slices())], EXACT + 0.5,
        "", 0,
    ),
    "bolus slices at one place": (
        slices([10.1] * 12, above=90.0, header={"AcquisitionNumber": 7}) + slices(),
        EXACT, "12 slice(s) of others were left out", 0,
    ),
    "bolus slices told by time only": (
        each(slices([-38.7] * 12, above=90.0), AcquisitionTime=lambda i: f"1000{i:02d}")
        + each(slices(), AcquisitionTime=lambda i: f"{101500 + i * 0.1:.2f}"),
        EXACT, "12 slice(s) of others were left out", 0,
    ),
    **{
        f"two phases by {word}": (phases(**{word: told}), EXACT, "told apart by", 0)
        for word, told in {
            "AcquisitionTime": counting(101500, 102500),
            "AcquisitionDateTime": constant("20200101101500", "20200101102500"),
            "ContentTime": counting(101500, 102500),
            "InstanceNumber": (lambda i: i + 1, lambda i: i + 1 + N),
            "AcquisitionNumber": constant(1, 2),
            "ContrastBolusAgent": constant(None, "Iomeron"),
            "ConvolutionKernel": constant("B35f", "B70f"),
            "TemporalPositionIdentifier": constant(1, 2),
            "NominalPercentageOfCardiacPhase": constant(40, 75),
            "SeriesDescription": constant("arterial", "venous"),
        }.items()
    },
    "two phases half a slice apart": (
        slices() + slices(MIDDLE + STEP / 2, above=30.0, header={"AcquisitionNumber": 2}),
        EXACT, "told apart by AcquisitionNumber", 0,
    ),
    "two kernels, each in two phases": (
        phases(InstanceNumber=(lambda i: i + 1, lambda i: i + 1 + N))
        + each(phases(InstanceNumber=(lambda i: i + 1 + 2 * N, lambda i: i + 1 + 3 * N)),
               ConvolutionKernel=lambda i: "B70f"),
        EXACT, "told apart by kernel, InstanceNumber", 0,
    ),
    "copies of ten slices": (
        slices() + each(slices(MIDDLE[20:30]), InstanceNumber=lambda i: i + 21),
        EXACT, "left out 10 slice(s) that repeat others", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RIGHT)
def test_a_series_is_right(kind, tmp_path):
    found, allowed, told, filled = RIGHT[kind]
    scan = read_scan(write_series(tmp_path, found, shuffled=True))
    assert error(scan) <= allowed
    assert told in "; ".join(scan.notes) if told else scan.notes == []
    assert scan.facts["slices_filled"] == filled
    if allowed == EXACT:
        assert scan.facts["hu_difference"] <= 1
        assert scan.facts["resampled"] is None


def scaled(change):
    return slices(stored="int16", intercept=0, change=change)


def window(low, high):
    return lambda hu: np.clip(hu, low, high)


def eight_bit(hu):
    return np.clip((hu + 1350) / 1500 * 255, 0, 255) - 1024


def padded(hu, value):
    row, column = np.indices(hu.shape)
    away = ((row - 31.5) / 32) ** 2 + ((column - 45.5) / 46) ** 2 > 1
    return np.where(away, value, hu)


# name: (slices, what is said)
REFUSED = {
    "every third slice missing": (
        without(slices(), *range(1, N, 3)), "at most 10%, found 32 of 96",
    ),
    "a gap of 12 mm": (without(slices(), 50, 51, 52, 53), "found 15.0 mm"),
    "two phases, nothing tells them apart": (
        each(slices() + slices(above=30.0), InstanceNumber=lambda i: i % N + 1),
        "found 192 at 96 places",
    ),
    "two phases, numbers shuffled": (
        each(slices() + slices(above=30.0), InstanceNumber=lambda i: (i * 89) % (2 * N) + 1),
        "found 192 at 96 places",
    ),
    "no slice has a rescale": (
        slices(slope=None, intercept=None), "rescale intercept was lost",
    ),
    "a slice with another rescale than its pixels": (
        [replace(one, change=lambda hu: hu + 1024) if i == 60 else one
         for i, one in enumerate(slices())],
        "HU go on from one to the next, found 1024 HU between slices 60 and 61",
    ),
    "a slice without rescale in other units": (
        [replace(one, slope=None, intercept=None, change=lambda hu: hu * 3 + 5000)
         if i == 60 else one for i, one in enumerate(slices())],
        "found 1 of 96 without, whose values do not fit",
    ),
    "8 bit of a display window": (scaled(eight_bit), "fat near -100 and muscle near 50"),
    "intercept applied twice": (scaled(lambda hu: hu - 1024), "fat near -100 and muscle near 50"),
    "HU x 10": (scaled(lambda hu: hu * 10), "fat near -100 and muscle near 50"),
    "offset lost, padding -2000": (
        scaled(lambda hu: padded(hu + 1024, -2000)), "intercept was lost",
    ),
    "offset lost, padding -1024": (
        scaled(lambda hu: padded(hu + 1024, -1024)), "intercept was lost",
    ),
    "clip(-600, 150)": (scaled(window(-600, 150)), "a display window was applied"),
    "clip(-160, 240)": (scaled(window(-160, 240)), "a display window was applied"),
    "200 HU too high": (scaled(lambda hu: hu + 200), "near -1000|muscle near 50"),
    "a localizer alone": (
        each(slices([-100.0, 100.0], size=(320, 92)),
             ImageType=lambda i: ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        "expected a scan, found a localizer",
    ),
    "two coronal views that do not call themselves localizers": (
        [replace(one, axes=np.array([[1.0, 0, 0], [0, 0, -1.0]]), size=(80, 92), place=place)
         for one, place in zip(
             slices()[:2], (np.array([-182.0, 0, 160]), np.array([-182.0, 40, 160])), strict=True)],
        "slices through a whole chest, found 2",
    ),
    "slices all over the place": (
        [replace(one, place=one.place + [300 * (i % 5), 0, 0]) for i, one in enumerate(slices())],
        "one above another",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_series_is_refused(kind, tmp_path):
    found, said = REFUSED[kind]
    with pytest.raises(IngestError, match=said):
        read_scan(write_series(tmp_path, found, shuffled=True))


# name: (change of HU, note)
NOTED = {
    "air outside the body set to 0": (
        lambda hu: np.where(hu < -960, 0, hu), "voxels are exactly 0: surroundings were blanked",
    ),
    "lungs alone, all else 0": (
        lambda hu: np.where((hu < -600) & (hu > -960), hu, 0), "surroundings were blanked",
    ),
    "bones cut off": (
        lambda hu: np.clip(hu + RNG.normal(0, 12, hu.shape), -1024, 130),
        "values above 130 were cut off",
    ),
}  # fmt: skip


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


# name: (what is done to one file, why that file is left out)
SPOILED = {
    "number of frames 1A": (spoil_count, "no proper number of frames"),
    "colour": (spoil_colour, "is a colour image"),
    "no rows": (lambda path: spoil(path, Rows=None), "no proper numbers of rows"),
    "no position": (lambda path: spoil(path, ImagePositionPatient=None), "no position"),
    "a position that is no number": (
        lambda path: path.write_bytes(
            path.read_bytes().replace(b"-182.0000\\", b"nan      \\")
        ),
        "no position",
    ),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is truncated"),
    "no pixels": (lambda path: spoil(path, PixelData=None), "holds no pixels"),
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


def test_a_file_that_does_not_name_its_syntax_is_read(tmp_path):
    folder = write_series(tmp_path, slices())
    spoil_syntax(sorted(folder.iterdir())[50])
    scan = read_scan(folder)
    assert error(scan) <= EXACT and scan.facts["slices_filled"] == 0


def test_what_is_no_file_is_passed_by(tmp_path):
    """A named pipe would be waited for without end; a link to nothing must not cost the scan."""
    folder = write_series(tmp_path, slices())
    os.mkfifo(folder / "pipe")
    (folder / "nothing").symlink_to(folder / "nowhere")
    assert error(read_scan(folder)) <= EXACT


# name: (frames, per frame, mean error allowed)
ENHANCED = {
    "intercept shared": (slices(), (), EXACT),
    "intercept per frame": (
        [replace(one, intercept=-1024 - 50 * (i % 7)) for i, one in enumerate(slices())],
        ("RescaleIntercept",), EXACT,
    ),
    "a frame missing": (without(slices(), 40), (), UNEVEN),
    "frames shuffled": ([slices()[i] for i in RNG.permutation(N)], (), EXACT),
    "orientation per frame": (slices(), ("ImageOrientationPatient",), EXACT),
    "pixel measures per frame": (slices(), ("PixelSpacing", "RescaleIntercept"), EXACT),
    "two phases": (
        each(slices(), TemporalPositionIndex=lambda i: 1)
        + each(slices(above=30.0), TemporalPositionIndex=lambda i: 2), (), EXACT,
    ),
    "two phases, told by time": (
        each(slices(), FrameAcquisitionDateTime=lambda i: f"20200101{101500 + i}")
        + each(slices(above=30.0), FrameAcquisitionDateTime=lambda i: f"20200101{111500 + i}"),
        (), EXACT,
    ),
}  # fmt: skip


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
