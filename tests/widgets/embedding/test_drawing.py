"""Places of the plane on the canvas: inside the map, true to scale, with names that do not cover each other."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from seminar_lib.plots.style import VERMILLION
from seminar_lib.widgets.canvas import DENSITY, Canvas
from seminar_lib.widgets.embedding.drawing import BOTTOM, LEFT, RIGHT, TOP, Sheet, draw_walk

CLOUD = np.random.default_rng(0).normal(size=(50, 2)) * [3, 1] + [7, -2]


@pytest.fixture
def sheet():
    return Sheet([SimpleNamespace(places=CLOUD[:20]), SimpleNamespace(places=CLOUD[20:])])


def test_all_clean_images_are_inside_and_true_to_scale(sheet):
    places = np.array([sheet(tuple(at)) for at in CLOUD])
    assert ((places > [LEFT + 8, TOP + 8]) & (places < [RIGHT - 8, BOTTOM - 8])).all(), "none had to be held back"
    away, steps = places - places[0], (CLOUD - CLOUD[0]) * [1, -1]
    np.testing.assert_allclose(away, steps * sheet.scale, atol=1e-9)


@pytest.mark.parametrize("at", [(1e6, 0), (-1e6, 1e6), (0, -1e6)])
def test_what_lies_beyond_is_drawn_at_the_edge(sheet, at):
    x, y = sheet(at)
    assert LEFT < x < RIGHT
    assert TOP < y < BOTTOM


def test_images_in_one_place_are_drawn_in_the_middle():
    assert Sheet([SimpleNamespace(places=np.ones((4, 2)))])((1, 1)) == ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)


def test_the_way_grows_with_the_steps_and_ends_in_a_large_disc(sheet):
    walk = [SimpleNamespace(at=tuple(at)) for at in np.linspace(CLOUD.min(0), CLOUD.max(0), 6)]
    colour = [int(VERMILLION[i : i + 2], 16) for i in (1, 3, 5)]
    inked = []
    for step in range(6):
        canvas = Canvas(RIGHT + 8, BOTTOM + 8)
        draw_walk(canvas, walk, step, sheet)
        inked.append((canvas.pixels() == colour).all(2))
        x, y = (round(DENSITY * value) for value in sheet(walk[step].at))
        assert inked[-1][y - 8 : y + 8, x - 8 : x + 8].all()
    assert all(a.sum() < b.sum() for a, b in pairwise(inked))
