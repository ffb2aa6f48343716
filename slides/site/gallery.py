"""The demos as pictures: the still picture that stands beside each demo in its lesson."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from seminar_lib import widgets
from seminar_lib.lessons import Lesson
from slides.site.lessons import Picture, pictures

STILL = re.compile(r"\b(\w+)\.static\(\)")


@dataclass(frozen=True)
class Still:
    """A demo in a lesson: the name of its class in ``seminar_lib.widgets``, and how it looks."""

    demo: str
    picture: Picture


def stills(lesson: Lesson) -> Iterator[Still]:
    """The demos of a lesson, in the order in which they come."""
    source = lesson.source.read_text(encoding="utf-8")
    for picture in pictures(lesson):
        if found := STILL.search(picture.code):
            made = re.search(rf"^{found[1]} = (\w+)\(", source, re.MULTILINE)
            if made is None:
                raise ValueError(f"{lesson.name}: {found[0]} draws a demo that no line `{found[1]} = ...(` makes.")
            yield Still(made[1], picture)


def pages(lessons: list[Lesson]) -> dict[str, str | bytes]:
    """The page and its pictures, by path."""
    files: dict[str, str | bytes] = {}
    parts = [
        "# Gallery of the demos\n",
        "What the demos of the lessons look like. In a notebook they have sliders and buttons, all of which take keys, "
        "and say in words what they show.\n",
    ]
    for lesson in lessons:
        for number, still in enumerate(stills(lesson)):
            path = f"pictures/{lesson.name}_{number}.png"
            files[path] = still.picture.png
            if number == 0:
                parts += [f"## [{lesson.number}. {lesson.title}](notebooks/{lesson.name}.ipynb)\n"]
            doc = (inspect.getdoc(getattr(widgets, still.demo)) or "").split("\n")[0]
            parts += [f"![{still.picture.alt}]({path})\n", f"{{py:obj}}`~seminar_lib.widgets.{still.demo}`: {doc}\n"]
    return {"gallery.md": "\n".join(parts), **files}
