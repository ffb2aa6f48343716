"""The three balls of lesson 02 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser


def check_keys(page):
    """The arrow keys change each radius, and picture and words follow."""
    expect(page.sentence).to_contain_text("Linf ball of 8/255")
    seen = [page.pixels()]
    for description, words in (("Linf", "Linf ball of 12/255"), ("L2", "L2 ball of 1.5"), ("L1", "L1 ball of 16")):
        page.slider(description).focus()
        seen.append(page.press("ArrowRight", words))
    assert all_differ(seen)
    page.slider("L2").focus()
    page.rush("ArrowLeft", 8, end="L2 ball of 0.1:", back="ArrowRight", before="L2 ball of 0.25:")
    page.next_image()
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(small):
    check_keys(small("ThreatsDemo"))
