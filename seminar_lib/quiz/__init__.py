"""The questions of each lesson, with explanations: to be asked in a notebook, in a learning platform or on paper.

``bank/NN_name.yaml`` holds those of one lesson, see ``bank.py`` for its form. ``seminar_lib.widgets.Quiz`` asks them;
``moodle.py``, ``qti.py`` and ``sheet.py`` write them down for others to ask.
"""

from seminar_lib.quiz.bank import Bank, lessons, parse, read
from seminar_lib.quiz.question import Choice, Number, Option, Question, Trap, Verdict, letter

__all__ = [
    "Bank",
    "Choice",
    "Number",
    "Option",
    "Question",
    "Trap",
    "Verdict",
    "lessons",
    "letter",
    "parse",
    "read",
]
