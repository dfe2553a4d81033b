"""The scans of a page as points, for whoever asks for them: numbers in place of names."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clamlab.viewers.pages.about import TREAT, About
from clamlab.viewers.points.columns import as_levels, described
from clamlab.viewers.points.projections import PRINCIPAL, projected

MOST_LEVELS = 24
LONG_NUMBER = 10_000  # hospitals' numbers of persons and visits are greater


@dataclass(frozen=True, eq=False)
class Persons:
    """Let a colleague see every scan as a point: with its cluster, and what you choose to tell.

    Such a page holds a row for each person, and says so. No scan is in it.

    Parameters
    ----------
    features : array (n_scans, J)
        The page holds their first principal components.
    soft_assignments : array (n_scans, K)
        The largest is a scan's confidence.
    table : DataFrame, optional
        One row per scan. Only what `columns` names of it goes into the page.
    columns : sequence of str
        What else is told of each person.
    contract : dict, optional
        JSON Schema of the table: gives titles and units.
    ids : sequence of str, optional
        Subject ids. Without them scans have running numbers, in the order of the first component:
        that order tells nothing that the picture does not.

    Raises
    ------
    ValueError
        If lengths differ, there is no such column, or a column would name a person: a
        text of its own for each or of many kinds, or a long number without a unit that hardly two
        share.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["S1", "S2", "S3"], "age": [50, 60, 70]})
    >>> persons = Persons(np.eye(3), [[0.9, 0.1]] * 3, table=table, columns=["age"])
    >>> persons.told()
    'place among the features, cluster, confidence, age'
    >>> Persons(np.eye(3), [[1.0]] * 3, table=table, columns=["id"])
    Traceback (most recent call last):
    ValueError: a page of persons cannot hold 'id', which tells who somebody is (3 different texts
    for 3 scans): leave it out
    """

    features: ArrayLike
    soft_assignments: ArrayLike
    table: pd.DataFrame | None = None
    _: KW_ONLY
    columns: Sequence[str] = ()
    contract: Mapping[str, Any] | None = None
    ids: Sequence[str] | None = None

    def __post_init__(self) -> None:
        table = pd.DataFrame() if self.table is None else self.table
        sizes = {"features": len(np.asarray(self.features))}
        sizes["soft_assignments"] = len(np.asarray(self.soft_assignments))
        sizes |= {} if self.table is None else {"table": len(table)}
        sizes |= {} if self.ids is None else {"ids": len(self.ids)}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"one row per scan everywhere, found {sizes}")
        for name in self.columns:
            if name not in table:
                raise ValueError(f"there is no column {name!r}; there are {', '.join(table)}")
            units = described(name, self.contract)[1]
            if why := _names_persons(table[name], measured=bool(units)):
                raise ValueError(
                    f"a page of persons cannot hold {name!r}, which tells who somebody is ({why}): "
                    "leave it out"
                )

    def told(self) -> str:
        """List what the page tells of each person."""
        names = [described(name, self.contract)[0] for name in self.columns]
        return ", ".join(["place among the features", "cluster", "confidence", *names])

    def warning(self, n_scans: int) -> str:
        """Say that the page holds persons, what of them, and how it is to be treated."""
        whose = "their ids" if self.ids is not None else "running numbers"
        rows = f"This page holds a row for each of {n_scans} scans, under {whose}"
        return f"{rows}: {self.told()}. {TREAT}"

    def packed(self, about: About) -> tuple[dict[str, Any], bytes]:
        """Give what the page's points show, and their places as bytes (component by component)."""
        soft = np.asarray(self.soft_assignments, float)
        if len(soft) != about.n_scans:
            raise ValueError(f"found {len(soft)} points for {about.n_scans} clustered scans")
        places, labels = projected(self.features, PRINCIPAL)
        order = np.argsort(places[:, 0], kind="stable")
        numbers = [f"Scan {i + 1}" for i in range(len(order))]
        names = numbers if self.ids is None else [str(self.ids[i]) for i in order]
        clusters = [f"Cluster {k + 1}" for k in np.asarray(about.clusters)]
        own = pd.DataFrame({"Cluster": clusters, "Confidence": soft.max(axis=1).round(3)})
        table = pd.DataFrame(self.table)
        told = {
            "names": names,
            "axis_labels": labels,
            "columns": [
                *(_column(own[name].iloc[order], name, "") for name in own),
                *(
                    _column(table[name].iloc[order], *described(name, self.contract))
                    for name in self.columns
                ),
            ],
        }
        return told, places[order].T.tobytes()


def _column(values: pd.Series, title: str, units: str) -> dict[str, Any]:
    levels, coded = as_levels(values)
    short = [v if v is None or levels else float(f"{v:.6g}") for v in coded]
    return {"title": title, "units": units, "levels": levels, "values": short}


def _names_persons(column: pd.Series, *, measured: bool) -> str:
    """Say why a column tells who somebody is; "" where it holds measures or levels."""
    given = column.dropna()
    alone = given.nunique()
    if not pd.api.types.is_numeric_dtype(given):
        one_each = alone > 1 and alone == len(given)
        of_many = f"{alone} different texts for {len(given)} scans"
        return of_many if one_each or alone > MOST_LEVELS else ""
    numbers = given.astype(float)
    whole = len(numbers) > 0 and bool((numbers % 1 == 0).all()) and not measured
    long = whole and (numbers.abs() >= LONG_NUMBER).mean() > 0.5 and alone > len(numbers) / 2
    return f"{alone} different numbers of five digits and more" if long else ""
