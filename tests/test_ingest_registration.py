"""Masks meet the template; left stays left and mm stay mm."""

import os
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from ingest_phantom import AFFINE, chest, overlap
from scipy import ndimage

from clamlab.ingest import IngestError, build_template, register
from clamlab.ingest.alignment.filling import fill_lungs
from clamlab.ingest.alignment.template import template_grid
from clamlab.ingest.alignment.transforms import dice, warp_image, warp_labels

GRID = np.diag([8.0, 8.0, 8.0, 1.0])
GRID[:3, 3] = -160, -112, -152


@pytest.fixture(scope="module")
def template():
    return template_grid(chest()[1], AFFINE, spacing_mm=8.0)


def known():
    """A turn, a shear and a shift: template mm to scan mm."""
    matrix = np.array([[1.1, 0.05, 0, 30], [-0.04, 0.95, 0.03, -25], [0, 0.02, 1.08, 60]])
    return np.vstack([matrix, [0, 0, 0, 1]])


def moved(matrix):
    """The phantom as a scan that the matrix takes the template to, in a LAS file's own order."""
    _, labels = chest()
    return labels, matrix @ AFFINE


def test_affine_is_recovered_in_mm(template):
    labels, affine = moved(known())
    found = register(labels, template[0], affine=affine, template_affine=template[1], kind="affine")
    corners = np.array([[x, y, z, 1] for x in (-130, 130) for y in (-80, 80) for z in (-120, 120)])
    distance = np.linalg.norm(corners @ (found.affine - known()).T, axis=1)
    assert distance.max() < 2.5  # mm, on a grid of 8
    warped = warp_labels(labels, affine, found, shape=template[0].shape, grid_affine=template[1])
    assert dice(warped, template[0]) > 0.97


def test_left_stays_left_and_hu_follow_the_mask(template):
    volume, labels = chest()
    volume = np.where(labels == 2, -600, volume)  # only the left lung is dense
    affine = known() @ AFFINE
    found = register(labels, template[0], affine=affine, template_affine=template[1], kind="affine")
    grid = {"shape": template[0].shape, "grid_affine": template[1]}
    hu = warp_image(volume, affine, found, fill=-1024, **grid)
    assert hu[template[0] == 2].mean() > -640
    assert hu[template[0] == 1].mean() < -780
    right_x, left_x = (np.nonzero(template[0] == side)[0].mean() for side in (1, 2))
    assert right_x > left_x


def test_a_mirrored_scan_is_not_made_to_fit(template):
    """An affine may not swap the lungs: a mirrored body fits worse, instead of being mirrored."""
    labels = chest()[1][::-1]
    swapped = np.array([0, 2, 1], "uint8")[labels]
    found = register(
        swapped, template[0], affine=AFFINE, template_affine=template[1], kind="affine"
    )
    assert np.linalg.det(found.affine[:3, :3]) > 0


def test_stored_axes_do_not_matter(template):
    labels, affine = moved(known())
    image = nibabel.Nifti1Image(labels, affine)
    turned = image.as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))
    first, second = (
        register(
            np.asarray(one.dataobj), template[0], affine=one.affine, template_affine=template[1],
            kind="affine",
        ).affine
        for one in (image, nibabel.as_closest_canonical(turned))
    )  # fmt: skip
    assert np.allclose(first, second, atol=1e-3)


def test_syn_fits_what_affine_cannot_and_agrees_with_the_library(template, tmp_path):
    _, labels = chest()
    bulge = labels.copy()
    bulge[60:72, 10:60, 5:20] = np.where(
        labels[60:72, 10:60, 5:20] == 0, 1, labels[60:72, 10:60, 5:20]
    )
    options = {"affine": known() @ AFFINE, "template_affine": template[1]}
    grid = {"shape": template[0].shape, "grid_affine": template[1]}
    fits = {}
    for kind in ("affine", "syn"):
        found = register(bulge, template[0], kind=kind, **options)
        fits[kind] = dice(warp_labels(bulge, options["affine"], found, **grid), template[0])
    assert fits["syn"] > fits["affine"] + 0.01
    assert fits["syn"] > 0.95
    again = register(bulge, template[0], kind="syn", **options)
    assert np.array_equal(again.displacement, found.displacement)


