"""JupyterLab and a browser, started once for all browser tests; each test opens notebooks of its own."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect, sync_playwright

from .lab import BROWSERS, Lab, NotebookPage, browser_path

SCREEN = {"width": 1280, "height": 720}  # a classroom projector
FAILED = pytest.StashKey[list[str]]()  # the phases of a test that failed
expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no failure


@pytest.fixture(scope="package")
def chromium():
    if (path := browser_path()) is None:
        pytest.skip(f"no browser found: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


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
    """Open a notebook made of the given cells."""

    def make(*sources):
        path = tmp_path / f"{tmp_path.name}.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3"}
        cells = [new_code_cell(source.strip()) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        return open_notebook(path)

    return make
