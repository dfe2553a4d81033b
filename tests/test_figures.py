"""Figures: orientation, what is drawn, and bytes that never change."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from clamlab import figures
from clamlab.figures import validation
from clamlab.figures.slices import radiological
from clamlab.figures.style import cluster_colors
from clamlab.selection import best_sight
from clamlab.stats.outcomes import adjusted_means, outcome_associations


@pytest.fixture
def phantom() -> tuple[np.ndarray, np.ndarray]:
    """A RAS+ box whose corner at the patient's right, front and top is bright."""
    mask = np.zeros((20, 16, 30), bool)
    mask[3:17, 3:13, 5:25] = True
    volume = np.full(mask.shape, -900.0)
    volume[16, 12, 24] = 0  # right-most, front-most, top-most voxel of the mask
    return volume, mask


def images(figure) -> list[np.ndarray]:
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def texts(figure) -> list[str]:
    found = []
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        found += [text.get_text() for text in axes.texts]
    return found


def test_radiological_convention_on_an_asymmetric_phantom(phantom):
    volume, mask = phantom
    shown = images(figures.montage({"Overall": volume}, mask=mask, slices=4))
    assert len(shown) == 4
    top = shown[0]
    where = np.argwhere(top.filled(-900) == 0)
    # Two border voxels, then front at the top and the patient's right on the left.
    assert where.tolist() == [[2, 2]]
    assert all((image.filled(-900) != 0).all() for image in shown[1:])


def test_patients_right_of_a_real_scan_is_on_the_left_of_the_picture(real_data):
    import nibabel

    path = real_data / "lungct_template" / "lung_template_mask.nii.gz"
    image = nibabel.as_closest_canonical(nibabel.load(path))
    labels = np.asarray(image.dataobj)[::4, ::4, ::4].astype(float)  # 1 right, 2 left
    middle = radiological(labels, labels.shape[2] // 2)
    columns = np.indices(middle.shape)[1]
    assert columns[middle == 1].mean() < columns[middle == 2].mean()


def test_outside_the_lung_is_blank_and_cropped(phantom):
    volume, mask = phantom
    image = images(figures.montage({"a": volume}, mask=mask, slices=1))[0]
    assert image.shape == (10 + 4, 14 + 4)
    assert np.ma.getmaskarray(image)[:2].all()
    assert not np.ma.getmaskarray(image)[2:-2, 2:-2].any()


def test_slices_run_from_the_top_down(phantom):
    _, mask = phantom
    heights = np.broadcast_to(np.arange(30.0), mask.shape)
    shown = images(figures.montage({"z": heights}, mask=mask, slices=5))
    means = [float(image.mean()) for image in shown]
    assert means[0] == 24
    assert means[-1] == 5
    assert means == sorted(means, reverse=True)


def test_columns_sides_and_bar_are_named(phantom):
    volume, mask = phantom
    figure = figures.montage({"Overall": volume, "Cluster 1": volume}, mask=mask, slices=3)
    said = texts(figure)
    assert {"Overall", "Cluster 1", "R", "L", "HU"} <= set(said)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(90)
    importance = figures.montage({"a": volume}, mask=mask, kind="importance")
    assert "Importance" in texts(importance)


def test_voxels_keep_their_proportions(phantom):
    volume, mask = phantom
    figure = figures.montage({"a": volume}, mask=mask, slices=2, spacing_mm=(1.0, 2.0, 5.0))
    width, height = figure.axes[0].get_window_extent().size
    assert height / width == pytest.approx((14 * 2.0) / 18)


def test_two_dimensional_images_are_drawn_as_they_are():
    image = np.zeros((6, 8))
    image[0, 0] = 1  # front, patient's right
    shown = images(figures.montage({"a": image}, kind="importance"))
    assert shown[0][0, 0] == 1
    panel = figures.average_panel({"x": image - 900, "y": image - 900}, {"x": image, "y": image})
    assert len(images(panel)) == 4
    assert {"(a)", "(b)", "x", "y", "HU", "Importance"} <= set(texts(panel))


def test_average_panel_has_both_halves(phantom):
    volume, mask = phantom
    names = ("Overall", "Cluster 1", "Cluster 2")
    maps = {name: (volume + 900) / 900 for name in names}
    figure = figures.average_panel(dict.fromkeys(names, volume), maps, mask=mask, slices=2)
    assert len(images(figure)) == 12
    assert texts(figure).count("Cluster 2") == 2
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180)


def test_explanations_show_the_slice_that_holds_most_evidence(phantom):
    volume, mask = phantom
    evidence = np.where(mask, 1.0, 0)
    z = int(np.flatnonzero(mask.any(axis=(0, 1)))[1])
    x, y, _ = np.argwhere(mask & (np.arange(mask.shape[2]) == z))[0]
    evidence[x, y, z] = 50
    row = (volume + 100, volume, mask * 1.0, evidence)
    figure = figures.explanation_panel({"Cluster 1": row}, mask=mask)
    scan, other, apart, _, contrast = images(figure)
    lung = radiological(mask, z)
    assert np.isfinite(scan).sum() == lung.sum()
    assert np.nanmax(contrast) == 50
    assert np.allclose((scan - other)[np.isfinite(scan)], 100)
    assert np.nanmin(apart) == np.nanmax(apart) == 100
    assert {"HU difference", "As the rival", "Cluster 1"} <= set(texts(figure))
    with pytest.raises(ValueError, match="no scans"):
        figures.explanation_panel({}, mask=mask)


def test_image_grid_leaves_gaps_where_a_row_lacks_a_column():
    image = np.ones((4, 4))
    rows = {"Location": {"Cluster 1": image, "Cluster 2": image}, "Size": {"Cluster 2": image}}
    figure = figures.image_grid(rows)
    assert len(images(figure)) == 3
    assert {"Location", "Size", "Cluster 1", "Cluster 2"} <= set(texts(figure))


def test_images_that_cannot_be_shown(phantom):
    volume, mask = phantom
    with pytest.raises(ValueError, match="no images"):
        figures.montage({})
    with pytest.raises(ValueError, match="'b' has shape"):
        figures.montage({"a": volume, "b": volume[1:]})
    with pytest.raises(ValueError, match="mask is empty"):
        figures.montage({"a": volume}, mask=mask & False)
    with pytest.raises(ValueError, match="kind 'ct'"):
        figures.montage({"a": volume}, kind="ct")


@pytest.fixture(params=[1, 2, 4])
def results(request) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": np.arange(80) % request.param})
    table["fvc"] = 3 - 0.8 * table["cluster"] + rng.normal(0, 0.5, 80)
    table["crp"] = np.exp(rng.normal(0, 1, 80))
    table["empty"] = np.nan
    rule = {"type": "number", "x-role": "outcome"}
    schema = {"properties": {"fvc": {**rule, "title": "FVC", "x-units": "L"}, "empty": rule}}
    schema["properties"]["crp"] = {**rule, "title": "CRP", "x-transform": "log"}
    return adjusted_means(table, schema), outcome_associations(table, schema)


def test_outcome_panel_for_any_number_of_clusters(results):
    means, associations = results
    figure = figures.outcome_panel(means, associations)
    n_clusters = means["group"].nunique()
    assert [axes.get_title() for axes in figure.axes] == ["FVC", "empty", "CRP (log)"]
    first = figure.axes[0]
    assert [label.get_text() for label in first.get_xticklabels()] == [
        str(i + 1) for i in range(n_clusters)
    ]
    drawn = [container[0].get_ydata()[0] for container in first.containers]
    assert drawn == pytest.approx(means.loc[means["outcome"] == "fvc", "mean"].tolist())
    said = [text.get_text() for text in first.texts]
    assert said == (["not tested"] if n_clusters == 1 else ["p<0.001"])
    assert figure.axes[1].texts[1].get_text() == "no row is complete: no\nmodel"


def sentence_of(figure):
    """Read what stands in place of a picture."""
    (text,) = figure.axes[0].texts
    assert figure.axes[0].containers == []
    return text.get_text().replace("\n", " ")


def test_where_nothing_can_be_drawn_stands_why(results):
    means, associations = results
    none = associations[:0]
    assert "No outcome to show" in sentence_of(figures.outcome_panel(means[:0], none))
    could_not = "No difference between clusters could be estimated: "
    assert sentence_of(figures.forest_plot(none)) == f"{could_not}there is no outcome."
    groups = associations[associations["part"] != "pairwise"]
    says = "the note of each outcome in the table says why."
    assert sentence_of(figures.forest_plot(groups)) == could_not + says
    one = groups[groups["outcome"] == "empty"]
    assert sentence_of(figures.forest_plot(one)).startswith(f"{could_not}no row is complete")


