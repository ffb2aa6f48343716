"""The walk through the embedding of lesson 08 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

from .page import all_differ

pytestmark = pytest.mark.browser

TWO_NETWORKS = """
import torch
from seminar_lib import SmallCNN, Split
from seminar_lib.widgets import EmbeddingDemo

torch.manual_seed(0)
images = torch.randint(256, (40, 3, 32, 32), dtype=torch.uint8)
networks = {
    name: SmallCNN().build(5, mean=(0.5, 0.5, 0.5), std=(0.01, 0.01, 0.01)).eval() for name in ("first", "second")
}
data = Split(images, networks["first"](images / 255).argmax(1))
EmbeddingDemo(networks, data, ["ant", "bee", "cat", "dog", "elk"])
"""


def check_keys(page):
    """The arrow keys walk along, picture and words follow, and another network has another map."""
    page.slider("step").focus()
    expect(page.sentence).to_contain_text("step 0 of 20")
    assert all_differ([page.pixels(), *(page.press("ArrowRight", f"step {step} of 20") for step in (1, 2, 3))])
    end = page.rush("ArrowRight", 20, end="step 20 of 20", back="ArrowLeft", before="step 19 of 20")
    first, *_ = page.sentence.inner_text().partition(",")
    page.slider("network").press("ArrowRight")
    expect(page.sentence).not_to_contain_text(f"{first},")
    assert page.pixels() != end
    page.next_image()
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    check_keys(notebook(TWO_NETWORKS))
