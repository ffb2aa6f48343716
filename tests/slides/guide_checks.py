"""What must hold of a page of the teacher's pack, as its file says. Each check returns the faults it finds."""

import ast
import re
from collections import Counter
from pathlib import Path

from slide_checks import ROOT, SHARE

FOLDER = ROOT / "slides" / "teacher"
HEADINGS = [
    "Goal",
    "Timing",
    "To prepare",
    "Board plan",
    "Likely questions",
    "Common wrong answers",
    "Exam questions",
    "When time is short",
]
PART = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)
TIMED = re.compile(r"^\| (\d+) \| (\w+) \| (.+) \|$", re.MULTILINE)
BOARD = re.compile(r"^```text\n(.+?)^```$", re.MULTILINE | re.DOTALL)
ASKED = re.compile(r"^\*\*.+?\?\*\* \S", re.MULTILINE | re.DOTALL)
MISTAKE = re.compile(r"^\| (?!the check says|---)(.+?)(?: \(([\d., ]+)\))? \| .+ \| .+ \|$", re.MULTILINE)
EXAM = re.compile(r"^### (.+) \((\d+) points\)\n((?:(?!### ).*\n?)*)", re.MULTILINE)
MARK = re.compile(r"^- (\d+): \S", re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
SLIDES = re.compile(r"\b[Ss]lides? (\d+)(?: (to|and) (\d+))?")
EXERCISE = re.compile(r"\b[Ee]xercises? ([\d., and]*\d)")
SCHEDULE = re.compile(r"^### .+ \((\d+) minutes\)\n((?:(?!###? ).*\n?)*)", re.MULTILINE)
PERIOD = re.compile(r"^\| (\d+) \| .+ \|$", re.MULTILINE)


def faults_of_guide(text, lesson, measured, said):
    """What is wrong with a lesson's guide.

    ``measured`` is all text in which its numbers may be found, ``said`` what the checks of exercises say.
    """
    parts = dict(PART.findall(text))
    if list(parts) != HEADINGS:
        return [f"the headings are {list(parts)}, not {HEADINGS}"]
    faults = [] if text.startswith(f"# {lesson.number}. {lesson.title}\n") else ["the title is not the lesson's"]
    planned = Counter()
    for minutes, kind, _ in TIMED.findall(parts["Timing"]):
        planned[kind] += int(minutes)
    faults += [] if planned == lesson.minutes else [f"plans {dict(planned)}; the lesson says {lesson.minutes}"]
    board = BOARD.search(parts["Board plan"])
    if board is None or max(map(len, board[1].splitlines())) > 100:
        faults.append("no sketch of the board, of 100 letters a line at most")
    faults += [] if len(ASKED.findall(parts["Likely questions"])) >= 3 else ["fewer than three questions with answers"]
    mistakes = MISTAKE.findall(parts["Common wrong answers"])
    faults += [] if len(mistakes) >= 4 else ["fewer than four wrong answers"]
    faults += [f"no check says {words!r}" for words, _ in mistakes if words.strip("`").lower() not in said]
    numbers = {number for _, named in mistakes for number in named.split(", ") if named}
    faults += [f"{number} is another lesson's" for number in numbers if number.split(".")[0] != str(lesson.number)]
    faults += _faults_of_exam(parts["Exam questions"])
    shares = SHARE.findall(text)
    faults += [f"{share} has no interval" for share in shares if "[" not in share]
    faults += [f"{share} was not measured" for share in shares if "[" in share and share not in measured]
    return faults


def said_by_checks():
    """All sentences in the checks of exercises, in small letters; what is filled in stands as dots."""
    said = []
    for path in sorted((ROOT / "seminar_lib" / "exercises").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            values = [part.value if isinstance(part, ast.Constant) else "..." for part in parts]
            said += ["".join(values)] if all(isinstance(value, str) for value in values) else []
    return "\n".join(said).lower()


def _faults_of_exam(text):
    questions = EXAM.findall(text)
    faults = [] if 3 <= len(questions) <= 4 else [f"{len(questions)} exam questions, not three or four"]
    for title, points, scheme in questions:
        if (total := sum(map(int, MARK.findall(scheme)))) != int(points):
            faults.append(f"{title!r} has {points} points, its marks make {total}")
        faults += [] if "Also accepted" in scheme else [f"{title!r} does not say what else is accepted"]
    return faults


def faults_of_links(text, folder: Path):
    """Links to files that do not exist, or to headings that their file lacks."""
    faults = []
    for link in LINK.findall(text):
        path, _, heading = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        if not (target := folder / path).exists():
            faults.append(f"{link} leads nowhere")
        elif heading and target.is_file() and heading not in _anchors(target.read_text(encoding="utf-8")):
            faults.append(f"{link} leads to no heading")
    return faults


def _anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def exercises_named(text):
    """The numbers of all exercises that a text speaks of, as ``exercises 1.1 and 1.3``."""
    return {number for names in EXERCISE.findall(text) for number in re.findall(r"\d+\.\d+", names)}


def slides_named(text):
    """The numbers of all slides that a text speaks of, as ``slide 8`` and ``slides 4 to 7``, in its order."""
    named = []
    for first, word, last in SLIDES.findall(text):
        named += range(int(first), int(last) + 1) if word == "to" else [int(one) for one in (first, last) if one]
    return named


def slides_of_timing(guide):
    """The slides that the timing of a guide names: those of the lesson before in words, all others in the table."""
    timing = dict(PART.findall(guide))["Timing"]
    before = re.findall(r"Slides \d+ to \d+ are those of lesson \d+", timing)
    return slides_named("\n".join(before + re.findall(r"^\|.*", timing, re.MULTILINE)))


def faults_of_pace(guide, deck):
    """Lines of the timing whose slides take longer, by their notes, than the line says."""
    faults = []
    for minutes, _, what in TIMED.findall(dict(PART.findall(guide))["Timing"]):
        needed = sum(deck.slides[number - 1].minutes for number in slides_named(what))
        faults += [] if needed <= int(minutes) else [f"{what!r} has {minutes} minutes, its notes take {needed}"]
    return faults


def faults_of_schedules(text):
    """Schedules whose periods do not make the minutes that their heading states."""
    schedules = re.findall(SCHEDULE, text)
    faults = [] if schedules else ["no schedule"]
    for stated, table in schedules:
        total = sum(map(int, PERIOD.findall(table)))
        faults += [] if total == int(stated) else [f"a schedule of {stated} minutes has {total}"]
    return faults


def sentences(text):
    """The sentences of eight words and more, without line breaks and case."""
    words = " ".join(text.lower().split())
    return {one.strip() for one in re.split(r"[.?!:]\s", words) if len(one.split()) >= 8}
