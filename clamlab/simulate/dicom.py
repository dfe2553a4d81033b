"""Simulated scans as a scanner would deliver them: a CT series of axial DICOM slices."""

import os
import struct
from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import ArrayLike, NDArray

STORED_OFFSET = 1024  # HU -1024 is stored as 0, as scanners do
LONGEST_ID = 64  # DICOM's value representation LO
MAKERS = {
    "Definition": "SIEMENS",
    "Sensation": "SIEMENS",
    "LightSpeed": "GE MEDICAL SYSTEMS",
    "Optima": "GE MEDICAL SYSTEMS",
    "Discovery": "GE MEDICAL SYSTEMS",
    "iCT": "Philips",
}
RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])

# Encoding a data set takes ten times longer than writing it, so one header is encoded with
# placeholders of fixed width and every slice only replaces them.
_UID = "1.2.826.0.1.3680043.8.498." + "9" * 38
_INDEX = "2000000001"
_POSITION = "\\".join(f"{9e9 + axis:16.5f}" for axis in range(3))
_HEIGHT = f"{8e9:16.5f}"


def write_dicom(
    volume_hu: ArrayLike,
    folder: str | os.PathLike,
    *,
    affine: ArrayLike,
    subject_id: str,
    scanner_model: str = "Definition AS+",
    manufacturer: str | None = None,
    series_description: str = "CHEST SIMULATED",
    kernel: str = "B35f",
    series_number: int = 1,
    seed: int = 0,
) -> Path:
    """Write a volume as a CT series that any DICOM reader opens, one file per axial slice.

    Parameters
    ----------
    volume_hu : array, shape (x, y, z)
        HU in RAS+ voxel order; rounded and clipped to what CT stores, -1024 to 3071.
    folder : path
        Made where missing; receives ``slice_0001.dcm`` (lowest) and so on.
    affine : array, shape (4, 4)
        Voxel to world in mm (RAS+), without shear.
    subject_id : str
        Becomes PatientID, so at most 64 letters without backslash or control characters; no name,
        date or institution is written.
    scanner_model : str
        ManufacturerModelName.
    manufacturer : str or None
        None takes it from the model (SIEMENS, GE MEDICAL SYSTEMS, Philips).
    series_description, kernel : str
        What a reader of the series sees.
    series_number : int
        Tells several series of one subject apart.
    seed : int
        UIDs follow from seed, subject and series number: the same call writes the same bytes.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If the volume is not 3-D and finite, the affine is not RAS+ with right angles, or a
        PatientID cannot hold the id.

    Examples
    --------
    >>> import tempfile
    >>> volume, affine = np.full((8, 8, 3), -1000), np.diag([2.0, 2.0, 3.0, 1.0])
    >>> folder = write_dicom(volume, tempfile.mkdtemp(), affine=affine, subject_id="S-01")
    >>> sorted(path.name for path in folder.iterdir())
    ['slice_0001.dcm', 'slice_0002.dcm', 'slice_0003.dcm']
    """
    volume, affine = np.asarray(volume_hu), np.asarray(affine, "float64")
    _check(volume, affine, subject_id)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{seed}/{subject_id}"
    header = _encode(
        _geometry(volume, affine)
        | {
            "PatientID": subject_id,
            "Manufacturer": manufacturer or _maker(scanner_model),
            "ManufacturerModelName": scanner_model,
            "SeriesDescription": series_description,
            "ConvolutionKernel": kernel,
            "SeriesNumber": series_number,
            "StudyInstanceUID": _uid(name, "study"),
            "SeriesInstanceUID": _uid(name, series_number, "series"),
            "FrameOfReferenceUID": _uid(name, "frame"),
        }
    )
    for index, (pixels, position) in enumerate(
        zip(_stored(volume), _positions(volume, affine), strict=True), start=1
    ):
        content = _fill(header, index, position, _uid(name, series_number, index))
        (folder / f"slice_{index:04d}.dcm").write_bytes(content + pixels.tobytes())
    return folder


