"""Building the notebooks, and checking that those committed are what their sources build."""

# mypy: allow-untyped-calls

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from seminar_lib.files import whole_file
from seminar_lib.lessons import outputs
from seminar_lib.lessons.lesson import Lesson
from seminar_lib.lessons.products import place, solution, student

SECONDS_PER_CELL = 60


def build(lesson: Lesson, keep: bool = False) -> list[float]:
    """Write the student's notebook, then execute the solution and write it with its outputs.

    Args:
        lesson: which.
        keep: execute nothing where texts alone have changed: the outputs of the solution that is there stay. It is up
            to you that they are those of the library as it is now.

    Returns:
        seconds per cell of the solution (0 for text); none where nothing was executed.

    Raises:
        ValueError: the source breaks a rule of the format.
        RuntimeError: a cell failed, or took more than a minute. The solution is then left as it was.
    """
    write(student(lesson), lesson.student_path)
    notebook = solution(lesson)
    kept = keep and lesson.solution_path.exists() and outputs.hand_down(read(lesson.solution_path), notebook)
    seconds = [] if kept else run(notebook, lesson)
    outputs.settle(notebook)
    write(notebook, lesson.solution_path)
    return seconds


def run(notebook: NotebookNode, lesson: Lesson, allowed: Iterable[str] = ()) -> list[float]:
    """Execute ``notebook`` in place, in a fresh kernel.

    Args:
        notebook: one of the lesson's notebooks.
        lesson: where it belongs.
        allowed: names of exceptions that may end a cell; the next cell then follows.

    Returns:
        seconds per cell (0 for text).

    Raises:
        RuntimeError: a cell failed, or took more than a minute; the message names the lesson and the cell.
    """
    with TemporaryDirectory(prefix="kernel-") as sockets:
        return _run(notebook, lesson, allowed, sockets)


def _run(notebook: NotebookNode, lesson: Lesson, allowed: Iterable[str], sockets: str) -> list[float]:
    """As :func:`run`, in a kernel that listens in the folder ``sockets`` where the system can.

    A port is chosen before the kernel starts; by the time it listens, another program may have taken it.
    """
    local = {"transport": "ipc", "ip": f"{sockets}/kernel"} if zmq.has("ipc") else {}
    folder = {"metadata": {"path": str(lesson.student_path.parent)}}
    client = NotebookClient(
        notebook,
        config=Config(KernelManager=local),
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        allow_error_names=list(allowed),
        record_timing=False,  # dates would make every build differ
        coalesce_streams=True,
        resources=folder,
    )
    seconds = []
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            start = time.perf_counter()
            try:
                client.execute_cell(cell, index)
            except CellTimeoutError as error:
                raise RuntimeError(
                    f"{place(lesson, index, cell)} takes more than {SECONDS_PER_CELL} s, too long for a class. "
                    f"Use fewer images or steps, or a shipped checkpoint.\n\n{cell.source}"
                ) from error
            except CellExecutionError as error:
                raise RuntimeError(
                    f"{place(lesson, index, cell)} raises {error.ename}: {error.evalue}\n\n{cell.source}"
                ) from error
            except DeadKernelError as error:
                raise RuntimeError(
                    f"{place(lesson, index, cell)} ends its kernel; was there enough memory?\n\n{cell.source}"
                ) from error
            seconds.append(time.perf_counter() - start if cell.cell_type == "code" else 0.0)
    return seconds


def check(lessons: Iterable[Lesson]) -> list[str]:
    """What is wrong with the committed notebooks, a sentence each; nothing is executed.

    Student notebooks must be exactly what the sources build. Of a solution the inputs must be: its outputs may differ
    between machines, so the tests execute it and compare the cells tagged ``nbval-check-output``. Outputs must hold no
    error, no path of the machine that built them, and no picture without words.
    """
    faults = []
    for lesson in lessons:
        for path, built in ((lesson.student_path, student(lesson)), (lesson.solution_path, solution(lesson))):
            label = f"{path.parent.name}/{path.name}"
            if not path.exists():
                faults.append(f"{label} is missing; build the lessons.")
                continue
            committed = read(path)
            if path == lesson.solution_path:
                faults += outputs.faults(committed, lesson)
                outputs.clear(committed)
            if committed != built:
                faults.append(
                    f"{label} is not what its source builds; edit source/{lesson.source.name} and build again."
                )
    return faults


def read(path: Path) -> NotebookNode:
    """A notebook as it was written.

    Raises:
        ValueError: the file is no notebook.
    """
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    except (ValueError, AttributeError) as error:  # no text, no JSON, or JSON of another kind
        raise ValueError(
            f"{path} is no notebook, or a damaged one. Remove it and run the same command again."
        ) from error
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a valid notebook, whole or not at all."""
    nbformat.validate(notebook)
    with whole_file(path) as part:
        part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
