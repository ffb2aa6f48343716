"""The browser of the tests."""

import pytest
from playwright.sync_api import sync_playwright

from slides.browser import BROWSERS, browser_path


def launched():
    """A browser, closed at the end; where none is installed, the tests are skipped."""
    if (path := browser_path()) is None:
        pytest.skip(f"no browser found: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
