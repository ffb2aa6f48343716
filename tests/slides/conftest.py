"""A browser for the tests that look at slides as they are shown."""

import pytest
from browser.launch import launched

from slides import npm


@pytest.fixture(scope="module")
def chromium():
    """A browser; where it or marp is missing, the test is skipped."""
    if npm.installed() != npm.pinned():
        pytest.skip("marp is not installed: run `npm ci` in slides/")
    yield from launched()
