"""An nbgrader course of the lessons: what students get, and what ``nbgrader autograde`` grades it with."""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from nbformat import NotebookNode
from traitlets.config.loader import PyFileConfigLoader

from seminar_lib import markdown
from seminar_lib.files import whole_file
from seminar_lib.lessons.build import read, write
from seminar_lib.lessons.lesson import Lesson
from seminar_lib.lessons.products import gradable

CONFIG, GRADEBOOK = "nbgrader_config.py", "gradebook.db"
SETTINGS = '''\
"""nbgrader's settings for this course; yours to change: `python -m seminar_lib release` leaves them as they are."""

from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions

from seminar_lib.lessons.products import Stubs

c = get_config()
c.CourseDirectory.course_id = "seminar"
steps = GenerateAssignment.preprocessors.default()
c.GenerateAssignment.preprocessors = [Stubs if step is ClearSolutions else step for step in steps]

# Seconds for one cell; a cell that takes longer is stopped and counts as wrong. No cell of a lesson takes 60.
c.Execute.timeout = 120
# A check that is passed with a warning is passed: nbgrader would give no points where anything is on stderr.
c.IgnorePattern.pattern = "^"
c.IgnorePattern.enabled = True
'''

Points = Mapping[str, Mapping[str, int]]


def release(lessons: Iterable[Lesson], folder: Path) -> Points:
    """Write ``source/`` and ``release/`` of a course, each with a notebook ``NN_name/NN_name.ipynb`` for each lesson.

    Done again, it makes the release anew; the gradebook keeps its grades, and the settings stay as they are.

    Args:
        lessons: those without exercises are left out.
        folder: of the course; a new or an empty one, or one that this function has filled.

    Returns:
        of each lesson's name the points of each exercise, such as ``{"01_fgsm": {"1.1": 1, "1.2": 2}}``.

    Raises:
        ValueError: the folder holds something else, a notebook in ``source/`` was changed, it or the gradebook is
            damaged, or no lesson has exercises. Nothing is written then.
        RuntimeError: nbgrader refused a lesson; the message says why.
    """
    notebooks = {lesson.name: gradable(lesson) for lesson in lessons}
    worth = {name: points(notebook) for name, notebook in notebooks.items()}
    worth = {name: exercises for name, exercises in worth.items() if exercises}
    if not worth:
        raise ValueError(f"Nothing to grade: no exercises in {', '.join(notebooks) or 'no lesson'}.")
    _refuse_another_use(folder)
    _refuse_a_damaged_gradebook(folder / GRADEBOOK)
    sources = {name: folder / "source" / name / f"{name}.ipynb" for name in worth}
    for name, path in sources.items():
        _refuse_a_changed_source(path, notebooks[name])
    if not (folder / CONFIG).exists():
        with whole_file(folder / CONFIG) as part:
            part.write_text(SETTINGS, encoding="utf-8")
    for name, path in sources.items():
        write(notebooks[name], path)
    _generate(worth, folder)
    return worth


def points(notebook: NotebookNode) -> dict[str, int]:
    """The points of each exercise of a gradable notebook, ``{"1.1": 1}``: the sum over its checks."""
    sums: Counter[str] = Counter()
    for cell in notebook.cells:
        if number := cell.metadata.get("check"):
            sums[re.sub("[a-z]$", "", number)] += cell.metadata["nbgrader"]["points"]
    return dict(sums)


def table(worth: Points) -> str:
    """What :func:`release` returns as a Markdown table."""
    rows = [
        (name, ", ".join(f"{number} ({each})" for number, each in exercises.items()), sum(exercises.values()))
        for name, exercises in worth.items()
    ]
    total = ("all", sum(map(len, worth.values())), sum(row[2] for row in rows))
    return markdown.table(("Lesson", "Exercises (points)", "Points"), [*rows, total])


def _refuse_another_use(folder: Path) -> None:
    advice = "Name a new or an empty folder, or one that this command has filled."
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file. {advice}")
    if (folder / CONFIG).exists():
        if "seminar_lib" not in (folder / CONFIG).read_text(encoding="utf-8"):
            raise ValueError(f"{folder} holds another nbgrader course. {advice}")
    elif folder.exists() and (found := sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))):
        raise ValueError(f"{folder} holds {found[0]} and no {CONFIG}, so it is no course of the seminar. {advice}")


def _refuse_a_damaged_gradebook(path: Path) -> None:
    """What nbgrader says of one does not name the file."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as gradebook:
            gradebook.execute("SELECT name FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        raise ValueError(
            f"{path} cannot be read as a gradebook ({error}). Put a copy from before the damage in its place; without "
            "one, move it away and run this command again: it makes an empty one, without any grades."
        ) from error


def _refuse_a_changed_source(path: Path, built: NotebookNode) -> None:
    """A teacher may have worked on it, and nobody but the teacher knows."""
    if path.exists() and read(path) != built:
        raise ValueError(
            f"{path} is not what the lesson builds: somebody changed it, or it comes from another version of the "
            f"seminar. To release it as it is, run `nbgrader generate_assignment --force {path.stem}` in the course's "
            "folder. To go back to the lesson's own, remove it and run this command again."
        )


def _generate(names: Iterable[str], folder: Path) -> None:
    """``nbgrader generate_assignment --force`` for each name, without starting Python anew."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import capture_log

    config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    config.CourseDirectory.root = str(folder.resolve())
    for name in names:
        config.CourseDirectory.assignment_id = name
        step = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config, force=True)
        with _programs_of_this_python():
            done = capture_log(step)
        if not done["success"]:
            causes = re.findall(r"^ *(?:\w+\.)*\w*(?:Error|Exception): (.+)", done.get("log", "") + done["error"], re.M)
            raise RuntimeError(f"nbgrader cannot release {name}: {causes[0]}")


@contextmanager
def _programs_of_this_python() -> Iterator[None]:
    """For nbgrader, which starts alembic by name, even where Python itself was started by its path."""
    path = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), path])
    try:
        yield
    finally:
        os.environ["PATH"] = path
