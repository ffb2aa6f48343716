"""The canvas and its PNG: what is drawn is what a browser decodes."""

import io
from itertools import combinations
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from seminar_lib.plots import BLUE, VERMILLION
from seminar_lib.widgets.canvas import DENSITY, Canvas, Marker, png, text_width


def colour(pixels, name):
    """Where a picture has this colour."""
    return (pixels == [int(name[i : i + 2], 16) for i in (1, 3, 5)]).all(2)


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 3), (40, 30, 3)])
def test_a_png_decodes_to_the_same_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    decoded = Image.open(io.BytesIO(png(pixels)))
    decoded.load()
    assert decoded.format == "PNG"
    np.testing.assert_array_equal(np.array(decoded), pixels)


def test_an_image_becomes_squares_of_its_own_pixels():
    image = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    canvas = Canvas(60, 40)
    canvas.image((3, 5), image, enlarge=7)
    side = 7 * DENSITY
    drawn = canvas.pixels()[5 * DENSITY :, 3 * DENSITY :][: 4 * side, : 6 * side]
    np.testing.assert_array_equal(drawn, image.repeat(side, axis=0).repeat(side, axis=1))


def test_a_grey_image_is_drawn_in_grey():
    canvas = Canvas(2, 2)
    canvas.image((0, 0), np.array([[[10], [20]], [[30], [40]]], dtype=np.uint8))
    np.testing.assert_array_equal(canvas.pixels()[::DENSITY, ::DENSITY], [[[10] * 3, [20] * 3], [[30] * 3, [40] * 3]])


def test_drawing_on_a_copy_leaves_the_original_as_it_was():
    canvas = Canvas(50, 20)
    twin = canvas.copy()
    twin.text((2, 15), "word")
    assert (canvas.pixels() == 255).all()
    assert (twin.pixels() < 128).any()


def test_bars_are_as_long_as_their_values():
    canvas = Canvas(256, 60)
    canvas.bars((0, 0), ["a", "b", "c"], [0.25, 0.5, 0.0], true=0)
    drawn = canvas.pixels()
    quarter = colour(drawn, BLUE)[:, 140 * DENSITY :].any(0).sum()  # right of the names
    half = colour(drawn, VERMILLION).any(0).sum()
    assert half == pytest.approx(2 * quarter, abs=2 * DENSITY)
    assert quarter > 10 * DENSITY


def test_the_true_class_is_told_by_more_than_colour():
    """Seen in grey and as shapes only, the row of the true class has more ink: a word and bold letters."""
    ink = []
    for true in (0, 1):
        canvas = Canvas(256, 40)
        canvas.bars((0, 0), ["same", "same"], [0.0, 0.0], true=true)
        rows = (canvas.pixels()[:, : 130 * DENSITY].min(2) < 200).reshape(2, -1)
        ink.append(rows.sum(1))
    assert ink[0][0] > 1.5 * ink[0][1]
    assert ink[1][1] > 1.5 * ink[1][0]


def test_markers_are_told_apart_by_shape_alone():
    shapes = {}
    for shape in get_args(Marker):
        canvas = Canvas(20, 20)
        canvas.marker((10, 10), shape, BLUE, 5)
        shapes[shape] = colour(canvas.pixels(), BLUE)
        assert shapes[shape][10 * DENSITY, 10 * DENSITY]
    for first, second in combinations(shapes.values(), 2):
        assert (first ^ second).sum() > 0.1 * min(first.sum(), second.sum())


def test_a_text_is_as_wide_as_it_says_and_its_halo_covers_what_is_below():
    canvas = Canvas(120, 30)
    canvas.text((10, 20), "Millimetre", bold=True)
    columns = np.flatnonzero((canvas.pixels().min(2) < 200).any(0))
    assert (columns[-1] - columns[0]) / DENSITY == pytest.approx(text_width("Millimetre", bold=True), abs=4)
    plain, haloed = canvas.copy(), canvas.copy()
    for twin, halo in ((plain, False), (haloed, True)):
        twin.line([(0, 15), (120, 15)], VERMILLION, 3)
        twin.text((10, 20), "Millimetre", bold=True, halo=halo)
    assert colour(haloed.pixels(), VERMILLION).sum() < 0.8 * colour(plain.pixels(), VERMILLION).sum()


@pytest.mark.parametrize("dashed", [False, True])
def test_a_line_of_one_point_draws_nothing(dashed):
    canvas = Canvas(10, 10)
    canvas.line([(5, 5)], BLUE, dashed=dashed)
    assert (canvas.pixels() == 255).all()
