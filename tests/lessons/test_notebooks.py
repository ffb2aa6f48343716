"""What every lesson must do: be what its source builds, run, repeat itself, be quick, and fail only in the stubs."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest

from seminar_lib.lessons import build, course, found, products
from seminar_lib.lessons.lesson import SOURCES
from slides.browser import browser_path

SANITIZE = Path(__file__).with_name("sanitize.cfg")
SECONDS_PER_CHECK = 10


@pytest.fixture(scope="module", params=found(), ids=lambda lesson: lesson.name)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def cells(lesson):
    """The code cells of the committed solution, in the order in which nbval counts them."""
    return [cell for cell in nbformat.read(lesson.solution_path, as_version=4).cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def validated(lesson, tmp_path_factory):
    """One run of nbval, lax but for the tagged cells: per code cell its seconds and, if it failed, why."""
    report = tmp_path_factory.mktemp(lesson.name) / "report.xml"
    options = ["--nbval-lax", f"--nbval-sanitize-with={SANITIZE}", f"--nbval-cell-timeout={build.SECONDS_PER_CELL}"]
    command = [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", *options, f"--junitxml={report}"]
    done = subprocess.run([*command, lesson.solution_path], capture_output=True, text=True)
    assert report.exists(), done.stdout + done.stderr
    return [
        (float(case.get("time")), next((child.text for child in case if child.tag in ("failure", "error")), None))
        for case in ET.parse(report).iter("testcase")
    ]


def test_what_is_committed_is_what_the_source_builds(lesson):
    assert build.check([lesson]) == []


def test_the_first_cell_says_what_the_lesson_takes_and_gives(lesson):
    assert lesson.title
    assert lesson.objectives
    assert 0 < sum(lesson.minutes.values()) <= 90


def test_at_least_three_cells_are_compared_strictly(cells):
    """Tagged cells that print nothing would prove nothing."""
    tagged = [cell for cell in cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert len(tagged) >= 3
    assert all(cell.outputs for cell in tagged)


@pytest.mark.slow
def test_the_solution_runs_and_repeats_itself(validated, cells):
    assert [failure for _, failure in validated if failure is not None] == []
    assert len(validated) == len(cells)


@pytest.mark.slow
def test_no_cell_keeps_a_class_waiting(validated, cells):
    for (seconds, _), cell in zip(validated, cells, strict=True):
        limit = SECONDS_PER_CHECK if "check" in cell.metadata else build.SECONDS_PER_CELL
        assert seconds < limit, cell.source


@pytest.mark.slow
@pytest.mark.skipif(
    browser_path() is not None, reason="a browser runs what students get: tests/browser/test_lessons.py"
)
def test_an_unsolved_lesson_fails_in_its_exercises_only_and_every_check_notices(lesson):
    notebook = products.student(lesson)
    build.run(notebook, lesson, allowed=["NotImplementedError", "Mistake"])
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        if errors:
            assert {"exercise", "check"} & set(cell.metadata), cell.source
        if "check" in cell.metadata:
            assert [error.ename for error in errors] == ["Mistake"], cell.source
            assert "Traceback" not in "\n".join(errors[0].traceback)  # it answers in a sentence


@pytest.mark.slow
def test_nbgrader_releases_what_students_get(lesson, tmp_path):
    student = products.student(lesson)
    numbers = [cell.metadata["exercise"] for cell in student.cells if "exercise" in cell.metadata]
    worth = course.release([lesson], tmp_path / "course")
    assert list(worth[lesson.name]) == numbers
    released = tmp_path / "course" / "release" / lesson.name / f"{lesson.name}.ipynb"
    cells = nbformat.read(released, as_version=4).cells
    assert [cell.source.rstrip() for cell in cells] == [cell.source for cell in student.cells]


def test_every_notebook_has_a_source():
    notebooks = SOURCES.parent
    built = {path.stem for folder in (notebooks, notebooks / "solutions") for path in folder.glob("*.ipynb")}
    assert built <= {lesson.name for lesson in found()}
