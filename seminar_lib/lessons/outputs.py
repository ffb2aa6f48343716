"""What a committed solution shows to a reader who has no kernel, and what it must not show."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from nbformat import NotebookNode

from seminar_lib.lessons.lesson import Lesson
from seminar_lib.lessons.pictures import lighter
from seminar_lib.lessons.products import place

WIDGET = "application/vnd.jupyter.widget-view+json"
# A slash, or a drive, that starts a word: not the one in 8/255, in </td> or in https://example.org.
ABSOLUTE_PATH = re.compile(r"(?<![\w/:<.])/[\w.-]+/[\w./-]+|\b[A-Z]:\\\w[^\s'\"]*")


def settle(notebook: NotebookNode) -> None:
    """Drop the widgets of an executed notebook, make its pictures lighter, and give them their words.

    A widget is drawn from a state that only a live kernel has; stored, it would weigh as much as its pictures, carry
    random ids into every build, and still not show on GitHub. The still picture beside each demo stays.
    """
    for cell in _code(notebook):
        cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        for output in cell.outputs:
            if png := output.get("data", {}).get("image/png"):
                output.data["image/png"] = b64encode(lighter(b64decode(png))).decode()
        if words := _words(cell):
            for output, kind in _pictures(cell):
                output.metadata[kind] = {**output.metadata.get(kind, {}), "alt": words}


def hand_down(executed: NotebookNode, notebook: NotebookNode) -> bool:
    """Give a notebook the outputs of another that was executed, if the code of both is the same, cell by cell.

    Returns:
        whether it is; if not, the notebook stays as it was.
    """
    before, after = _code(executed), _code(notebook)
    if [cell.source for cell in before] != [cell.source for cell in after]:
        return False
    for old, new in zip(before, after, strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    notebook.metadata = executed.metadata
    return True


def clear(notebook: NotebookNode) -> None:
    """Leave of an executed notebook what a person wrote."""
    for cell in _code(notebook):
        cell.outputs, cell.execution_count = [], None


def faults(notebook: NotebookNode, lesson: Lesson) -> list[str]:
    """What is wrong with the outputs of a solution, a sentence each."""
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            where = f"solutions: {place(lesson, index, cell)}"
            found += [f"{where} {fault}" for fault in _faults(cell)]
    return found


def _faults(cell: NotebookNode) -> list[str]:
    found = []
    if cell.execution_count is None:
        found.append("was not executed; build the lesson.")
    if _pictures(cell) and _words(cell) is None:
        found.append("draws; open it with '# Picture: what there is to see', for those who cannot see it.")
    for output in cell.outputs:
        if output.output_type == "error" or output.get("name") == "stderr":
            found.append("shows an error or a warning.")
        data = output.get("data", {})
        for text in (output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")):
            if path := ABSOLUTE_PATH.search(text):
                found.append(f"shows a path of the machine that built it: {path[0]}")
    return found


def _words(cell: NotebookNode) -> str | None:
    """The text of the comment ``# Picture: ...`` that opens a cell."""
    comment = re.match(r"# Picture: (.+(?:\n# .+)*)", cell.source)
    return comment[1].replace("\n# ", " ") if comment else None


def _pictures(cell: NotebookNode) -> list[tuple[NotebookNode, str]]:
    """The outputs of a cell that are pictures, each with its kind (``"image/png"``)."""
    return [(output, kind) for output in cell.outputs for kind in output.get("data", {}) if kind.startswith("image/")]


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
