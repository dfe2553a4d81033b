"""Twelve clinical outcomes whose dependence on the cluster is set and published here."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Adjusted means in clusters 1 and 2, what is left over, and how many are missing.
_EFFECTS = {
    "dlco": (15.5, 20.0, 5.6, 7, 6),
    "fev1_l": (1.9, 2.4, 0.58, 3, 4),
    "fvc_l": (2.5, 3.1, 0.70, 3, 4),
    "sobq": (37.0, 22.0, 18.0, 6, 5),
    "sf12_physical": (37.0, 43.0, 9.5, 5, 8),
    "sf12_mental": (49.0, 49.0, 10.0, 5, 8),
    "cd4": (6.45, 6.75, 0.45, 9, 12),
    "crp_mg_l": (0.9, 0.9, 1.05, 8, 10),
    "cfq": (33.0, 33.0, 14.0, 6, 9),
    "fas": (30.0, 30.0, 7.5, 5, 7),
    "promis": (26.5, 26.5, 8.0, 7, 9),
    "gerdq": (7.0, 7.0, 2.4, 4, 6),
}
# Least and greatest value, decimals, what is measured together, loading on the common factor,
# skew, and slopes on age (years), being male, and height (inches).
_MEASUREMENTS = {
    "dlco": ("DLCO", "mL/min/mmHg", 2, 45, 1, "diffusion", 0.55, False, -0.10, 2.5, 0.35),
    "fev1_l": ("FEV1", "L", 0.3, 7, 2, "spirometry", 0.97, False, -0.020, 0.35, 0.070),
    "fvc_l": ("FVC", "L", 0.5, 8, 2, "spirometry", 0.97, False, -0.022, 0.50, 0.095),
    "sobq": ("SOBQ", "points", 0, 120, 0, "sobq", -0.45, True, 0.05, -1.0, 0),
    "sf12_physical": ("SF-12 physical", "points", 8, 72, 1, "sf12", 0.45, False, -0.05, 0.5, 0),
    "sf12_mental": ("SF-12 mental", "points", 8, 72, 1, "sf12", 0, False, 0.06, 1.0, 0),
    "cd4": ("CD4 count", "cells/µL", 3.0, 8.0, 0, "blood", 0, False, -0.003, -0.05, 0),
    "crp_mg_l": ("C-reactive protein", "mg/L", -2.3, 5.5, 2, "serum", 0, False, 0.004, -0.1, 0),
    "cfq": ("CFQ", "points", 0, 100, 0, "cfq", 0, False, -0.05, -1.0, 0),
    "fas": ("FAS", "points", 10, 50, 0, "fas", 0, False, -0.03, -0.5, 0),
    "promis": ("PROMIS", "points", 8, 60, 0, "promis", 0, False, -0.02, -0.5, 0),
    "gerdq": ("GERDQ", "points", 0, 18, 0, "gerdq", 0, False, 0, 0, 0),
}
_EFFECT_COLUMNS = ["cluster_1", "cluster_2", "residual_sd", "missing_1", "missing_2"]
_MEASUREMENT_COLUMNS = [
    *("title", "units", "lowest", "highest", "decimals", "visit", "shared", "skewed"),
    *("age", "male", "height_in"),
]


def _table(rows: dict[str, tuple], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows.values()), pd.Index(rows, name="outcome"), columns)


OUTCOMES = _table(_EFFECTS, _EFFECT_COLUMNS).join(_table(_MEASUREMENTS, _MEASUREMENT_COLUMNS))
"""The known effects: what a simulated cohort's outcomes are made of, one row per outcome.

