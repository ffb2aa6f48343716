"""The nbgrader course: what is released, what is refused, and the points that submissions get for each exercise."""

import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from seminar_lib.lessons import Lesson, course, named, products

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "slides" / "teacher" / "grading.md").read_text(encoding="utf-8")
SUMS, PICTURES = (Lesson(path) for path in sorted((Path(__file__).parent / "samples").glob("*.py")))


def read(path):
    return nbformat.read(path, as_version=4)


def exercises(notebook):
    """The cells in which students write, by the number of the exercise."""
    return {cell.metadata["exercise"]: cell for cell in notebook.cells if "exercise" in cell.metadata}


def submit(folder, student, name, answers, edit_checks=False):
    """Hand in the released notebook with some of its exercises answered, and perhaps without its checks.

    Of the other cells only the first is left, which imports and loads: the pictures would take most of the time.
    """
    notebook = read(folder / "release" / name / f"{name}.ipynb")
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    notebook.cells = [cell for cell in notebook.cells if cell is first or "nbgrader" in cell.metadata]
    for number, answer in answers.items():
        exercises(notebook)[number].source = answer
    for cell in notebook.cells:
        if edit_checks and "check" in cell.metadata:
            cell.source = "pass"
    path = folder / "submitted" / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def scores(folder, student, name):
    """The points of each check in the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db", "seminar") as book:
        grades = book.find_submission_notebook(name, name, student).grades
        return {grade.name: grade.score for grade in grades}


@pytest.fixture
def released(tmp_path):
    """A course of one small lesson."""
    course.release([SUMS], tmp_path)
    return tmp_path


# --- what is written ---------------------------------------------------------------------------------------------


def test_the_release_holds_neither_solution_nor_hidden_tests_and_the_gradebook_keeps_them(released):
    student = (released / "release" / "01_sums" / "01_sums.ipynb").read_text()
    for secret in ("a + b", "add(2, 3)", "SOLUTION", "HIDDEN"):
        assert secret not in student
    assert "1 + 1 is 2" in student  # the check that students may see
    assert b"add(2, 3)" in (released / "gradebook.db").read_bytes()


def test_points_are_those_of_the_checks_and_a_lesson_without_exercises_is_left_out(tmp_path):
    worth = course.release([SUMS, PICTURES], tmp_path)
    assert worth == {"01_sums": {"1.1": 2}}
    assert [path.name for path in (tmp_path / "source").iterdir()] == ["01_sums"]
    assert course.table({"01_fgsm": {"1.1": 1, "1.2": 2}, "02_pgd": {"2.1": 4}}).splitlines()[2:] == [
        "| 01_fgsm | 1.1 (1), 1.2 (2) | 3 |",
        "| 02_pgd | 2.1 (4) | 4 |",
        "| all | 3 | 7 |",
    ]


def test_an_exercise_gets_the_points_of_all_its_checks(tmp_path):
    path = tmp_path / "01_sums.py"
    path.write_text(SUMS.source.read_text().replace("# %% tags=", '# %% check="1.1b"\nadd(0, 0)\n\n# %% tags='))
    assert course.points(products.gradable(Lesson(path))) == {"1.1": 3}


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_folder_in_other_use_is_left_alone(tmp_path):
    file, essays, other = tmp_path / "file", tmp_path / "essays", tmp_path / "other"
    file.touch()
    for folder in (essays, other):
        folder.mkdir()
    (essays / "essay.tex").touch()
    (other / course.CONFIG).write_text("c = get_config()\n")
    for folder, sentence in (
        (file, "is a file"),
        (essays, "holds essay.tex and no nbgrader_config.py"),
        (other, "holds another nbgrader course"),
    ):
        with pytest.raises(ValueError, match=rf"{folder.name} {sentence}.*Name a new or an empty folder"):
            course.release([SUMS], folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["essay.tex", "essays", "file", course.CONFIG, "other"]


def test_a_folder_with_hidden_files_alone_counts_as_empty(tmp_path):
    (tmp_path / ".git").mkdir()
    assert course.release([SUMS], tmp_path)


def test_a_source_that_a_teacher_changed_is_left_alone(released):
    path = released / "source" / "01_sums" / "01_sums.ipynb"
    path.write_text(path.read_text().replace("1 + 1 is 2", "One and one is 2"))
    changed = path.read_bytes()
    with pytest.raises(ValueError, match=r"somebody changed it.*nbgrader generate_assignment --force 01_sums"):
        course.release([SUMS], released)
    assert path.read_bytes() == changed
    path.unlink()
    assert course.release([SUMS], released)


DAMAGED = {
    "source/01_sums/01_sums.ipynb": "01_sums.ipynb is no notebook, or a damaged one. Remove it and run",
    "gradebook.db": "gradebook.db cannot be read as a gradebook (file is not a database). Put a copy",
}


@pytest.mark.parametrize("content", [b"no notebook", b"\xff\xfe", b"[]"])
@pytest.mark.parametrize(("file", "words"), DAMAGED.items())
def test_a_damaged_file_of_a_course_is_named_and_nothing_is_written(released, file, words, content):
    (released / file).write_bytes(content)
    before = {path: path.stat().st_mtime_ns for path in released.rglob("*")}
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the words are looked at below)
        course.release([SUMS], released)
    assert words in str(caught.value)
    assert {path: path.stat().st_mtime_ns for path in released.rglob("*")} == before


def test_lessons_are_named_in_the_order_of_the_course():
    assert [lesson.name for lesson in named(["02_pgd", "00_setup"])] == ["00_setup", "02_pgd"]
    assert named([]) == named([lesson.name for lesson in named([])])
    with pytest.raises(ValueError, match=r"There is no lesson 'fgsm'\. Lessons: 00_setup, 01_fgsm"):
        named(["01_fgsm", "fgsm"])


def test_a_course_without_exercises_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no exercises in 02_pictures"):
        course.release([PICTURES], tmp_path / "course")
    assert not (tmp_path / "course").exists()


def test_without_nbgrader_a_sentence_says_what_to_install(monkeypatch):
    for module in [name for name in sys.modules if name.startswith(("nbgrader", "seminar_lib.lessons."))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    with pytest.raises(ImportError, match=r"pip install 'seminar-lib\[test\]'"):
        import seminar_lib.lessons.course  # noqa: F401


# --- what the guide tells to type ---------------------------------------------------------------------------------


def test_the_image_of_the_guide_copies_files_that_exist():
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", GUIDE, re.MULTILINE) for name in line.split()]
    assert "requirements.lock" in copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_pattern_of_the_guide_reads_the_names_of_files():
    """The program matches it against the whole path, in which ``_`` occurs, too."""
    (pattern,) = re.findall(r"named_regexp='(.+)'", GUIDE)
    found = re.match(pattern, "/home/my_course/downloaded/01_fgsm/extracted/ada_01_fgsm.ipynb")
    assert found.groupdict() == {"student_id": "ada", "file_id": "01_fgsm"}


# --- what it grades ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_hidden_tests_count_an_endless_answer_ends_and_another_release_keeps_the_grades(released, nbgrader):
    """Also what nbgrader says when a lesson that was handed in has got another check."""
    settings = released / course.CONFIG
    settings.write_text(settings.read_text().replace("timeout = 120", "timeout = 3"))
    answers = {
        "right": "def add(a, b):\n    return b + a",
        "fits_the_visible_check": "def add(a, b):\n    return 2 * a",
        "endless": "def add(a, b):\n    while True:\n        pass",
    }
    for student, answer in answers.items():
        submit(released, student, "01_sums", {"1.1": answer})
    nbgrader(released, "autograde", "01_sums")
    expected = {"right": 2, "fits_the_visible_check": 0, "endless": 0}
    assert {student: scores(released, student, "01_sums")["check-1-1"] for student in answers} == expected

    course.release([SUMS], released)
    assert "timeout = 3" in settings.read_text()
    assert {student: scores(released, student, "01_sums")["check-1-1"] for student in answers} == expected

    shutil.rmtree(released / "source")
    longer = released / "01_sums.py"
    longer.write_text(SUMS.source.read_text().replace("# %% tags=", '# %% check="1.1b"\nadd(0, 0)\n\n# %% tags='))
    with pytest.raises(RuntimeError, match=r"cannot release 01_sums: Cannot add or remove cells .* submissions"):
        course.release([Lesson(longer)], released)
    assert {student: scores(released, student, "01_sums")["check-1-1"] for student in answers} == expected


FORGOT_TO_CLIP = """def my_fgsm(model, x, y, eps):
    return x + eps * input_gradient(model, x, y).sign()
