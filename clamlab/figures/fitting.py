"""Words from people's tables, broken and shortened so that they keep within their place."""

from bisect import bisect_left
from functools import partial

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from clamlab.figures.style import FONT_SIZE, MM_PER_INCH

_MM_PER_POINT = MM_PER_INCH / 72
_AS_DRAWN = 1.05  # on a coarse grid of pixels letters are that much wider
LINE_MM = 1.2 * FONT_SIZE * _MM_PER_POINT


def fitted(
    words: str,
    width_mm: float,
    *,
    lines: int = 1,
    tail: str = "",
    size: float = FONT_SIZE,
    weight: str = "normal",
) -> str:
    r"""Break words into lines of a width; what does not fit ends in an ellipsis.

    Parameters
    ----------
    words : str
        Line breaks and runs of spaces in it are spaces.
    width_mm : float
        Of the place.
    lines : int
        How many there may be.
    tail : str
        Said after the words, also where these are shortened.
    size : float
        Of the letters, in points.
    weight : {"normal", "bold"}

    Returns
    -------
    str

    Examples
    --------
    >>> fitted("forced\nvital capacity", 22, lines=2)
    'forced vital\ncapacity'
    >>> fitted("forced vital capacity", 22, tail=" (log)")
    'forced vit… (log)'
    """
    font, plain = FontProperties(size=size, weight=weight), " ".join(words.split())
    whole = _broken(plain + tail, width_mm, font)
    if len(whole) <= lines:
        return "\n".join(whole)
    *before, last = _broken(plain, width_mm, font)[:lines]
    while last and not _fits(f"{last}…{tail}", width_mm, font):
        last = last[:-1].rstrip()
    return "\n".join([*before, f"{last}…{tail}"])


def _broken(text: str, width_mm: float, font: FontProperties) -> list[str]:
    """Break at spaces, and within a word that is wider than a line."""
    lines = []
    while text:
        too_long = partial(_overflows, text, width_mm, font)
        end = max(1, bisect_left(range(len(text) + 1), True, key=too_long) - 1)
        space = text.rfind(" ", 0, end + 1)
        end = space if end < len(text) and space > 0 else end
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return lines


def _overflows(text: str, width_mm: float, font: FontProperties, end: int) -> bool:
    return not _fits(text[:end], width_mm, font)


def _fits(text: str, width_mm: float, font: FontProperties) -> bool:
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width * _MM_PER_POINT * _AS_DRAWN <= width_mm
