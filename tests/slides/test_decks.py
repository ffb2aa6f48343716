"""Every deck keeps its promises, as far as its file can tell; and the checks find what they are for."""

import pytest
from slide_checks import ROOT, faults_of_source, measurements

from seminar_lib.lessons import found
from slides.deck import Deck, find, names

LESSONS = {"01_fgsm": ("00_setup", "01_fgsm")}  # the lessons of a deck that serves more than its own
WORDS = "keeps 10.0% [7.7%, 12.9%] of n = 500"
HEALTHY = "\n## A heading\n\nkeeps 10.0% [7.7%, 12.9%] of n = 500\n\n<!-- 2 min. Say: so much. -->\n"


@pytest.mark.parametrize("name", names())
def test_a_deck_has_no_fault(name):
    assert faults_of_source(find(name), measurements(LESSONS.get(name, (name,)))) == []


def test_a_deck_belongs_to_a_lesson():
    assert set(names()) <= {lesson.name for lesson in found()}


@pytest.mark.parametrize("name", names())
def test_the_readme_lists_a_deck(name):
    deck = find(name)
    row = f"| [{deck.title}](slides/{name}.md) | {len(deck.slides)} | {deck.minutes} min |"
    assert row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def faults(tmp_path):
    """The faults of a deck of twelve healthy slides, of which one has words replaced."""

    def find_faults(old="", new="", minutes=24, slides=12):
        parts = [HEALTHY] * (slides - 1) + [HEALTHY.replace(old, new)]
        path = tmp_path / "01_test.md"
        path.write_text("---\n".join([f"---\ntitle: T\nminutes: {minutes}\n", *parts]), encoding="utf-8")
        return faults_of_source(Deck.read(path), WORDS)

    return find_faults


def test_a_healthy_deck_has_none(faults):
    assert faults() == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("## A heading", "", "no heading"),
        ("## A heading", "## Turn $x$", "a formula in the heading"),
        ("<!-- 2 min. Say: so much. -->", "<!-- so much -->", "no note with minutes"),
        ("keeps", "![](figures/01_fgsm/corner.svg)", "no alt text"),
        ("keeps", "![a sign](figures/01_fgsm/corner.svg)", "no alt text"),
        ("keeps", "![a sign and its gradient](figures/none.svg)", "does not exist"),
        ("keeps", "![a sign and its gradient](https://example.org/a.svg)", "from elsewhere"),
        ("keeps", "![a sign and its gradient](//example.org/a.svg)", "from elsewhere"),
        ("keeps", '<script src="https://example.org/a.js"></script>', "from elsewhere"),
        ("keeps", '<IMG src="https://example.org/a.png">', "from elsewhere"),
        ("keeps", "<style>@import 'a.css'</style>", "from elsewhere"),
        ("10.0% [7.7%, 12.9%]", "10.0%", "10.0% has no interval"),
        ("10.0% [7.7%, 12.9%]", "10.0 % [7.7, 12.9]", "not written as the library writes it"),
        ("10.0% [7.7%, 12.9%]", "10.0% [7.7, 12.9]", "not written as the library writes it"),
        ("10.0% [7.7%, 12.9%]", "11.0% [7.7%, 12.9%]", "was not measured"),
        ("so much", "it falls to 3.1% [2.2%, 4.4%]", "3.1% [2.2%, 4.4%] was not measured"),
        ("n = 500", "500", "shares without n"),
        ("so much", "so *much*", "markup in a note"),
        ("so much", "so $x$", "markup in a note"),
    ],
)
def test_a_planted_fault_is_found(faults, old, new, fault):
    found = faults(old, new)
    assert any(fault in one and one.startswith("slide 12") for one in found), found


@pytest.mark.parametrize("slides", [11, 21])
def test_too_few_and_too_many_slides_are_found(faults, slides):
    assert faults(minutes=2 * slides, slides=slides) == [f"{slides} slides, not 12 to 20"]


def test_a_wrong_sum_of_minutes_is_found(faults):
    assert faults(minutes=25) == ["the notes take 24 minutes, the front matter says 25"]


@pytest.mark.parametrize("front", ["", "---\ntitle: T\n---\n", "---\ntitle: T\nminutes: soon\n---\n", "words\n---\n"])
def test_a_deck_without_front_matter_is_refused(tmp_path, front):
    path = tmp_path / "01_test.md"
    path.write_text(front + HEALTHY, encoding="utf-8")
    with pytest.raises(ValueError, match=r"01_test.md must begin with front matter.*Copy that of another deck"):
        Deck.read(path)


def test_an_unknown_deck_is_refused_with_the_names_that_there_are():
    with pytest.raises(ValueError, match=r"no deck '99_none'; there are 01_fgsm, 02_pgd"):
        find("99_none")
