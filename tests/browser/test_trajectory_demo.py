"""The walk of lesson 02 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .test_fgsm_demo import SMALL

pytestmark = pytest.mark.browser


def check_keys(page):
    """The arrow keys walk along, picture and words follow, and other settings make another walk."""
    step = page.slider("step")
    step.focus()
    expect(page.sentence).to_contain_text("step 10 of 20")
    seen = [page.pixels()]
    for press in range(3):
        page.page.keyboard.press("ArrowLeft")
        expect(page.sentence).to_contain_text(f"step {9 - press} of 20")
        seen.append(page.pixels())
    assert len(set(seen)) == len(seen)

    for _ in range(20):
        page.page.keyboard.press("ArrowRight")
    expect(page.sentence).to_contain_text("step 20 of 20")
    after_a_rush = page.pixels()
    step.press("ArrowLeft")
    expect(page.sentence).to_contain_text("step 19 of 20")
    step.press("ArrowRight")
    expect(page.sentence).to_contain_text("step 20 of 20")
    assert page.pixels() == after_a_rush

    seen = [after_a_rush]
    for description, words in (
        ("eps", "eps = 12/255"),
        ("step size", "step size 4/255"),
        ("start", "the random 1 start"),
    ):
        page.slider(description).press("ArrowRight")
        expect(page.sentence).to_contain_text(words)
        seen.append(page.pixels())
    assert len(set(seen)) == len(seen)
    source = page.picture.get_attribute("src")
    page.slider("image").press("ArrowRight")
    expect(page.picture).not_to_have_attribute("src", source)
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    page = notebook(SMALL.replace("FGSMDemo", "TrajectoryDemo"))
    page.run_all_and_wait()
    check_keys(page)