``cluster_1`` and ``cluster_2`` are means adjusted for demographics (for more clusters, evenly
spaced between the two; natural logarithms for CD4 and CRP, whose columns hold plain values).
``residual_sd`` is what demographics and cluster leave over, ``missing_1`` and ``missing_2`` are
counts at the paper's 126 and 175 subjects. ``age``, ``male`` and ``height_in`` are slopes per
year, against female, and per inch. Outcomes of one ``visit`` are missing together; ``shared`` is
the loading on a common factor (lung function and what it limits), ``skewed`` draws a long upper
tail. ``lowest`` and ``highest`` bound the values. The first five and CD4 differ between
clusters (p < .001 at 301 subjects), the other six do not.
"""

LOGGED = ("cd4", "crp_mg_l")
# At the paper's size, chance may not move an outcome without effect further than this many
# standard errors: p stays above .1, so the cohort tells what was put in.
CHANCE_LIMIT = 1.5
SKEWED_SHAPE = 1.7


def draw_outcomes(
    position: NDArray, demographics: pd.DataFrame, *, exact: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the twelve outcomes.

    Parameters
    ----------
    position : array of float, shape (n,)
        0 for the first cluster, 1 for the last.
    demographics : DataFrame
        Numeric: ``age``, ``male``, ``height_in`` and any other; a row with a missing value is no
        complete case.
    exact : bool
        Make adjusted differences and residual deviations of the complete cases come out as
        published, up to rounding, instead of leaving them to chance.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        One column per outcome, NaN where missing.
    """
    n = len(position)
    absent = _missing(position, exact, rng)
    factor = rng.standard_normal(n)
    known = demographics.notna().all(axis=1).to_numpy()
    columns = {}
    for name, effect in OUTCOMES.iterrows():
        complete = known & ~absent[effect["visit"]]
        own = rng.standard_normal(n)
        if effect["skewed"]:
            own = (rng.gamma(SKEWED_SHAPE, size=n) - SKEWED_SHAPE) / np.sqrt(SKEWED_SHAPE)
        residual = effect["shared"] * factor + np.sqrt(1 - effect["shared"] ** 2) * own
        chance = 0.0
        if exact:
            design = _design(position, demographics)
            residual, error = _standardised(residual, design, complete)
            chance = rng.uniform(-CHANCE_LIMIT, CHANCE_LIMIT) * error * effect["residual_sd"]
        difference = effect["cluster_2"] - effect["cluster_1"]
        shift = position * difference if difference else (position - 0.5) * chance
        value = effect["cluster_1"] + shift + effect["residual_sd"] * residual
        for slope in ("age", "male", "height_in"):
            centre = demographics.loc[complete, slope].mean()
            value = value + effect[slope] * (demographics[slope] - centre).to_numpy()
        value = np.clip(value, effect["lowest"], effect["highest"])
        value = np.exp(value) if name in LOGGED else value
        columns[name] = np.where(absent[effect["visit"]], np.nan, value)
    table = pd.DataFrame(columns)
    table["fev1_l"] = np.minimum(table["fev1_l"], 0.97 * table["fvc_l"])  # a part of the whole
    return table.round(OUTCOMES["decimals"].to_dict())


def _missing(position: NDArray, exact: bool, rng: np.random.Generator) -> dict[str, NDArray]:
    """Choose who lacks which visit, completely at random within a cluster."""
    absent = {}
    for visit, rows in OUTCOMES.groupby("visit", sort=False):
        shares = rows["missing_1"].iloc[0] / 126, rows["missing_2"].iloc[0] / 175
        share = (1 - position) * shares[0] + position * shares[1]
        gone = rng.random(len(position)) < share
        if exact:
            gone[:] = False
            for place in np.unique(position):
                members = np.flatnonzero(position == place)
                gone[rng.choice(members, round(share[members[0]] * len(members)), False)] = True
        absent[visit] = gone
    return absent


def _design(position: NDArray, demographics: pd.DataFrame) -> NDArray:
    return np.column_stack([np.ones(len(position)), demographics.fillna(0), position])


def _standardised(residual: NDArray, design: NDArray, complete: NDArray) -> tuple[NDArray, float]:
    """Free complete cases of any chance relation to the design; also one unit's standard error."""
    used = design[complete]
    fit = used @ np.linalg.lstsq(used, residual[complete], rcond=None)[0]
    left = residual[complete] - fit
    spread = np.sqrt((left**2).sum() / (complete.sum() - used.shape[1]))
    result = residual.copy()
    result[complete] = left / spread
    return result, float(np.sqrt(np.linalg.pinv(used.T @ used)[-1, -1]))
