"""The teacher's pack keeps its promises, as far as its files can tell; and the checks find what they are for."""

import re

import pytest
from guide_checks import (
    FOLDER,
    SCHEDULE,
    exercises_named,
    faults_of_guide,
    faults_of_links,
    faults_of_pace,
    faults_of_schedules,
    said_by_checks,
    sentences,
    slides_named,
    slides_of_timing,
)
from slide_checks import measurements

import seminar_lib as sl
from seminar_lib.lessons import found
from seminar_lib.widgets import FGSMDemo
from seminar_lib.widgets.fgsm import State
from slides.deck import find, names

LESSONS = {lesson.name: lesson for lesson in found()}
GUIDES = {path.stem: path for path in sorted(FOLDER.glob("[0-9][0-9]_*.md"))}
PAGES = sorted(FOLDER.glob("*.md"))
SAID = said_by_checks()
INDEX = FOLDER / "README.md"
SECTIONS = {
    heading
    for lesson in LESSONS.values()
    for heading in re.findall(r"^# ## (.+)$", lesson.source.read_text(encoding="utf-8"), re.MULTILINE)
}
EXERCISES = {
    number
    for lesson in LESSONS.values()
    for number in re.findall(r'exercise="([\d.]+)"', lesson.source.read_text(encoding="utf-8"))
}


def read(path):
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_has_no_fault(name):
    assert faults_of_guide(read(GUIDES[name]), LESSONS[name], measurements((name,)), SAID) == []


def test_every_lesson_has_a_guide_which_the_index_links():
    assert set(GUIDES) == set(LESSONS)
    assert re.findall(r"\(([0-9]{2}_\w+)\.md\)", read(INDEX)) == sorted(GUIDES)


def test_schedules_sum_and_name_sections_that_exist():
    schedules = read(INDEX).split("\n## Schedules\n")[1].split("\n## ")[0]
    assert faults_of_schedules(schedules) == []
    assert {minutes for minutes, _ in SCHEDULE.findall(schedules)} == {"45", "90", "180", "420"}
    assert set(re.findall(r"\*([^*]+)\*", schedules)) <= SECTIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_exercises_of_a_page_exist(page):
    text = read(page)
    assert faults_of_links(text, FOLDER) == []
    assert exercises_named(text) <= EXERCISES


@pytest.mark.parametrize("name", sorted(set(names()) & set(GUIDES)))
def test_a_guide_does_not_repeat_the_notes_of_the_deck(name):
    """The guide is read before the lesson, the notes during it."""
    notes = "\n".join(slide.note for slide in find(name).slides)
    assert sentences(read(GUIDES[name])) & sentences(notes) == set()


@pytest.mark.parametrize("name", sorted(set(names()) & set(GUIDES)))
def test_each_slide_of_a_deck_belongs_to_one_line_of_the_timing(name):
    assert slides_of_timing(read(GUIDES[name])) == list(range(1, len(find(name).slides) + 1))


@pytest.mark.parametrize("name", sorted(set(names()) & set(GUIDES)))
def test_the_notes_of_a_line_fit_into_its_minutes(name):
    assert faults_of_pace(read(GUIDES[name]), find(name)) == []


def test_a_line_with_too_few_minutes_is_found():
    guide = read(GUIDES["01_fgsm"]).replace("| 10 | reading | slides 4", "| 3 | reading | slides 4")
    (fault,) = faults_of_pace(guide, find("01_fgsm"))
    assert fault.endswith("has 3 minutes, its notes take 10")


def test_slides_are_recognised_in_words():
    assert slides_named("slides 4 to 6; slide 8, then slides 9 and 11: 3 of 5") == [4, 5, 6, 8, 9, 11]


def test_the_images_that_guide_1_names_fall_and_stand_in_the_demo():
    named = r"Images ([\d, and]+) fall at 2/255; images ([\d, and]+) stand at 16/255"
    falls, stands = re.search(named, read(GUIDES["01_fgsm"])).groups()
    data = sl.load_data("signs")
    model, _ = sl.load("signs/standard")
    test = data.test.sample(500)  # from here on as in the lesson
    right = (model(test.x).argmax(1) == test.y).nonzero().squeeze(1)
    right = right[test.x[right].std((1, 2, 3)).argsort(descending=True)]
    demo = FGSMDemo(model, test[right[:40]], data.classes)
    for eps, images, verdict in ((2, falls, "Fooled by sign(gradient)"), (16, stands, "still answers rightly")):
        for image in map(int, re.findall(r"\d+", images)):
            assert verdict in demo.describe(State(image=image - 1, eps=eps)), (image, eps)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("## Goal", "## Aim", "the headings are"),
        ("# 1. FGSM: one gradient step", "# 1. FGSM", "the title is not the lesson's"),
        ("| 10 | reading |", "| 11 | reading |", "plans {'reading': 21"),
        ("| 10 | coding |", "| 10 | waiting |", "plans"),
        ("```text", "```", "no sketch of the board"),
        ("below, grows", 99 * "-", "no sketch of the board"),
        ("you walk downhill", "you walk sideways", "no check says 'you walk sideways'"),
        ("slopes of different sign cancel (1.3)", "slopes of different sign cancel (2.3)", "2.3 is another lesson's"),
        ("?**", ".**", "fewer than three questions"),
        ("- 1: signs +, -, -", "- 2: signs +, -, -", "has 6 points, its marks make 7"),
        ("Also accepted", "Or", "does not say what else is accepted"),
        ("[96.1%, 98.8%]", "", "97.8% has no interval"),
        ("[96.1%, 98.8%]", "[96.2%, 98.8%]", "97.8% [96.2%, 98.8%] was not measured"),
    ],
)
def test_a_planted_fault_is_found(old, new, fault):
    healthy = read(GUIDES["01_fgsm"])
    assert old in healthy
    faults = faults_of_guide(healthy.replace(old, new), LESSONS["01_fgsm"], measurements(("01_fgsm",)), SAID)
    assert any(fault in one for one in faults), faults


@pytest.mark.parametrize("link", ["none.md", "README.md#nowhere", "../../none"])
def test_a_dead_link_is_found(link, tmp_path):
    (tmp_path / "README.md").write_text("# The day before\n", encoding="utf-8")
    assert faults_of_links("[well](README.md#the-day-before) [web](https://example.org/)", tmp_path) == []
    assert faults_of_links(f"[words]({link})", tmp_path) == [
        f"{link} leads to no heading" if "#" in link else f"{link} leads nowhere"
    ]


def test_a_schedule_that_does_not_sum_is_found():
    table = "### A lesson (45 minutes)\n\n| min | what |\n|---|---|\n| 40 | all |\n"
    assert faults_of_schedules(table + "| 5 | break |\n") == []
    assert faults_of_schedules(table) == ["a schedule of 45 minutes has 40"]
    assert faults_of_schedules("") == ["no schedule"]


def test_exercises_are_recognised_in_words():
    assert exercises_named("exercise 1.2, exercises 2.1, 2.3 and 3.4. The radius 0.5.") == {"1.2", "2.1", "2.3", "3.4"}
