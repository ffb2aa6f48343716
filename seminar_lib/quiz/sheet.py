"""The questions of a lesson on paper: Markdown, with or without the answers.

JupyterLab shows the file with its formulas (*Open With > Markdown Preview*) and cannot print it; the page of the course
has every sheet in a form that the browser prints.
"""

from __future__ import annotations

from seminar_lib.quiz.bank import Bank
from seminar_lib.quiz.question import Choice, Question, letter


def sheet(bank: Bank, answers: bool = False) -> str:
    """The sheet in Markdown; with ``answers``, each option has its reason and each question its explanation."""
    head = [f"# {bank.lesson.split('_')[0]} {bank.title}: {'answers' if answers else 'questions'}"]
    if not answers:
        head.append("Name: ______________________________  Date: ______________")
    blocks = [_block(count, question, answers) for count, question in enumerate(bank.questions, 1)]
    return "\n\n".join([*head, *blocks]) + "\n"


def _block(count: int, question: Question, answers: bool) -> str:
    lines = [f"## {count}", question.ask]
    if isinstance(question, Choice):
        lines.append(f"*{'Several are' if question.several else 'One is'} right.*")
        box = "☐" if question.several else "○"
        marks = [("☑" if question.several else "●") if answers and option.right else box for option in question.options]
        listed = zip(marks, enumerate(question.options), strict=True)
        lines.append(
            "\n".join(
                f"- {mark} **{letter(place)}** {option.text}" + (f" ({option.because})" if answers else "")
                for mark, (place, option) in listed
            )
        )
    elif not answers:
        lines.append(f"Answer: __________ {question.unit}".rstrip())
    if answers:
        lines.append(f"**Answer: {question.answer}.** {question.explanation}")
        if not isinstance(question, Choice) and question.traps:
            lines.append("\n".join(f"- {trap.number:g}: {trap.because}" for trap in question.traps))
    return "\n\n".join(lines)
