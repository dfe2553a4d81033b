"""Scans and a table as a hospital hands them over: full of what tells who somebody is."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pydicom

from clamlab.schema import draft_schema, read_table
from clamlab.study import Study

WARD = "ST_ELSEWHERE"
FOLDER = "MUSTERMANN_ERIKA"
HEADERS = {
    "PatientName": "MUSTERMANN^ERIKA",
    "PatientBirthDate": "19610723",
    "PatientAddress": "Heidestrasse 17",
    "AccessionNumber": "ACC7781234",
    "StudyDate": "20190611",
    "InstitutionName": "Elsewhere General",
    "ReferringPhysicianName": "HOUSE^GREGORY",
    "StudyDescription": "CHEST FOR DR HOUSE",
    "PatientComments": "sister of bed twelve",
}
COLUMNS = {
    "patient_name": "Erika Mustermann",
    "birth_date": "1961-07-23",
    "accession": "ACC-7781-234",
    "remarks": "lives at Heidestrasse 17",
}
# Numbers that everybody has another of; that of the first is looked for.
NUMBERS = {"telephone": 5513912345, "born": 23071961, "mrn": 7781234}
PLANTED = {
    "name of a folder above": WARD,
    "name of a scan's folder": FOLDER,
    **{f"header {keyword}": value for keyword, value in HEADERS.items()},
    **{f"column {name}": value for name, value in COLUMNS.items()},
    **{f"column {name}": str(value) for name, value in NUMBERS.items()},
}
"""Where each text was planted; none of it belongs into a study, places of scans apart."""


def hand_over(study: Study, folder: Path) -> None:
    """Let a simulated study take its scans from a hospital's folder, with a hospital's table.

    The table's contract is drafted from it, as ``clamlab init`` does.

    Parameters
    ----------
    study : Study
        After notebook 00.
    folder : Path
        Receives the scans and the table.
    """
    folder = folder / WARD
    table = pd.read_csv(study.path("simulated_participants"), dtype=str, keep_default_na=False)
    for subject in table["subject_id"]:
        own = folder / "pacs" / f"{FOLDER}_{subject}"
        shutil.copytree(study.path("simulated_scans") / subject, own)
        for file in own.iterdir():
            image = pydicom.dcmread(file)
            for keyword, value in HEADERS.items():
                setattr(image, keyword, value)
            image.save_as(file)
    numbers = {name: [value + i for i in range(len(table))] for name, value in NUMBERS.items()}
    table.assign(**COLUMNS, **numbers).to_csv(folder / "table.csv", index=False)
    contract = draft_schema(read_table(folder / "table.csv"))
    (study.root / "schemas" / "participants.schema.json").write_text(json.dumps(contract))
    study.update(scans=str(folder / "pacs"), participants=str(folder / "table.csv"))
