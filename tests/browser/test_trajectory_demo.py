"""The walk of lesson 02 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser


def check_keys(page):
    """The arrow keys walk along, picture and words follow, and other settings make another walk."""
    page.slider("step").focus()
    expect(page.sentence).to_contain_text("step 10 of 20")
    assert all_differ([page.pixels(), *(page.press("ArrowLeft", f"step {step} of 20") for step in (9, 8, 7))])
    seen = [page.rush("ArrowRight", 20, end="step 20 of 20", back="ArrowLeft", before="step 19 of 20")]
    for description, words in (
        ("eps", "eps = 12/255"),
        ("step size", "step size 4/255"),
        ("start", "the random 1 start"),
    ):
        page.slider(description).focus()
        seen.append(page.press("ArrowRight", words))
    assert all_differ(seen)
    page.next_image()
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(small):
    check_keys(small("TrajectoryDemo"))
