"""The unnamed networks of lesson 12 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser

SMALL = """
import torch
from seminar_lib import SmallCNN, Split
from seminar_lib.widgets import MaskingDemo

torch.manual_seed(0)
images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
model, robust = (SmallCNN(2).build(5, mean=(0.5,) * 3, std=(0.1,) * 3).eval() for _ in range(2))
MaskingDemo(model, robust, Split(images, model(images / 255).argmax(1)), ["ant", "bee", "cat", "dog", "elk"])
"""


def check_keys(page):
    """The arrow keys choose network and image, Tab and Enter a guess, and picture and words follow."""
    network = page.slider("network")
    network.focus()
    expect(page.sentence).to_contain_text("Network A")
    assert all_differ([page.pixels(), *(page.press("ArrowRight", f"Network {letter}") for letter in "BC")])
    page.next_image()
    expect(page.sentence).to_contain_text("Image 2")
    for guess, verdict in (("random answers", "Not random answers"), ("shattered gradient", "Right: shattered")):
        network.focus()
        page.push(guess, verdict)
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    check_keys(notebook(SMALL))