def test_a_long_reason_stays_in_its_panel(results):
    means, associations = results
    row = means[means["outcome"] == "empty"].assign(note="as many words as a reason takes " * 9)
    figure = figures.outcome_panel(row, associations, columns=4)
    figure.draw_without_rendering()
    said = figure.axes[0].texts[1]
    assert said.get_text().endswith("…")
    assert figure.bbox.contains(*said.get_window_extent().min)
    assert figure.bbox.contains(*said.get_window_extent().max)


def test_forest_plot_has_a_marker_per_pair(results):
    means, associations = results
    n = means["group"].nunique()
    if n == 1:
        assert "says why" in sentence_of(figures.forest_plot(associations))
        return
    axes = figures.forest_plot(associations).axes[0]
    assert len(axes.containers) == 2 * n * (n - 1) // 2
    assert [label.get_text() for label in axes.get_yticklabels()] == ["FVC", "CRP (log)"]


def test_latent_scatter_by_cluster_and_by_measurement():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 6))
    clusters = np.arange(40) % 3
    features[:, 0] += 10 * clusters
    figure = figures.latent_scatter(features, clusters)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "1 (n=14)", "2 (n=13)", "3 (n=13)",
    ]  # fmt: skip
    assert sum(len(drawn.get_offsets()) for drawn in axes.collections) == 40
    share = features[:, 0].var() / features.var(axis=0).sum()
    assert axes.get_xlabel() == f"PC 1 ({100 * share:.0f} %)"
    panels = figures.latent_scatter(features, {"Cluster": clusters, "Mean HU": rng.normal(size=40)})
    assert [axes.get_title() for axes in panels.axes[:2]] == ["Cluster", "Mean HU"]
    nullable = pd.Series(clusters, dtype="Int64", index=range(5, 45))
    assert len(figures.latent_scatter(features, nullable).axes[0].collections) == 3
    with pytest.raises(ValueError, match="40 scans but 39"):
        figures.latent_scatter(features, clusters[1:])


def test_loss_curves_and_criteria():
    history = pd.DataFrame({"epoch": range(9), "loss": np.linspace(1, 0, 9), "seconds": 1.0})
    figure = figures.loss_curves(history)
    assert [axes.get_title() for axes in figure.axes] == ["Loss"]
    assert figure.axes[0].lines[0].get_ydata().tolist() == history["loss"].tolist()
    with pytest.raises(ValueError, match="no clustering_loss"):
        figures.loss_curves(history, columns=["clustering_loss"])
    criteria = pd.DataFrame(
        {"n_clusters": [1, 2, 3], "silhouette": [np.nan, 0.4, 0.2], "gap": [0.1, 0.3, 0.2]}
    ).assign(gap_se=0.05, note="x")
    figure = figures.criteria_panel(criteria, recommended=2)
    assert [axes.get_title() for axes in figure.axes] == ["Silhouette", "Gap"]
    assert figure.axes[0].lines[0].get_xdata().tolist() == [2, 3]
    assert all(2 in axes.lines[-1].get_xdata() for axes in figure.axes)
    with pytest.raises(ValueError, match="no silhouettes"):
        figures.criteria_panel(criteria, columns=["silhouettes"])


def summary(**changes) -> pd.DataFrame:
    cells = pd.MultiIndex.from_product(
        [[25, 50, 400], ["deep", "linear"], ["clusters", "number"]],
        names=["n_scans", "method", "target"],
    ).to_frame(index=False)
    share = np.linspace(0.1, 0.9, len(cells))
    return cells.assign(share=share, low=share - 0.1, high=share + 0.05, n_runs=9, **changes)


def test_power_panel_draws_every_share_with_its_limits():
    table = summary()
    figure = validation.power_panel(table, "n_scans")
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180)
    clusters, number = figure.axes
    assert [clusters.get_title(), number.get_title()] == [
        "Clusters found", "Number of clusters found",
    ]  # fmt: skip
    assert clusters.get_xlabel() == "Number of scans"
    assert [text.get_text() for text in number.get_legend().get_texts()] == ["deep", "linear"]
    rows = table[(table["target"] == "clusters") & (table["method"] == "deep")]
    line, _, (limits,) = clusters.containers[0]
    assert line.get_ydata().tolist() == rows["share"].tolist()
    ends = np.array(limits.get_segments())[:, :, 1]
    np.testing.assert_allclose(ends, rows[["low", "high"]])
    # 25 to 50 is the step that 200 to 400 is; the two lines stand side by side.
    ticks = clusters.get_xticks()
    assert [label.get_text() for label in clusters.get_xticklabels()] == ["25", "50", "400"]
    assert (ticks[2] - ticks[1]) == pytest.approx(3 * (ticks[1] - ticks[0]))
    other = clusters.containers[1][0].get_xdata()
    assert (line.get_xdata() < ticks).all() and (ticks < other).all()


