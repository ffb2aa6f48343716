"""What a deck shows is what its script draws."""

import re
from io import BytesIO, StringIO
from urllib.request import urlopen
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from slides.deck import FOLDER, find, names
from slides.draw import FIGURES, LOOK, draw, drawings, shorter

NAMES_IN_SVG = re.compile(r'(?:id|xlink:href|clip-path|style)="[^"]*"')  # they hash all digits of what they name
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
XLINK = "http://www.w3.org/1999/xlink"
EDGE = 16  # of 255 levels, where a line moves by a hundredth of a point
A_POINT = 1.0  # of 72 to an inch: another computer may round otherwise, but nobody sees that


@pytest.mark.parametrize("name", names())
def test_each_picture_is_drawn_and_each_drawing_is_shown(name):
    shown = {picture.path for slide in find(name).slides for picture in slide.pictures}
    drawn = {f"figures/{name}/{part}.svg" for part, _ in drawings(name)}
    committed = {str(path.relative_to(FOLDER)) for path in (FIGURES / name).iterdir()}
    assert shown == drawn == committed


@pytest.mark.parametrize("part", ["corner", "signs"])
def test_drawing_again_gives_the_same_file(part, tmp_path):
    again = tmp_path / "again.svg"
    draw(dict(drawings("01_fgsm"))[part], again)
    assert again.read_text() == (FIGURES / "01_fgsm" / f"{part}.svg").read_text()


def words_and_numbers(path):
    """What a figure says, and where its parts are."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"<text[^>]*>([^<]*)<", text), np.array(NUMBER.findall(NAMES_IN_SVG.sub("", text)), dtype=float)


@pytest.mark.slow
def test_what_a_network_answers_is_drawn_again_as_it_was(tmp_path):
    again = tmp_path / "again.svg"
    draw(dict(drawings("01_fgsm"))["target"], again)
    words, numbers = words_and_numbers(again)
    before, there = words_and_numbers(FIGURES / "01_fgsm" / "target.svg")
    assert words == before
    assert "limit 120" in " ".join(words)
    assert np.abs(numbers - there).max() <= A_POINT


@pytest.fixture
def svg():
    """A figure as matplotlib writes it, with lines, words and a photograph."""
    figure, (left, right) = plt.subplots(1, 2)
    left.plot(np.sin(np.linspace(0, 6, 40)), "o-", label="$x_i$ < 1 & more")
    left.legend()
    right.imshow(np.random.default_rng(0).random((12, 12, 3)), interpolation="none")
    file = StringIO()
    with plt.rc_context(LOOK):
        figure.savefig(file, format="svg")
    plt.close(figure)
    return file.getvalue()


def test_a_shorter_figure_has_the_same_words_and_photographs(svg):
    def inside(figure):
        tree = ElementTree.fromstring(figure)
        letters = ["".join(word.itertext()).split() for word in tree.iter("{http://www.w3.org/2000/svg}text")]
        pictures = (element.get(f"{{{XLINK}}}href") for element in tree.iter("{http://www.w3.org/2000/svg}image"))
        return letters, [np.asarray(Image.open(urlopen(picture)).convert("RGBA")).tolist() for picture in pictures]

    assert inside(shorter(svg)) == inside(svg)
    assert len(shorter(svg)) < 0.75 * len(svg)


@pytest.mark.browser
def test_a_shorter_figure_looks_the_same(chromium, svg):
    def shown(figure):
        page = chromium.new_page()
        page.set_content(figure[figure.index("<svg") :])
        taken = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB"), int)
        page.close()
        return taken

    before, after = shown(svg), shown(shorter(svg))
    assert np.mean(before != 255) > 0.02  # there is something to see
    assert np.abs(before - after).max() <= EDGE


def test_a_deck_without_figures_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"There is no slides/figures/99_none.py"):
        dict(drawings("99_none"))
