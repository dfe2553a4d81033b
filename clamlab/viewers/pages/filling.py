"""What every page is made of: a template, what it shows as JSON, and its voxels as packed text."""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clamlab.atomic import whole_file


def fill(template: str, parts: Mapping[str, str], path: str | Path | None = None) -> str | Path:
    """Put parts in their places in a page, and write it whole or not at all.

    Examples
    --------
    >>> fill("<p>{{words}}</p>", {"words": "{{as they are}}"})
    '<p>{{as they are}}</p>'
    """
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)
    if path is None:
        return page
    with whole_file(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(path)


def as_json(value: Any) -> str:
    """Write a value so that it can stand in a page's script.

    Examples
    --------
    >>> "<" in as_json({"title": "</script>"})
    False
    """
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def compressed(parts: Iterable[bytes]) -> str:
    """Pack bytes into text, the same text for the same bytes.

    Level 6 takes a tenth of the time of 9, and gives 2 % more.
    """
    return base64.b64encode(gzip.compress(b"".join(parts), 6, mtime=0)).decode("ascii")


def in_steps(volume: bytes) -> bytes:
    """Write int16 HU as steps from voxel to voxel, low and high bytes apart: these pack best.

    Examples
    --------
    >>> list(in_steps(np.array([-800, -799, 57], "<i2").tobytes()))
    [224, 1, 88, 252, 0, 3]
    """
    hu = np.frombuffer(volume, "<i2")
    steps = np.diff(hu, prepend=hu.dtype.type(0))  # wraps around in int16, and back in the page
    return steps.view(np.uint8).reshape(-1, 2).T.tobytes()
