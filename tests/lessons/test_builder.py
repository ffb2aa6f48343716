"""The builder, on two small lessons: what it builds, and what it refuses."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from fresh import in_a_fresh_python

from seminar_lib.lessons import Lesson, build, found, outputs, products, table

SUMS, PICTURES = (path.read_text() for path in sorted((Path(__file__).parent / "samples").glob("*.py")))


def lesson(folder: Path, name: str, script: str) -> Lesson:
    path = folder / "notebooks" / "source" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    return Lesson(path)


@pytest.fixture
def sums(tmp_path):
    return lesson(tmp_path, "01_sums", SUMS)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both lessons, built once; tests read them only."""
    folder = tmp_path_factory.mktemp("course")
    lessons = [lesson(folder, "01_sums", SUMS), lesson(folder, "02_pictures", PICTURES)]
    for each in lessons:
        build.build(each)
    return lessons


def read(path):
    return nbformat.read(path, as_version=4)


# --- the first cell ----------------------------------------------------------------------------------------------


def test_a_lesson_reads_its_first_cell(sums):
    assert (sums.number, sums.title) == (1, "Sums: adding")
    assert sums.minutes == {"reading": 5, "coding": 10, "discussion": 0}
    assert sums.objectives == ["add two numbers", "say why the order does not matter"]


@pytest.mark.parametrize(
    ("attribute", "old", "new", "sentence"),
    [
        ("title", "# # 1. Sums: adding", "#", "needs a title"),
        ("minutes", "discussion 0 min", "", "how many minutes discussion takes"),
        ("objectives", "# - ", "# ", "lists no objectives"),
        ("title", "# %% [markdown]", "# %%", "opens with a cell"),
    ],
)
def test_an_incomplete_first_cell_is_named(tmp_path, attribute, old, new, sentence):
    broken = lesson(tmp_path, "01_sums", SUMS.split("# %%\nclass")[0].replace(old, new))
    with pytest.raises(ValueError, match=rf"01_sums\.py: .*{sentence}"):
        getattr(broken, attribute)


def test_lessons_are_found_in_order_and_numbers_are_unique(tmp_path):
    second, first = lesson(tmp_path, "02_pictures", PICTURES), lesson(tmp_path, "01_sums", SUMS)
    (first.source.parent / "notes.py").write_text("")
    assert found(first.source.parent) == [first, second]
    lesson(tmp_path, "02_other", PICTURES)
    with pytest.raises(ValueError, match="02_other and 02_pictures have the same number"):
        found(first.source.parent)
    with pytest.raises(FileNotFoundError, match="clone"):
        found(tmp_path / "nowhere")


def test_listing_needs_no_builder(sums):
    """A student's installation has neither jupytext nor nbgrader: listing works, building says what to install."""
    script = f"""if True:
        import sys; from pathlib import Path
        sys.modules["jupytext"] = sys.modules["nbgrader"] = None
        from seminar_lib.lessons import found, table
        print(table(found(Path({str(sums.source.parent)!r}))))
        assert "torch" not in sys.modules
        try: import seminar_lib.lessons.build
        except ImportError as error: print(error)
    """
    output = in_a_fresh_python(script)
    assert output.splitlines()[:-1] == table([sums]).splitlines()
    assert "| [1. Sums: adding](notebooks/01_sums.ipynb) | 5 min | 10 min | 0 min |" in output
    assert output.splitlines()[-1].endswith("pip install 'seminar-lib[test]'")


# --- the three notebooks -----------------------------------------------------------------------------------------


def test_a_stub_says_what_to_write(sums):
    stub = next(cell for cell in products.student(sums).cells if "exercise" in cell.metadata)
    assert stub.source.startswith('def add(a, b):\n    """The sum."""\n    raise NotImplementedError(')
    names = {}
    exec(stub.source, names)
    with pytest.raises(NotImplementedError, match=r'^Exercise 1\.1: return the sum of "a" and b$'):
        names["add"](1, 2)


def test_students_see_the_check_but_neither_solution_nor_hidden_tests(sums):
    student = nbformat.writes(products.student(sums))
    assert "1 + 1 is 2" in student
    assert "<details>" in student
    for secret in ("a + b", "add(2, 3)", "SOLUTION", "HIDDEN"):
        assert secret not in student
    assert "a + b" in nbformat.writes(products.solution(sums))


