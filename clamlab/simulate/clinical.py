"""Clinical tables that look like the paper's cohort and whose effects are known."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.simulate.outcomes import draw_outcomes

PAPER_SIZES = (126, 175)
# Table 2 of the paper, clusters 1 and 2: counts, or mean and standard deviation.
MALE = (51, 91)
WHITE = (77, 141)
HISPANIC = (8, 6)  # of 125 and 175: one value is missing in cluster 1
AGE_YEARS = ((53.58, 9.32), (52.36, 10.04))
BMI = ((31.05, 7.05), (30.20, 6.16))
HEIGHT_IN = ((66.52, 3.96), (67.49, 4.24))
SCANNERS = {
    "Discovery CT750": (1, 3),
    "iCT 128": (10, 16),
    "LightSpeed VCT": (45, 56),
    "Optima CT660": (2, 1),
    "Sensation 64": (4, 4),
    "Definition": (16, 22),
    "Definition AS+": (36, 51),
    "Definition Flash": (12, 22),
}
SCADDING = {0: (7, 33), 1: (17, 42), 2: (32, 55), 3: (16, 27), 4: (54, 18)}
# Not in the paper: visual scores of a reader, shares of grades 0 to 3, clusters 1 and 2.
VISUAL_SCORES = {
    "ground_glass": ((0.25, 0.35, 0.28, 0.12), (0.55, 0.30, 0.12, 0.03)),
    "fibrosis": ((0.20, 0.30, 0.30, 0.20), (0.60, 0.28, 0.10, 0.02)),
    "honeycombing": ((0.72, 0.16, 0.08, 0.04), (0.94, 0.05, 0.01, 0.00)),
}
OBERSTEIN = ((8.0, 2.6), (4.5, 2.2))  # mean and standard deviation, 0 to 18
READER_AGREES = 0.6  # how closely a reader's grade follows the extent of disease in a cluster
TABLE_TWO = [
    "sex", "race", "hispanic", "age_years", "bmi", "height_in", "scanner_model", "scadding_stage",
]  # fmt: skip


def cluster_sizes(n_subjects: int, n_clusters: int) -> list[int]:
    """Share subjects among clusters in the paper's proportion: 126 to 175, evenly between.

    Examples
    --------
    >>> cluster_sizes(301, 2), cluster_sizes(30, 3)
    ([126, 175], [8, 10, 12])
    """
    if not 1 <= n_clusters <= n_subjects:
        raise ValueError(f"{n_subjects} subjects cannot form {n_clusters} clusters")
    weights = np.linspace(*PAPER_SIZES, n_clusters)
    edges = np.rint(np.cumsum(weights) / weights.sum() * n_subjects).astype(int)
    return np.diff(edges, prepend=0).tolist()


def clinical_table(
    labels: ArrayLike, *, severity: ArrayLike | None = None, seed: int
) -> pd.DataFrame:
    """Draw demographics, readings and outcomes for subjects whose clusters are known.

    With the paper's 126 and 175 subjects every marginal of its Table 2 comes out exactly as
    printed, and adjusted means of the outcomes as published in ``OUTCOMES``. With other numbers
    the same proportions and means hold on average. Clusters beyond two lie evenly between the
    paper's first (index 0, the most affected) and second.

    Parameters
    ----------
    labels : array of int, shape (n_subjects,)
        Cluster of every subject, from 0.
    severity : array of float, shape (n_subjects,), optional
        Extent of disease; a reader's grades follow it within each cluster. Drawn if not given.
    seed : int
        Same seed, same table.

    Returns
    -------
    DataFrame
        The columns of ``participants.schema.json``, in the order of ``labels``.

    Raises
    ------
    ValueError
        If labels are no whole numbers from 0, or severity has another length.

    Examples
    --------
    >>> table = clinical_table([0] * 126 + [1] * 175, seed=1)
    >>> (table["sex"] == "male").sum(), round(table["age_years"].mean(), 2)
    (np.int64(142), np.float64(52.87))
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise ValueError(f"labels must be one row of whole numbers from 0; found {labels!r}")
    if severity is not None and len(np.asarray(severity)) != len(labels):
        raise ValueError(f"{len(labels)} labels but {len(np.asarray(severity))} severities")
    rng = np.random.default_rng(seed)
    rank = rng.random(len(labels)) if severity is None else np.asarray(severity, float)
    last = labels.max()
    position = labels / last if last else np.full(len(labels), PAPER_SIZES[1] / sum(PAPER_SIZES))
    exact = tuple(np.bincount(labels)) == PAPER_SIZES

    table = _demographics(position, exact, rng)
    for name, values in _readings(position, exact, rank, rng).items():
        table[name] = values
    numeric = pd.DataFrame(
        {
            "age": table["age_years"],
            "male": (table["sex"] == "male").astype(float),
            "white": (table["race"] == "white").astype(float),
            "hispanic": table["hispanic"].map({"no": 0.0, "yes": 1.0}),
            "bmi": table["bmi"],
            "height_in": table["height_in"],
        }
    )
    outcomes = draw_outcomes(position, numeric, exact=exact, rng=rng)
    width = max(3, len(str(len(labels))))
    ids = [f"sim{i + 1:0{width}d}" for i in range(len(labels))]
    keys = pd.DataFrame({"subject_id": ids, "scan": [f"dicom/{name}" for name in ids]})
    return pd.concat([keys, table, outcomes], axis=1)


