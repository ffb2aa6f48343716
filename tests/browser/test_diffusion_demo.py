"""Noise and purification of lesson 10 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser

SMALL = """
import torch
from seminar_lib import SmallCNN, Split
from seminar_lib.models import UNet
from seminar_lib.widgets import DiffusionDemo

torch.manual_seed(0)
images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
model = SmallCNN(2).build(5, mean=(0.5,) * 3, std=(0.01,) * 3).eval()
labels = model(images / 255).argmax(1)
DiffusionDemo(model, UNet(8).build(3), Split(images, labels), ["ant", "bee", "cat", "dog", "elk"])
"""


def check_keys(page):
    """The arrow keys bring more noise, picture and words follow, and another attack is another image."""
    page.slider("t").focus()
    expect(page.sentence).to_contain_text("up to t = 50,")
    times = (75, 100, 150, 200)
    assert all_differ([page.pixels(), *(page.press("ArrowRight", f"up to t = {t},") for t in times)])
    page.rush("ArrowLeft", 10, end="up to t = 0,", back="ArrowRight", before="up to t = 10,")
    page.slider("attack").focus()
    assert all_differ(
        [
            page.press("ArrowLeft", ", clean: without purifier"),
            page.press("ArrowRight", ", attacked until it is misread: without purifier"),
            page.press("ArrowRight", ", attacked to the end: without purifier"),
        ]
    )
    page.next_image()
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    check_keys(notebook(SMALL))
