"""The viewers' Python side; what a person sees is in test_browser.py."""

import base64
import gzip
import html
import json
import re

import matplotlib
import nibabel as nib
import numba
import numpy as np
import pandas as pd
import pytest
import traitlets
from scipy.spatial.transform import Rotation

from clamlab import viewers
from clamlab.viewers.assets import read_together
from clamlab.viewers.cohort.maps import layer_maps
from clamlab.viewers.cohort.note_box import NoteBox
from clamlab.viewers.cohort.notes import Notes
from clamlab.viewers.slices.packing import pack_scan
from clamlab.viewers.volume_scene import merge, transfer_table

AFFINE = np.array([[3.0, 0, 0, -10], [0, 2, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1]])


@pytest.fixture
def scan():
    rng = np.random.default_rng(0)
    return rng.integers(-1000, 400, (5, 6, 7))


@pytest.fixture
def overlays():
    rng = np.random.default_rng(1)
    return {"Cluster 1": rng.random((5, 6, 7)), "Cluster 2": rng.random((5, 6, 7))}


def unpack(page):
    """Read scan and maps out of a page, the way its script does."""
    traits = json.loads(re.search(r'id="clam-state">(.*?)</script>', page, re.S)[1])
    data = gzip.decompress(base64.b64decode(re.search(r'id="clam-data">(.*?)</script>', page)[1]))
    n = int(np.prod(traits["shape"]))
    steps = np.frombuffer(data[: 2 * n], np.uint8).reshape(2, n).T.copy().view("<i2").ravel()
    hu = np.cumsum(steps, dtype=np.int16).reshape(traits["shape"])
    maps = np.frombuffer(data[2 * n :], np.uint8).reshape(-1, *traits["shape"])
    return traits, hu, maps


def test_scan_and_maps_travel_exactly(scan, overlays):
    viewer = viewers.SliceViewer(scan, overlays, affine=AFFINE)
    assert np.array_equal(np.frombuffer(viewer.volume, "<i2").reshape(scan.shape), scan)
    sent = np.frombuffer(viewer.overlay_volumes, np.uint8).reshape(2, *scan.shape) / 255
    assert np.abs(sent - list(overlays.values())).max() <= 0.5 / 255 + 1e-6
    assert viewer.overlay_names == ["Cluster 1", "Cluster 2"]
    assert np.array_equal(np.reshape(viewer.affine, (4, 4)), AFFINE)


def test_displayed_slice_becomes_ras():
    image = np.zeros((4, 6))
    image[0, 1] = 100  # top: anterior; left: the patient's right
    packed = pack_scan(image)
    volume = np.frombuffer(packed["volume"], "<i2").reshape(packed["shape"])
    assert packed["shape"] == [6, 4, 1]
    assert volume[4, 3, 0] == 100


def test_starts_where_the_map_is(scan):
    spot = np.zeros(scan.shape)
    spot[1, 2, 3] = 1
    assert viewers.SliceViewer(scan, {"a": spot}, affine=AFFINE).index == [1, 2, 3]
    assert viewers.SliceViewer(scan, affine=AFFINE).index == [2, 3, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volume_hu": np.zeros((2, 3))[0]}, "shape"),
        ({"volume_hu": np.full((5, 6, 7), np.nan)}, "NaN"),
        ({"volume_hu": np.full((5, 6, 7), 0.3)}, "scaled image"),
        ({"overlays": {"a": np.zeros((5, 6, 8))}}, "upsample"),
        ({"overlays": {"a": np.full((5, 6, 7), 2.0)}}, "importance"),
        ({"overlays": {"a": np.full((5, 6, 7), np.nan)}}, "expected"),
        ({"affine": None}, "affine"),
        ({"affine": np.eye(3)}, r"\(4, 4\)"),
        ({"affine": np.diag([-1, -1, 1, 1])}, "LPS"),
    ],
)
def test_says_what_does_not_fit(scan, change, message):
    given = {"volume_hu": scan, "overlays": None, "affine": AFFINE} | change
    with pytest.raises(ValueError, match=message):
        viewers.SliceViewer(given["volume_hu"], given["overlays"], affine=given["affine"])


