"""The votes and the radius of lesson 09 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser

SMALL = """
import torch
from seminar_lib import SmallCNN, Split
from seminar_lib.widgets import SmoothingDemo

torch.manual_seed(0)
images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
networks = {sigma: SmallCNN(2).build(5, mean=(0.5,) * 3, std=(0.2,) * 3).eval() for sigma in (0.02, 0.05, 0.1)}
SmoothingDemo(networks, Split(images, networks[0.02](images / 255).argmax(1)), ["ant", "bee", "cat", "dog", "elk"])
"""


def check_keys(page):
    """The arrow keys let more copies vote, picture and words follow, and other noise gives other votes."""
    page.slider("n").focus()
    expect(page.sentence).to_contain_text("of 100 noisy copies")
    assert all_differ([page.pixels(), *(page.press("ArrowRight", f"of {n} noisy copies") for n in (200, 500, 1000))])
    page.rush("ArrowLeft", 8, end="of 10 noisy copies", back="ArrowRight", before="of 20 noisy copies")
    first, *_ = page.sentence.inner_text().partition(": of")
    page.slider("sigma").press("ArrowRight")
    expect(page.sentence).not_to_contain_text(f"{first}:")
    page.next_image()
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    check_keys(notebook(SMALL))
