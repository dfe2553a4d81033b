"""Figures as a journal takes them: its widths, type that can be read, fonts that come along."""

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from clamlab import baselines, figures, selection
from clamlab.figures import validation
from clamlab.stats.outcomes import adjusted_means, outcome_associations

WIDTHS = (90, 180)
RNG = np.random.default_rng(0)


def outcomes():
    table = pd.DataFrame({"cluster": np.arange(90) % 3})
    for name in ("fvc", "dlco", "gap"):
        table[name] = 3 - 0.8 * table["cluster"] + RNG.normal(0, 0.5, 90)
    rule = {"type": "number", "x-role": "outcome", "x-units": "% predicted"}
    schema = {"properties": {n: {**rule, "title": n.upper()} for n in table.columns[1:]}}
    return adjusted_means(table, schema), outcome_associations(table, schema)


def chest():
    mask = np.zeros((20, 16, 30), bool)
    mask[3:17, 3:13, 5:25] = True
    names = [f"Cluster {k + 1}" for k in range(3)]
    return mask, {name: RNG.normal(-800, 50, mask.shape) for name in names}


@cache
def two_groups():
    features = np.random.default_rng(1).normal(size=(40, 4))
    features[:20, 0] += 9
    return features


@cache
def answer():
    return selection.choose_n_clusters(two_groups(), k_max=3, seed=1)


def drawn(kind: str, width_mm: int):
    mask, hu = chest()
    maps = {name: np.clip(RNG.random(mask.shape), 0, 1) for name in hu}
    grid = {"mask": mask, "spacing_mm": (4, 4, 4), "width_mm": width_mm}
    if kind == "figure 7":
        return figures.average_panel(hu, maps, **grid)
    if kind == "figure 8":
        return figures.montage(hu, kind="hu", **grid)
    if kind == "figure 9":
        return figures.montage(maps, kind="importance", **grid)
    if kind == "figure 10":
        return figures.outcome_panel(*outcomes(), width_mm=width_mm)
    if kind == "forest plot":
        return figures.forest_plot(outcomes()[1], width_mm=width_mm)
    if kind == "scatter":
        clusters = np.arange(40) // 20
        return figures.latent_scatter(
            two_groups(), {"Cluster": clusters, "HU": clusters * 1.5}, width_mm=width_mm
        )
    if kind == "baselines":
        groups = {"density": np.arange(40) // 20, "radiomics": np.arange(40) // 19 % 2}
        scanners = {"scanner: model_of_the_machine_and_its_software": np.arange(40) // 5}
        parts = pd.DataFrame({**groups, **scanners, "scanner: kernel": 0})
        found = baselines.agreement(parts, groups["density"])
        return validation.agreement_panel(found, width_mm=width_mm)
    criteria, choice = answer()
    if kind == "criteria":
        told = criteria.dropna(axis="columns", how="all")
        return figures.criteria_panel(told, recommended=2, width_mm=width_mm)
    sight = selection.best_sight(two_groups(), 2, seed=1)
    return validation.evidence_panel(sight, p_value=choice["p_value"], width_mm=width_mm)


KINDS = ("figure 7", "figure 8", "figure 9", "figure 10", "forest plot", "scatter", "criteria")


@pytest.mark.parametrize("width_mm", WIDTHS)
@pytest.mark.parametrize("kind", [*KINDS, "evidence", "baselines"])
def test_a_figure_has_the_journals_width_and_type_that_can_be_read(
    kind, width_mm, tmp_path, monkeypatch
):
    figure = drawn(kind, width_mm)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(width_mm)
    written, draw = [], Text.draw
    monkeypatch.setattr(Text, "draw", lambda t, r: draw(t, r) or written.append(t))
    figure.draw_without_rendering()
    written = [t for t in written if t.get_visible() and t.get_text().strip()]
    assert written
    small = {t.get_text(): t.get_fontsize() for t in written if t.get_fontsize() < 6}
    assert not small
    whole = figure.bbox.padded(1)
    boxes = {t.get_text(): t.get_window_extent() for t in written}
    outside = [
        text
        for text, box in boxes.items()
        if not (whole.contains(*box.min) and whole.contains(*box.max))
    ]
    assert not outside
    path, *_ = figures.save_figure(figure, tmp_path / "figure", formats=["pdf"])
    page = path.read_bytes()
    (points,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ", page)
    assert float(points) / 72 * 25.4 == pytest.approx(width_mm, abs=0.2)
    assert page.count(b"/FontFile2") == page.count(b"/Type /FontDescriptor") > 0, (
        "fonts must come along"
    )


def named(title, units="L", scale=None):
    """Seven outcomes of two clusters; the second has the title, the units and the scale."""
    table = pd.DataFrame({"cluster": np.arange(40) // 20})
    rule = {"type": "number", "x-role": "outcome", "title": "FVC", "x-units": "L"}
    schema = {"properties": {f"y{i}": dict(rule) for i in range(7)}}
    schema["properties"]["y1"] |= {"title": title, "x-units": units, "x-transform": scale}
    for name in schema["properties"]:
        table[name] = np.exp(np.random.default_rng(1).normal(1, 1, 40))
    return adjusted_means(table, schema), outcome_associations(table, schema)


LONG = "Forced vital capacity as measured by a technician after three attempts " * 4
TITLES = {
    "long": LONG,
    "one word": "Pneumonoultramicroscopicsilicovolcanoconiosis" * 5,
    "wide": "W" * 240,
    "lines": "Forced\nvital\r\ncapacity",
}


@pytest.mark.parametrize("width_mm", [90, 180])
@pytest.mark.parametrize("title", TITLES)
def test_a_title_stays_in_its_panel(title, width_mm):
    found = named(TITLES[title], units=TITLES[title])
    figure = figures.outcome_panel(*found, width_mm=width_mm)
    figure.draw_without_rendering()
    for axes in figure.axes:
        panel, words = axes.get_window_extent(), axes.title.get_window_extent()
        assert words.width <= panel.width * 1.02 and len(axes.get_title().split("\n")) <= 3
        assert words.y1 <= figure.bbox.y1 and words.x1 <= figure.bbox.x1
        units = axes.yaxis.label.get_window_extent()
        assert units.height <= panel.height * 1.02 and "\n" not in axes.get_ylabel()
        assert not any(
            words.overlaps(other.get_tightbbox()) for other in figure.axes if other is not axes
        )
    names = figures.forest_plot(found[1], width_mm=width_mm)
    names.draw_without_rendering()
    for label in names.axes[0].get_yticklabels():
        assert label.get_window_extent().x0 >= 0 and "\n" not in label.get_text()


def test_a_title_is_shortened_at_its_end_and_keeps_its_scale():
    figure = figures.outcome_panel(*named(LONG, scale="log"))
    said = figure.axes[1].get_title().replace("\n", " ")
    assert said.startswith("Forced vital capacity as measured") and said.endswith("… (log)")
    assert figures.outcome_panel(*named("Forced\nvital")).axes[1].get_title() == "Forced vital"