def test_another_process_gives_the_same_bits(template):
    code = (
        "import numpy as np, hashlib\n"
        "from ingest_phantom import AFFINE, chest\n"
        "from clamlab.ingest import register\n"
        "from clamlab.ingest.alignment.template import template_grid\n"
        "labels, grid = template_grid(chest()[1], AFFINE, spacing_mm=12.0)\n"
        "found = register(chest(scale=(1.05, .9, 1.1))[1], labels, affine=AFFINE,"
        " template_affine=grid, seed=3)\n"
        "print(hashlib.sha256(found.affine.tobytes() + found.displacement.tobytes()).hexdigest())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert said[0] == said[1]
    assert len(said[0].strip()) == 64


def test_bad_arguments_are_refused(template):
    labels, _ = template
    options = {"affine": template[1], "template_affine": template[1]}
    with pytest.raises(ValueError, match="kind must be one of syn, affine, none"):
        register(labels, labels, kind="elastic", **options)
    with pytest.raises(ValueError, match=r"both lungs .* found the labels \[0, 1\]"):
        register(labels == 1, labels, **options)


def test_the_grid_clips_nothing_and_divides_by_eight():
    _, labels = chest()
    for spacing in (3.0, 5.0, 6.0):
        laid, affine = template_grid(labels, AFFINE, spacing_mm=spacing)
        assert all(side % 8 == 0 for side in laid.shape)
        assert np.allclose(np.diag(affine)[:3], spacing)
        rim = np.ones(laid.shape, bool)
        rim[1:-1, 1:-1, 1:-1] = False
        assert not laid[rim].any()
        volumes = [(laid == side).sum() * spacing**3 for side in (1, 2)]
        truth = [(labels == side).sum() * 80.0 for side in (1, 2)]
        assert volumes == pytest.approx(truth, rel=0.03)
    with pytest.raises(IngestError, match="needs both lungs"):
        template_grid(labels == 1, AFFINE, spacing_mm=6.0)


def test_a_template_is_the_average_of_its_subjects():
    scales = [(0.9, 0.95, 1.1), (1.1, 1.0, 0.9), (1.0, 1.08, 1.0)]
    masks = [chest(scale=scale)[1] for scale in scales]
    shifted = [np.eye(4), np.eye(4), np.eye(4)]
    shifted[1][:3, 3] = 400, -300, 1000  # scanners share no origin
    affines = [shift @ AFFINE for shift in shifted]
    stages = []
    labels, affine = build_template(
        masks, affines, spacing_mm=8.0, kind="affine",
        checkpoint=lambda labels, affine, stage: stages.append((labels, affine, stage)),
    )  # fmt: skip
    assert stages[-1][2] == "done"
    volume = (labels > 0).sum() * 8.0**3
    each = [(mask > 0).sum() * 80.0 for mask in masks]
    assert min(each) < volume < max(each)
    assert volume == pytest.approx(np.mean(each), rel=0.05)
    centre = (np.argwhere(labels) @ affine[:3, :3].T + affine[:3, 3]).mean(axis=0)
    assert np.abs(centre).max() < 12
    assert overlap(labels, labels, 1) == 1.0
    # Going on from the first iteration ends in the same template.
    again, _ = build_template(masks, affines, spacing_mm=8.0, kind="affine", start=stages[0])
    assert np.array_equal(again, labels)


def bent(template, mm, rng):
    """The share of lung in each voxel of a scan whose lungs are bent, seen on the grid."""
    rough = rng.normal(size=(3, *template.shape))
    field = np.stack([ndimage.gaussian_filter(side, 3) for side in rough])
    voxels = np.indices(template.shape) + field / field.std() * mm / 8
    blurred = ndimage.gaussian_filter((template > 0).astype(float), 0.5)
    return ndimage.map_coordinates(blurred, voxels, order=1)


def test_filled_scans_look_like_scans_that_need_no_filling(template):
    """Same tissue, lungs of another shape: no histogram tells them apart."""
    lungs, seen = template[0] > 0, []
    for mm in (1.0, 12.0):
        rng = np.random.default_rng(0)
        share = bent(template[0], mm, rng)
        tissue = ndimage.gaussian_filter(rng.normal(size=lungs.shape), 0.7)
        volume = share * (-850 + 60 * tissue / tissue.std()) + (1 - share) * 40
        filled = fill_lungs(volume, share, lungs)
        assert np.array_equal(filled, fill_lungs(volume, share, lungs))
        assert np.array_equal(filled[~lungs], volume[~lungs])
        assert set(filled[lungs]) <= set(volume[share >= 0.9])  # the scan's own values only
        seen.append((np.mean(share[lungs] <= 0.5), filled[lungs], volume[lungs]))
    (little, near, _), (much, far, unfilled) = seen
    assert much > 5 * little and much > 0.1
    assert unfilled.mean() > near.mean() + 80  # what there was to hide
    assert far.mean() == pytest.approx(near.mean(), abs=6)
    assert far.std() == pytest.approx(near.std(), rel=0.1)
    counts = [np.histogram(values, np.arange(-1100, -600, 10))[0] for values in (near, far)]
    assert np.abs(counts[0] - counts[1]).sum() < 0.15 * lungs.sum()
    assert counts[1].max() < 1.2 * counts[0].max()  # one value for all would be a spike


def test_lungs_beside_the_template_are_refused():
    nowhere = np.zeros((4, 4, 4))
    with pytest.raises(IngestError, match="do not touch the template's"):
        fill_lungs(nowhere, nowhere, np.ones((4, 4, 4), bool))
