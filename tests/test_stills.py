"""What is left of a viewer where no script runs: a picture of averages, and a sentence."""

import base64
import io
import re

import numpy as np
import pandas as pd
from PIL import Image

from clamlab import viewers

GRID = (6, 5, 4)
MASK = np.ones(GRID, bool)


def pictures(html: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")) for data in found
    ]


def averages():
    hu = {f"Cluster {k}": np.full(GRID, -900.0 + 300 * k) for k in (1, 2)}
    maps = {name: np.zeros(GRID) for name in hu}
    maps["Cluster 2"][4, 2, 3] = 1.0  # on the patient's right, high up
    return hu, maps


def test_averages_leave_a_picture_and_say_how_to_go_on():
    hu, maps = averages()
    html = viewers.ClusterAverages(hu, maps, mask=MASK, affine=np.diag([3, 3, 3, 1])).still_html()
    (picture,) = pictures(html)
    assert picture.std() > 10 and "run the notebook in JupyterLab down to this cell" in html
    assert pictures(
        viewers.ClusterAverages(hu, mask=MASK, affine=np.diag([3, 3, 3, 1])).still_html()
    )


def test_in_the_round_the_patients_right_is_on_the_left_of_the_still():
    hu, maps = averages()
    still = viewers.volume_view(hu, maps, mask=MASK, affine=np.diag([3, 3, 3, 1])).still()
    drawn = [np.asarray(axes.images[0].get_array()) for axes in still.axes if axes.images]
    assert not drawn[0].any() and drawn[1].shape == (4, 6)
    assert np.argwhere(drawn[1] == 1).tolist() == [[0, 1]]


def test_scans_of_persons_are_not_in_a_still():
    scans, soft = np.full((3, 8, 8), -800), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    table = pd.DataFrame({"subject_id": ["P1", "P2", "P3"]})
    cohort = viewers.CohortViewer(
        scans, np.eye(3), soft, maps={"CLAM": np.zeros((3, 2, 8, 8))}, table=table
    )
    way = viewers.Way(scans, soft, lambda scan, rival: iter(()), names=["P1", "P2", "P3"])
    for viewer in (cohort, way):
        html = viewer.still_html()
        assert not pictures(html) and "P1" not in html and "down to this cell" in html
    assert "3 scans as points" in cohort.still_html()


def test_still_and_viewer_are_two_outputs_of_a_cell(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda what, **how: shown.append((what, how)))
    hu, maps = averages()
    viewer = viewers.ClusterAverages(hu, maps, mask=MASK, affine=np.diag([3, 3, 3, 1]))
    viewer._ipython_display_()
    (still, _), (bundle, how) = shown
    assert still.data == viewer.still_html() and how == {"raw": True}
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == viewer.model_id
    assert "clam-explorable" in viewer._dom_classes