def test_unknown_state_is_refused(scan):
    with pytest.raises(TypeError, match="opacty"):
        viewers.SliceViewer(scan, affine=AFFINE, opacty=0.3)
    with pytest.raises(traitlets.TraitError):
        viewers.to_html(scan, affine=AFFINE, colormap="jet")
    with pytest.raises(traitlets.TraitError, match="no map 'b'"):
        viewers.SliceViewer(scan, affine=AFFINE).overlay = "b"


def test_preset_and_window_agree(scan):
    viewer = viewers.SliceViewer(scan, affine=AFFINE, preset="mediastinal")
    assert (viewer.window, viewer.level) == (400, 40)
    viewer.level = 50
    assert viewer.preset == "custom"
    viewer.preset = "lung"
    assert (viewer.window, viewer.level, viewer.preset) == (1500, -600, "lung")
    assert viewers.SliceViewer(scan, affine=AFFINE, window=400, level=40).preset == "mediastinal"


def test_index_stays_inside(scan):
    viewer = viewers.SliceViewer(scan, affine=AFFINE)
    viewer.index = [99, -3, 2]
    assert viewer.index == [4, 0, 2]


def test_rerun_cell_finds_its_state(scan, overlays):
    first = viewers.SliceViewer(scan, overlays, affine=AFFINE, key="rerun")
    first.index, first.opacity, first.overlay = [1, 1, 1], 0.2, "Cluster 2"
    again = viewers.SliceViewer(scan, overlays, affine=AFFINE, key="rerun", opacity=0.9)
    assert (again.index, again.overlay) == ([1, 1, 1], "Cluster 2")
    assert again.opacity == 0.9, "what is given comes before what is remembered"
    other = viewers.SliceViewer(scan[:4], affine=AFFINE, key="rerun")
    assert (other.index, other.overlay) == ([2, 3, 3], "")


def test_scans_of_one_title_do_not_share_their_state(scan, overlays):
    """A title says what a picture shows; who it is, a key does."""
    first = viewers.SliceViewer(scan, overlays, affine=AFFINE, title="1")
    first.index, first.opacity = [1, 1, 1], 0.2
    assert viewers.SliceViewer(scan, overlays, affine=AFFINE, title="1").opacity == 0.55


def test_a_key_holds_one_viewer(scan):
    first = viewers.SliceViewer(scan, affine=AFFINE, key="one")
    second = viewers.SliceViewer(scan, affine=AFFINE, key="one")
    assert first.comm is None
    assert second.comm is not None


def test_another_scan_keeps_the_look(scan, overlays):
    viewer = viewers.SliceViewer(scan, overlays, affine=AFFINE)
    viewer.index, viewer.level, viewer.overlay = [1, 2, 3], 0, "Cluster 2"
    viewer.show(scan + 1, {"Cluster 2": overlays["Cluster 2"]}, affine=AFFINE, title="next")
    assert (viewer.index, viewer.level, viewer.overlay) == ([1, 2, 3], 0, "Cluster 2")
    assert np.array_equal(np.frombuffer(viewer.volume, "<i2").reshape(scan.shape), scan + 1)
    viewer.show(scan[:2], {"New": overlays["Cluster 1"][:2]}, affine=AFFINE)
    assert viewer.overlay == "New"
    assert all(i < n for i, n in zip(viewer.index, (2, 6, 7), strict=True))


def test_window_and_level_may_arrive_one_after_the_other(scan):
    """As they do where two viewers are linked; nothing goes back in between."""
    viewer = viewers.SliceViewer(scan, affine=AFFINE)
    viewer.set_state({"window": 400})
    assert (viewer.window, viewer.level, viewer.preset) == (400, -600, "custom")
    viewer.set_state({"level": 40})
    assert (viewer.window, viewer.level, viewer.preset) == (400, 40, "mediastinal")
    assert "preset" not in viewer.get_state()


def test_presets_are_the_same_in_both_languages():
    from clamlab.viewers.slices.slice_state import PRESETS

    script = read_together("slices/slice_actions.js")
    found = re.search(r"lung: \[(\d+), (-?\d+)\], mediastinal: \[(\d+), (-?\d+)\]", script)
    assert [int(v) for v in found.groups()] == [*PRESETS["lung"], *PRESETS["mediastinal"]]


@pytest.mark.parametrize("name", ["inferno", "viridis", "cividis"])
def test_colors_are_matplotlibs(name):
    block = read_together("drawing.js").split(f"{name}:")[1].split(",\n")
    digits = "".join(re.findall(r'"([0-9a-f]+)"', block[0]))
    anchors = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(33, 3)
    places = np.linspace(0, 255, 33)
    table = [np.interp(np.arange(256), places, anchors[:, k]) for k in range(3)]
    wanted = 255 * matplotlib.colormaps[name](np.arange(256))[:, :3]
    assert np.abs(np.stack(table, 1) - wanted).max() < 7


