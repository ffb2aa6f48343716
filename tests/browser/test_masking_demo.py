"""The unnamed networks of lesson 12 at the keyboard, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

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
    seen = [page.pixels()]
    for letter in "BC":
        page.page.keyboard.press("ArrowRight")
        expect(page.sentence).to_contain_text(f"Network {letter}")
        seen.append(page.pixels())
    assert len(set(seen)) == len(seen)

    source = page.picture.get_attribute("src")
    page.slider("image").press("ArrowRight")
    expect(page.sentence).to_contain_text("Image 2")
    expect(page.picture).not_to_have_attribute("src", source)

    for words, verdict in (("random answers", "Not random answers"), ("shattered gradient", "Right: shattered")):
        network.focus()
        for _ in range(20):
            page.page.keyboard.press("Tab")
            if page.page.evaluate("document.activeElement.textContent") == words:
                break
        page.page.keyboard.press("Enter")
        expect(page.sentence).to_contain_text(verdict)
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    page = notebook(SMALL)
    page.run_all_and_wait()
    check_keys(page)
