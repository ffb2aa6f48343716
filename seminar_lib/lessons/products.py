"""The three notebooks that a source becomes: complete, with stubs, and prepared for nbgrader. None is executed here."""

# mypy: allow-untyped-calls

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from seminar_lib.lessons.lesson import Lesson

try:
    import jupytext
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
except ImportError as error:
    raise ImportError(
        f"Building the lessons needs {error.name}, which a student's installation leaves out: "
        "pip install 'seminar-lib[test]'"
    ) from error

# The builder's version of Python and of its kernel must not show in the notebook.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
HEADER_KEYS = {"tags", "exercise", "check", "points"}
# In any spelling: nbgrader would pass over "### Begin solution", and the solution would reach the students.
MARKER = re.compile(r"#\s*(BEGIN|END) (SOLUTION|HIDDEN TESTS?)", re.IGNORECASE)
TASK = re.compile(r"### BEGIN SOLUTION: *(\S.*)")


def solution(lesson: Lesson) -> NotebookNode:
    """The complete notebook: every cell of the source, none executed.

    Raises:
        ValueError: the source breaks a rule of the format; the message names the lesson and the cell.
    """
    cells = jupytext.reads(lesson.source.read_text(encoding="utf-8"), fmt="py:percent").cells
    for cell in cells:
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's note on the blank lines of the script
    _number(cells)
    for index, cell in enumerate(cells):
        if (fault := _fault(cell, lesson)) is not None:
            raise ValueError(f"{place(lesson, index, cell)} {fault}")
    _pair(cells, lesson)
    notebook: NotebookNode = new_notebook(cells=cells, metadata=METADATA)
    return notebook


def student(lesson: Lesson) -> NotebookNode:
    """The same notebook with a stub for every solution and without the hidden tests."""
    notebook = solution(lesson)
    Stubs(enforce_metadata=False).preprocess(notebook, {})
    ClearHiddenTests(enforce_metadata=False).preprocess(notebook, {})
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
    return notebook


def gradable(lesson: Lesson) -> NotebookNode:
    """The complete notebook with nbgrader's metadata: what ``nbgrader generate_assignment`` starts from."""
    notebook = solution(lesson)
    for cell in notebook.cells:
        if number := cell.metadata.get("exercise"):
            cell.metadata["nbgrader"] = _marks("exercise", number, solution=True, grade=False, locked=False)
        elif number := cell.metadata.get("check"):
            cell.metadata["nbgrader"] = _marks("check", number, solution=False, grade=True, locked=True)
            cell.metadata["nbgrader"]["points"] = cell.metadata.get("points", 1)
    return notebook


class Stubs(ClearSolutions):  # type: ignore[misc]  # nbgrader is untyped
    """nbgrader's ``ClearSolutions``, whose stub says which exercise it stands for and what to write there."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replace the solution in one cell by ``raise NotImplementedError("Exercise 1.2: ...")``."""
        if task := TASK.search(cell.source):
            message = json.dumps(f"Exercise {cell.metadata['exercise']}: {task[1].strip()}", ensure_ascii=False)
            self.code_stub = {"python": f"raise NotImplementedError({message})"}
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        return cell, resources


def place(lesson: Lesson, index: int, cell: NotebookNode) -> str:
    """Where a message points: the lesson, the cell counted from 1, and its first line."""
    first_line = cell.source.strip().partition("\n")[0]
    return f"{lesson.name}, cell {index + 1} ({first_line[:70]!r}):"


def _number(cells: list[NotebookNode]) -> None:
    """Give each cell an id that depends on its text alone, so that a new cell leaves the others' ids as they are."""
    seen: Counter[str] = Counter()
    for cell in cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _fault(cell: NotebookNode, lesson: Lesson) -> str | None:
    """What is wrong with one cell, or None."""
    if unknown := sorted(set(cell.metadata) - HEADER_KEYS):
        return f"has {', '.join(unknown)} in its header; a header may hold {', '.join(sorted(HEADER_KEYS))}."
    marks = MARKER.findall(cell.source)
    if "exercise" in cell.metadata:
        if marks != [("BEGIN", "SOLUTION"), ("END", "SOLUTION")] or not TASK.search(cell.source):
            return "needs exactly one '### BEGIN SOLUTION: what to write' and one '### END SOLUTION' after it."
    elif "check" in cell.metadata:
        if marks not in ([], [("BEGIN", "HIDDEN TESTS"), ("END", "HIDDEN TESTS")]):
            return (
                "may hold one '### BEGIN HIDDEN TESTS' with one '### END HIDDEN TESTS' after it, and no other marker."
            )
    elif marks or "points" in cell.metadata:
        return 'has markers or points; its header must then name an exercise="1.2" or a check="1.2".'
    number = cell.metadata.get("exercise", cell.metadata.get("check"))
    if number is None or (isinstance(number, str) and re.fullmatch(rf"{lesson.number}\.\d+[a-z]?", number)):
        return None
    return f'has the number {number!r}; in this lesson write "{lesson.number}.1", "{lesson.number}.2", ... in quotes.'


def _pair(cells: list[NotebookNode], lesson: Lesson) -> None:
    """Refuse a number used twice (nbgrader would lose a whole batch), and an exercise or a check on its own."""
    exercises = [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
    checks = [cell.metadata["check"] for cell in cells if "check" in cell.metadata]
    for kind, numbers in (("exercise", exercises), ("check", checks)):
        if twice := [number for number, times in Counter(numbers).items() if times > 1]:
            raise ValueError(
                f"{lesson.name}: {kind} {twice[0]} stands there twice. Write another, or add a letter: {twice[0]}b."
            )
    checked = {re.sub("[a-z]$", "", number) for number in checks}
    if alone := sorted(checked.symmetric_difference(exercises)):
        raise ValueError(f"{lesson.name}: {alone[0]} must be the number of both an exercise and a check.")


def _marks(kind: str, number: str, **roles: bool) -> dict[str, Any]:
    """What nbgrader reads; an id may hold letters, digits, - and _ only."""
    return {"grade_id": f"{kind}-{number.replace('.', '-')}", "schema_version": 3, "task": False, **roles}