def test_page_holds_scan_and_state(scan, overlays, tmp_path):
    scan[0, 0, 0], scan[0, 0, 1] = -32768, 32767  # steps that leave int16
    path = viewers.to_html(
        scan,
        overlays,
        tmp_path / "a.html",
        affine=AFFINE,
        title="A & {{data}} </script>",
        opacity=0.25,
    )
    page = path.read_text(encoding="utf-8")
    traits, hu, maps = unpack(page)
    assert np.array_equal(hu, scan)
    assert np.abs(maps / 255 - list(overlays.values())).max() < 0.003
    assert (traits["opacity"], traits["title"]) == (0.25, "A & {{data}} </script>")
    assert "patient data" in page
    assert list(tmp_path.iterdir()) == [path]


def test_page_asks_nothing_of_a_network(scan):
    page = viewers.to_html(scan, affine=AFFINE, patient_data=False)
    assert not re.search(r"https?://|src=|@import|fetch\(|XMLHttp", page)
    assert "default-src 'none'" in page
    assert "patient data" not in page


def test_page_can_leave_out_the_body(scan, overlays):
    mask = np.zeros(scan.shape, bool)
    mask[2:4] = True
    _, hu, maps = unpack(viewers.to_html(scan, overlays, affine=AFFINE, mask=mask))
    assert np.array_equal(hu[mask], scan[mask])
    assert (hu[~mask] == -2048).all()
    assert (maps[:, ~mask] == 0).all()
    with pytest.raises(ValueError, match="mask"):
        viewers.to_html(scan, affine=AFFINE, mask=mask[1:])


def test_page_of_a_real_subject_is_small(real_data):
    image = nib.as_closest_canonical(nib.load(next((real_data / "cptac_3mm").glob("*.nii.gz"))))
    hu = np.asarray(image.dataobj)[32:120, 32:120, 7:95]
    x, y, z = np.indices(hu.shape)
    smooth = np.exp(-((x - 30) ** 2 + (y - 40) ** 2 + (z - 50) ** 2) / 500)
    maps = {f"Cluster {k}": np.where(hu < -500, smooth**k, 0) for k in (1, 2)}
    assert hu.shape == (88, 88, 88)
    assert len(viewers.to_html(hu, maps, affine=image.affine)) <= 1_500_000


def test_embedded_page_survives_nbconvert(scan):
    page = viewers.to_html(scan, affine=AFFINE)
    frame = viewers.embed(page).data
    assert html.unescape(re.search(r'srcdoc="(.*?)"', frame, re.S)[1]) == page


def test_merged_volume_never_wraps_around():
    hu = np.array([-3000.0, -1350, -600, 150, 3000]).reshape(5, 1, 1)
    scene = merge(hu, np.zeros(hu.shape), np.ones(hu.shape, bool), threshold=0.5)
    assert scene.ravel().tolist() == pytest.approx([0.3, 0.3, 0.15, 0, 0])  # the lung window
    hot = merge(hu, np.full(hu.shape, 1.0), np.ones(hu.shape, bool), threshold=0.5)
    assert (hot == 1).all()
    assert scene.shape == (1, 1, 5), "ipyvolume takes z, y, x"
    nothing = merge(hu, np.zeros(hu.shape), hu > 9999, threshold=0.5)
    assert nothing == pytest.approx(0.3), "as air"


