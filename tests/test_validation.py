"""Notebook 10 runs from top to bottom, on one scenario and a small network."""

import shutil
from pathlib import Path

import nbformat
import pytest

from clamlab.cli.running import run_notebooks

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "10_validation.ipynb"
SMALL = {
    "SCENARIOS": ("location",),
    "ANATOMIES": ("smooth",),
    "N_CLUSTERS": 3,
    "N_SCANS": 36,
    "CHANNELS": (4, 4, 8),
    "SEEDS": (1001,),
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validation")
    shutil.copy(NOTEBOOK, folder)
    run_notebooks(folder, [NOTEBOOK.name], SMALL)
    return nbformat.read(folder / NOTEBOOK.name, as_version=4).cells


def shown(cells, kind):
    """Outputs of one kind, in order."""
    return [o.data[kind] for c in cells for o in c.get("outputs", []) if kind in o.get("data", {})]


def test_all_figures_of_the_simulation_are_drawn(cells):
    # Slices, training length, latent space, steps, two averages, single maps, power twice.
    assert len(shown(cells, "image/png")) == 9


def test_the_claims_are_a_table_a_person_can_read(cells):
    table = shown(cells, "text/html")[-1]
    assert "location: one focus per cluster, within 2 px of its lesion" in table
    assert "p = .605" in table
    assert "<pre" not in table


def test_every_criterion_is_held_against_the_truth(cells):
    who = next(text for text in shown(cells, "text/html") if "recommended" in text)
    assert {"deep", "linear", "texture"} <= set(who.replace("<", ">").split(">"))
    assert "prediction_strength" in who