def test_a_gradable_notebook_carries_points_and_ids(sums):
    marks = [cell.metadata["nbgrader"] for cell in products.gradable(sums).cells if "nbgrader" in cell.metadata]
    assert [(m["grade_id"], m["solution"], m["grade"], m["locked"], m.get("points")) for m in marks] == [
        ("exercise-1-1", True, False, False, None),
        ("check-1-1", False, True, True, 2),
    ]


def test_ids_stay_when_a_cell_is_inserted(tmp_path, sums):
    before = [cell.id for cell in products.solution(sums).cells]
    assert before == [cell.id for cell in products.student(sums).cells]
    head, tail = SUMS.split("# %% exercise", 1)
    longer = lesson(tmp_path, "01_sums", f"{head}# %%\n1\n\n# %%\n1\n\n# %% exercise{tail}")
    after = [cell.id for cell in products.solution(longer).cells]
    assert after[:2] + after[4:] == before
    assert len(set(after)) == len(after)  # the two new cells have the same text


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("    ### END SOLUTION\n", "", "exactly one '### BEGIN SOLUTION: what to write'"),
        (': return the sum of "a" and b', "", "exactly one '### BEGIN SOLUTION: what to write'"),
        ("### BEGIN SOLUTION", "### Begin solution", "exactly one '### BEGIN SOLUTION: what to write'"),
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST", "may hold one '### BEGIN HIDDEN TESTS'"),
        (' exercise="1.1"', "", 'must then name an exercise="1.2" or a check="1.2"'),
        (' exercise="1.1"', ' excercise="1.1"', "has excercise in its header"),
        ('exercise="1.1"', "exercise=1.1", r"has the number 1\.1; .* in quotes"),
        ('exercise="1.1"', 'exercise="2.1"', r"has the number '2\.1'"),
        ("### END HIDDEN TESTS\n", "", "may hold one '### BEGIN HIDDEN TESTS'"),
        ('check="1.1"', 'check="1.2"', r"01_sums: 1\.1 must be the number of both an exercise and a check"),
        ("# %% tags=", '# %% check="1.1"\n1\n\n# %% tags=', r"check 1\.1 stands there twice.*1\.1b"),
    ],
)
def test_a_broken_source_is_refused(tmp_path, old, new, sentence):
    assert old in SUMS
    broken = lesson(tmp_path, "01_sums", SUMS.replace(old, new))
    for product in (products.student, products.solution, products.gradable):
        with pytest.raises(ValueError, match=sentence):
            product(broken)


def test_an_exercise_may_have_several_checks(tmp_path):
    several = lesson(tmp_path, "01_sums", SUMS.replace("# %% tags=", '# %% check="1.1b"\nadd(0, 0)\n\n# %% tags='))
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in products.gradable(several).cells]
    assert [each for each in ids if each] == ["exercise-1-1", "check-1-1", "check-1-1b"]


# --- building and checking ---------------------------------------------------------------------------------------


def test_what_was_built_passes_the_check(built):
    assert build.check(built) == []


def test_a_solution_is_executed_and_holds_no_trace_of_the_machine(built):
    sums, pictures = (read(each.solution_path) for each in built)
    assert sums.cells[-1].outputs == [{"output_type": "stream", "name": "stdout", "text": "two and two is 4\n"}]
    counts = [cell.execution_count for cell in sums.cells if cell.cell_type == "code"]
    assert counts == [1, 2, 3, 4]
    for notebook in (sums, pictures):
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert sys.version.split()[0] not in json.dumps(notebook)
        assert all("execution" not in cell.metadata for cell in notebook.cells)


def test_a_solution_keeps_pictures_with_words_and_drops_widgets(built):
    shown = read(built[1].solution_path).cells[-1].outputs
    assert [sorted(output.data) for output in shown] == [["image/png", "text/plain"]]
    assert shown[0].metadata["image/png"]["alt"] == "a single grey pixel, drawn large."


def test_building_again_changes_no_byte(built):
    before = [path.read_bytes() for each in built for path in (each.student_path, each.solution_path)]
    seconds = [build.build(each) for each in built]
    assert [path.read_bytes() for each in built for path in (each.student_path, each.solution_path)] == before
    assert [len(each) for each in seconds] == [6, 2]
    assert all(0 < took < 60 for took in (seconds[0][1], seconds[1][1]))