def test_a_colour_in_the_round_is_the_slices_colour_of_the_same_importance():
    table = matplotlib.colormaps["viridis"](np.linspace(0, 1, 256))[:, :3]
    seen = transfer_table(table, 0.55, threshold=0.3)
    for value, threshold in [(0.5, 0.3), (0.5, 0.5), (1.0, 0.3)]:
        hot = merge(np.zeros((1, 1, 1)), np.full((1, 1, 1), value), np.ones((1, 1, 1), bool),
                    threshold=threshold)  # fmt: skip
        place = round(255 * hot.item())
        np.testing.assert_allclose(seen[place, :3], table[round(255 * value)], atol=0.02)
    grey = seen[round(255 * 0.15)]  # -600 HU, the middle of the lung window
    np.testing.assert_allclose(grey[:3], 0.5, atol=0.01)
    assert seen[round(255 * 0.3 * 1150 / 1500), 3] == 0, "air is clear"
    bare = transfer_table(table, 0, threshold=0.3)
    assert not bare[128:, 3].any() and (bare[:128] == seen[:128]).all(), "the lung alone"


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.75, 1.0])
def test_between_lung_and_map_lies_nothing_that_is_in_neither(threshold):
    # What the browser shades between a voxel of lung and one of the map, as it is drawn.
    hu, mask = np.full((1, 1, 2), -800.0), np.ones((1, 1, 2), bool)
    ends = merge(hu, np.array([[[0.0, threshold]]]), mask, threshold=threshold).ravel()
    seen = transfer_table(np.ones((256, 3)), 0.55, threshold=threshold)[:, 3]
    lung, hot = (round(255 * float(end)) for end in ends)
    assert seen[hot] > 0.1 and not seen[78 : hot - 1].any()
    assert (seen[lung:78] <= seen[lung]).all(), "denser than neither"


def test_volume_view_keeps_proportions_and_sides():
    box = viewers.volume_view(np.full((4, 6, 8), -800.0), np.zeros((4, 6, 8)), affine=AFFINE)
    figure = box.children[4]
    extent = np.array(figure.volumes[0].extent)
    assert np.ptp(extent, axis=1).tolist() == [12, 12, 32]
    assert figure.xlim == figure.ylim == figure.zlim == (-16, 16)
    forward, up = -np.array(figure.camera.position), np.array(figure.camera.up)
    assert np.cross(forward, up)[0] < 0, "screen right must be the patient's left"


def test_the_sliders_in_the_round_show_what_they_say():
    rng = np.random.default_rng(0)
    scans = {name: np.full((4, 5, 6), -700.0) for name in ("S012", "Smokers")}
    maps = {name: rng.random((4, 5, 6)) for name in scans}
    box = viewers.volume_view(scans, maps, threshold=0.5)
    shown, threshold, opacity, colors, _, figure, caption, _ = box.children
    threshold, opacity = threshold.slider, opacity.slider
    volume = figure.volumes[0]

    def share():
        return float(np.mean(np.asarray(volume.data) > 0.5))

    assert shown.options == ("S012", "Smokers")
    assert share() == pytest.approx((maps["S012"] >= 0.5).mean())
    threshold.value = 0.8
    assert share() == pytest.approx((maps["S012"] >= 0.8).mean())
    shown.value = "Smokers"
    assert share() == pytest.approx((maps["Smokers"] >= 0.8).mean())
    assert f"≥ 0.80, {share():.0%} of the lung" in caption.value
    alpha = volume.tf.rgba[-1, 3]
    opacity.value = 0.25
    assert volume.tf.rgba[-1, 3] == pytest.approx(alpha * 0.25 / 0.55)
    yellow = volume.tf.rgba[-1, :3]
    colors.value = "viridis"
    assert not np.allclose(volume.tf.rgba[-1, :3], yellow)
    opacity.value = 0
    assert "nothing is coloured: the lung alone" in caption.value
    assert share() == 0, "the lung goes on where the map was"
    opacity.value = 0.5
    assert share() == pytest.approx((maps["Smokers"] >= 0.8).mean())


@pytest.mark.parametrize(("voxels", "said"), [(0, "0%"), (9, "less than 1%"), (10, "1%")])
def test_a_little_that_is_coloured_is_not_called_nothing(voxels, said):
    scan, importance = np.full((10, 10, 10), -800.0), np.zeros((10, 10, 10))
    importance.ravel()[:voxels] = 0.9
    caption = viewers.volume_view(scan, importance).children[5]
    assert f"≥ 0.50, {said} of the lung" in caption.value