def _check(volume: NDArray, affine: NDArray, subject_id: str) -> None:
    unholdable = "\\" in subject_id or not subject_id.isprintable()
    if unholdable or len(subject_id) > LONGEST_ID:
        raise ValueError(
            f"the id {ascii(subject_id)} cannot be written as a DICOM PatientID: expected at most "
            f"{LONGEST_ID} letters without backslash or control characters; choose another id"
        )
    if volume.ndim != 3 or not volume.size or not np.isfinite(volume).all():
        raise ValueError(
            f"{subject_id}: expected a 3-D volume of finite HU, found shape {volume.shape}"
            + ("" if np.isfinite(volume).all() else " with NaN or infinite voxels")
        )
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    upright = nibabel.aff2axcodes(affine) == ("R", "A", "S")
    if not upright or not np.allclose(directions.T @ directions, np.eye(3), atol=1e-4):
        raise ValueError(
            f"{subject_id}: expected an affine in RAS+ order with right angles, found "
            f"{affine.tolist()}; reorder with nibabel.as_closest_canonical"
        )


def _maker(model: str) -> str:
    return next((maker for start, maker in MAKERS.items() if model.startswith(start)), "clamlab")


def _uid(*sources: str | int) -> str:
    from pydicom.uid import generate_uid

    return generate_uid(entropy_srcs=[str(source) for source in sources])


def _geometry(volume: NDArray, affine: NDArray) -> dict:
    """Columns run to the patient's left and rows to the back, against RAS+ on both axes."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    directions = (affine[:3, :3] / spacing * [-1, -1, 1]).T * RAS_TO_LPS
    return {
        "Columns": volume.shape[0],
        "Rows": volume.shape[1],
        "PixelSpacing": [f"{spacing[1]:.10g}", f"{spacing[0]:.10g}"],
        "SliceThickness": f"{spacing[2]:.10g}",
        "ImageOrientationPatient": [f"{value + 0.0:.10g}" for value in directions[:2].ravel()],
    }


def _positions(volume: NDArray, affine: NDArray) -> NDArray[np.float64]:
    """Place of every slice's first pixel, in DICOM's left-posterior-superior mm."""
    x, y, z = volume.shape
    corners = np.array([[x - 1, y - 1, k, 1] for k in range(z)])
    return (corners @ affine.T)[:, :3] * RAS_TO_LPS


def _stored(volume: NDArray) -> NDArray[np.uint16]:
    stored = np.clip(np.rint(volume), -1024, 3071) + STORED_OFFSET
    return np.ascontiguousarray(stored[::-1, ::-1].T.astype("<u2"))


def _encode(header: dict) -> bytes:
    """Encode the header shared by all slices, up to and including the pixels' own tag."""
    import pydicom
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = UID(_UID)
    data.Modality = "CT"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.PatientName = data.StudyDate = data.StudyTime = data.AccessionNumber = ""
    data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = data.StudyID = ""
    data.BodyPartExamined, data.PatientPosition, data.KVP = "CHEST", "HFS", "120"
    data.AcquisitionNumber, data.InstanceNumber = 1, _INDEX
    data.ImagePositionPatient, data.SliceLocation = _POSITION, _HEIGHT
    data.PositionReferenceIndicator = ""
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = -STORED_OFFSET, 1, "HU"
    if not all(value.isascii() for value in header.values() if isinstance(value, str)):
        data.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    for keyword, value in header.items():
        setattr(data, keyword, value)
    stream = BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    pixel_tag = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, data.Rows * data.Columns * 2)
    return stream.getvalue() + pixel_tag


def _fill(header: bytes, index: int, position: NDArray, uid: str) -> bytes:
    values = [f"{value:16.6f}" for value in position]
    return (
        header.replace(_UID.encode(), uid.encode())
        .replace(_element(0x0013, "IS", _INDEX), _element(0x0013, "IS", f"{index:10d}"))
        .replace(_POSITION.encode(), "\\".join(values).encode())
        .replace(_element(0x1041, "DS", _HEIGHT), _element(0x1041, "DS", values[2]))
    )


def _element(number: int, kind: str, text: str) -> bytes:
    """Encode a value with its tag: the number alone could stand in a PatientID too."""
    return struct.pack("<HH2sH", 0x0020, number, kind.encode(), len(text)) + text.encode()
