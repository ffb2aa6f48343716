"""The printed sheet, with and without answers, and the files that the command line writes."""

import zipfile

import pytest

from seminar_lib import quiz
from seminar_lib.quiz import Choice
from seminar_lib.quiz.export import FORMATS, export
from seminar_lib.quiz.sheet import sheet


def test_the_sheet_asks_everything_and_gives_nothing_away(small):
    asked = sheet(small)
    for question in small.questions:
        assert question.ask in asked
        assert question.explanation not in asked
        for option in question.options if isinstance(question, Choice) else ():
            assert option.text in asked
            assert option.because not in asked
    assert "●" not in asked
    assert "☑" not in asked
    assert "Answer: __________ litres" in asked


def test_the_answers_mark_the_right_options_and_give_all_reasons(small):
    told = sheet(small, answers=True)
    assert "- ● **B** The second" in told
    assert [line.split("**")[1] for line in told.splitlines() if "☑" in line] == ["A", "C", "E"]
    assert "**Answer: 0.5 litres.** One over two." in told
    for question in small.questions:
        assert question.explanation in told
        for entry in question.options if isinstance(question, Choice) else question.traps:
            assert entry.because in told


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_is_written_for_each_lesson(form, tmp_path):
    paths = export(["01_fgsm", "02_pgd"], form, tmp_path / "new")
    assert sorted(paths) == sorted((tmp_path / "new").iterdir())
    for lesson, path in zip(["01_fgsm", "02_pgd"], paths, strict=True):
        assert path.name == lesson + FORMATS[form][0]
        assert path.read_bytes() == FORMATS[form][1](quiz.read(lesson))
    assert zipfile.is_zipfile(paths[0]) == (form == "qti")


def test_nothing_is_written_if_a_lesson_has_no_questions(tmp_path):
    with pytest.raises(ValueError, match="There are no questions for '77_none'"):
        export(["01_fgsm", "77_none"], "moodle", tmp_path)
    assert not list(tmp_path.iterdir())
