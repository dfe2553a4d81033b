"""What is typed beside a slider is taken as it was meant, or refused in words."""

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest

from clamlab.viewers.following.cut import ConfidenceSlider
from clamlab.viewers.number_box import NumberBox


@pytest.mark.parametrize("typed", ["0.93", "0,93", " 0,930 ", "93%", "93 %"])
def test_a_comma_and_a_share_are_read(typed):
    clusters = pd.Series([0, 0, 1, 1])
    cut = ConfidenceSlider(pd.DataFrame({"confidence": [0.83, 0.92, 0.93, 0.99]}), clusters)
    box = cut.children[0]
    box.text.value = typed
    assert cut.cut.least == 0.93 and cut.cut.stays.tolist() == [False, False, True, True]
    assert float(box.text.value) == 0.93 and box.said.value == ""


@pytest.mark.parametrize("typed", ["abc", "", "7", "-1", "0,5 0,6", "1.000,5", "nan", "1_0", "<b>"])
def test_what_is_no_number_of_the_slider_moves_nothing_and_is_said(typed):
    box = NumberBox(widgets.FloatSlider(value=0.35, min=0, max=1, step=0.05))
    box.text.value = "0.40"
    box.text.value = typed or " "
    assert (box.slider.value, box.text.value) == (0.4, "0.40")
    assert "is no number from 0.00 to 1.00: 0.40 stays" in box.said.value
    assert "<b>" not in box.said.value
    box.slider.value = 0.5  # by hand
    assert (box.text.value, box.said.value) == ("0.50", "")


def test_a_number_between_two_steps_goes_to_the_nearest_and_that_is_said():
    box = NumberBox(widgets.FloatSlider(max=1, step=0.05))
    box.text.value = "0.33"
    assert (box.slider.value, box.text.value) == (0.35, "0.35")
    assert "“0.33” lies between two steps: the nearest one, 0.35, holds" in box.said.value


def test_steps_are_whole_and_take_no_share():
    box = NumberBox(widgets.IntSlider(max=8, value=2))
    box.text.value = "50%"
    assert box.slider.value == 2 and "no number from 0 to 8: 2 stays" in box.said.value
    box.text.value = "5"
    assert (box.slider.value, box.said.value) == (5, "")


def test_both_ends_can_be_typed_as_they_are_printed():
    slider = widgets.FloatSlider(
        value=0.9, min=0.8270000000000001, max=0.992, step=0.001, readout_format=".3f"
    )
    box = NumberBox(slider)
    for end, held in (("0.827", 0.827), ("0.992", 0.992)):
        box.text.value = end
        assert np.isclose(slider.value, held) and box.said.value == ""
