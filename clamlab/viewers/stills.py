"""A picture and a sentence where no viewer can be: in an e-mail, or where no script runs."""

from collections.abc import Mapping
from html import escape
from typing import Any

from nibabel.affines import voxel_sizes
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.pictures import picture

EXPLORE = "To explore it by hand, run the notebook in JupyterLab down to this cell."
# The still steps aside as soon as the viewer itself stands in the same output.
STYLE = "<style>.jp-OutputArea:has(.clam-explorable) .clam-still { display: none }</style>"
DPI = 100


class Explorable:
    """Leave a still beside a widget, for those who see the notebook without running it.

    Put in front of a widget's class. A still holds averages, never a person's scan: a notebook may
    be printed and passed on by people who do not think of what it holds.

    Attributes
    ----------
    in_words : str
        What the widget shows.
    """

    in_words = ""

    def still(self) -> Any:
        """Draw what the widget shows at its start; None where a sentence must do."""
        return None

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        widget: Any = self
        widget.add_class("clam-explorable")
        display(HTML(self.still_html()))
        display(widget._repr_mimebundle_(), raw=True)

    def still_html(self) -> str:
        """Put picture and words together."""
        figure = self.still()
        drawn = "" if figure is None else picture(figure, self.in_words, dpi=DPI)
        caption = f"<figcaption>{escape(self.in_words)} {EXPLORE}</figcaption>"
        return f'<figure class="clam-still">{drawn}{caption}</figure>{STYLE}'


def averages_still(
    average_hu: Mapping[str, NDArray],
    maps: Mapping[str, NDArray],
    *,
    mask: NDArray | None,
    affine: ArrayLike | None,
) -> Any:
    """Draw averages, and beside each its map where there is one."""
    from clamlab import figures

    look: Any = {"mask": mask, "spacing_mm": spacing_of(affine), "width_mm": 180}
    if not maps:
        return figures.montage(average_hu, kind="hu", **look)
    return figures.average_panel({name: average_hu[name] for name in maps}, maps, **look)


def spacing_of(affine: ArrayLike | None) -> tuple[float, ...] | None:
    """Return voxel sizes in mm, as figures take them."""
    return None if affine is None else tuple(map(float, voxel_sizes(affine)))
