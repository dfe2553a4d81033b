"""One whole file of each kind that is read, and the function of the library that reads it."""

import hashlib
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import torch
from safetensors.numpy import save_file

from clamlab.ingest import match_scans, read_scan
from clamlab.ingest.alignment.following import read_transform
from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.nifti import load_volume
from clamlab.models import ConvAutoencoder
from clamlab.schema import draft_schema, load_schema, read_table
from clamlab.simulate import write_dicom
from clamlab.study import Study
from clamlab.study.files import read_file, write_file
from clamlab.training import load_autoencoder, weights_of
from clamlab.training.checkpoint import Checkpoint
from clamlab.viewers.cohort.notes import Notes
from clamlab.viewers.deciding.decisions import COLUMNS, Decisions
from clamlab.volumes import load_nifti, save_nifti

XLS = Path(__file__).parents[3] / "tests" / "tables" / "clinic.xls"
AFFINE = np.array([[0, -0.9, 0, -80], [0.8, 0, 0, -70], [0, 0, 2.5, -900], [0, 0, 0, 1]])
STAGE = "01_cohort"
IDS = [f"S{i:02d}" for i in range(30)]
ODS = "urn:oasis:names:tc:opendocument:xmlns"


@dataclass(frozen=True)
class Reader:
    """A whole file and who reads it.

    Attributes
    ----------
    name : str
    file : Path
        What is damaged.
    read : function of the file's path
    form : str
        Which damages there are for it.
    """

    name: str
    file: Path
    read: Callable[[Path], Any]
    form: str


def digest(value: Any) -> str:
    """Return what tells a read value from any other."""
    return hashlib.sha256(pickle.dumps(_plain(value))).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return (value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes())
    if isinstance(value, pd.DataFrame):
        return value.to_csv()
    if isinstance(value, torch.nn.Module):
        return _plain(weights_of(value))
    return value if isinstance(value, str | int | float | None) else _plain(vars(value))


def readers(folder: Path) -> list[Reader]:
    """Write a whole file of each kind, each into a folder of its own."""
    made = [
        *_tables(folder), *_volumes(folder), *_series(folder), *_networks(folder),
        *_records(folder),
    ]  # fmt: skip
    return [Reader(name, file, read, form) for name, file, read, form in made]


def _tables(folder: Path) -> list[tuple]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"pid": IDS, "age": rng.integers(40, 80, 30), "fvc": rng.normal(3, 0.5, 30),
         "sex": rng.choice(["female", "male"], 30)}
    )  # fmt: skip
    files = {kind: _place(folder, f"table.{kind}") for kind in ("csv", "sav", "dta", "xpt", "xls")}
    table.to_csv(files["csv"], index=False)
    pyreadstat.write_sav(table, str(files["sav"]))
    pyreadstat.write_dta(table, str(files["dta"]))
    pyreadstat.write_xport(table, str(files["xpt"]), file_format_version=5)
    shutil.copyfile(XLS, files["xls"])
    book, files["xlsx"] = openpyxl.Workbook(), _place(folder, "table.xlsx")
    for row in [list(table), *table.to_numpy().tolist()]:
        book.active.append(row)
    book.save(files["xlsx"])
    files["ods"] = _spreadsheet(_place(folder, "table.ods"), table)
    packed = ("xlsx", "ods")
    return [
        (f"table .{kind}", file, read_table,
         "workbook" if kind in packed else "csv" if kind == "csv" else "binary")
        for kind, file in files.items()
    ]  # fmt: skip


def _spreadsheet(file: Path, table: pd.DataFrame) -> Path:
    cells = [[f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row]
             for row in [list(table), *table.astype(str).to_numpy().tolist()]]  # fmt: skip
    rows = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in cells)
    names = " ".join(f'xmlns:{n}="{ODS}:{n}:1.0"' for n in ("office", "table", "text", "style"))
    content = f'<office:document {names}><table:table table:name="A">{rows}</table:table>'
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", f"{content}</office:document>")
    return file


def _volumes(folder: Path) -> list[tuple]:
    rng = np.random.default_rng(1)
    volume = rng.integers(-1000, 400, (30, 24, 40)).astype("int16")
    plain, packed = _place(folder, "volume.nii"), _place(folder, "volume.nii.gz")
    save_nifti(plain, volume, AFFINE)
    save_nifti(packed, volume, AFFINE)
    # As many programs write it: the sform alone, with a slope and an intercept.
    scan = _place(folder, "scan.nii.gz")
    image = nibabel.Nifti1Image(volume.astype("float32"), AFFINE)
    image.header.set_data_dtype("int16")
    image.header.set_slope_inter(1, -24)
    nibabel.save(image, scan)
    second = _place(folder, "second.nii")
    nibabel.save(nibabel.Nifti2Image(volume, AFFINE), second)
    return [
        ("volume .nii", plain, load_nifti, "nifti"),
        ("volume .nii, version 2", second, load_nifti, "nifti"),
        ("volume .nii.gz", packed, load_nifti, "nifti.gz"),
        ("scan .nii.gz", scan, load_volume, "nifti.gz"),
        ("warp .nii.gz", _warp(folder), _read_way, "gz"),
    ]


