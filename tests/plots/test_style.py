"""Letters in pictures can be read."""

import pytest

from seminar_lib.plots.style import answer_look, name_colour


def contrast(colour):
    """With white: WCAG 2.1, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000") == 21
    assert contrast("#767676") == pytest.approx(4.54, abs=0.005)  # known as the palest grey that will do


@pytest.mark.parametrize("colour", [*map(name_colour, range(7)), *(answer_look(right)[1] for right in (True, False))])
def test_names_of_classes_and_answers_can_be_read_on_white(colour):
    assert contrast(colour) >= 4.5


def test_an_answer_is_told_by_its_mark_as_well_as_by_its_colour():
    assert len({*answer_look(True), *answer_look(False)}) == 4