def test_power_panel_along_words_and_by_numbers():
    table = summary(anatomy="smooth")
    table = table[table["target"] == "number"]
    both = pd.concat([table, table.assign(anatomy="sharp")]).query("method == 'deep'")
    axes = validation.power_panel(both, "anatomy", lines="n_scans").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["smooth", "sharp"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["25", "50", "400"]
    assert axes.figure.get_size_inches()[0] * 25.4 == pytest.approx(90)
    single = validation.power_panel(both[both["anatomy"] == "sharp"], "n_scans", lines="anatomy")
    assert len(single.axes[0].containers) == 1


def test_power_panel_refuses_what_would_be_drawn_over():
    several = pd.concat([summary(contrast_hu=50), summary(contrast_hu=100)])
    with pytest.raises(ValueError, match="but contrast_hu differ"):
        validation.power_panel(several, "n_scans")
    with pytest.raises(ValueError, match="no radius_px"):
        validation.power_panel(summary(), "radius_px")


def trained() -> pd.DataFrame:
    """Nine looks, of which the silhouette is right at the first six."""
    looks = pd.DataFrame(
        {"epochs": np.arange(5, 50, 5), "held_out_loss": [9, 7, 5, 4, 3, 4, 5, 6, 7]}
    )
    looks = looks.assign(n_true=3, accuracy=np.linspace(1, 0.6, 9), pick_recommended=[1] + [3] * 8)
    looks["pick_silhouette"] = [3] * 6 + [2] * 3
    table = looks.merge(pd.DataFrame({"n_clusters": [2, 3, 4]}), how="cross")
    return table.assign(silhouette=0.3 + 0.2 * (table["n_clusters"] == table["pick_silhouette"]))


def test_silhouette_by_training_shows_picks_and_where_to_end():
    table = trained()
    picks, silhouettes, accuracy = validation.silhouette_by_training(table).axes
    assert [text.get_text() for text in picks.texts] == ["3", "2", "1", "3"]
    first, second = picks.patches[:2]
    assert first.get_x() + first.get_width() == second.get_x() == 32.5
    lines = {line.get_label(): line for line in silhouettes.lines}
    assert {"2", "3 (true)", "4"} < set(lines)
    assert np.flatnonzero(lines["2"].get_markevery()).tolist() == [6, 7, 8]
    assert lines["3 (true)"].get_linewidth() > lines["2"].get_linewidth()
    assert lines["2"].get_ydata().tolist() == table.query("n_clusters == 2")["silhouette"].tolist()
    assert accuracy.lines[0].get_ydata().tolist() == np.linspace(1, 0.6, 9).tolist()
    for axes in (silhouettes, accuracy):
        assert axes.lines[-1].get_xdata() == [25, 25]
        assert axes.get_xlim() == picks.get_xlim() == (2.5, 47.5)


def test_silhouette_by_training_is_about_one_training():
    table = trained()
    with pytest.raises(ValueError, match="more than one training"):
        validation.silhouette_by_training(pd.concat([table, table.assign(seed=2)]))
    with pytest.raises(ValueError, match="no silhouette"):
        validation.silhouette_by_training(table.drop(columns="silhouette"))
    assert len(validation.silhouette_by_training(table[table["epochs"] == 5]).axes) == 3


SCRIPT = """
import sys
import numpy as np
from clamlab import figures
rng = np.random.default_rng(0)
figure = figures.latent_scatter(rng.normal(size=(30, 4)), np.arange(30) % 2)
figures.save_figure(figure, sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules, "figures must not touch pyplot"
"""


def test_the_same_figure_is_the_same_bytes_in_another_process(tmp_path):
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": ""}
        del environment["SOURCE_DATE_EPOCH"]
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / seed / "figure")],
            check=True,
            env=environment,
            cwd=Path(__file__).parents[1],
        )
    for ending in ("pdf", "svg", "png"):
        first = (tmp_path / "1" / f"figure.{ending}").read_bytes()
        assert first == (tmp_path / "2" / f"figure.{ending}").read_bytes()
        assert len(first) > 1000


