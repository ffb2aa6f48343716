"""The three balls of lesson 02 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .test_fgsm_demo import SMALL

pytestmark = pytest.mark.browser


def check_keys(page):
    """The arrow keys change each radius, and picture and words follow."""
    expect(page.sentence).to_contain_text("Linf ball of 8/255")
    seen = [page.pixels()]
    for description, words in (("Linf", "Linf ball of 12/255"), ("L2", "L2 ball of 1.5"), ("L1", "L1 ball of 16")):
        page.slider(description).press("ArrowRight")
        expect(page.sentence).to_contain_text(words)
        seen.append(page.pixels())
    assert len(set(seen)) == len(seen)

    for _ in range(8):
        page.slider("L2").press("ArrowLeft")
    expect(page.sentence).to_contain_text("L2 ball of 0.1")
    after_a_rush = page.pixels()
    page.slider("L2").press("ArrowRight")
    expect(page.sentence).to_contain_text("L2 ball of 0.25")
    page.slider("L2").press("ArrowLeft")
    expect(page.sentence).to_contain_text("L2 ball of 0.1:")
    assert page.pixels() == after_a_rush

    source = page.picture.get_attribute("src")
    page.slider("image").press("ArrowRight")
    expect(page.picture).not_to_have_attribute("src", source)
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    page = notebook(SMALL.replace("FGSMDemo", "ThreatsDemo"))
    page.run_all_and_wait()
    check_keys(page)
