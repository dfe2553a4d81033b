"""How much two versions of one artefact differ: labels, tables, arrays, images."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab import io
from clamlab.cli.repeatable import TIMES
from clamlab.report.words import counted
from clamlab.study.files import members, read_file

Json = dict[str, Any]
ID = "subject_id"
LABELS = {"assignments": "cluster", "true_labels": "cluster"}
CHUNK = 1 << 22  # values compared at a time: arrays may be larger than memory


def how_much(name: str, old: Path, new: Path) -> Json:
    """Say how much an artefact differs from what it was.

    Parameters
    ----------
    name : str
        As in the catalogue of a study.
    old, new : path
        Where both lie: files, folders, or families ``name.*``.

    Returns
    -------
    dict
        ``how`` (a sentence) and its numbers. No subject, and no value of one.
    """
    try:
        if old.suffix == ".csv":
            return _tables(name, read_file(old), read_file(new))
        if old.suffix == ".npy":
            return _largest([(io.open_array(old), io.open_array(new))])
        if old.suffix == ".safetensors":
            return _largest(_common(io.read_safetensors(old), io.read_safetensors(new)))
        if old.suffix == ".json":
            return _settings(read_file(old), read_file(new))
        return _files(old, new)
    except (OSError, ValueError, KeyError) as error:
        return {"how": f"differs; could not be compared ({type(error).__name__})"}


def _tables(name: str, old: pd.DataFrame, new: pd.DataFrame) -> Json:
    label = LABELS.get(name)
    if label and {ID, label} <= {*old} & {*new}:
        return labels(old.set_index(ID)[label], new.set_index(ID)[label])
    old, new = (table.drop(columns=TIMES, errors="ignore") for table in (old, new))
    if [*old] != [*new] or len(old) != len(new):
        return {"how": f"{_shape(old)} then, {_shape(new)} here"}
    numbers = [c for c in old if _is_number(old[c]) and _is_number(new[c])]
    apart = [relative(old[c], new[c]) for c in numbers]
    largest = max((float(a.max()) for a in apart if len(a)), default=0.0)
    rest = [c for c in old if c not in numbers]
    texts = int(sum((old[c].astype(str) != new[c].astype(str)).sum() for c in rest))
    gaps = int(sum((old[c].isna() != new[c].isna()).sum() for c in numbers))
    said = [f"largest relative difference {largest:.2g}"] if numbers else []
    said += [f"other cells that differ: {texts + gaps}"] if texts + gaps else []
    return {"how": "; ".join(said), "largest_relative": largest, "other_cells": texts + gaps}


def _shape(table: pd.DataFrame) -> str:
    return f"{counted(len(table), 'row')} and {counted(len(table.columns), 'column')}"


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def labels(old: pd.Series, new: pd.Series) -> Json:
    """Say how many scans changed their label, and how far both partitions agree.

    Examples
    --------
    >>> old = pd.Series([0, 0, 1, 1], index=list("abcd"))
    >>> labels(old, pd.Series([0, 1, 1, 1], index=list("abcd")))["how"]
    '1 of 4 scans changed, adjusted Rand index 0.000'
    """
    from sklearn.metrics import adjusted_rand_score

    both = old.index.intersection(new.index)
    others = len(old.index.symmetric_difference(new.index))
    agreement = float(adjusted_rand_score(old[both], new[both]))
    changed = int((old[both] != new[both]).sum())
    if not changed and not others:
        return {
            "how": "the same labels; other columns differ",
            "n_changed": 0,
            "adjusted_rand": 1.0,
        }
    said = f"{changed} of {len(both)} scans changed, adjusted Rand index {agreement:.3f}"
    if others:
        said += f"; {counted(others, 'scan')} in one of the two only"
    return {"how": said, "n_changed": changed, "n_others": others, "adjusted_rand": agreement}


def relative(old: ArrayLike, new: ArrayLike) -> NDArray:
    """Return |a - b| over the larger of |a| and |b|; 0 where both are 0 or one is missing.

    >>> relative([1.0, 0.0, 2.0], [1.1, 0.0, np.nan]).round(3).tolist()
    [0.091, 0.0, 0.0]
    """
    a, b = np.asarray(old, dtype=float), np.asarray(new, dtype=float)
    size = np.maximum(np.abs(a), np.abs(b))
    known = np.isfinite(a) & np.isfinite(b) & (size > 0)
    return np.divide(np.abs(a - b), size, out=np.zeros_like(size), where=known)


def _common(old: dict[str, NDArray], new: dict[str, NDArray]) -> list[tuple[NDArray, NDArray]]:
    if old.keys() != new.keys():
        raise ValueError("other arrays")
    return [(old[name], new[name]) for name in old]


def _largest(pairs: list[tuple[NDArray, NDArray]]) -> Json:
    """Find the largest absolute difference of arrays, piece by piece."""
    largest, n, gaps = 0.0, 0, 0
    for old, new in pairs:
        if old.shape != new.shape:
            return {"how": f"shape {old.shape} then, {new.shape} here"}
        for a, b in _pieces(old, new):
            apart = np.abs(a - b)
            missing = np.isnan(a) != np.isnan(b)
            gaps += int(missing.sum())
            n += int((apart > 0).sum())
            largest = max(largest, float(np.nanmax(apart, initial=0.0)))
    said = f"largest absolute difference {largest:.2g}, in {counted(n, 'value')}"
    if gaps:
        said += f"; {counted(gaps, 'value')} missing in one of the two only"
    return {"how": said, "largest_absolute": largest, "n_values": n}


def _pieces(old: NDArray, new: NDArray) -> Iterator[tuple[NDArray, NDArray]]:
    a, b = old.reshape(-1), new.reshape(-1)
    for start in range(0, a.size, CHUNK):
        piece = slice(start, start + CHUNK)
        yield a[piece].astype(float), b[piece].astype(float)


def _settings(old: Json, new: Json) -> Json:
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return {"how": f"differs in {', '.join(names)}" if names else "the same values, written anew"}


def _files(old: Path, new: Path) -> Json:
    """Compare folders and families file by file: images by their voxels, others as they are."""
    was, now = _named(old), _named(new)
    both = [name for name in was if name in now]
    odd = [name for name in both if was[name].read_bytes() != now[name].read_bytes()]
    said = f"{len(odd)} of {len(both)} files differ" if len(both) > 1 else "the file differs"
    if others := len({*was} ^ {*now}):
        said += f", {counted(others, 'file')} in one of the two only"
    images = [name for name in odd if name.endswith(".nii.gz")]
    if not images:
        return {"how": said, "n_files": len(odd)}
    pairs = [
        tuple(np.asarray(io.open_nifti(place[name]).dataobj) for place in (was, now))
        for name in images
    ]
    told = _largest(pairs)  # type: ignore[arg-type]
    return {**told, "how": f"{said}; images: {told['how']}", "n_files": len(odd)}


def _named(path: Path) -> dict[str, Path]:
    within = path if path.is_dir() else path.parent
    return {p.relative_to(within).as_posix(): p for p in sorted(members(path))}
