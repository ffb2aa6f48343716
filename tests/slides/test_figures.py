"""What a deck shows is what its script draws."""

import re

import numpy as np
import pytest

from slides.deck import FOLDER, find, names
from slides.draw import FIGURES, draw, drawings, shorter

NAMES_IN_SVG = re.compile(r'(?:id|xlink:href|clip-path|style)="[^"]*"')  # they hash all digits of what they name
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
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


def test_places_are_shortened_and_nothing_else():
    before = '<path id="a1.2345" d="M 0.123456 2 L -10.5 3.999"/><text x="1.23456">0.1234</text>'
    assert shorter(before) == '<path id="a1.2345" d="M 0.12 2 L -10.5 3.99"/><text x="1.23">0.1234</text>'


def test_a_deck_without_figures_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"There is no slides/figures/99_none.py"):
        dict(drawings("99_none"))