def test_the_caption_follows_the_turn_and_each_side_shows_itself():
    box = viewers.volume_view(np.full((4, 6, 8), -800.0), np.zeros((4, 6, 8)))
    camera, caption = box.children[4].camera, box.children[5]
    assert "Seen from the front, patient's right on the left" in caption.value
    box.side.value = "back"
    assert "Seen from the back, patient's right on the right" in caption.value
    assert camera.position[1] < 0 and camera.up == (0, 0, 1)
    camera.position = (1.0, 1.0, 0.1)  # as the browser tells of a hand
    assert box.side.value is None and camera.position == (1.0, 1.0, 0.1)
    assert "Seen between the front and the patient's right" in caption.value
    box.side.value = "feet"
    assert "Seen from the feet, patient's right on the left" in caption.value, "as an axial slice"
    # ipyvolume takes its `up` from the turn alone: picture right is x, up is y, behind is z
    for name, right, up in (("feet", (-1, 0, 0), (0, 1, 0)), ("front", (-1, 0, 0), (0, 0, 1))):
        box.side.value = name
        drawn = Rotation.from_quat(camera.quaternion).as_matrix()
        np.testing.assert_allclose(drawn[:, :2].T, [right, up], atol=1e-9)


def test_volume_view_says_what_does_not_fit():
    lung = np.full((4, 4, 4), -800.0)
    with pytest.raises(ValueError, match="one shape"):
        viewers.volume_view(lung, np.zeros((4, 4, 5)))
    with pytest.raises(ValueError, match="importance"):
        viewers.volume_view(lung, lung)
    with pytest.raises(ValueError, match="Cluster 1"):
        viewers.volume_view({"Cluster 1": lung}, {"Cluster 2": lung})
    with pytest.raises(ValueError, match="threshold"):
        viewers.volume_view(lung, np.zeros((4, 4, 4)), threshold=1)


@pytest.fixture
def cohort(tmp_path):
    rng = np.random.default_rng(2)
    volumes = rng.integers(-1000, 0, (6, 8, 8)).astype(np.int16)
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3], [0.55, 0.45], [0.1, 0.9]])
    maps = {"CLAM": rng.random((6, 2, 8, 8)), "Made": lambda i, k: np.full((8, 8), (i + k) / 10)}
    table = pd.DataFrame(
        {
            "subject_id": list("ABCDEF"),
            "dlco": [10.5, 12, np.nan, 15, 16, 17],
            "stage": pd.Categorical([2, 1, 0, 1, 2, 0], ordered=True),
        }
    )
    viewer = viewers.CohortViewer(
        volumes, rng.normal(size=(6, 4)), soft, maps=maps, table=table,
        mask=np.eye(8, dtype=bool), notes_path=tmp_path / "explore" / "notes.csv",
    )  # fmt: skip
    return viewer, volumes, maps, tmp_path / "explore" / "notes.csv"


def shown(viewer):
    shape = viewer.slices.shape
    hu = np.frombuffer(viewer.slices.volume, "<i2").reshape(shape)[::-1, ::-1, 0].T
    overlay = np.frombuffer(viewer.slices.overlay_volumes, np.uint8).reshape(shape)
    return hu, overlay[::-1, ::-1, 0].T / 255


def test_cohort_viewer_shows_the_chosen_scan_and_map(cohort):
    viewer, volumes, maps, _ = cohort
    viewer.scatter.selected = 1  # what a click does
    hu, overlay = shown(viewer)
    assert np.array_equal(hu, volumes[1])
    assert np.allclose(overlay, maps["CLAM"][1, 1] * np.eye(8), atol=0.003), "its own cluster is 2"
    viewer.choose.map.value, viewer.choose.cluster.value = "Made", 0
    assert np.allclose(shown(viewer)[1], 0.1 * np.eye(8), atol=0.003)
    assert viewer.slices.title == "B · Cluster 2"


def test_cohort_viewer_averages_a_group(cohort):
    viewer, volumes, maps, _ = cohort
    viewer.scatter.group = [0, 1]
    hu, overlay = shown(viewer)
    assert np.array_equal(hu, np.rint(volumes[:2].mean(0, dtype=np.float32)))
    own = (maps["CLAM"][0, 0] + maps["CLAM"][1, 1]) / 2
    assert np.allclose(overlay, own * np.eye(8), atol=0.003)
    assert viewer.panel.note_box.text.disabled
    viewer.scatter.group = []
    assert np.array_equal(shown(viewer)[0], volumes[0])


def test_cohort_viewer_lists_borderline_scans_first(cohort):
    viewer, volumes, *_ = cohort
    assert [name.split()[0] for name, _ in viewer.choose.borderline.options] == list("ECDBAF")
    viewer.choose.borderline.value = 4
    assert viewer.choose.scan.label == "E"
    assert np.array_equal(shown(viewer)[0], volumes[4])


