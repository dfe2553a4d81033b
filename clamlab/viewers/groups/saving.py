"""Take a group into the paper: its description and its average pictures, in a folder of its own."""

import shutil
import textwrap
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab import cells, figures
from clamlab.atomic import whole_folder
from clamlab.stats.tables.export import export_table
from clamlab.stats.tables.groups import GroupDescription

CAPTION = "Exploratory: groups drawn by eye, not tested"
COLUMN_MM = 42.5  # of two, one column of a journal
LINE = 18  # letters of a name in a line above a picture


@dataclass(frozen=True)
class Look:
    """How the pictures look on the screen; ``limit_hu`` is the strongest colour of a difference."""

    window: int
    level: int
    colormap: str
    limit_hu: float
    spacing_mm: tuple[float, ...] | None
    mask: NDArray | None


def save_group(
    folder: Path,
    description: GroupDescription,
    pictures: Mapping[str, Mapping[str, NDArray]],
    *,
    look: Look,
    subjects: pd.DataFrame | None = None,
    replace: bool = False,
) -> str:
    """Write a group's description (CSV, Word) and pictures (PDF, SVG, PNG): all of them or none.

    Parameters
    ----------
    folder : Path
    description : GroupDescription
    pictures : mapping of str to mapping of str to array
        By kind, "hu", "importance" or "difference": averages by what stands above each.
    look : Look
    subjects : DataFrame, optional
        Who is in it; only for a folder of the study itself.
    replace : bool
        Whether what is there already may go.

    Returns
    -------
    str
        Where it is, and what else has to be said.

    Raises
    ------
    FileExistsError
        If the folder is there and may not be replaced; nothing is written then.
    """
    if folder.exists() and not replace:
        raise FileExistsError(f"{folder} is there already: rename the group, or replace it")
    with warnings.catch_warnings(record=True) as told, whole_folder(folder) as made:
        warnings.simplefilter("always")
        printed, notes = description.printed, description.notes
        export_table(printed.rename(columns={"": CAPTION}), made / "description.csv")
        export_table(printed, made / "description.docx", caption=CAPTION, notes=notes)
        if subjects is not None:
            cells.write_csv(subjects, made / "subjects.csv")
        for kind, images in pictures.items():
            figures.save_figure(_montage(kind, images, look), made / kind)
        if folder.exists():
            shutil.rmtree(folder)  # not before all of the new is there
    lacking = any("missing from" in str(warning.message) for warning in told)
    own = "not the study's own" if subjects is None else "the study's own"
    ids = f"{'without' if subjects is None else 'with'} the list of subjects, as this is {own}"
    letters = " Some letters of the name are boxes in PDF and PNG; the SVG has them."
    return f"Saved in {folder}, {ids} folder.{letters if lacking else ''}"


def _montage(kind: str, images: Mapping[str, NDArray], look: Look) -> figures.images.Figure:
    half = look.window / 2
    limits = {
        "hu": (look.level - half, look.level + half),
        "importance": (0, 1),
        "difference": (-look.limit_hu, look.limit_hu),
    }
    colours = {"hu": "gray", "importance": look.colormap, "difference": None}
    return figures.montage(
        {_above(name): _within(image, look.mask) for name, image in images.items()},
        kind=kind,
        limits=limits[kind],
        colormap=colours[kind],
        spacing_mm=look.spacing_mm,
        width_mm=COLUMN_MM * len(images),
    )


def _above(name: str) -> str:
    """Break a name into short lines."""
    lines = [textwrap.fill(line, LINE) for line in name.splitlines()]
    return "\n".join(lines)


def _within(image: ArrayLike, mask: NDArray | None) -> NDArray:
    """Cut a volume to the heights of the lung, so that no picture is of shoulders or bowels."""
    volume = np.asarray(image)
    if mask is None or volume.ndim == 2:
        return volume
    used = np.flatnonzero(mask.any(axis=(0, 1)))
    return volume[:, :, used[0] : used[-1] + 1] if len(used) else volume
