"""What must be said about a picture, said in the picture, so that no copy of it is without."""

import textwrap

from matplotlib.figure import Figure

from clamlab.figures.style import FONT_SIZE, MM_PER_INCH, SMALL_FONT_SIZE

_LINE_MM, _MARGIN_MM = 2.7, 1.5
_LETTERS_PER_MM = 0.82  # of small type
_COLOR = "#8a3b00"  # dark on white, also for those who see no red


def mark(figure: Figure, heading: str, words: str) -> Figure:
    """Write a heading and a sentence over a figure, on room of their own.

    The figure gets higher by as much as they need; what was drawn keeps its size.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    heading : str
        One word, in bold.
    words : str

    Returns
    -------
    Figure
        The same one.

    Examples
    --------
    >>> from clamlab.figures.style import axes_in_mm, new_figure
    >>> figure = new_figure(90, 40)
    >>> axes = axes_in_mm(figure, 5, 5, 60, 30)
    >>> [text.get_text() for text in mark(figure, "EXPLORATORY", "3 of 40 scans left out.").texts]
    ['EXPLORATORY', '3 of 40 scans left out.']
    >>> [float(round(inches * 25.4, 1)) for inches in figure.get_size_inches()]
    [90.0, 48.4]
    """
    width, height = (inches * MM_PER_INCH for inches in figure.get_size_inches())
    lines = textwrap.wrap(words, max(12, int((width - 2 * _MARGIN_MM) * _LETTERS_PER_MM)))
    band = _LINE_MM * (1 + len(lines)) + 2 * _MARGIN_MM
    share = height / (height + band)
    figure.set_size_inches(width / MM_PER_INCH, (height + band) / MM_PER_INCH)
    for axes in figure.axes:
        left, bottom, wide, high = axes.get_position(original=True).bounds
        axes.set_position((left, bottom * share, wide, high * share))
    for text in figure.texts:
        text.set_y(text.get_position()[1] * share)
    for line, (said, size, weight) in enumerate(
        [(heading, FONT_SIZE, "bold"), ("\n".join(lines), SMALL_FONT_SIZE, "normal")]
    ):
        figure.text(
            _MARGIN_MM / width,
            1 - (_MARGIN_MM + line * _LINE_MM) / (height + band),
            said,
            va="top",
            fontsize=size,
            fontweight=weight,
            color=_COLOR,
            linespacing=1.15,
        )
    return figure
