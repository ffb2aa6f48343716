"""The live curve of lessons 04 to 07 in a real JupyterLab: nobody touches it, it moves while the kernel trains."""

import pytest
from playwright.sync_api import expect

from .lab import START
from .page import all_differ

pytestmark = pytest.mark.browser

CURVE = """
from seminar_lib.widgets import LiveCurve

curve = LiveCurve()
curve
"""
TRAINING = """
import time
from pathlib import Path

import torch
from seminar_lib import Dataset, Recipe, SmallCNN, Split, fit

noise = torch.Generator().manual_seed(0)
images = torch.randint(256, (40, 3, 8, 8), generator=noise, dtype=torch.uint8)
data = Dataset("toy", ("ant", "bee"), (0.5,) * 3, (0.25,) * 3, lambda name: Split(images, torch.arange(40) % 2))


def wait(epochs):
    while not Path("FOLDER", str(epochs)).exists():
        time.sleep(0.05)


def slowly(history):
    curve(history)
    wait(len(history))


wait(0)
trained = fit(Recipe("toy", model=SmallCNN(2), epochs=3), data, progress=False, watch=slowly)
"""


def check_end(page):
    """After a training the curve shows it to the end, with the best epoch, and nothing has failed."""
    expect(page.sentence).to_contain_text("is done. Loss:")
    expect(page.sentence).to_contain_text("Best so far: epoch")
    assert page.pixels()
    page.assert_no_traceback()


def test_the_curve_grows_while_the_kernel_trains(notebook, tmp_path):
    """The kernel goes on when the page has shown an epoch, which is told by a file: no machine is too slow for that."""
    page = notebook(CURVE, TRAINING.replace("FOLDER", str(tmp_path)), run=False)
    page.run_all()
    expect(page.sentence).to_contain_text("The training has not begun.", timeout=1000 * START)
    pictures = []
    for epoch in range(4):
        if epoch:
            expect(page.sentence).to_contain_text(f"Epoch {epoch} is done.")
        page.wait_until_busy()
        pictures.append(page.pixels())
        (tmp_path / str(epoch)).touch()
    assert all_differ(pictures)
    check_end(page)
