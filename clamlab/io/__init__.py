"""The one gate for every file that is read: its name, its size and claims, errors in our words."""

from clamlab.io.arrays import open_array, read_safetensors, safetensors_header
from clamlab.io.files import FileError, explained, read_bytes, regular_file, room_for
from clamlab.io.nifti import open_nifti
from clamlab.io.texts import read_csv, read_json

__all__ = [
    "FileError",
    "explained",
    "open_array",
    "open_nifti",
    "read_bytes",
    "read_csv",
    "read_json",
    "read_safetensors",
    "regular_file",
    "room_for",
    "safetensors_header",
]
