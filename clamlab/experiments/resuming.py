"""Long experiments: several runs at a time, and none lost when they are interrupted."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from clamlab.atomic import whole_file
from clamlab.io import read_csv


def settings_text(settings: Mapping[str, Any]) -> str:
    """Put settings in words that a CSV can hold, the same words for the same settings.

    Examples
    --------
    >>> settings_text({"n_scans": 300, "channels": (4, 8)})
    'n_scans=300 channels=(4,8)'
    """
    return " ".join(f"{name}={str(value).replace(' ', '')}" for name, value in settings.items())


def once_each(what: str, values: Iterable[Any]) -> list[Any]:
    """Give the values as a list, or say which is there twice: one cohort would count as two.

    Examples
    --------
    >>> once_each("seed", range(3))
    [0, 1, 2]
    """
    values = list(values)
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(
            f"expected each {what} once, found {twice[0]!r} {values.count(twice[0])} times"
        )
    return values


def stored_table(path: str | os.PathLike | None) -> pd.DataFrame:
    """Give the rows of earlier runs; none if there is no file yet."""
    if path is None or not Path(path).exists():
        return pd.DataFrame()
    return read_csv(path, expected="the rows of earlier runs")


def store_table(table: pd.DataFrame, path: str | os.PathLike | None) -> None:
    """Write the table, whole or not at all: an interruption must not eat the runs before it."""
    if path is None:
        return
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False)


def resumed_rows(
    work: Callable[[Any], pd.DataFrame],
    items: Sequence[Any],
    *,
    key: list[str],
    path: str | os.PathLike | None,
    order: list[str] | None = None,
    n_jobs: int,
    title: str,
    progress: bool,
) -> pd.DataFrame:
    """Give the stored rows and those of all items that have none yet, kept as they come.

    ``key`` names the columns that hold an item's ``key``; ``order``, how the file is sorted.
    """
    table = stored_table(path)
    done = set(table[key].itertuples(index=False, name=None)) if len(table) else set()
    todo = [item for item in items if item.key not in done]
    for rows in results_of(
        work, todo, n_jobs=n_jobs, n_done=len(items) - len(todo), title=title, progress=progress
    ):
        table = pd.concat([table, rows], ignore_index=True) if len(table) else rows
        store_table(table.sort_values(order or key, kind="stable"), path)
    return table


def results_of(
    work: Callable[[Any], Any],
    todo: Iterable[Any],
    *,
    n_jobs: int,
    n_done: int,
    title: str,
    progress: bool,
) -> Iterator[Any]:
    """Yield each result as soon as it is there, from several processes, with the time left."""
    todo = list(todo)
    with tqdm(total=n_done + len(todo), desc=title, disable=not progress) as bar:
        # Set, not added: what an earlier session did must not count as speed.
        bar.initial = bar.n = n_done
        runs = (delayed(work)(item) for item in todo)
        for result in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(runs):
            bar.update()
            yield result
