"""Both phases of training: that they learn, resume, stop, warn, and keep the paper's traps shut."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from clamlab.models import ConvAutoencoder
from clamlab.training import (
    assign,
    assignment_table,
    embed,
    fit_clusters,
    load_autoencoder,
    load_clustering,
    pretrain,
    redraw,
    training_forecast,
    variance_explained,
    weights_of,
)
from clamlab.training.clusters import initial_centroids
from clamlab.training.held_out import HeldOut
from clamlab.training.loop import has_levelled_off
from clamlab.volumes import fit_scaling, scale

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def scans():
    """Three groups that differ in where a bright square lies; group 1 is the brightest."""
    rng = np.random.default_rng(0)
    images = rng.normal(0, 0.3, (30, 16, 16)).astype("float32")
    images[0:10, 2:7, 2:7] += 2
    images[10:20, 9:15, 9:15] += 2.5
    images[20:30, 2:7, 9:14] += 1
    return images


def network(seed=0):
    return ConvAutoencoder((16, 16), channels=(4, 6, 8), n_features=6, seed=seed)


@pytest.fixture(scope="module")
def pretrained(scans):
    model = network()
    pretrain(model, scans, epochs=40, batch_size=10, learning_rate=3e-3, **QUIET)
    return model


def test_pretraining_brings_the_error_down(scans):
    history = pretrain(network(), scans, epochs=40, batch_size=10, learning_rate=3e-3, **QUIET)
    assert list(history["epoch"]) == list(range(1, 41))
    assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]


def test_same_seed_same_weights_bit_for_bit(scans):
    first, second = network(), network()
    for model in (first, second):
        pretrain(model, scans, epochs=3, batch_size=7, seed=5, **QUIET)
    assert all(a.equal(b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("batch_size", [15, 29, 64])
def test_any_batch_size_sees_every_scan_once(scans, batch_size):
    """Among them N = 2 x batch, N mod batch = 1, and N < batch."""
    seen = []

    class Recorder:
        shape = scans.shape

        def __len__(self):
            return len(scans)

        def __getitem__(self, rows):
            if np.ndim(rows):  # a batch; one row alone is the look at the cohort beforehand
                seen.extend(rows.tolist())
            return scans[rows]

    pretrain(network(), Recorder(), epochs=1, batch_size=batch_size, **QUIET)
    assert sorted(seen) == list(range(30))


def test_clusters_are_found_and_ordered_from_the_densest(pretrained, scans):
    model, history = fit_clusters(pretrained, scans, 3, epochs=30, batch_size=10, **QUIET)
    q = model.soft_assign(torch.from_numpy(scans)).detach().numpy()
    assert q.argmax(axis=1).tolist() == [1] * 10 + [0] * 10 + [2] * 10
    assert history["smallest_cluster"].iloc[-1] == 10
    assert history["labels_changed"].iloc[-1] == 0
    assert history["clustering_loss"].iloc[-1] < history["clustering_loss"].iloc[0]
    assert history["entropy"].iloc[-1] < history["entropy"].iloc[0]


def test_centroids_move_and_the_pretrained_network_stays(pretrained, scans):
    before = weights_of(pretrained)
    start = initial_centroids(embed(pretrained, scans), 3)
    model, _ = fit_clusters(
        pretrained, scans, 3, epochs=5, batch_size=10, learning_rate=1e-3, **QUIET
    )
    ends = model.centroids.detach().numpy()
    moved = np.linalg.norm(start[:, None] - ends[None], axis=2).min(axis=1)
    assert (moved > 1e-4).all()
    after = weights_of(pretrained)
    assert all((before[name] == after[name]).all() for name in before)


def test_the_first_loss_is_that_of_the_cohorts_target(pretrained, scans):
    """One step over everything: the recorded loss must be KL(P || Q) with P over all scans."""
    _, history = fit_clusters(pretrained, scans, 3, epochs=1, batch_size=30, gamma=0.3, **QUIET)
    features = embed(pretrained, scans).astype("float64")
    centroids = initial_centroids(embed(pretrained, scans), 3).astype("float64")
    kernel = 1 / (1 + ((features[:, None] - centroids[None]) ** 2).sum(axis=2))
    q = kernel / kernel.sum(axis=1, keepdims=True)
    p = q**2 / q.sum(axis=0)
    p /= p.sum(axis=1, keepdims=True)
    kl = (p * np.log(p / q)).sum(axis=1).mean()
    drawn = pretrained(torch.from_numpy(scans)).detach().numpy()
    mse = ((drawn - scans) ** 2).mean()
    assert history["clustering_loss"][0] == pytest.approx(kl, rel=1e-4)
    assert history["reconstruction_loss"][0] == pytest.approx(mse, rel=1e-5)
    assert history["loss"][0] == pytest.approx(mse + 0.3 * kl, rel=1e-5)


def test_sums_mean_what_the_equations_print(pretrained, scans):
    _, mean = fit_clusters(pretrained, scans, 3, epochs=1, batch_size=30, **QUIET)
    _, total = fit_clusters(pretrained, scans, 3, epochs=1, batch_size=30, reduction="sum", **QUIET)
    expected = 30 * (256 * mean["reconstruction_loss"] + 0.1 * mean["clustering_loss"])
    assert total["loss"][0] == pytest.approx(expected[0], rel=1e-5)
    assert mean["effective_gamma"][0] == 0.1
    assert total["effective_gamma"][0] == pytest.approx(0.1 / 256)


def test_batches_add_up_to_the_whole(pretrained, scans):
    """With a vanishing step every batch size must report the same loss; 30 mod 7 is not 0."""
    losses = [
        fit_clusters(pretrained, scans, 3, epochs=1, batch_size=n, learning_rate=1e-12, **QUIET)[1][
            "loss"
        ][0]
        for n in (30, 7)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_more_clusters_than_needed_may_stay_empty_but_not_silently(scans):
    alike = scans[:1] + np.float32(1e-6) * scans[:8]
    with pytest.warns(UserWarning, match="clusters are empty"):
        model, history = fit_clusters(network(), alike, 3, epochs=2, **QUIET)
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(model.centroids.detach().numpy()).all()


def test_impossible_numbers_of_clusters_are_refused(pretrained, scans):
    for k in (0, 31):
        with pytest.raises(ValueError, match=f"found {k}"):
            fit_clusters(pretrained, scans, k, **QUIET)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_scan_without_numbers_is_named_before_any_step(scans, value):
    broken, model = scans.copy(), network()
    broken[23, 4, 5] = value
    before = {name: w.clone() for name, w in model.state_dict().items()}
    for work in (
        lambda: pretrain(model, broken, epochs=1, **QUIET),
        lambda: fit_clusters(model, broken, 3, epochs=1, **QUIET),
        lambda: embed(model, broken, batch_size=7),
        lambda: variance_explained(model, broken),
        lambda: redraw(model, broken),
    ):
        with pytest.raises(ValueError, match=rf"row 23 \(.*holds {value} at voxel \(4, 5\)"):
            work()
    assert all(w.equal(before[name]) for name, w in model.state_dict().items())


def test_scaling_names_the_scan_whose_lungs_hold_no_number(scans):
    broken, lungs = scans.copy(), np.ones((16, 16), bool)
    lungs[0] = False
    broken[5, 0, 3] = np.nan  # outside the lungs it never reaches the network
    assert np.isfinite(scale(broken, lungs, fit_scaling(broken, lungs))[5]).all()
    broken[7, 2, 3] = np.nan
    with pytest.raises(ValueError, match="lungs of the scan in row 7"):
        fit_scaling(broken, lungs)


def test_training_that_comes_apart_says_so(scans):
    with pytest.raises(ValueError, match="came apart in epoch 1.*a learning rate below 0.001"):
        pretrain(network(), scans * 1e20, epochs=9, **QUIET)


def test_a_network_without_numbers_is_refused(scans):
    model = network()
    with torch.no_grad():
        model.to_features.bias[2] = torch.nan
    with pytest.raises(ValueError, match=r"row 0 .*weights to_features\.bias hold NaN"):
        embed(model, scans)
    with pytest.raises(ValueError, match=r"stored weights to_features\.bias hold NaN"):
        load_autoencoder(weights_of(model), model.config)
    model = network()
    with torch.no_grad():
        model.to_features.weight.mul_(1e38)
    with pytest.raises(ValueError, match="row 0 .*numbers grow too large"):
        embed(model, 1e4 * scans)


def test_features_and_probabilities_without_numbers_are_refused(pretrained, scans):
    model, _ = fit_clusters(pretrained, scans, 3, epochs=1, **QUIET)
    with pytest.raises(ValueError, match="found nan at scan 0, feature 0"):
        assign(model, np.full((2, 6), np.nan, "float32"))
    with pytest.raises(ValueError, match="row 1 .*numbers grow too large"):
        assign(model, np.array([[0] * 6, [1e30] * 6], "float32"))
    with pytest.raises(ValueError, match="network's 6 features a scan, found 5"):
        assign(model, np.zeros((2, 5), "float32"))
    with pytest.raises(ValueError, match="1 hold NaN"):
        assignment_table(np.array([[np.nan, np.nan], [0.5, 0.5]]), ["a", "b"])
    with pytest.raises(ValueError, match="each of 3 subjects, found 1 rows"):
        assignment_table(np.array([[0.5, 0.5]]), ["a", "b", "c"])


WRONG_SETTINGS = [
    ({"epochs": 0}, "epochs must be a whole number from 1 on; found 0"),
    ({"epochs": -3}, "epochs must be a whole number from 1 on; found -3"),
    ({"epochs": 2.5}, "epochs must be a whole number from 1 on; found 2.5"),
    ({"epochs": "80"}, "epochs must be a whole number from 1 on; found '80'"),
    ({"batch_size": 0}, "batch_size must be a whole number from 1 on; found 0"),
    ({"patience": 0}, "patience must be a whole number from 1 on; found 0"),
    ({"learning_rate": 0}, "learning_rate must be a finite number, above 0; found 0"),
    ({"learning_rate": -1e-3}, "learning_rate must be a finite number, above 0"),
    ({"learning_rate": np.nan}, "learning_rate must be a finite number, above 0; found nan"),
    ({"seed": -1}, "seed must be a whole number from 0 to 4294967295; found -1"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG_SETTINGS)
def test_wrong_settings_are_refused_before_a_scan_is_read(settings, message):
    class Unread:
        shape = (30, 16, 16)

        def __len__(self):
            return 30

        def __getitem__(self, rows):
            raise AssertionError("a scan was read")

    with pytest.raises(ValueError, match=message):
        pretrain(network(), Unread(), **settings, **QUIET)
    with pytest.raises(ValueError, match=message):
        fit_clusters(network(), Unread(), 2, **settings, **QUIET)


@pytest.mark.parametrize("gamma", [np.nan, np.inf, -0.1])
def test_a_weight_of_the_loss_that_is_none_is_refused(scans, gamma):
    with pytest.raises(ValueError, match="gamma must be a finite number, 0 or more"):
        fit_clusters(network(), scans, 2, gamma=gamma, **QUIET)


def test_a_forecast_of_nothing_is_refused(scans):
    with pytest.raises(ValueError, match="epochs must be a whole number"):
        training_forecast(network(), scans, epochs=0)
    with pytest.raises(ValueError, match="batch_size must be a whole number"):
        training_forecast(network(), scans, epochs=1, batch_size=0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "two scans or more, found 0"),
        ([4], "two scans or more, found 1"),
        ([4, 4], "all 2 scans are the same"),
        ([4, 4, 4, 4], "all 4 scans are the same"),
    ],
)
def test_a_cohort_that_nothing_can_be_learned_from_is_refused(scans, rows, message):
    with pytest.raises(ValueError, match=message):
        pretrain(network(), scans[rows], **QUIET)


@pytest.mark.parametrize(
    ("rows", "n_clusters", "message"),
    [
        ([], 1, "number of scans that differ, 0; found 1"),
        ([4], 1, "two scans or more, found 1"),
        ([4], 2, "number of scans that differ, 1; found 2"),
        ([4, 4], 2, "all 2 scans are the same"),
    ],
)
def test_a_cohort_without_clusters_is_refused(scans, rows, n_clusters, message):
    with pytest.raises(ValueError, match=message):
        fit_clusters(network(), scans[rows], n_clusters, **QUIET)


def test_scans_that_stand_twice_count_once(scans):
    twins = scans[[0, 1, 0, 1, 10]]
    with pytest.raises(ValueError, match="number of scans that differ, 3; found 4"):
        fit_clusters(network(), twins, 4, **QUIET)
    assert len(fit_clusters(network(), twins, 3, epochs=1, **QUIET)[0].centroids) == 3


def test_every_part_keeps_its_own_mode(scans):
    model = network().train()
    model.to_features.eval()  # frozen by its owner
    embed(model, scans)
    assert model.training
    assert not model.to_features.training


def test_training_stops_when_the_loss_is_level():
    falling = [1 / n for n in range(1, 10)]
    assert not has_levelled_off(falling, 5, 1e-3)
    assert has_levelled_off([*falling, *[falling[-1]] * 5], 5, 1e-3)
    assert not has_levelled_off([*falling, *[falling[-1]] * 4], 5, 1e-3)


def test_of_scans_aside_the_smallest_fall_counts(scans):
    slowly = [1 - 1e-5 * n for n in range(20)]
    assert has_levelled_off(slowly, 5, HeldOut(scans, 0, seed=1, batch_size=9).least_fall)
    assert not has_levelled_off(slowly, 5, HeldOut(scans, 0.2, seed=1, batch_size=9).least_fall)


def test_stopping_is_recorded_as_fewer_epochs(scans):
    history = pretrain(network(), scans, epochs=50, learning_rate=1e-12, patience=3, **QUIET)
    assert len(history) == 4


def test_scans_held_out_stop_what_memorises_noise():
    noise = np.random.default_rng(0).normal(size=(30, 16, 16)).astype("float32")
    model, options = network(), {"batch_size": 9, "learning_rate": 1e-2, **QUIET}
    history = pretrain(model, noise, epochs=60, held_out=0.2, patience=3, seed=3, **options)
    best = history["held_out_loss"].idxmin()
    assert len(history) < 60
    assert history["held_out_loss"].iloc[-1] > history["held_out_loss"][best]
    assert history["loss"].iloc[-1] < history["loss"][best]
    again = network()
    pretrain(again, noise, epochs=int(best) + 1, held_out=0.2, patience=3, seed=3, **options)
    assert (embed(model, noise) == embed(again, noise)).all()  # the best epoch is given back


def test_scans_held_out_are_never_trained_on(scans):
    changed = scans.copy()
    aside = HeldOut(scans, 0.2, seed=4, batch_size=9).rows
    assert len(aside) == 6
    changed[aside] += 1
    models = network(), network()
    for model, images in zip(models, (scans, changed), strict=True):
        pretrain(model, images, epochs=1, held_out=0.2, seed=4, **QUIET)
    assert (embed(models[0], scans) == embed(models[1], scans)).all()


@pytest.mark.parametrize("share", [-0.1, 0.5, 0.01])
def test_a_share_that_leaves_too_few_scans_is_refused(scans, share):
    with pytest.raises(ValueError, match="held_out"):
        pretrain(network(), scans, epochs=1, held_out=share, **QUIET)


def test_modes_are_left_as_they_were(pretrained, scans):
    for mode in (True, False):
        pretrained.train(mode)
        embed(pretrained, scans)
        assert pretrained.training is mode


def test_weights_come_back_without_pickle(pretrained, scans):
    model, _ = fit_clusters(pretrained, scans, 3, epochs=1, **QUIET)
    again = load_clustering(weights_of(model), model.config)
    assert (embed(again, scans) == embed(model, scans)).all()
    assert again.centroids.equal(model.centroids)
    encoder = load_autoencoder(weights_of(pretrained), pretrained.config)
    assert (embed(encoder, scans) == embed(pretrained, scans)).all()


@pytest.mark.parametrize("held_out", [0, 0.2])
def test_a_killed_training_goes_on_to_the_same_weights(scans, tmp_path, held_out):
    np.save(tmp_path / "scans.npy", scans)
    code = f"""
        import os, signal
        import numpy as np
        from clamlab.models import ConvAutoencoder
        from clamlab.training import checkpoint, pretrain
        checkpoint.SAVE_EVERY_SECONDS = 0
        model = ConvAutoencoder((16, 16), channels=(4, 6, 8), n_features=6)
        def kill(history):
            if len(history) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        pretrain(model, np.load({str(tmp_path / "scans.npy")!r}), epochs=6, batch_size=10,
                 held_out={held_out}, progress=False, on_epoch=kill,
                 checkpoint={str(tmp_path / "kept")!r})
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert run.returncode == -signal.SIGKILL
    resumed, straight = network(), network()
    seen = []
    options = {"epochs": 6, "batch_size": 10, "held_out": held_out, **QUIET}
    history = pretrain(
        resumed,
        scans,
        checkpoint=tmp_path / "kept",
        on_epoch=lambda h: seen.append(len(h)),
        **options,
    )
    assert seen == [4, 5, 6]
    expected = pretrain(straight, scans, **options)
    assert history["loss"].tolist() == expected["loss"].tolist()
    assert all(a.equal(b) for a, b in zip(resumed.parameters(), straight.parameters(), strict=True))
    again = pretrain(network(), scans, checkpoint=tmp_path / "kept", **options)
    assert again["loss"].tolist() == expected["loss"].tolist()  # nothing is trained twice