def _series(folder: Path) -> list[tuple]:
    place = np.moveaxis(np.indices((30, 24, 40)), 0, -1) / (30, 24, 40) - 0.5
    chest = -900 + 950 / (1 + np.exp(-30 * (np.linalg.norm(place, axis=-1) - 0.4)))
    chest += 40 * np.sin(9 * place.sum(-1)) + 700 * np.exp(-200 * (place[..., :2] ** 2).sum(-1))
    scans, alone = folder / "series", folder / "header" / "S-01"
    write_dicom(chest, scans / "S-01", affine=np.diag([8.0, 9, 4, 1]), subject_id="S-01")
    slice_ = scans / "S-01" / "slice_0009.dcm"
    alone.mkdir(parents=True)
    header = Path(shutil.copy(slice_, alone))
    return [
        ("scan .dcm", slice_, _read_series, "dicom"),
        ("header .dcm", header, _matched, "dicom"),
    ]


def _read_series(file: Path) -> Any:
    try:
        scan = read_scan(file.parent)
    except IngestError as error:  # who reads a series tells the subject with it
        raise IngestError(f"{file.name} among others: {error}") from None
    if scan.notes:  # a person is asked to look: as good as refused
        raise IngestError(f"{file.name} among others is told of: {'; '.join(scan.notes)}")
    return [scan.volume, scan.affine]


def _matched(file: Path) -> Any:
    cohort = pd.DataFrame({"subject_id": ["S-01"]})
    try:
        found = match_scans(cohort, file.parents[1], match="header:PatientID")
    except ValueError as error:  # names the folder
        raise IngestError(f"{file.name} alone: {error}".replace("\n", " ")) from None
    if found.cohort.empty:
        raise IngestError(f"{file.name} is nobody's: {found.exclusions['reason'].tolist()}")
    return found.cohort["subject_id"].tolist()


def _warp(folder: Path) -> Path:
    file = _place(folder, "warp.nii.gz")
    way = {"affine": np.eye(4).tolist(), "warp": file.name}
    (file.parent / "transform.json").write_text(json.dumps(way))
    displacement = np.random.default_rng(2).normal(0, 1, (8, 8, 8, 1, 3)).astype("float32")
    image = nibabel.Nifti1Image(displacement, AFFINE)
    image.header.set_intent("vector")
    nibabel.save(image, file)
    return file


def _read_way(file: Path) -> Any:
    return read_transform(file.parent)


def _networks(folder: Path) -> list[tuple]:
    model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    array, named = _place(folder, "features.npy"), _place(folder, "autoencoder.safetensors")
    np.save(array, np.random.default_rng(3).normal(0, 1, (30, 20)))
    save_file(weights_of(model), named)
    settings = _place(folder, "config.json")
    write_file(settings, model.config)
    kept = _place(folder, ".checkpoint")
    images, history = np.zeros((2, 8, 8), "float32"), [{"epoch": 1.0, "loss": 0.5}]
    best = {name: value.clone() for name, value in model.state_dict().items()}
    checkpoint = Checkpoint(kept, {"seed": 1}, images, model)
    checkpoint.save(model, _adam(model), history, best, now=True)

    def go_on(file: Path) -> Any:
        again = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3, seed=5)
        whole = Checkpoint(file, {"seed": 1}, images, model)
        told = whole.load(again, _adam(again), {}, epochs=9, over=lambda history: False)
        return [told, again]

    return [
        ("array .npy", array, read_file, "npy"),
        ("weights .safetensors", named, read_file, "safetensors"),
        ("training goes on", kept, go_on, "safetensors"),
        ("settings of a network", settings,
         lambda file: load_autoencoder(weights_of(model), read_file(file)), "json"),
    ]  # fmt: skip


def _adam(model: torch.nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(model.parameters())


def _records(folder: Path) -> list[tuple]:
    notes, decisions = _place(folder, "notes.csv"), _place(folder, "decisions.csv")
    for i, subject in enumerate(IDS[:9]):
        Notes(notes).save(subject, f"nodule {i}, upper lobe", seen="")
    known = Decisions(decisions)
    for subject in IDS[:3]:
        row = dict.fromkeys(COLUMNS, "") | {"decision": "reject", "note": "moved, twice"}
        known.save(subject, row, seen=None)
    own = _place(folder, "assignments.csv")
    write_file(own, pd.DataFrame({"subject_id": IDS, "cluster": 1, "confidence": 0.875}))
    contract = _place(folder, "participants.schema.json")
    write_file(contract, draft_schema(read_table(folder / "table.csv" / "table.csv")))
    settings = _study(folder / "settings") / "study.json"
    record = _study(folder / "record") / STAGE / "stage.json"
    return [
        ("notes", notes, _notes_of, "csv"),
        ("decisions", decisions, lambda file: Decisions(file).rows, "csv"),
        ("own table .csv", own, read_file, "csv"),
        ("contract", contract, load_schema, "json"),
        ("study.json", settings, lambda file: Study.open(file.parent).settings, "json"),
        ("stage.json", record, lambda file: Study.open(file.parents[1]).status(), "json"),
    ]


def _notes_of(file: Path) -> list[str]:
    notes = Notes(file)
    return [notes[subject] for subject in IDS[:9]]


def _study(root: Path) -> Path:
    study = Study.create(root, simulated=True)
    stage = study.stage(STAGE, min_subjects=1)
    stage.write("cohort", pd.DataFrame({"subject_id": ["S1"], "scan": ["S1.nii.gz"]}))
    stage.write("exclusions", pd.DataFrame({"subject_id": ["S2"], "reason": ["no scan"]}))
    stage.publish()
    return root


def _place(folder: Path, name: str) -> Path:
    """Give each file a folder of its own: some readers look beside it."""
    (folder / name).mkdir(parents=True)
    return folder / name / name
