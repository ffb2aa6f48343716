"""The sources of the site: links lead to where it has things, lessons show no solution, words stay words."""

import re
from html import unescape
from pathlib import Path

import pytest
from docutils.core import publish_parts

from seminar_lib import quiz, recipes
from seminar_lib.lessons import found
from slides.deck import FOLDER
from slides.site import api, gallery, lessons, questions
from slides.site.docstrings import as_rest
from slides.site.sources import lay, relink

SOLUTION = re.compile(r"### BEGIN SOLUTION.*\n((?:.*\n)*?)\s*### END SOLUTION")


@pytest.mark.parametrize(
    ("path", "link", "shown"),
    [
        ("index.md", "[a](notebooks/01_fgsm.ipynb)", "[a](notebooks/01_fgsm.ipynb)"),
        ("index.md", "[a](slides/teacher/README.md#the-day-before)", "[a](slides/teacher/index.md#the-day-before)"),
        ("slides/teacher/index.md", "[a](..)", "[a](../index.md)"),
        ("index.md", "[a](slides/01_fgsm.md)", '<a href="slides/01_fgsm.html">a</a>'),
        ("slides/teacher/01_fgsm.md", "[a](../01_fgsm.md)", '<a href="../01_fgsm.html">a</a>'),
        ("slides/teacher/index.md", "[a](01_fgsm.md)", "[a](01_fgsm.md)"),  # the guide of that name, not the deck
        ("index.md", "[a](https://example.org/README.md)", "[a](https://example.org/README.md)"),
        ("index.md", "![a](results/attack.png)", "![a](results/attack.png)"),
    ],
)
def test_a_link_leads_to_where_the_site_has_it(path, link, shown):
    assert relink(f"before {link} after", path) == f"before {shown} after"


@pytest.mark.parametrize("lesson", found(), ids=lambda lesson: lesson.name)
def test_a_lesson_shows_no_solution_but_what_it_printed(lesson):
    page = lessons.page(lesson)
    exercises = [cell.source for cell in page.cells if "exercise" in cell.metadata.get("tags", [])]
    for solution in SOLUTION.findall(lesson.source.read_text(encoding="utf-8")):
        answer = {line.strip() for line in solution.splitlines() if len(line.strip()) > 20}
        assert not any(line in exercise for line in answer for exercise in exercises)
    assert all("NotImplementedError" in source for source in exercises)
    assert any(cell.get("outputs") for cell in page.cells)


@pytest.mark.parametrize("lesson", found(), ids=lambda lesson: lesson.name)
def test_each_picture_of_a_lesson_has_words_where_the_reader_of_notebooks_looks(lesson):
    pictures = [
        cell
        for cell in lessons.page(lesson).cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
    ]
    assert pictures
    assert all(len(cell.metadata["mystnb"]["image"]["alt"].split()) >= 4 for cell in pictures)


def test_the_gallery_shows_each_demo():
    shown = {still.demo for lesson in found() for still in gallery.stills(lesson)}
    sources = "\n".join(lesson.source.read_text(encoding="utf-8") for lesson in found())
    assert shown == set(re.findall(r"^\w+ = (\w+Demo|LiveCurve)\(", sources, re.MULTILINE))


def test_every_recipe_and_every_augmentation_stands_on_a_page():
    text = "\n".join(api.pages().values())
    imported = re.findall(r"import (\w+) as", Path(recipes.__file__).read_text(encoding="utf-8"))
    assert {name for name in imported if name.islower()} <= set(re.findall(r"autofunction:: (\w+)", text))
    assert {"Augment", "SimCLRAugment"} <= set(re.findall(r"autoclass:: (\w+)", text))


def test_a_section_is_named_by_its_topic_and_begins_with_the_whole_sentence():
    text = api.pages()["api/recipes.rst"]
    assert "\nANCHOR\n------\n\n.. automodule:: seminar_lib.recipes.anchor\n" in text
    assert "\nLISArD\n------\n" in text
    assert max(map(len, re.findall(r"\n(.+)\n-{3,}\n", text))) < 50


def test_the_questions_to_print_are_all_there_and_give_nothing_away():
    guides = sorted((FOLDER / "teacher").glob("[0-9]*.md"))
    files = questions.pages(guides)
    index = files.pop("slides/teacher/questions/index.md")
    assert sorted(re.findall(r"\]\((.+?)\)", index)) == sorted(path.rpartition("/")[2] for path in files)
    assert len(files) == len(guides) + 2 * len(quiz.lessons())
    for guide in guides:
        text = guide.read_text(encoding="utf-8")
        page = files[f"slides/teacher/questions/{guide.stem}-exam.md"]
        assert re.findall(r"^## (.+ points\))$", page, re.MULTILINE) == re.findall(r"^### (.+)$", text, re.MULTILINE)
        assert not re.search(r"^- \d+: |Also accepted", page, re.MULTILINE)


@pytest.mark.parametrize(
    "words",
    [
        "the dual norm |w|* of f_ and a * b * c",
        "a star *, an f_6, |x| <= eps and x_adv",
        r"a backslash \delta and `single` ticks",
    ],
)
def test_words_of_a_docstring_stay_words(words):
    parts = publish_parts("\n".join(as_rest([words])), writer="html5", settings_overrides={"halt_level": 2})
    assert unescape(re.sub(r"<[^>]*>", "", parts["body"])).strip() == words


def test_an_indented_block_is_code_and_an_indented_item_is_not():
    lines = ["Formula:", "", "    |w|* = 1", "", "Args:", "    x: one", "        more", "", "    y: two"]
    assert as_rest(lines) == ["Formula:", "", "::", "", "    |w|* = 1", "", *lines[4:]]


def test_laying_keeps_what_is_the_same_and_removes_what_is_no_longer_there(tmp_path):
    lay({"a/b.md": "one", "c.md": "two"}, tmp_path)
    before = (tmp_path / "a" / "b.md").stat().st_mtime_ns
    lay({"a/b.md": "one", "d.png": b"three"}, tmp_path)
    assert (tmp_path / "a" / "b.md").stat().st_mtime_ns == before
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"b.md", "d.png"}
