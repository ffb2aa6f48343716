"""A lesson as its source describes it, read with nothing but the standard library."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from seminar_lib import markdown

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"
ACTIVITIES = ("reading", "coding", "discussion")


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        source: its percent script, ``notebooks/source/NN_name.py``.
    """

    source: Path

    @property
    def name(self) -> str:
        """``"01_fgsm"``: the file name of the source and of every notebook built from it."""
        return self.source.stem

    @property
    def number(self) -> int:
        """The lesson's place in the course."""
        return int(self.name.split("_")[0])

    @property
    def student_path(self) -> Path:
        """Where the notebook with stubs stands."""
        return self.source.parents[1] / f"{self.name}.ipynb"

    @property
    def solution_path(self) -> Path:
        """Where the complete, executed notebook stands."""
        return self.source.parents[1] / "solutions" / f"{self.name}.ipynb"

    @property
    def title(self) -> str:
        """The heading of the first cell, without its number.

        Raises:
            ValueError: the first cell has no heading.
        """
        heading = re.search(r"^# +(?:\d+\.? +)?(.+)$", self._opening, re.MULTILINE)
        if heading is None:
            raise ValueError(
                f"{self.source.name}: the first cell needs a title, as in '# # 1. FGSM: one gradient step'."
            )
        return heading[1].strip()

    @property
    def minutes(self) -> dict[str, int]:
        """Minutes for reading, coding and discussion.

        Raises:
            ValueError: the first cell does not give all three.
        """
        given = {name: re.search(rf"\b{name}\W+(\d+) min", self._opening, re.IGNORECASE) for name in ACTIVITIES}
        minutes = {name: int(match[1]) for name, match in given.items() if match}
        if missing := [name for name in ACTIVITIES if name not in minutes]:
            raise ValueError(
                f"{self.source.name}: the first cell does not say how many minutes {' and '.join(missing)} takes. "
                "Write a line like 'Reading 15 min, coding 30 min, discussion 15 min.'"
            )
        return minutes

    @property
    def objectives(self) -> list[str]:
        """What a student can do after the lesson: the items of the list in the first cell.

        Raises:
            ValueError: there is no list.
        """
        items = re.findall(r"^- +(.+(?:\n +\S.*)*)", self._opening, re.MULTILINE)
        if not items:
            raise ValueError(f"{self.source.name}: the first cell lists no objectives (lines that start with '- ').")
        return [" ".join(item.split()) for item in items]

    @cached_property
    def _opening(self) -> str:
        """The text of the first cell, without the comment signs."""
        script = self.source.read_text(encoding="utf-8")
        cell = re.search(r"^# %% \[markdown\].*\n((?:#.*\n)+?)(?=# %%|[^#]|\Z)", script, re.MULTILINE)
        if cell is None:
            raise ValueError(f"{self.source.name}: no text cell found. A lesson opens with a cell '# %% [markdown]'.")
        return re.sub(r"^# ?", "", cell[1], flags=re.MULTILINE)


def found(folder: Path = SOURCES) -> list[Lesson]:
    """Every lesson with a source in ``folder``, in order.

    Raises:
        FileNotFoundError: there is no such folder; an installed package holds none, only a clone does.
        ValueError: two sources have one number.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"No folder {folder}: the lessons' sources come with a clone of the repository only.")
    lessons = [Lesson(path) for path in sorted(folder.glob("[0-9][0-9]_*.py"))]
    for one, next_one in pairwise(lessons):
        if one.number == next_one.number:
            raise ValueError(f"Lessons {one.name} and {next_one.name} have the same number; rename one of them.")
    return lessons


def named(names: Collection[str]) -> list[Lesson]:
    """The lessons of these names, such as ``"01_fgsm"``, in the order of the course; all of them for no name.

    Raises:
        ValueError: there is no such lesson; the message lists them all.
    """
    lessons = found()
    known = [lesson.name for lesson in lessons]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"There is no lesson {unknown[0]!r}. Lessons: {', '.join(known)}.")
    return [lesson for lesson in lessons if not names or lesson.name in names]


def table(lessons: Iterable[Lesson]) -> str:
    """The lessons as a Markdown table; links count from the top of the repository."""
    return markdown.table(
        ("Lesson", *(name.capitalize() for name in ACTIVITIES)),
        (
            (
                f"[{lesson.number}. {lesson.title}](notebooks/{lesson.name}.ipynb)",
                *(f"{lesson.minutes[name]} min" for name in ACTIVITIES),
            )
            for lesson in lessons
        ),
    )
