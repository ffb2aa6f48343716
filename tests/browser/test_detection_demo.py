"""The movable threshold of lesson 11 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser

SMALL = """
import torch
from seminar_lib import FeatureSqueezing, SmallCNN, Split
from seminar_lib.widgets import DetectionDemo

torch.manual_seed(0)
images = torch.randint(256, (104, 3, 32, 32), dtype=torch.uint8)
model = SmallCNN(2).build(5, mean=(0.5,) * 3, std=(0.01,) * 3).eval()
split = Split(images, model(images / 255).argmax(1))
DetectionDemo(model, {"squeezing": FeatureSqueezing(model), "again": FeatureSqueezing(model)}, split, split[:4])
"""


def check_keys(page):
    """The arrow keys move the threshold, picture and words follow, and another attack gives other words."""
    page.slider("threshold").focus()
    expect(page.sentence).to_contain_text("which rejects 5% of")
    rates = (10, 20, 30, 50)
    assert all_differ([page.pixels(), *(page.press("ArrowLeft", f"which rejects {rate}% of") for rate in rates)])
    page.rush("ArrowRight", 10, end="which rejects 1% of", back="ArrowLeft", before="which rejects 2% of")
    page.slider("attack").focus()
    assert all_differ(
        [
            page.press("ArrowLeft", "Without an attack"),
            page.press("ArrowRight", "that does not know the detector"),
            page.press("ArrowRight", "that knows it"),
        ]
    )
    page.slider("eps").focus()
    page.press("ArrowLeft", "Under an attack of 4/255")
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    check_keys(notebook(SMALL))
