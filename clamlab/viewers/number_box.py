"""A box beside a slider: what is typed is taken as it was meant, or refused in words."""

import html
import re

import ipywidgets as widgets
import traitlets

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+))\s*(%?)\s*")
_SAME = 1e-9  # between a number that was typed and one that a slider can hold


class NumberBox(widgets.HBox):
    """Show a slider with a box for its number.

    The box that a slider brings reads "0,9" as 0 and "90%" as 90, moves what is out of range to an
    end, and says nothing of it: a scan more or less would be in a table than was asked for.

    Parameters
    ----------
    slider : ipywidgets.FloatSlider or ipywidgets.IntSlider
        Shares may be typed in percent where it holds no whole numbers.

    Attributes
    ----------
    text : ipywidgets.Text
    said : ipywidgets.HTML
        Why something else than what was typed holds; empty where it does not.

    Examples
    --------
    >>> box = NumberBox(widgets.FloatSlider(value=0.5, max=1, step=0.05))
    >>> box.text.value = "0,3"
    >>> box.slider.value, box.text.value, box.said.value
    (0.3, '0.30', '')
    """

    def __init__(self, slider: widgets.FloatSlider | widgets.IntSlider) -> None:
        slider.readout = False
        self.slider = slider
        self.text = widgets.Text(
            continuous_update=False,
            tooltip=f"{slider.description}: number",
            layout={"width": "72px"},
        )
        self.said = widgets.HTML()
        traitlets.dlink((slider, "disabled"), (self.text, "disabled"))
        self._show()
        slider.observe(lambda change: self._show(), "value")
        self.text.observe(lambda change: self._take(change.new), "value")
        super().__init__([slider, self.text, self.said], layout={"flex_flow": "row wrap"})

    def _show(self) -> None:
        """Print what holds; words about an earlier number would be wrong by now."""
        self.said.value = ""
        self.text.value = self._printed(self.slider.value)

    def _printed(self, number: float) -> str:
        return f"{number:{self.slider.readout_format}}"

    def _take(self, typed: str) -> None:
        slider = self.slider
        if typed == self._printed(slider.value):
            return
        number, words = read_number(typed, percent=isinstance(slider, widgets.FloatSlider)), ""
        slack = slider.step / 2  # an end is printed with fewer digits than it has
        if number is None or not slider.min - slack < number < slider.max + slack:
            ends = f"from {self._printed(slider.min)} to {self._printed(slider.max)}"
            words = f"“{typed}” is no number {ends}: {self._printed(slider.value)} stays."
        else:
            steps = round((number - slider.min) / slider.step)
            slider.value = min(round(slider.min + steps * slider.step, 9), slider.max)
            if abs(slider.value - number) > _SAME:
                held = self._printed(slider.value)
                words = f"“{typed}” lies between two steps: the nearest one, {held}, holds."
        self._show()
        self.said.value = f'<span role="status">{html.escape(words)}</span>' if words else ""


def read_number(typed: str, *, percent: bool) -> float | None:
    """Read a number with a decimal point or comma; None where it is no number.

    Examples
    --------
    >>> [read_number(typed, percent=True) for typed in ("0,3", "30 %", ".5", "abc", "", "1.000,5")]
    [0.3, 0.3, 0.5, None, None, None]
    >>> read_number("50%", percent=False) is None
    True
    """
    found = _NUMBER.fullmatch(typed)
    if not found or (found[2] and not percent):
        return None
    return float(found[1].replace(",", ".")) / (100 if found[2] else 1)
