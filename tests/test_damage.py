"""A damaged file ends in one sentence or in what was kept, never in something else."""

import gzip
import json
import os
import re
import socket

import nibabel
import numpy as np
import pytest
import torch

from clamlab import io
from clamlab.ingest.cohort.files import read_json as read_record
from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.checks import check_geometry
from clamlab.io import FileError
from clamlab.models import ConvAutoencoder
from clamlab.study import Study, StudyError
from clamlab.study.files import read_file, write_file
from clamlab.training import load_autoencoder, weights_of
from clamlab.training.checkpoint import Checkpoint
from clamlab.viewers.cohort.notes import Notes
from clamlab.volumes import load_nifti, save_nifti
from studies.damage.honest import AFFINE, readers
from studies.damage.trying import LONGEST, SPARE, damages, end_of

EVERY = 17  # of the benchmark's twelve hundred
# Rooms that tell in words of their own, which their tests hold.
OWN_WORDS = {"csv", "workbook", "binary", "contract", "dicom"}
EXACT = ("volume", "scan", "header", "warp", "array", "weights", "training")
TOLD = re.compile(r"expected .+, found .+; .+|is not what clamlab wrote there \(.+\): .+")
VOLUME = np.arange(24, dtype="int16").reshape(2, 3, 4)


def test_no_damage_passes_as_right_or_ends_in_a_librarys_words(tmp_path):
    made = {reader: end_of(reader, "", None) for reader in readers(tmp_path)}
    tried = [(reader, *damage) for reader in made for damage in damages(reader)]
    assert len(tried) > 1100
    wrong = []
    for reader, _, name, change in tried[::EVERY]:
        whole = made[reader]
        end = end_of(reader, name, change, whole.said)
        exact = end.how in ("refused", "same") if reader.name.startswith(EXACT) else True
        ended = end.how in ("refused", "same", "different") and end.seconds < LONGEST
        told = {reader.form, reader.name} & OWN_WORDS or TOLD.search(end.said)
        if not (exact and ended and (end.how != "refused" or told)) or (
            end.mib > 2 * whole.mib + SPARE
        ):
            wrong.append((reader.name, name, end))
    assert not wrong


def volume(tmp_path, name="a.nii", **fields):
    """Write a volume whose header says something else."""
    path = save_nifti(tmp_path / name, VOLUME, AFFINE)
    whole = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    header = nibabel.Nifti1Header(whole[:348], check=False)
    for field, value in fields.items():
        header.structarr[field] = value
    whole = header.binaryblock + whole[348:]
    path.write_bytes(gzip.compress(whole) if name.endswith(".gz") else whole)
    return path


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"dim": [3, 2, 3, 3, 1, 1, 1, 1]}, r"expected 388 bytes .*2 x 3 x 3 .*int16.*, found 400"),
        ({"bitpix": 32}, "expected 16 bits a voxel by datatype 4, found bitpix 32"),
        ({"vox_offset": 353}, "expected 401 bytes by its header .* from byte 353.*, found 400"),
        ({"scl_slope": np.inf}, "found scl_slope inf and scl_inter 0"),
        ({"sform_code": 0, "qform_code": 0}, "sform_code 0 and qform_code 0, so left and right"),
        ({"xyzt_units": 1}, "expected lengths in mm, found xyzt_units 1"),
        ({"pixdim": [1, 0.9, 0.8, 5, 0, 0, 0, 0]}, r"5.0\] mm by pixdim, .*2.5\] by the sform"),
        ({"srow_x": [0, 0.9, 0, -80]}, "sform and qform to place the voxels alike, found "),
        ({"datatype": 128}, "expected .* of whole or real numbers, found datatype 128"),
    ],
)  # fmt: skip
def test_fields_that_contradict_one_another_are_both_named(fields, told, tmp_path):
    path = volume(tmp_path, **fields)
    with pytest.raises(FileError, match=told) as refused:
        load_nifti(path)
    assert str(refused.value).startswith(f"{path}: expected ") and refused.value.advice
    load_nifti(volume(tmp_path))  # as it was