def test_a_full_disk_is_told_in_a_sentence_and_the_training_so_far_is_kept(
    scans, tmp_path, monkeypatch
):
    # A file of the process's limited size is the closest thing to a full disk that a test can make.
    resource = pytest.importorskip("resource")
    monkeypatch.setattr("clamlab.training.checkpoint.SAVE_EVERY_SECONDS", 0)
    kept, options = tmp_path / "kept", {"epochs": 4, "batch_size": 10, **QUIET}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_up(history):
        if len(history) == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))

    try:
        with pytest.raises(OSError, match=r"could not write .*kept: File too large\. Make room"):
            pretrain(network(), scans, checkpoint=kept, on_epoch=fill_up, **options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    seen = []
    history = pretrain(
        network(), scans, checkpoint=kept, on_epoch=lambda h: seen.append(len(h)), **options
    )
    assert seen == [3, 4]
    assert history["loss"].tolist() == pretrain(network(), scans, **options)["loss"].tolist()


def test_a_checkpoint_of_another_version_is_not_gone_on_with(scans, tmp_path, monkeypatch):
    options = {"seed": 1, "checkpoint": tmp_path / "kept", **QUIET}

    def epochs_run():
        ran = []
        pretrain(network(), scans, epochs=3, on_epoch=lambda h: ran.append(len(h)), **options)
        return ran

    assert epochs_run() == [1, 2, 3]
    assert epochs_run() == []  # all of them stand
    monkeypatch.setattr("clamlab.training.checkpoint.VERSION", 0)
    assert epochs_run() == [1, 2, 3]
    monkeypatch.setattr("torch.__version__", "1.0")
    assert epochs_run() == [1, 2, 3]


def test_a_checkpoint_of_other_settings_is_not_gone_on_with(scans, tmp_path, monkeypatch):
    monkeypatch.setattr("clamlab.training.checkpoint.SAVE_EVERY_SECONDS", 0)

    def stop(history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(network(), scans, epochs=3, checkpoint=tmp_path / "kept", on_epoch=stop, **QUIET)
    assert (tmp_path / "kept").exists()
    history = pretrain(network(), scans, epochs=2, seed=9, checkpoint=tmp_path / "kept", **QUIET)
    assert len(history) == 2


def test_a_longer_training_is_not_taken_for_a_shorter_one(scans, tmp_path):
    options = {"batch_size": 10, **QUIET}
    pretrain(network(), scans, epochs=4, checkpoint=tmp_path / "kept", **options)
    shorter, straight = network(), network()
    history = pretrain(shorter, scans, epochs=2, checkpoint=tmp_path / "kept", **options)
    expected = pretrain(straight, scans, epochs=2, **options)
    assert history["loss"].tolist() == expected["loss"].tolist()
    assert all(a.equal(b) for a, b in zip(shorter.parameters(), straight.parameters(), strict=True))


def test_another_networks_training_is_not_taken_for_this_ones(scans, tmp_path):
    options = {"epochs": 2, "batch_size": 10, **QUIET}
    pretrain(network(seed=0), scans, checkpoint=tmp_path / "kept", **options)
    other, straight = network(seed=1), network(seed=1)
    pretrain(other, scans, checkpoint=tmp_path / "kept", **options)
    pretrain(straight, scans, **options)
    assert all(a.equal(b) for a, b in zip(other.parameters(), straight.parameters(), strict=True))


def test_a_patient_training_is_not_taken_for_an_impatient_one(scans, tmp_path):
    options = {"epochs": 8, "batch_size": 10, "learning_rate": 1e-12, **QUIET}
    kept = tmp_path / "kept"
    assert len(pretrain(network(), scans, patience=50, checkpoint=kept, **options)) == 8
    assert len(pretrain(network(), scans, patience=3, checkpoint=kept, **options)) == 4


def test_two_processes_train_as_one(scans, tmp_path):
    """Distributed data parallel over two CPU processes takes the steps that one process takes."""
    np.save(tmp_path / "scans.npy", scans)
    code = f"""
        import numpy as np
        from lightning_fabric import Fabric
        from safetensors.numpy import save_file
        from clamlab.models import ConvAutoencoder
        from clamlab.training import fit_clusters, pretrain, weights_of

        def work(fabric):
            scans = np.load({str(tmp_path / "scans.npy")!r})
            model = ConvAutoencoder((16, 16), channels=(4, 6, 8), n_features=6)
            options = dict(batch_size=10, progress=False, fabric=fabric)
            pretrain(model, scans, epochs=10, learning_rate=3e-3, **options)
            model, history = fit_clusters(model, scans, 3, epochs=3, **options)
            if fabric.is_global_zero:
                name = {str(tmp_path)!r} + f"/{{fabric.world_size}}"
                save_file(weights_of(model), name + ".safetensors")
                history.to_csv(name + ".csv")

        if __name__ == "__main__":
            fabric = Fabric(accelerator="cpu", strategy="ddp_spawn", devices=2)
            fabric.launch(work)
            work(Fabric(accelerator="cpu", devices=1))
    """
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(code))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(script)], check=True, env=environment, timeout=240)
    from safetensors.numpy import load_file

    one, two = (load_file(tmp_path / f"{n}.safetensors") for n in (1, 2))
    for name in one:
        assert two[name] == pytest.approx(one[name], abs=2e-4), name
