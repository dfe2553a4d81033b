"""Chests of many builds, and one real one with painted disease: what is lung, and what is said."""

from dataclasses import replace

import numpy as np
import pytest
from ingest_phantom import overlap

from clamlab.ingest import lung_qc, segment_lungs
from clamlab.volumes import load_nifti
from studies.chests import painting
from studies.chests.drawing import VOXELS, Build, Chest, draw, random_build, scanned
from studies.chests.measuring import NOISE, SCAN, TRUTH

COARSE = (3.0, 3.0)
RIGHT, LEFT = 1, 2


def found(chest):
    labels = segment_lungs(chest.volume, chest.spacing)
    return labels, lung_qc(chest.volume, labels, chest.spacing)


def both(labels, chest):
    return min(overlap(labels, chest.labels, side) for side in (RIGHT, LEFT))


def said(measures):
    """The sentences about lung that is missing and gas beside it."""
    return [flag for flag in measures["flags"] if "not seen" in flag or "gas beside" in flag]


def drawn(seed, **changes):
    build = replace(random_build(seed), spacing=COARSE, cut=(0.0, 0.0), **changes)
    return draw(build, seed), build


@pytest.mark.parametrize("seed", range(300, 306))
def test_drawn_chests_of_many_builds(seed):
    chest, build = drawn(seed)
    chest = scanned(chest, build, seed=seed)
    labels, measures = found(chest)
    assert both(labels, chest) > 0.97
    assert said(measures) == []


def test_builds_differ():
    """A dozen chests that are all alike would show nothing."""
    builds = [random_build(seed) for seed in range(300, 400)]
    assert {build.joined for build in builds} == {"", "front", "behind"}
    assert {build.padding for build in builds} == {None, -1024.0, -2000.0, -3024.0}
    assert {build.spacing for build in builds} == set(VOXELS)
    assert sum(build.emphysema > 0 for build in builds) > 10
    assert sum(sum(build.cut) > 0 for build in builds) > 5
    assert max(b.wall for b in builds) > 50 > 20 > min(b.wall for b in builds)


def test_emphysema_up_to_the_apex_is_lung():
    build = Build(lung_hu=-870, emphysema=0.4, spacing=COARSE)
    chest = scanned(draw(build, 1), build, seed=1)
    assert (chest.volume[chest.labels > 0] < -950).mean() > 0.15
    labels, measures = found(chest)
    assert both(labels, chest) > 0.97
    assert said(measures) == []


def test_a_couch_with_a_shell_of_one_voxel_is_no_lung():
    chest, build = drawn(1006, couch=True)
    labels, _ = found(scanned(chest, build, seed=1))
    assert both(labels, chest) > 0.97


def test_mirrored_masks_of_sides_follow_x():
    chest, build = drawn(302)
    chest = scanned(chest, build)
    mirrored = replace(
        chest, volume=chest.volume[::-1], labels=np.array([0, 2, 1])[chest.labels[::-1]]
    )
    assert both(found(mirrored)[0], mirrored) > 0.97


@pytest.fixture(scope="module")
def real(real_data):
    volume, affine = load_nifti(real_data / SCAN)
    return Chest(volume, load_nifti(TRUTH)[0], affine.diagonal()[:3], NOISE)


def test_a_real_chest_as_it_is(real):
    labels, measures = found(real)
    assert both(labels, real) > 0.99
    assert measures["flags"] == []
    assert measures["pleural_air_ml"] == 0
    assert max(measures["right_missing_ml"], measures["left_missing_ml"]) < 50


def test_the_tops_of_liver_and_spleen_are_no_lung(real):
    labels, _ = found(real)
    assert not labels[102, 81, 45] and real.volume[102, 81, 45] > 0
    assert real.labels[102, 95, 45] == 1  # while lung is all around it


@pytest.mark.parametrize(("ml", "dome_mm"), [(350, 2.0), (700, 0.5)])
def test_gas_under_the_dome_is_no_lung(real, ml, dome_mm):
    chest = painting.stomach(real, ml=ml, dome_mm=dome_mm)
    assert ((chest.volume < -950) & (real.volume > -300)).sum() * 0.027 > 0.8 * ml
    labels, measures = found(chest)
    assert both(labels, chest) > 0.98
    assert said(measures) == []  # a stomach holds gas


@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_fluid_is_said_in_millilitres(real, side):
    word, other = ("right", "left") if side == RIGHT else ("left", "right")
    chest = painting.effusion(real, ml=550, side=side)
    labels, measures = found(chest)
    missing = ((chest.labels == side) & (labels != side)).sum() * 0.027
    assert missing > 500
    assert measures[f"{word}_missing_ml"] == pytest.approx(missing, rel=0.2)
    assert measures[f"{other}_missing_ml"] < 50
    assert len(said(measures)) == 1
    assert f"ml of the {word} lung are not seen" in said(measures)[0]


def test_fluid_on_both_sides_is_said_a_fifth_too_low(real):
    """Neither side shows what the other lacks; the lungs' front tells how low they reach."""
    chest = painting.effusion(painting.effusion(real, ml=400, side=RIGHT), ml=400, side=LEFT)
    _, measures = found(chest)
    for word in ("right", "left"):
        assert measures[f"{word}_missing_ml"] == pytest.approx(400, rel=0.23)
    assert len(said(measures)) == 2


def test_a_dome_that_stands_higher_is_no_fluid():
    chest, build = drawn(8062)
    assert build.domes[0] - build.domes[1] > 20
    _, measures = found(scanned(painting.effusion(chest, ml=250, side=RIGHT), build, seed=1))
    assert measures["right_missing_ml"] == pytest.approx(250, rel=0.2)
    assert measures["left_missing_ml"] < 100


def test_lung_above_a_thin_dome_is_kept(real):
    chest = painting.stomach(real, ml=700, dome_mm=0.5)
    labels, _ = found(chest)
    assert ((chest.labels > 0) & (labels == 0)).sum() * 0.027 < 30


def test_a_consolidation_costs_no_more_than_itself(real):
    chest = painting.consolidation(real, mm=50, side=RIGHT, seed=0)
    assert both(found(chest)[0], chest) > 0.98


@pytest.mark.parametrize(("side", "ml"), [(RIGHT, 150), (LEFT, 510)])
def test_a_pneumothorax_is_no_lung_and_is_said(real, side, ml):
    chest = painting.pneumothorax(real, ml=ml, side=side)
    labels, measures = found(chest)
    assert both(labels, chest) > 0.98
    assert measures["pleural_air_ml"] == pytest.approx(ml, rel=0.15)
    assert len(said(measures)) == 1 and "pneumothorax" in said(measures)[0]


@pytest.mark.parametrize("front", [True, False])
def test_joined_lungs_are_parted(real, front):
    chest = painting.joint(real, front=front)
    assert (chest.labels > 0).sum() > (real.labels > 0).sum()
    assert both(found(chest)[0], chest) > 0.98
