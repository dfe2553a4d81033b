"""CT series as hospitals send them: a chest whose HU are known at every mm, laid in any slices."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy.special import expit

AXIAL = np.array([[1.0, 0, 0], [0, 1.0, 0]])
STEP = 3.0
N = 96
TO_RAS = np.array([-1.0, -1.0, 1.0])


def hu_at(points):
    """HU at RAS mm, shape (..., 3): soft edges as a scanner draws them, and lungs with a grain."""
    x, y, z = np.moveaxis(np.asarray(points, "float64"), -1, 0)

    def inside(cx, cy, cz, rx, ry, rz, edge=5.0):
        far = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2)
        return expit((1 - far) * min(rx, ry, rz) / edge * 4)

    body = inside(0, 0, 0, 165, 115, 1e4)
    fat = body - inside(0, 0, 0, 150, 102, 1e4)
    right, left = inside(75, 0, 0, 62, 80, 125), inside(-78, -5, 5, 52, 76, 115)
    heart = inside(-25, 30, -30, 55, 45, 50)
    spine = inside(0, -85, 0, 15, 15, 1e4)
    lungs = np.clip(right + left, 0, 1) * (1 - heart)
    grain = 40 * np.sin(z / 14) * np.cos(x / 19) * np.cos(y / 17)
    hu = -1000 + 1045 * body - 145 * fat + 300 * spine
    return hu + (-890 + grain + 100 * (z / 150)) * lungs


@dataclass(frozen=True)
class Slice:
    """One image: where it lies, and what its header says beside that."""

    place: np.ndarray
    axes: np.ndarray = field(default_factory=lambda: AXIAL)
    pixel_mm: tuple = (4.0, 4.0)
    size: tuple = (64, 92)
    above: float = 0.0  # HU added: what tells two phases apart
    slope: float | None = 1
    intercept: float | None = -1024
    stored: str = "uint16"
    header: dict = field(default_factory=dict)
    change: object = None  # from HU to what is written instead

    def points(self):
        """RAS mm of every pixel, shape (rows, columns, 3)."""
        row, column = np.indices(self.size)[..., None]
        along = column * self.axes[0] * self.pixel_mm[1] + row * self.axes[1] * self.pixel_mm[0]
        return (self.place + along) * TO_RAS

    def hu(self):
        """What the slice shows."""
        hu = hu_at(self.points())
        hu = hu + self.above * (hu > -300)
        return self.change(hu) if self.change else hu

    def pixels(self):
        """What is stored for it."""
        rule = (self.slope or 1, -1024 if self.intercept is None else self.intercept)
        lowest, highest = np.iinfo(self.stored).min, np.iinfo(self.stored).max
        stored = np.rint((self.hu() - rule[1]) / rule[0])
        return np.clip(stored, lowest, highest).astype(self.stored)


def slices(positions=None, **options):
    """Axial slices at heights, from feet to head."""
    positions = STEP * np.arange(N) - STEP * (N - 1) / 2 if positions is None else positions
    return [Slice(np.array([-182.0, -126.0, z]), **options) for z in positions]


def tilted(degrees, n=N):
    """A gantry tilted about the patient's left-right axis, the table moving along z."""
    turn = np.radians(degrees)
    axes = np.array([[1.0, 0, 0], [0, np.cos(turn), -np.sin(turn)]])
    heights = STEP * np.arange(n) - STEP * (n - 1) / 2
    return [replace(Slice(np.array([-182.0, -126.0, z])), axes=axes) for z in heights]


def each(found, **headers):
    """Give every slice header values, by its number from 0."""
    return [
        replace(one, header=one.header | {k: v(i) for k, v in headers.items()})
        for i, one in enumerate(found)
    ]


def write_series(folder, found, *, series="1", shuffled=False, syntax=ExplicitVRLittleEndian):
    """Write slices as classic CT images, by default in their order."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = np.random.default_rng(0).permutation(len(found)) if shuffled else range(len(found))
    for number, (name, one) in enumerate(zip(names, found, strict=True), start=1):
        data = _classic(one, number, series)
        data.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(folder / f"{series}_{name:04d}.dcm", data, enforce_file_format=True)
    return folder


def _classic(one, number, series):
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    uid = generate_uid()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid
    data.Modality, data.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.PatientID, data.StudyInstanceUID = "P-1", "1.2.3"
    data.SeriesInstanceUID = f"1.2.3.{series}"
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = int(series), number, 1
    data.SliceThickness, data.ConvolutionKernel, data.Manufacturer = STEP, "B35f", "SIEMENS"
    data.ImagePositionPatient = [f"{v:.4f}" for v in one.place]
    data.ImageOrientationPatient = [f"{v:.8f}" for v in one.axes.ravel()]
    data.PixelSpacing = list(one.pixel_mm)
    _describe_pixels(data, one)
    if one.slope is not None:
        data.RescaleSlope = one.slope
    if one.intercept is not None:
        data.RescaleIntercept = one.intercept
    data.PixelData = one.pixels().tobytes()
    for keyword, value in one.header.items():
        if value is None:
            data.pop(keyword, None)
        else:
            setattr(data, keyword, value)
    return data


def _describe_pixels(data, one):
    bits = np.dtype(one.stored).itemsize * 8
    data.Rows, data.Columns = one.size
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(np.iinfo(one.stored).min < 0)


def write_enhanced(path, found, *, per_frame=("RescaleIntercept",), series="1", kept=None):
    """Write slices as one enhanced CT file; what is not per frame is shared."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = EnhancedCTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Modality, data.ImageType = "CT", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.PatientID, data.StudyInstanceUID = "P-1", "1.2.3"
    data.SeriesInstanceUID, data.SeriesNumber = f"1.2.3.{series}", int(series)
    _describe_pixels(data, found[0])
    data.NumberOfFrames = len(found)
    groups = [_groups(one) for one in found]
    always = {"PlanePositionSequence", "FrameContentSequence"}
    own = always | {_SEQUENCE[keyword] for keyword in per_frame}
    shared = pydicom.Dataset()
    for name in set(groups[0]) - own:
        setattr(shared, name, pydicom.Sequence([groups[0][name]]))
    data.SharedFunctionalGroupsSequence = pydicom.Sequence([shared])
    frames = []
    for group in groups:
        frame = pydicom.Dataset()
        for name in own & set(group):
            setattr(frame, name, pydicom.Sequence([group[name]]))
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = pydicom.Sequence(frames)
    data.PixelData = b"".join(one.pixels().tobytes() for one in found)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return Path(path)


_SEQUENCE = {
    "RescaleIntercept": "PixelValueTransformationSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
}


def _groups(one):
    def item(**values):
        data = pydicom.Dataset()
        for keyword, value in values.items():
            setattr(data, keyword, value)
        return data

    place = [f"{v:.4f}" for v in one.place]
    axes = [f"{v:.8f}" for v in one.axes.ravel()]
    return {
        "PlanePositionSequence": item(ImagePositionPatient=place),
        "PlaneOrientationSequence": item(ImageOrientationPatient=axes),
        "PixelMeasuresSequence": item(PixelSpacing=list(one.pixel_mm), SliceThickness=STEP),
        "PixelValueTransformationSequence": item(
            RescaleIntercept=one.intercept, RescaleSlope=one.slope, RescaleType="HU"
        ),
        "FrameContentSequence": item(**one.header),
    }
