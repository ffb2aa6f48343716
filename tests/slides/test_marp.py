"""Decks are built into single files, and look as they must; what is missing is said in a sentence."""

import re
import zlib
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from slide_checks import faults_on_screen

from slides import marp, npm
from slides.deck import FOLDER, Deck, find, names

FRONT = "---\nmarp: true\ntheme: seminar\ntitle: T\nminutes: 1\n---\n\n## One\n\n"
SCHEMAS = {"a": "drawingml", "p": "presentationml"}
PICTURE = "![sixteen signs in two rows](figures/01_fgsm/signs.svg)\n"


NOTE = "<!--\n1 min. Ask: why < 1?\nExpect: it is a share.\n-->\n"
POWERPOINT = {letter: f"{{http://schemas.openxmlformats.org/{name}/2006/main}}" for letter, name in SCHEMAS.items()}


@pytest.fixture
def built(chromium, tmp_path):
    """The file of a kind that is built of a deck of one slide of these words."""

    def build(words, kind="html"):
        path = FOLDER / f"{tmp_path.name}.md"  # where the theme and the pictures are
        path.write_text(FRONT + words, encoding="utf-8")
        try:
            return marp.build(Deck.read(path), kind, tmp_path)
        finally:
            path.unlink()

    return build


@pytest.fixture
def faults(chromium, built):
    """What is wrong, on the screen, with a deck of one slide of these words."""
    return lambda words: faults_on_screen(chromium, built(words))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_deck_looks_as_it_must_and_asks_for_nothing(chromium, tmp_path, name):
    deck = find(name)
    page = marp.build(deck, "html", tmp_path)
    inside = page.read_text(encoding="utf-8").count('<img src="data:image/svg+xml;base64')
    assert inside == sum(len(slide.pictures) for slide in deck.slides)
    assert faults_on_screen(chromium, page) == []


def test_a_healthy_slide_has_no_fault(faults):
    assert faults("Words, $x^2$ and *more*.\n\n" + PICTURE) == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("- one more line\n" * 20, "overflows"),
        ("`" + "very" * 60 + "`\n", "overflows"),
        ("- one more line\n" * 8 + "\n" + PICTURE, "squeezed"),
        ("<style>p { color: #999 }</style>\n\npale\n", "contrast 2.8: pale"),
        ("<style>p { font-size: 18px }</style>\n\nsmall\n", "letters of 18px: small"),
        ("<style>p { position: absolute; top: 660px }</style>\n\nlow\n", "runs off the slide: low"),
        (
            "<style>ul { position: absolute; top: 300px; left: 600px }</style>\n\n- over\n\n" + PICTURE,
            "over a picture: over",
        ),
        ("![a sign that is elsewhere](http://127.0.0.1:9/a.png)\n", "asks for http://127.0.0.1:9/a.png"),
        ("![a sign that is elsewhere](http://127.0.0.1:9/a.png)\n", "not shown"),
    ],
)
def test_a_planted_fault_is_found(faults, words, fault):
    assert any(fault in found for found in faults(words)), faults(words)


@pytest.mark.parametrize(
    ("style", "fault"),
    [
        ("font: 40px sans-serif; fill: #1a1a1a", ""),
        ("font: 10px sans-serif", "letters of 12px in a picture: a word"),
        ("font: 40px sans-serif; fill: #d55e00", "contrast 3.9 in a picture: a word"),
    ],
)
def test_small_and_pale_letters_in_a_picture_are_found(faults, tmp_path, style, fault):
    path = FOLDER / "figures" / f"{tmp_path.name}.svg"
    words = f'<text y="50" style="{style}">a word</text>'
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 300">{words}</svg>', encoding="utf-8")
    try:
        found = faults(f"![a word in a picture](figures/{path.name})\n")
    finally:
        path.unlink()
    assert [fault in one for one in found] == [True] * bool(fault)


def test_a_powerpoint_slide_has_a_title_its_words_and_its_note(built):
    a, p = POWERPOINT["a"], POWERPOINT["p"]
    with ZipFile(built(f"A *share* & $x^2$.\n\n{PICTURE}\n{NOTE}", "pptx")) as file:
        slide = ET.fromstring(file.read("ppt/slides/slide1.xml"))
        notes = ET.fromstring(file.read("ppt/notesSlides/notesSlide1.xml"))
    title = next(shape for shape in slide.iter(f"{p}sp") if shape.find(f".//{p}ph[@type='title']") is not None)
    assert "".join(part.text for part in title.iter(f"{a}t")) == "One"
    said = [shape.get("descr") for shape in slide.iter(f"{p}cNvPr")]
    assert "A share & $x^2$.\nsixteen signs in two rows" in said
    assert "1 min. Ask: why < 1? Expect: it is a share." in [part.text for part in notes.iter(f"{a}t")]


def test_the_bookmarks_of_a_pdf_are_the_titles(built):
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", built("words\n", "pdf").read_bytes(), re.DOTALL)
    inside = b"".join(zlib.decompress(stream) for stream in streams if stream.startswith(b"x")).upper()
    coded = {title: f"<FEFF{title.encode('utf-16-be').hex()}>".upper().encode() for title in ("One", "Page 1")}
    assert coded["One"] in inside
    assert coded["Page 1"] not in inside


def test_without_npm_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(npm, "MODULES", tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SystemExit, match=r"needs node 18 or newer.*apt install nodejs npm.*same command again"):
        npm.install()


def test_without_a_browser_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(marp, "install", lambda: None)
    monkeypatch.setattr(marp, "browser_path", lambda: None)
    with pytest.raises(SystemExit, match=r"PDF is printed by a browser.*Install Chromium.*--kinds html"):
        marp.build(find("01_fgsm"), "pdf", tmp_path)


def test_a_failure_of_a_program_is_shown():
    with pytest.raises(SystemExit, match=r"(?s)no such thing.*failed; it says why above"):
        npm.run(["sh", "-c", "echo no such thing; exit 3"])
