"""Everything that is looked at before a site is shown: all its links, and a page of each kind in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from slides.browser import BROWSERS, browser_path
from slides.site import links, screen
from slides.site.build import SITE

# Of a folder of pages alike, the one that holds the most; the rest by the folder's name.
FULLEST = (
    "notebooks/02_pgd.html",
    "api/attacks.html",
    "slides/teacher/01_fgsm.html",
    "_modules/seminar_lib/threat.html",
)


def check() -> list[str]:
    """What is wrong with the site as it was built, a line each.

    Raises:
        SystemExit: there is no browser.
    """
    if (path := browser_path()) is None:
        raise SystemExit(f"The page is looked at in a browser, and none of {', '.join(BROWSERS)} is installed.")
    site = SITE.resolve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            return links.faults(site) + screen.faults(browser, kinds(site))
        finally:
            browser.close()


def kinds(site: Path) -> Iterator[Path]:
    """A page of each kind: those that stand alone, the first of each part, and one of those that it leads to."""
    yield from sorted(site.glob("*.html"))
    yield from sorted(path for path in site.rglob("index.html") if path.parent != site)
    yield from (site / name for name in FULLEST)