def test_cohort_viewer_colors_by_any_column(cohort):
    viewer, *_ = cohort
    assert viewer.scatter.levels == ["Cluster 1", "Cluster 2"]
    viewer.choose.color.value = "stage"
    assert (viewer.scatter.levels, viewer.scatter.column) == (["0", "1", "2"], [2, 1, 0, 1, 2, 0])
    viewer.choose.color.value = "dlco"
    assert (viewer.scatter.levels, viewer.scatter.column[2]) == ([], None)


def test_cohort_viewer_keeps_notes(cohort):
    viewer, _, _, path = cohort
    viewer.panel.note_box.text.value = "fissure, probably real"
    viewer.panel.note_box.save.click()
    viewer.panel.note_box.text.value = "second thought"
    viewer.choose.scan.value = 3  # going on saves too
    assert viewer.panel.note_box.text.value == ""
    table = pd.read_csv(path)
    assert table.to_dict("list") == {"subject_id": ["A"], "note": ["second thought"]}
    viewer.choose.scan.value = 0
    assert viewer.panel.note_box.text.value == "second thought"


def test_a_note_that_the_disk_refuses_is_not_lost(cohort):
    viewer, _, _, path = cohort
    path.parent.mkdir()
    path.write_text("subject_id,note\nA")  # another program broke it
    viewer.panel.note_box.text.value = "of A"
    viewer.choose.scan.value = 3
    assert (
        "not saved" in viewer.panel.note_box.said.value
        and "is cut" in viewer.panel.note_box.said.value
    )
    viewer.choose.scan.value = 0
    assert viewer.panel.note_box.text.value == "of A"
    path.write_text("subject_id,note,seen\nB,kept,yes\n")
    viewer.panel.note_box.save.click()
    assert pd.read_csv(path, keep_default_na=False).to_dict("split")["data"] == [
        ["B", "kept", "yes"],
        ["A", "of A", ""],
    ]


def test_a_note_of_another_window_is_not_written_over_unseen(tmp_path):
    path = tmp_path / "notes.csv"
    mine, other = NoteBox(path), NoteBox(path)  # two kernels: each read the file when it opened
    for box in (mine, other):
        box.turn_to("S1")
    other.text.value = "nodule, ask Dr B"
    other.turn_to("S2")
    mine.text.value = "fissure"
    mine.turn_to("S2")  # going on saves nothing over it, and says what stands there
    assert Notes(path)["S1"] == "nodule, ask Dr B"
    assert "S1: not saved" in mine.said.value and "“nodule, ask Dr B”" in mine.said.value
    assert "press Save note" in mine.said.value
    mine.turn_to("S1")
    assert mine.text.value == "fissure", "what was typed is kept"
    mine.turn_to("S2")
    mine.turn_to("S1")
    assert Notes(path)["S1"] == "nodule, ask Dr B", "going on never decides"
    other.turn_to("S1")
    other.text.value = "nodule, 4 mm"
    other.save.click()
    mine.text.value = "nodule or fissure"
    mine.save.click()  # told of the note before, not of this one
    assert Notes(path)["S1"] == "nodule, 4 mm" and "“nodule, 4 mm”" in mine.said.value
    mine.save.click()
    assert Notes(path)["S1"] == "nodule or fissure" and "S1: saved" in mine.said.value
    other.text.value = ""
    other.save.click()
    other.save.click()  # told by now: a note may be taken away
    assert Notes(path)["S1"] == ""
    mine.text.value = "fissure after all"
    mine.turn_to("S2")
    assert Notes(path)["S1"] == "" and "took the note away" in mine.said.value


def test_notes_of_two_readers_do_not_overwrite_each_other(tmp_path):
    one, two = Notes(tmp_path / "notes.csv"), Notes(tmp_path / "notes.csv")
    one.save("A", "first", seen="")
    two.save("B", "second, with a comma\nand a line", seen="")
    assert Notes(tmp_path / "notes.csv")["A"] == "first"
    assert Notes(tmp_path / "notes.csv")["B"] == "second, with a comma\nand a line"
    one.save("C", "=1+1 is what a spreadsheet would work out", seen="")
    assert "'=1+1" in (tmp_path / "notes.csv").read_text()
    assert Notes(tmp_path / "notes.csv")["C"].startswith("=1+1")
    (tmp_path / "notes.csv").write_text("id,text\nA,b\n")
    with pytest.raises(ValueError, match="should have the columns subject_id, note"):
        Notes(tmp_path / "notes.csv")