def copy(built, tmp_path):
    """The first built lesson, free to be spoilt."""
    mine = lesson(tmp_path, "01_sums", SUMS)
    mine.solution_path.parent.mkdir()
    mine.student_path.write_bytes(built[0].student_path.read_bytes())
    mine.solution_path.write_bytes(built[0].solution_path.read_bytes())
    return mine


def test_where_texts_alone_have_changed_outputs_may_be_kept(built, tmp_path, monkeypatch):
    mine, before = copy(built, tmp_path), read(built[0].solution_path)
    mine.source.write_text(SUMS.replace("Python has a sign", "Python has even a sign"))
    with monkeypatch.context() as patch:
        patch.setattr(build, "run", None)
        assert build.build(mine, keep=True) == []
    assert build.check([mine]) == []
    after = read(mine.solution_path)
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    assert "even a sign" in nbformat.writes(after)
    assert after.metadata == before.metadata


@pytest.mark.parametrize("change", ["code", "a cell more", "no solution"])
def test_what_else_has_changed_is_executed(built, tmp_path, change):
    mine = copy(built, tmp_path)
    if change == "code":
        mine.source.write_text(SUMS.replace("2 + 2)", "1 + 3)"))
    elif change == "a cell more":
        mine.source.write_text(SUMS + "\n# %%\n7\n")
    else:
        mine.solution_path.unlink()
    assert sum(build.build(mine, keep=True)) > 0
    assert build.check([mine]) == []


def test_check_names_what_is_missing_or_stale(built, tmp_path):
    mine = copy(built, tmp_path)
    assert build.check([mine]) == []
    mine.source.write_text(SUMS.replace("two and two", "2 and 2"))
    stale = "is not what its source builds; edit source/01_sums.py and build again."
    assert build.check([mine]) == [f"notebooks/01_sums.ipynb {stale}", f"solutions/01_sums.ipynb {stale}"]
    mine.source.write_text(SUMS)
    mine.student_path.unlink()
    assert build.check([mine]) == ["notebooks/01_sums.ipynb is missing; build the lessons."]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (("stream", {"text": "saved in /home/ada/fgsm.png"}), "shows a path of the machine that built it: /home/ada"),
        (("stream", {"text": "C:\\Users\\ada"}), "shows a path of the machine that built it: C:"),
        (("stream", {"name": "stderr", "text": "UserWarning: slow"}), "shows an error or a warning"),
        (("error", {"ename": "ValueError", "evalue": "no", "traceback": []}), "shows an error or a warning"),
        (("display_data", {"data": {"image/png": "AAAA"}}), "draws; open it with '# Picture: "),
    ],
)
def test_check_refuses_outputs_that_should_not_be_committed(built, tmp_path, output, sentence):
    mine = copy(built, tmp_path)
    notebook = read(mine.solution_path)
    notebook.cells[-1].outputs.append(nbformat.v4.new_output(output[0], **output[1]))
    nbformat.write(notebook, mine.solution_path)
    (fault,) = build.check([mine])
    assert sentence in fault
    assert fault.startswith("solutions: 01_sums, cell 6 ('print(")


@pytest.mark.parametrize(
    "text", ["8/255 and/or 1/2", "https://example.org/a/b", "<td>1</td><br/>", "N/A", "./here/x.py"]
)
def test_not_every_slash_is_a_path(text):
    assert outputs.ABSOLUTE_PATH.search(text) is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1 / 0", "raises ZeroDivisionError: division by zero"),
        ("import time; time.sleep(30)", "takes more than 2 s"),
        ("import os; os._exit(1)", "ends its kernel"),
    ],
)
def test_a_cell_that_fails_fails_the_build_and_leaves_the_old_solution(built, tmp_path, monkeypatch, line, sentence):
    mine = copy(built, tmp_path)
    monkeypatch.setattr(build, "SECONDS_PER_CELL", 2)
    mine.source.write_text(SUMS + f"\n# %%\n{line}\n")
    with pytest.raises(RuntimeError, match=rf"01_sums, cell 7 \('{line[:5]}.*{sentence}") as raised:
        build.build(mine)
    assert str(raised.value).endswith(line)
    assert mine.solution_path.read_bytes() == built[0].solution_path.read_bytes()
