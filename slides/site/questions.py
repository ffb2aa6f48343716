"""Questions as pages that the browser prints: those of the bank, with and without answers, and those of the exams."""

from __future__ import annotations

import re
from pathlib import Path

from seminar_lib import markdown, quiz
from seminar_lib.quiz.sheet import sheet

AT = "slides/teacher/questions"
EXAM = re.compile(r"^## Exam questions\n(.*?)^## ", re.MULTILINE | re.DOTALL)
MARKS = re.compile(r"^- \d+: .*?(?=^### |\Z)", re.MULTILINE | re.DOTALL)
ALONE = "---\norphan: true\n---\n\n"  # tells Sphinx that no table of contents has to list the page
INDEX = """# Questions to print

On paper the browser leaves out the bars at the sides. The quiz is made for practice and is no exam: a notebook can ask
the same questions, and answers them. The exam questions come without their marks, which are in the guides.

"""


def pages(guides: list[Path]) -> dict[str, str]:
    """The page that leads to all sheets, and the sheets: for each guide an exam, and a quiz where the bank has one."""
    files, rows = {}, []
    for guide in guides:
        text, lesson = guide.read_text(encoding="utf-8"), guide.stem
        title = text.partition("\n")[0].removeprefix("# ")
        files[f"{AT}/{lesson}-exam.md"] = f"{ALONE}# {title}: exam questions\n{exam(text)}"
        cells = ["", "", f"[exam questions]({lesson}-exam.md)"]
        if lesson in quiz.lessons():
            bank = quiz.read(lesson)
            files[f"{AT}/{lesson}.md"] = ALONE + sheet(bank)
            files[f"{AT}/{lesson}-answers.md"] = ALONE + sheet(bank, answers=True)
            cells[:2] = [f"[quiz]({lesson}.md)", f"[its answers]({lesson}-answers.md)"]
        rows.append([title, *cells])
    return {f"{AT}/index.md": INDEX + markdown.table(("Lesson", "Quiz", "Answers", "Exam"), rows) + "\n", **files}


def exam(guide: str) -> str:
    """The exam questions of a guide, in Markdown, without marks and what else is accepted.

    Raises:
        ValueError: the guide has no part of that name.
    """
    if (part := EXAM.search(guide)) is None:
        raise ValueError("The guide has no part `## Exam questions` that another part follows.")
    return MARKS.sub("", part[1]).replace("\n### ", "\n## ")