def test_cohort_viewer_says_what_does_not_fit():
    scans, soft = np.zeros((3, 8, 8)), np.full((3, 2), 0.5)
    with pytest.raises(ValueError, match="'features': 2"):
        viewers.CohortViewer(scans, np.eye(2), soft, maps={"a": np.zeros((3, 2, 8, 8))})
    with pytest.raises(ValueError, match="map"):
        viewers.CohortViewer(scans, np.eye(3), soft, maps={})


def test_study_maps_are_importance_on_the_scans_grid():
    rng = np.random.default_rng(3)
    unscaled, scans = rng.normal(size=(2, 2, 4, 4)), np.full((2, 8, 8), -600)
    other = np.stack([scans, scans + 100], axis=1)  # of its own cluster a scan is what it is
    soft = np.array([[0.8, 0.2], [0.8, 0.2]])
    kinds = viewers.study_maps(
        unscaled, unscaled[:, 0], rng.random((2, 2, 8, 8)) * 30, other, scans, soft
    )
    viewer = viewers.CohortViewer(scans, np.eye(2), soft, maps=kinds)
    for name in kinds:
        viewer.choose.map.value = name
        if name == "Difference to the rival's":
            low_and_high = np.frombuffer(viewer.slices.overlay_volumes, np.uint8, 128)
            values = low_and_high.reshape(2, 64).T.copy().view("<i2")
            kind = viewer.slices.overlay_kinds[0]
            assert np.allclose(values * kind["step"], -100, atol=4)  # the rival is 100 HU denser
        else:
            overlay = shown(viewer)[1]
            assert overlay.shape == (8, 8)
            assert overlay.max() > 0.5


def test_features_are_placed_by_umap_too(monkeypatch):
    # When it is new it compiles itself for minutes, to place forty points in a second.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 6)) + np.repeat([0, 20], 20)[:, None]
    scatter = viewers.points.latent_scatter.LatentScatter(features, [f"S{i}" for i in range(40)])
    scatter.project(features, "UMAP")
    points = np.frombuffer(scatter.points, "f4").reshape(-1, 2)
    assert scatter.axis_labels == ["UMAP 1", "UMAP 2"]
    near, far = (
        np.linalg.norm(points[0] - points[1:20], axis=1),
        np.linalg.norm(points[0] - points[20:], axis=1),
    )
    assert near.max() < far.min()


def test_a_scan_stands_beside_itself_as_its_rival_would_have_it():
    scans = np.full((2, 6, 6), -800)
    soft = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    other = np.stack([[np.full((6, 6), -100 * (k + 1)) for k in range(3)]] * 2)
    viewer = viewers.CohortViewer(
        scans, np.eye(2), soft, maps={"Flat": np.zeros((2, 3, 6, 6))}, counterfactual_hu=other
    )
    viewer.choose.beside.label = "as a rival would have it"
    assert viewer.second.title == "Scan 1 as cluster 2 would have it"
    assert set(np.frombuffer(viewer.second.volume, "<i2")) == {-200}
    viewer.choose.cluster.value = 2
    assert viewer.second.title == "Scan 1 as cluster 3 would have it"
    viewer.choose.scan.value = 1  # cluster 3 is its own: the second likeliest stands in
    assert viewer.second.title == "Scan 2 as cluster 2 would have it"


def test_maps_of_every_convolution_are_worked_out_for_the_scan_looked_at():
    from clamlab import clam
    from clamlab.models import ConvAutoencoder, DeepClustering

    model = DeepClustering(ConvAutoencoder((16, 16), channels=(4, 4, 8), n_features=3), 2)
    scans = np.random.default_rng(3).normal(size=(3, 16, 16)).astype("float32")
    kinds = layer_maps(model, scans, n_layers=3, background=-1)
    assert list(kinds)[0] == "Activation, convolution 1 of 3"
    for layer, of in enumerate(kinds.values()):
        sums = clam.cluster_activation_map(model, scans[2:], layer=layer, background=-1)
        assert np.array_equal(of(2, 1), clam.importance(sums)[0, 1])
    soft = np.full((3, 2), 0.5)
    viewer = viewers.CohortViewer(np.full((3, 16, 16), -800), scans[:, 0], soft, maps=kinds)
    first = shown(viewer)[1]
    assert first.max() > 0.4
    viewer.choose.map.value = "Activation, convolution 3 of 3"
    assert not np.array_equal(shown(viewer)[1], first)


