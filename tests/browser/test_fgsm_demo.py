"""The demo of lesson 01 at the keyboard, in a real JupyterLab."""

import statistics

import pytest
from playwright.sync_api import expect

from .conftest import SMALL
from .page import all_differ

pytestmark = pytest.mark.browser


def check_keys(page):
    """The arrow keys move eps, picture and words follow, and however fast the keys come, both end where eps does."""
    page.slider("eps").focus()
    expect(page.sentence).to_contain_text("eps = 8/255 along sign(gradient)")
    assert all_differ([page.pixels(), *(page.press("ArrowRight", f"eps = {eps}/255") for eps in (9, 10, 11))])
    fast = page.rush("ArrowRight", 12, end="eps = 23/255", back="ArrowLeft", before="eps = 22/255")
    assert page.push("random signs", "eps = 23/255 along random signs") != fast
    page.next_image()
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(small):
    check_keys(small("FGSMDemo"))


READY = """
from dataclasses import replace
import ipywidgets
from seminar_lib.widgets.canvas import png

demo = _
pictures = [png(demo.render(replace(demo.state, eps=eps))) for eps in range(33)]
slider = ipywidgets.IntSlider(value=8, max=32, description="eps")
picture = ipywidgets.Image(value=pictures[8], width=demo.picture.width, height=demo.picture.height)
slider.observe(lambda change: setattr(picture, "value", pictures[change["new"]]), "value")
ipywidgets.VBox([slider, picture])
"""


def test_a_key_press_costs_little_more_than_with_pictures_that_are_ready(notebook):
    """How long JupyterLab itself takes from a key to new pixels depends on the machine; drawing must not add much."""
    page = notebook(SMALL.format(demo="FGSMDemo"), READY)
    ratios = []
    for key in ("ArrowRight", "ArrowLeft", "ArrowRight"):
        medians = []
        for page.number in (0, 1):
            waits = page.key_to_pixels(page.slider("eps"), key, times=15)
            print("key to pixels, ms:", sorted(round(wait) for wait in waits))
            medians.append(statistics.median(waits))
        ratios.append(medians[0] / medians[1])
    assert min(ratios) < 3