"""
MEAN_INSTEAD_OF_SUM = """def predicted_increase(grad, eps):
    return eps * grad.abs().mean(dim=(1, 2, 3))
"""
RIGHT_BUT_WARNS = """def predicted_increase(grad, eps):
    return eps * torch.tensor(grad).abs().sum(dim=(1, 2, 3))
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory, nbgrader):
    """Lesson 1 as three students hand it in, graded, with feedback."""
    folder = tmp_path_factory.mktemp("course")
    (fgsm,) = named(["01_fgsm"])
    course.release([fgsm], folder)
    solved = {number: cell.source for number, cell in exercises(products.solution(fgsm)).items()}
    some = {"1.1": solved["1.1"], "1.2": FORGOT_TO_CLIP, "1.3": MEAN_INSTEAD_OF_SUM}  # and 1.4 is not written
    submit(folder, "right", fgsm.name, {**solved, "1.3": RIGHT_BUT_WARNS})
    submit(folder, "wrong", fgsm.name, some)
    submit(folder, "edited", fgsm.name, some, edit_checks=True)
    # As from a notebook in JupyterLab, where a check lets an exercise pass that is not written yet.
    nbgrader(folder, "autograde", fgsm.name, JPY_SESSION_NAME="grading.ipynb")
    nbgrader(folder, "generate_feedback", fgsm.name)
    return folder


@pytest.mark.slow
def test_right_answers_get_all_points(graded):
    points = {"check-1-1": 1, "check-1-2": 2, "check-1-3": 1, "check-1-4": 1}
    assert scores(graded, "right", "01_fgsm") == points
    (cell,) = (
        c for c in read(graded / "autograded/right/01_fgsm/01_fgsm.ipynb").cells if c.metadata.get("check") == "1.2"
    )
    assert "### BEGIN HIDDEN TESTS" in cell.source  # put back for grading


@pytest.mark.slow
@pytest.mark.parametrize("student", ["wrong", "edited"])
def test_a_mistake_and_a_gap_get_none_whatever_became_of_the_checks(graded, student):
    points = {"check-1-1": 1, "check-1-2": 0, "check-1-3": 0, "check-1-4": 0}
    assert scores(graded, student, "01_fgsm") == points


@pytest.mark.slow
def test_feedback_tells_students_what_is_wrong(graded):
    page = (graded / "feedback" / "wrong" / "01_fgsm" / "01_fgsm.html").read_text(encoding="utf-8")
    for sentence in ("and leave [0, 1]: no camera can take them", "Not yet: exercise 1.4 is not written yet"):
        assert sentence in page
