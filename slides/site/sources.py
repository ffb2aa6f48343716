"""What Sphinx reads: the texts of the repository at the places that they have there, and the pages made of the rest."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import nbformat

from seminar_lib import markdown
from seminar_lib.lessons import Lesson, found
from slides.deck import FOLDER, find, names
from slides.site import api, gallery, lessons, questions

ROOT = FOLDER.parent
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def pages() -> dict[str, str | bytes]:
    """Every file by its path: texts, notebooks, and the pictures in them."""
    course = found()
    texts = {
        "index.md": f"{_text('README.md')}\n{_contents(course)}",
        "results/index.md": _text("results/README.md"),
        "slides/index.md": _decks(),
        "CONTRIBUTING.md": _text("CONTRIBUTING.md"),
        **{
            f"slides/teacher/{path.name.replace('README', 'index')}": path.read_text(encoding="utf-8")
            for path in sorted((FOLDER / "teacher").glob("*.md"))
        },
    }
    return {
        **{path: relink(text, path) for path, text in texts.items()},
        **{f"notebooks/{lesson.name}.ipynb": nbformat.writes(lessons.page(lesson)) for lesson in course},
        **{f"downloads/{lesson.name}.ipynb": lesson.student_path.read_bytes() for lesson in course},
        **{name: (ROOT / name).read_bytes() for name in ("LICENSE", "CITATION.cff")},
        **{path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sorted((ROOT / "results").rglob("*.png"))},
        **questions.pages(sorted((FOLDER / "teacher").glob("[0-9]*.md"))),
        **gallery.pages(course),
        **api.pages(),
    }


def lay(files: dict[str, str | bytes], folder: Path) -> None:
    """Write the files into a folder, and remove what else is there. What has not changed keeps its date."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        path, new = folder / name, text.encode() if isinstance(text, str) else text
        if not path.exists() or path.read_bytes() != new:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(new)


def relink(text: str, path: str) -> str:
    """The Markdown of a page with each link to what has another name on the site changed to that.

    A README is the index of its folder, a folder stands for its index, and a deck is shown as the slides built of it.
    """

    def change(link: re.Match[str]) -> str:
        words, target, anchor = link[1], link[2], link[3] or ""
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if full in {f"slides/{name}.md" for name in names()}:
            return f'<a href="{target.removesuffix(".md")}.html">{words}</a>'
        if (ROOT / full).is_dir():
            target = posixpath.join(target, "index.md")
        return f"[{words}]({target.replace('README.md', 'index.md')}{anchor})"

    return LINK.sub(change, text)


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _decks() -> str:
    """The page about the slides."""
    decks = [find(name) for name in names()]
    rows = [
        (f"[{deck.title}]({deck.name}.md)", f"[guide](teacher/{deck.name}.md)", len(deck.slides), f"{deck.minutes} min")
        for deck in decks
    ]
    table = markdown.table(("Deck", "To prepare from", "Slides", "Time"), rows)
    return (
        "# Slides\n\nEach deck is one file that opens in the browser: `p` shows the teacher's notes, `f` fills the "
        f"screen, the arrow keys turn the pages.\n\n{table}\n"
    )


def _contents(course: list[Lesson]) -> str:
    """The tables of contents, which the sidebar shows."""
    guides = sorted(path.stem for path in (FOLDER / "teacher").glob("*.md") if path.stem != "README")
    parts = {
        "Lessons": [f"notebooks/{lesson.name}" for lesson in course] + ["gallery"],
        "For teachers": [
            "slides/index",
            "slides/teacher/index",
            *(f"slides/teacher/{name}" for name in guides),
            "slides/teacher/questions/index",
        ],
        "Reference": ["api/index", "results/index", "CONTRIBUTING"],
    }
    return "\n".join(
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```", ""])
        for caption, entries in parts.items()
    )
