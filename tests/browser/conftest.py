"""JupyterLab and a browser, started once for all browser tests; each test opens notebooks of its own."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from .lab import Lab
from .launch import launched
from .page import NotebookPage

SCREEN = {"width": 1280, "height": 720}  # a classroom projector
FAILED = pytest.StashKey[list[str]]()  # the phases of a test that failed
SMALL = """
import torch
from seminar_lib import SmallCNN, Split
from seminar_lib.widgets import {demo}

torch.manual_seed(0)
images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
model = SmallCNN().build(5, mean=(0.5, 0.5, 0.5), std=(0.01, 0.01, 0.01)).eval()
{demo}(model, Split(images, model(images / 255).argmax(1)), ["ant", "bee", "cat", "dog", "elk"])
"""
expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no failure


@pytest.fixture(scope="package")
def chromium():
    yield from launched()


@pytest.fixture(scope="package")
def lab(chromium, tmp_path_factory):
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash.setdefault(FAILED, []).append(report.when)
    return report


@pytest.fixture
def open_notebook(chromium, lab, request, tmp_path):
    """Open a notebook file in JupyterLab; after a failure, a screenshot stays in the test's folder."""
    pages = []

    def open_(path):
        page = chromium.new_page(viewport=SCREEN)
        pages.append(page)
        return NotebookPage(page, lab, lab.add(path))

    yield open_
    for number, page in enumerate(pages):
        if FAILED in request.node.stash:
            picture = tmp_path / f"page-{number}.png"
            page.screenshot(path=picture)
            print(f"What the browser showed: {picture}")
        page.evaluate("window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()")  # the kernel holds memory
        page.close()


@pytest.fixture
def notebook(open_notebook, tmp_path):
    """Open a notebook made of the given cells, and run them, unless told not to."""

    def make(*sources, run=True):
        path = tmp_path / f"{tmp_path.name}.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3"}
        cells = [new_code_cell(source.strip()) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        page = open_notebook(path)
        if run:
            page.run_all_and_wait()
        return page

    return make


@pytest.fixture
def small(notebook):
    """Open a notebook that shows the demo of this name, of a small network and four images."""
    return lambda demo: notebook(SMALL.format(demo=demo))
