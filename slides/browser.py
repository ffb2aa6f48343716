"""The browser that prints decks, and that tests drive."""

from __future__ import annotations

import shutil

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """The first browser of ``BROWSERS`` on this computer, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)
