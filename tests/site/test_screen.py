"""Faults planted in a page are found in a browser."""

import pytest
from browser.launch import launched

from slides import npm
from slides.site import screen

PAGE = '<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>{}</main></html>'


@pytest.fixture(scope="module")
def chromium():
    """A browser; where it or axe-core is missing, the test is skipped."""
    if npm.installed() != npm.pinned():
        pytest.skip("axe-core is not installed: run `npm ci` in slides/")
    yield from launched()


@pytest.fixture
def faults(chromium, tmp_path):
    """What is wrong with a page of these words."""

    def look(words):
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(words), encoding="utf-8")
        return screen.faults(chromium, [path])

    return look


def test_a_healthy_page_has_none(faults):
    assert faults("<p>Words.</p>") == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ('<p style="color: #999; background: #fff">pale</p>', "color-contrast"),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "image-alt"),
        ('<script src="http://127.0.0.1:9/a.js"></script>', "asks for http://127.0.0.1:9/a.js"),
        ('<div style="width: 3000px">wide</div>', "is wider than the window"),
    ],
)
def test_a_planted_fault_is_found_in_both_themes(faults, words, fault):
    found = faults(words)
    for theme in screen.LOOKS:
        assert any(f"/page.html, {theme}: {fault}" in one for one in found), found
