"""A lesson as a page: what a student gets, with the pictures and the numbers of the executed solution.

Solutions are not shown, not even folded: one click away they would be read before the exercise is tried, and the hints
are there for those who are stuck. They stay where they are, in ``notebooks/solutions/``.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from seminar_lib import quiz
from seminar_lib.lessons import Lesson
from slides.deck import names
from slides.site import questions

PNG = "image/png"


@dataclass(frozen=True)
class Picture:
    """A stored picture of a notebook.

    Attributes:
        code: of the cell that draws it.
        png: the file's bytes.
        alt: what there is to see.
    """

    code: str
    png: bytes
    alt: str


def page(lesson: Lesson) -> NotebookNode:
    """The student's notebook with the outputs of the solution, alternative texts where MyST-NB looks for them.

    Raises:
        ValueError: the two notebooks do not have the same cells.
    """
    notebook, solved = (_read(path) for path in (lesson.student_path, lesson.solution_path))
    if [cell.id for cell in notebook.cells] != [cell.id for cell in solved.cells]:
        raise ValueError(f"The notebooks of {lesson.name} differ in their cells; build them: `make notebooks`.")
    for cell, answer in zip(notebook.cells, solved.cells, strict=True):
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = answer.outputs, answer.execution_count
        if alts := [_alt(output) for output in cell.outputs if PNG in output.get("data", {})]:
            cell.metadata["mystnb"] = {"image": {"alt": " ".join(alts)}}
        if "exercise" in cell.metadata:
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "exercise"]
    notebook.cells.insert(1, new_markdown_cell(_links(lesson), id="links"))
    return notebook


def pictures(lesson: Lesson) -> list[Picture]:
    """All pictures of the executed solution."""
    return [
        Picture(cell.source, b64decode(output.data[PNG]), _alt(output))
        for cell in _read(lesson.solution_path).cells
        for output in cell.get("outputs", [])
        if PNG in output.get("data", {})
    ]


def deck(lesson: Lesson) -> str:
    """The name of the deck that presents a lesson: its own, or the next one's."""
    return next(name for name in names() if name >= lesson.name)


def _links(lesson: Lesson) -> str:
    """What belongs to the lesson, and where the outputs on its page come from."""
    links = [
        f"{{download}}`Notebook <../downloads/{lesson.name}.ipynb>`",
        f'<a href="../slides/{deck(lesson)}.html">Slides</a>',
        f"[Teacher's guide](../slides/teacher/{lesson.name}.md)",
    ]
    if lesson.name in quiz.lessons():
        links.append(f"[Questions to print](../{questions.AT}/{lesson.name}.md)")
    note = (
        "Pictures and numbers come from the executed solution. Yours begin to appear as you solve the exercises; the "
        f"complete version is `notebooks/solutions/{lesson.name}.ipynb` in the repository."
    )
    return f"{' · '.join(links)}\n\n{note}"


def _alt(output: NotebookNode) -> str:
    """What a picture shows, in words.

    Raises:
        KeyError: nobody wrote them.
    """
    words: str = output.metadata[PNG]["alt"]
    return words


def _read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook
