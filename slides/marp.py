"""Marp, which turns Markdown into slides: https://github.com/marp-team/marp-cli."""

from __future__ import annotations

import base64
import mimetypes
import os
import re
from pathlib import Path

from slides import powerpoint
from slides.browser import BROWSERS, browser_path
from slides.deck import FOLDER, Deck
from slides.npm import MODULES, install, run

SOURCE = re.compile(r'(?<=<img src=")figures/[^"]+')


def build(deck: Deck, kind: str, folder: Path) -> Path:
    """Write a deck as one file that needs no other.

    Args:
        deck: to be built.
        kind: ``"html"``, ``"pdf"`` or ``"pptx"``; the latter two need a browser.
        folder: where the file goes.

    Raises:
        SystemExit: a program that it takes is missing, or failed; with a sentence.
    """
    install()
    out = folder / f"{deck.name}.{kind}"
    out.parent.mkdir(parents=True, exist_ok=True)
    options = []
    if kind != "html":
        if (browser := browser_path()) is None:
            raise SystemExit(
                f"{kind.upper()} is printed by a browser, and none of {', '.join(BROWSERS)} is installed. Install "
                'Chromium or Google Chrome, or build HTML alone: `make slides ARGS="--kinds html"`.'
            )
        options = ["--allow-local-files", "--browser-path", browser]
    if kind == "pdf":
        options += ["--pdf-outlines", "--pdf-outlines.pages=false"]  # bookmarks are the titles
    command = [str(MODULES / ".bin" / "marp"), deck.path.name, "--output", str(out.absolute()), *options]
    run(command, environment={"CHROME_NO_SANDBOX": "1"} if kind != "html" and is_root() else {})
    if kind == "html":
        out.write_text(embed(out.read_text(encoding="utf-8")), encoding="utf-8")
    if kind == "pptx":
        powerpoint.describe(out, deck)
    return out


def embed(page: str) -> str:
    """The same page with its pictures inside it."""

    def data(source: re.Match[str]) -> str:
        kind, _ = mimetypes.guess_type(source[0])
        return f"data:{kind};base64,{base64.b64encode((FOLDER / source[0]).read_bytes()).decode()}"

    return SOURCE.sub(data, page)


def is_root() -> bool:
    """Whether this is root's process, in which Chromium refuses its sandbox."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