def test_saving_twice_is_the_same_and_unknown_formats_write_nothing(tmp_path, phantom):
    volume, mask = phantom
    for name in ("a", "b"):
        figures.save_figure(figures.montage({"x": volume}, mask=mask), tmp_path / name)
    for ending in ("pdf", "svg", "png"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    assert "<text" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="'tiff'"):
        figures.save_figure(figures.montage({"x": volume}), tmp_path / "c", formats=("tiff", "png"))
    assert not list(tmp_path.glob("c*"))


def test_a_notebook_shows_a_figure_without_pyplot(phantom):
    png = figures.montage({"x": phantom[0]}, slices=2)._repr_png_()
    assert png.startswith(b"\x89PNG")


def test_clusters_have_distinct_colours():
    assert len({str(color) for color in cluster_colors(12)}) == 12


def test_the_steps_of_a_map_have_a_row_for_each_channel():
    image = np.random.default_rng(0).normal(size=(16, 16))
    stack = np.stack([image, image, image])
    figure = validation.clam_steps(
        image, [7, 3, 0], stack[:, :4, :4], stack, stack, [0.9, 0.5, 0.25], image
    )
    assert len(figure.axes) == 2 + 3 * 4
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"channel 7", "channel 3", "channel 0", "0.90", "0.50", "0.25"} <= set(written)
    lengths = sorted(bar.get_width() for axes in figure.axes for bar in axes.patches)
    assert lengths == [0.25, 0.5, 0.9, 1, 1, 1]


def test_the_steps_of_a_volume_are_refused():
    volume = np.zeros((4, 4, 4))
    with pytest.raises(ValueError, match="2-D"):
        validation.clam_steps(volume, [], volume, volume, volume, [], volume)


@pytest.fixture(scope="module")
def sight():
    x = np.random.default_rng(1000).normal(size=(48, 4))
    x[30:, 0] += 8
    return best_sight(x, 2, seed=0)


def test_evidence_shows_every_scan_and_both_laws(sight):
    figure = validation.evidence_panel(sight, p_value=0.0333)
    curves, rug = figure.axes
    assert curves.get_title() == "48 scans, p = .033"
    two, one = (line.get_label() for line in curves.lines)
    assert two == "Two humps" and one.startswith("One hump (")
    told = [text.get_text() for text in curves.get_legend().get_texts()]
    sizes = sorted([int(sight.upper.sum()), int((~sight.upper).sum())])
    assert sizes == [18, 30]
    assert told[:2] == [two, one] and told[2].startswith("Lower group") and len(told) == 4
    bars = max(curves.patches, key=lambda bar: bar.get_y() + bar.get_height())
    assert sum(bar.get_height() for bar in curves.patches) == 48
    assert curves.get_ylim()[1] >= bars.get_y() + bars.get_height()
    ticks = [segment for lines in rug.collections[::2] for segment in lines.get_segments()]
    assert sorted(tick[0, 0] for tick in ticks) == pytest.approx(sorted(sight.along))


def test_evidence_marks_borderline_scans(sight):
    borderline = np.arange(48) % 6 == 0
    figure = validation.evidence_panel(sight, p_value=0.2, borderline=borderline)
    curves, rug = figure.axes
    marked = np.concatenate([rings.get_offsets()[:, 0] for rings in rug.collections[1::2]])
    assert sorted(marked) == pytest.approx(sorted(sight.along[borderline]))
    assert curves.get_legend().get_texts()[-1].get_text() == "Borderline scan"
    with pytest.raises(ValueError, match=r"each of the 48 scans.*borderline\[sight.rows\]"):
        validation.evidence_panel(sight, p_value=0.2, borderline=borderline[:9])


def test_a_live_figure_takes_a_fiftieth_of_the_time_and_ends_with_the_whole_table(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("clamlab.figures.live.time.monotonic", lambda: clock[0])
    drawn = []

    def slowly(table):
        clock[0] += 0.5
        drawn.append(len(table))
        return Figure()

    watch = figures.LiveFigure(slowly)
    for epoch in range(1, 1001):
        clock[0] += 0.1
        watch(pd.DataFrame({"loss": np.ones(epoch)}))
    assert 3 <= len(drawn) <= 6  # of a hundred seconds, half a second each
    watch.last(pd.DataFrame({"loss": np.ones(1000)}))
    assert drawn[-1] == 1000