def test_a_claim_is_refused_before_any_memory_is_taken(tmp_path):
    path = volume(tmp_path, "a.nii.gz", dim=[3, 20000, 20000, 20000, 1, 1, 1, 1])
    with pytest.raises(FileError, match=r"of at most 4295.0 MB, found one of 16000000.0 MB"):
        io.open_nifti(path)


def test_a_bit_in_a_packed_volume_is_told(tmp_path):
    grains = np.random.default_rng(0).integers(-1000, 400, (40, 40, 40)).astype("int16")
    path = save_nifti(tmp_path / "a.nii.gz", grains, AFFINE)
    whole, kept = path.read_bytes(), load_nifti(path)[0]
    seen, places = 0, range(12, len(whole), len(whole) // 80)
    for at in places:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            again = load_nifti(path)[0]
        except FileError as error:
            seen += 1
            assert "a.nii.gz: expected" in str(error)
        else:  # a bit that packing does not use
            assert np.array_equal(again, kept)
    assert seen > 0.95 * len(places)


def test_what_is_no_file_is_never_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.symlink("nowhere", "link")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
    found = {"pipe": "a named pipe", "link": "a link to nothing", "socket": "a socket",
             ".": "a folder", "/dev/zero": "a device", "gone": "no file there"}  # fmt: skip
    for name, said in found.items():
        with pytest.raises(FileError, match=f"expected notes, found {said}"):
            io.regular_file(name, expected="notes")
    with pytest.raises(FileError, match="a link to nothing"):
        Notes("link")


def test_voxels_on_the_bounds_are_within_them():
    check_geometry((4, 4, 4), np.diag([12.0, 0.1, 12.0000001, 1]))
    with pytest.raises(IngestError, match=r"between 0\.1 and 12\.0 mm, found \[12\.01"):
        check_geometry((4, 4, 4), np.diag([12.01, 1, 1, 1]))


def test_an_array_is_kept_row_by_row(tmp_path):
    write_file(tmp_path / "mask.npy", np.asfortranarray(VOLUME))
    assert np.array_equal(read_file(tmp_path / "mask.npy"), VOLUME)
    np.save(tmp_path / "other.npy", np.asfortranarray(VOLUME))
    with pytest.raises(FileError, match=r"other\.npy: expected an array kept row by row"):
        read_file(tmp_path / "other.npy")


def test_a_damaged_artefact_names_the_notebook_that_makes_it(tmp_path):
    study = Study.create(tmp_path / "study")
    study.write("grid", {"shape": [2, 2, 2]})
    study.path("grid").write_text('{"shape": [2')
    with pytest.raises(StudyError, match=r"grid\.json: .*no valid JSON.*run notebook 02_volumes"):
        study.read("grid")


def test_a_record_that_is_damaged_is_made_anew(tmp_path):
    """What a subject's folder remembers can be computed again; a person is not needed for it."""
    for content in (b"", b'{"read": ', b"[1]", b"\xff\xfe\0", b"[" * 100_000):
        (tmp_path / "state.json").write_bytes(content)
        assert read_record(tmp_path / "state.json") == {}
    (tmp_path / "state.json").write_text('{"read": {"key": 1}}')
    assert read_record(tmp_path / "state.json") == {"read": {"key": 1}}


def test_settings_of_another_network_are_told_before_it_is_built():
    model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    weights = weights_of(model)
    with pytest.raises(
        ValueError, match=r"config\.json: .*blocks.*are \(2, 1, 4, 4\).*10000000000"
    ):
        load_autoencoder(weights, {**model.config, "channels": [10**10, 2, 2]})
    with pytest.raises(ValueError, match=r"config\.json: .*train it again"):
        load_autoencoder(weights, {"n_features": 3})
    again = load_autoencoder(weights, model.config)
    assert torch.equal(again.to_features.weight, model.to_features.weight)


def test_a_damaged_checkpoint_says_that_training_may_begin_anew(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(b"\x10" + bytes(7) + json.dumps({"a": 1}).encode())
    model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    kept = Checkpoint(file, {}, np.zeros((1, 8, 8)), model)
    adam = torch.optim.Adam(model.parameters())
    with pytest.raises(FileError, match=r"checkpoint\.safetensors: expected .*, found "):
        kept.load(model, adam, {}, epochs=2, over=lambda history: False)
