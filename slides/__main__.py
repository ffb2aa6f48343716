"""The command line: ``make slides``, ``figures``, ``site`` and ``check-site``, or ``python -m slides``.

The latter also writes the glossary.
"""

from __future__ import annotations

import time
from typing import Literal

import tyro

from seminar_lib.glossary import page
from slides.deck import FOLDER, find, names
from slides.marp import build as build_one


def build(
    decks: tyro.conf.Positional[tuple[str, ...]] = (),
    kinds: tuple[Literal["html", "pdf", "pptx"], ...] = ("html", "pdf", "pptx"),
) -> None:
    """Build decks into slides/build: each a file that opens without the network.

    Args:
        decks: their names, such as 01_fgsm; all, if none is given.
        kinds: what to write.
    """
    for name in decks or names():
        deck = find(name)
        for kind in kinds:
            start = time.perf_counter()
            path = build_one(deck, kind, FOLDER / "build")
            print(f"{path.relative_to(FOLDER.parent)}: {time.perf_counter() - start:.1f} s", flush=True)


def figures(decks: tyro.conf.Positional[tuple[str, ...]] = ()) -> None:
    """Draw the figures of decks again, from the library and the shipped networks.

    Args:
        decks: their names, such as 01_fgsm; all, if none is given.
    """
    from slides.draw import FIGURES, draw, drawings  # it loads PyTorch, which building does without

    for name in decks or names():
        for part, function in drawings(name):
            path = FIGURES / name / f"{part}.svg"
            start = time.perf_counter()
            draw(function, path)
            print(f"{path.relative_to(FOLDER.parent)}: {time.perf_counter() - start:.1f} s", flush=True)


def glossary() -> None:
    """Write slides/teacher/glossary.md from the glossary of the library."""
    path = FOLDER / "teacher" / "glossary.md"
    path.write_text(page(), encoding="utf-8")
    print(path.relative_to(FOLDER.parent))


def site() -> None:
    """Build the page of the course into slides/build/site, every warning an error."""
    from slides.site.build import build as build_site  # it needs Sphinx, which the decks do without

    start = time.perf_counter()
    print(f"{build_site().relative_to(FOLDER.parent)}: {time.perf_counter() - start:.1f} s")


def check_site() -> None:
    """Look at the page of the course as built: links, pictures without words, requests, accessibility in a browser."""
    from slides.site.check import check  # it needs playwright

    if faults := check():
        raise SystemExit("\n".join(faults))
    print("No fault found")


if __name__ == "__main__":
    try:
        tyro.extras.subcommand_cli_from_dict(
            {"build": build, "figures": figures, "glossary": glossary, "site": site, "check-site": check_site},
            prog="python -m slides",
        )
    except ValueError as mistake:
        raise SystemExit(str(mistake)) from None
