"""Writing the questions of lessons to files, a file for each lesson."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from seminar_lib.files import whole_file
from seminar_lib.quiz.bank import Bank, read
from seminar_lib.quiz.moodle import moodle
from seminar_lib.quiz.qti import qti
from seminar_lib.quiz.sheet import sheet

Format: TypeAlias = Literal["moodle", "qti", "sheet", "answers"]
FORMATS: dict[Format, tuple[str, Callable[[Bank], bytes]]] = {
    "moodle": (".xml", moodle),
    "qti": (".zip", qti),
    "sheet": (".md", lambda bank: sheet(bank).encode()),
    "answers": ("-answers.md", lambda bank: sheet(bank, answers=True).encode()),
}


def export(lessons: Iterable[str], form: Format, folder: Path) -> list[Path]:
    """Write the questions of lessons as one of ``FORMATS`` into a folder, and return the files.

    Raises:
        ValueError: a lesson has no questions.
        OSError: a file cannot be written.
    """
    ending, write = FORMATS[form]
    banks = [read(lesson) for lesson in lessons]
    paths = [folder / f"{bank.lesson}{ending}" for bank in banks]
    for bank, path in zip(banks, paths, strict=True):
        with whole_file(path) as part:
            part.write_bytes(write(bank))
    return paths
