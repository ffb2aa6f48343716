"""Running Sphinx: every warning, of a broken link or an unknown name, is an error."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from slides import marp, npm
from slides.deck import FOLDER, find, names
from slides.site.sources import lay, pages

BUILD = FOLDER / "build"
SITE = BUILD / "site"


def build() -> Path:
    """Write the whole site into slides/build/site, the decks included, and return its first page.

    Raises:
        SystemExit: npm is missing, or a page has a fault; with a sentence.
    """
    npm.install()
    extra = BUILD / "site-decks"
    for name in names():
        deck, built = find(name), extra / "slides" / f"{name}.html"
        if not built.exists() or built.stat().st_mtime < newest(name):
            marp.build(deck, "html", built.parent)
    files = pages()
    lay(files, BUILD / "site-sources")
    return run(BUILD / "site-sources", SITE, extra)


def newest(name: str) -> float:
    """When the deck of this name, or something that it is made of, was last changed."""
    parts = [FOLDER / f"{name}.md", FOLDER / "theme.css", FOLDER / "package-lock.json"]
    return max(path.stat().st_mtime for path in [*parts, *(FOLDER / "figures" / name).glob("*.svg")])


def run(sources: Path, out: Path, extra: Path) -> Path:
    """Let Sphinx write the pages of ``sources`` and all files of ``extra`` into ``out``; return the first page.

    Raises:
        SystemExit: a page has a fault. Sphinx says which, and where.
    """
    doctrees = out.with_name(f"{out.name}-doctrees")
    # Sphinx reads a page again when its sources have changed, but not when what we do to them has.
    read = doctrees / "environment.pickle"
    ours = max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py"))
    with patch_docutils(), docutils_namespace():
        site = Sphinx(
            srcdir=sources,
            confdir=Path(__file__).parent,
            outdir=out,
            doctreedir=doctrees,
            freshenv=read.exists() and read.stat().st_mtime < ours,
            buildername="html",
            confoverrides={"html_extra_path": [str(extra)]},
            warningiserror=True,
            status=None,
        )
        site.build()
    if site.statuscode:
        raise SystemExit("The site has faults; Sphinx says which above.")
    return out / "index.html"
