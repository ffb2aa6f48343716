"""Lighter pictures: a drawing may lose shades that nobody sees, a photograph loses nothing."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from seminar_lib.lessons.pictures import lighter, packed


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB"), int)


@pytest.fixture
def drawing() -> bytes:
    """Points in two colours, with smooth edges, as large as those of the lessons."""
    file = BytesIO()
    figure, ax = plt.subplots()
    for k in range(2):
        ax.plot(np.sin(np.linspace(0, 6, 200) + k), ".", label=f"wave {k}")
    ax.legend()
    figure.savefig(file)
    plt.close(figure)
    return file.getvalue()


def test_a_drawing_takes_half_the_bytes_and_looks_the_same(drawing):
    light = lighter(drawing)
    assert len(light) < len(drawing) / 2
    moved = np.abs(pixels(light) - pixels(drawing)).max(-1)
    assert np.mean(moved <= 3) >= 0.9


def test_a_map_in_one_scale_of_colours_is_a_drawing():
    scale = plt.get_cmap("cividis")(np.random.default_rng(0).random((90, 120)), bytes=True)[..., :3]
    given = png(np.ascontiguousarray(scale))
    light = lighter(given)
    assert len(light) < len(given) / 2
    moved = np.abs(pixels(light) - pixels(given)).max(-1)
    assert np.mean(moved <= 3) >= 0.9


def test_a_photograph_stays_as_it_is():
    photograph = png(np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8))
    assert np.array_equal(pixels(lighter(photograph)), pixels(photograph))


def test_a_change_of_a_few_levels_survives():
    """A perturbation of 4/255 on a shaded background is what a lesson wants to show."""
    shade = np.linspace(0, 255, 120).astype(int)
    smooth = np.stack(np.broadcast_arrays(shade[:, None], shade[None], shade[::-1, None]), -1)
    noisy = smooth + 4 * np.random.default_rng(0).choice((-1, 1), smooth.shape)
    picture = png(noisy.clip(0, 255).astype(np.uint8))
    assert np.array_equal(pixels(lighter(picture)), pixels(picture))


def test_a_picture_wider_than_a_page_becomes_half_as_wide():
    """Each pixel is the mean of four; what was drawn with two pixels for one loses no line."""
    chess = np.kron(
        np.random.default_rng(0).integers(0, 256, (4, 640, 3), dtype=np.uint8), np.ones((2, 2, 1), np.uint8)
    )
    assert np.array_equal(pixels(lighter(png(chess))), pixels(png(np.ascontiguousarray(chess[::2, ::2]))))


def test_doing_it_again_changes_no_byte(drawing):
    assert lighter(lighter(drawing)) == lighter(drawing)


def test_packing_keeps_every_pixel_and_beats_what_pillow_does_at_its_best(drawing):
    file = BytesIO()
    Image.open(BytesIO(drawing)).convert("RGB").save(file, "PNG", optimize=True)
    tight = packed(file.getvalue())
    assert np.array_equal(pixels(tight), pixels(drawing))
    assert len(tight) < len(file.getvalue())