def paper_table_two() -> pd.DataFrame:
    """Rebuild the paper's 301 subjects so that Table 2 can be recomputed from a data frame.

    Counts, means and standard deviations are the paper's own. Which values belong to one person
    is not published: the joint distribution is invented, so only one variable at a time may be
    looked at.

    Returns
    -------
    DataFrame
        ``cluster`` (0 is the paper's cluster 1) and the variables of Table 2.

    Examples
    --------
    >>> frame = paper_table_two()
    >>> frame.groupby("cluster")["hispanic"].count().tolist()
    [125, 175]
    """
    labels = np.repeat([0, 1], PAPER_SIZES)
    table = clinical_table(labels, seed=0)[TABLE_TWO]
    table.insert(0, "cluster", labels)
    return table


def _demographics(position: NDArray, exact: bool, rng: np.random.Generator) -> pd.DataFrame:
    n = len(position)
    male = _levels(position, _counts(MALE), exact, rng.random(n), rng) == 1
    white = _levels(position, _counts(WHITE), exact, rng.random(n), rng) == 1
    hispanic = _levels(position, _counts(HISPANIC), exact, rng.random(n), rng) == 1
    hispanic_text = np.where(hispanic, "yes", "no").astype(object)
    candidates = np.flatnonzero((position == 0) & ~hispanic)
    if len(candidates) and (exact or rng.random() < n / sum(PAPER_SIZES)):
        hispanic_text[rng.choice(candidates)] = None
    # Men are taller; within a sex, height is normal.
    tall = np.where(male, 2.75, -2.75) + 2.9 * _bounded_normal(n, rng)
    stout = rng.gamma(6.0, size=n)  # few very heavy
    model = _levels(position, SCANNERS.values(), exact, rng.random(n), rng)
    return pd.DataFrame(
        {
            "sex": np.where(male, "male", "female"),
            "race": np.where(white, "white", "other"),
            "hispanic": hispanic_text,
            "age_years": _scaled(_bounded_normal(n, rng), position, AGE_YEARS, exact).clip(18, 85),
            "bmi": _scaled((stout - 6) / 6**0.5, position, BMI, exact).clip(14, 70),
            "height_in": _scaled(tall / 4.0, position, HEIGHT_IN, exact).clip(52, 84),
            "scanner_model": np.array(list(SCANNERS))[model],
        }
    ).round({"age_years": 2, "bmi": 2, "height_in": 2})


def _readings(
    position: NDArray, exact: bool, severity: NDArray, rng: np.random.Generator
) -> dict[str, NDArray]:
    """Grade radiograph and scan as a reader would, following the extent of disease."""
    standing = pd.Series(severity).groupby(position).rank(pct=True).to_numpy()

    def read() -> NDArray:
        return READER_AGREES * standing + (1 - READER_AGREES) * rng.random(len(position))

    grades = {"scadding_stage": _levels(position, SCADDING.values(), exact, read(), rng)}
    for name, shares in VISUAL_SCORES.items():
        grades[name] = _levels(position, list(zip(*shares, strict=True)), False, read(), rng)
    noise = (read() - 0.5) / 0.24
    score = _scaled(noise, position, OBERSTEIN, False)
    return grades | {"oberstein_score": np.clip(np.rint(score), 0, 18).astype(int)}


def _counts(yes: tuple[int, int]) -> list[tuple[int, int]]:
    """No and yes in each cluster."""
    return [(PAPER_SIZES[0] - yes[0], PAPER_SIZES[1] - yes[1]), yes]


def _levels(position: NDArray, counts, exact: bool, order: NDArray, rng) -> NDArray[np.int64]:
    """Give everyone a level: how many get which is set or drawn, who follows from ``order``."""
    first, second = np.array(list(counts), dtype=float).T
    result = np.empty(len(position), dtype=np.int64)
    for place in np.unique(position):
        members = np.flatnonzero(position == place)
        shares = (1 - place) * first / first.sum() + place * second / second.sum()
        if exact:
            numbers = np.rint(shares * len(members)).astype(int)
        else:
            numbers = rng.multinomial(len(members), shares)
        result[members[np.argsort(order[members])]] = np.repeat(np.arange(len(shares)), numbers)
    return result


def _scaled(values: NDArray, position: NDArray, moments, exact: bool) -> NDArray:
    """Bring standard values to each cluster's mean and standard deviation."""
    result = np.empty(len(values))
    (mean_1, sd_1), (mean_2, sd_2) = moments
    for place in np.unique(position):
        members = position == place
        own = values[members]
        if exact:
            own = (own - own.mean()) / own.std(ddof=1)
        mean = (1 - place) * mean_1 + place * mean_2
        result[members] = mean + own * ((1 - place) * sd_1 + place * sd_2)
    return result


def _bounded_normal(n: int, rng: np.random.Generator) -> NDArray:
    """Nearly normal, without the tails that age and height do not have."""
    draws = rng.standard_normal((n, 8))
    usable = np.argmax(np.abs(draws) < 2.8, axis=1)
    return draws[np.arange(n), usable]
