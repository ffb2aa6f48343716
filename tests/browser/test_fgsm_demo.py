"""The demo of lesson 01 at the keyboard, in a real JupyterLab."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SMALL = """
import torch
from seminar_lib import SmallCNN, Split
from seminar_lib.widgets import FGSMDemo

torch.manual_seed(0)
images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
model = SmallCNN().build(5, mean=(0.5, 0.5, 0.5), std=(0.01, 0.01, 0.01)).eval()
FGSMDemo(model, Split(images, model(images / 255).argmax(1)), ["ant", "bee", "cat", "dog", "elk"])
"""


def check_keys(page):
    """The arrow keys move eps, picture and words follow, and however fast the keys come, both end where eps does."""
    eps = page.slider("eps")
    eps.focus()
    expect(page.sentence).to_contain_text("eps = 8/255 along sign(gradient)")
    seen = [page.pixels()]
    for press in range(3):
        page.page.keyboard.press("ArrowRight")
        expect(page.sentence).to_contain_text(f"eps = {9 + press}/255")
        seen.append(page.pixels())
    assert len(set(seen)) == len(seen)

    for _ in range(12):
        page.page.keyboard.press("ArrowRight")
    expect(page.sentence).to_contain_text("eps = 23/255")
    after_a_rush = page.pixels()
    eps.press("ArrowLeft")
    expect(page.sentence).to_contain_text("eps = 22/255")
    eps.press("ArrowRight")
    expect(page.sentence).to_contain_text("eps = 23/255")
    assert page.pixels() == after_a_rush

    for _ in range(20):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.textContent") == "random signs":
            break
    page.page.keyboard.press("Enter")
    expect(page.sentence).to_contain_text("eps = 23/255 along random signs")
    assert page.pixels() != after_a_rush
    source = page.picture.get_attribute("src")
    page.slider("image").press("ArrowRight")
    expect(page.picture).not_to_have_attribute("src", source)
    page.assert_no_traceback()


def test_the_demo_follows_the_keys(notebook):
    page = notebook(SMALL)
    page.run_all_and_wait()
    check_keys(page)


def two_cores_are_free():
    """Whether two threads of pure work get two cores: only then do times say anything about the demo."""
    block = bytes(50_000_000)
    wall, work = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sha256, [block] * 2))
    return time.process_time() - work > 0.85 * 2 * (time.perf_counter() - wall)


def test_a_key_press_changes_the_picture_within_a_tenth_of_a_second(notebook):
    page = notebook(SMALL)
    page.run_all_and_wait()
    medians = []
    for key in ("ArrowRight", "ArrowLeft", "ArrowRight"):
        quiet = two_cores_are_free()
        waits = page.key_to_pixels(page.slider("eps"), key, times=15)
        print("key to pixels, ms:", sorted(round(wait) for wait in waits))
        if quiet and two_cores_are_free():
            medians.append(statistics.median(waits))
    if not medians:
        pytest.skip("this machine is busy with other work: its times say nothing about the demo")
    assert min(medians) < 100