def test_in_another_number_all_that_is_the_networks_says_so():
    ids = ["S1", "S2", "S3", "S4"]
    soft = np.array([[0.94, 0.06], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
    told = {"n_clusters": 4, "subject_id": ids, "cluster": [2, 0, 1, 3]}
    other = np.stack([[np.full((6, 6), -100 * (k + 1)) for k in range(2)]] * 4)
    viewer = viewers.CohortViewer(
        np.full((4, 6, 6), -800), np.eye(4), soft, maps={"Flat": np.full((4, 2, 6, 6), 0.5)},
        table=pd.DataFrame({"subject_id": ids}), counterfactual_hu=other,
        partitions=pd.DataFrame(told).assign(jaccard=0.9, apart=True),
    )  # fmt: skip
    viewer.choose.beside.label = "as a rival would have it"
    viewer.choose.color.value = "Confidence"
    viewer.filters.conditions = {"Confidence": {"low": 0.65}}
    viewer.groups.current = [0, 1]

    def said():
        return {
            "title": viewer.slices.title,
            "summary": viewer.panel.summary.value,
            "facts": dict(row[:2] for row in viewer.panel.facts.rows),
            "map": viewer.slices.overlay_names,
            "for": [label for label, _ in viewer.choose.cluster.options],
            "rival": viewer.second.title,
            "doubtful": viewer.choose.least_certain.value,
            "colour": viewer.scatter.color_label,
            "filters": [column["title"] for column in viewer.filters.columns],
            "group": viewer.groups.description.printed.iloc[:, 0].tolist(),
        }

    own = {
        "title": "S1 · Cluster 1",
        "summary": "<b>S1</b>: cluster 1: 0.94 · cluster 2: 0.06",
        "facts": {"Cluster": "Cluster 1", "Confidence": "0.94"},
        "map": ["Flat, own cluster"],
        "for": ["own cluster", "cluster 1", "cluster 2"],
        "rival": "S1 as cluster 2 would have it",
        "doubtful": "<b>Least certain</b>: margin between the two likeliest clusters",
        "colour": "Confidence",
        "filters": ["Cluster", "Confidence"],
        "group": ["Scans", "Cluster 2‡ (%)"],
    }
    assert said() == own

    viewer.numbers.value = 4
    ours = "Confidence (network's 2 clusters)"
    assert said() == {
        "title": "S1 · Cluster 3 of 4",
        "summary": "<b>S1</b>: cluster 1 of 2: 0.94 · cluster 2 of 2: 0.06",
        "facts": {"Cluster": "Cluster 3 of 4", ours: "0.94"},
        "map": ["Flat, own cluster of 2"],
        "for": ["own cluster of 2", "cluster 1 of 2", "cluster 2 of 2"],
        "rival": "S1 as cluster 2 of 2 would have it",
        "doubtful": (
            "<b>Least certain</b>: margin between the two likeliest of the network's 2 clusters"
        ),
        "colour": ours,
        "filters": ["Cluster", ours],
        "group": ["Scans", "Cluster 2 of 2‡ (%)"],
    }
    assert viewer.filters.conditions == {"Confidence": {"low": 0.65}}, "what was asked stays"

    viewer.choose.cluster.value = 1
    viewer.numbers.value = 2
    assert (viewer.choose.cluster.value, viewer.choose.cluster.label) == (1, "cluster 2")
    assert viewer.slices.overlay_names == ["Flat, cluster 2"]
    viewer.choose.cluster.value = -1
    assert said() == own


def test_a_map_that_is_turned_off_stays_off_in_another_number():
    ids = ["S1", "S2", "S3"]
    soft = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]])
    told = {"n_clusters": 3, "subject_id": ids, "cluster": [0, 1, 2], "jaccard": 0.9}
    viewer = viewers.CohortViewer(
        np.full((3, 6, 6), -800), np.eye(3), soft, maps={"Flat": np.full((3, 2, 6, 6), 0.5)},
        table=pd.DataFrame({"subject_id": ids}),
        partitions=pd.DataFrame(told).assign(apart=True),
    )  # fmt: skip
    viewer.slices.overlay = ""
    viewer.numbers.value = 3
    assert (viewer.slices.overlay, viewer.slices.overlay_names) == ("", ["Flat, own cluster of 2"])
