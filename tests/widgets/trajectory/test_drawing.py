"""The map of a walk as a picture: everything lies on it, and the boundary where the margin is zero."""

from dataclasses import replace

import numpy as np

from seminar_lib.widgets.trajectory.drawing import CELL, MAP_HEIGHT, on_map, painted
from seminar_lib.widgets.trajectory.scene import GRID


def test_all_images_are_on_the_map(scene):
    for here in (scene(0), scene(1, 32, 16, 1), scene(3, 1, 0.25, 9)):
        for spot in here.spots:
            x, y = on_map(here, spot.at)
            assert 0 < x < CELL * GRID[1]
            assert 0 < y < MAP_HEIGHT


def test_the_boundary_is_drawn_white_where_the_margin_is_zero(scene):
    """On a made-up slope that is zero along a straight line."""
    slope = np.linspace(-3, 3, GRID[1])[None].repeat(GRID[0], 0)
    picture = painted(replace(scene(0), terrain=slope))
    white = (picture == 255).all(2)
    middle = CELL * GRID[1] // 2
    columns = np.flatnonzero(white.any(0))
    assert white[:, middle].all()
    assert abs(columns - middle).max() <= 3
