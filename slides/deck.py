"""A deck as its file says: slides, with their pictures, and notes for the teacher.

A deck is Markdown for Marp. Its front matter states the title and the minutes that it takes; ``---`` alone on a line
begins the next slide; a comment that begins with minutes, as in ``<!-- 2 min. Say: ... -->``, is the slide's note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent
BREAK = re.compile(r"^---$", re.MULTILINE)
NOTE = re.compile(r"<!--\s*(\d+) min\.\s(.*?)-->", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]*)\)")
TITLE = re.compile(r"^#{1,2} (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Picture:
    """A picture on a slide: what it shows, in words, and its file, seen from the deck."""

    alt: str
    path: str


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: its heading, empty where it has none.
        text: its Markdown without comments.
        note: what to say and to ask, and which answers to expect; empty where there is none.
        minutes: how long the note says that it takes.
        pictures: in their order.
    """

    title: str
    text: str
    note: str
    minutes: int
    pictures: tuple[Picture, ...]

    @classmethod
    def read(cls, source: str) -> Slide:
        """Read the Markdown between two breaks."""
        notes = NOTE.findall(source)
        text = COMMENT.sub("", source).strip()
        title = TITLE.search(text)
        return cls(
            title=title[1] if title else "",
            text=text,
            note=" ".join(words.strip() for _, words in notes),
            minutes=sum(int(minutes) for minutes, _ in notes),
            pictures=tuple(Picture(alt.strip(), path) for alt, path in IMAGE.findall(text)),
        )


@dataclass(frozen=True)
class Deck:
    """The slides of a lesson.

    Attributes:
        name: as ``01_fgsm``.
        path: its file.
        title: of the lesson.
        minutes: how long the whole takes, as the front matter states.
        slides: in their order.
    """

    name: str
    path: Path
    title: str
    minutes: int
    slides: tuple[Slide, ...]

    @classmethod
    def read(cls, path: Path) -> Deck:
        """Read a deck's file.

        Raises:
            ValueError: the front matter lacks a title or the minutes.
        """
        before, *parts = BREAK.split(path.read_text(encoding="utf-8"))
        front = yaml.safe_load(parts[0]) if parts and not before.strip() else None
        if not isinstance(front, dict) or not isinstance(front.get("minutes"), int) or "title" not in front:
            raise ValueError(
                f"{path.name} must begin with front matter between two lines `---` that states `title: ...` and "
                f"`minutes: ...`, a whole number; got {front!r}. Copy that of another deck."
            )
        slides = tuple(Slide.read(part) for part in parts[1:])
        return cls(path.stem, path, str(front["title"]), front["minutes"], slides)


def names() -> list[str]:
    """The names of all decks, in the order of the lessons."""
    return sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.md"))


def find(name: str) -> Deck:
    """The deck of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in names():
        raise ValueError(f"There is no deck {name!r}; there are {', '.join(names())}.")
    return Deck.read(FOLDER / f"{name}.md")
