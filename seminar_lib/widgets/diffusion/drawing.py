"""How a purification looks: three panels from left to right, and below them other draws of the same noise."""

from __future__ import annotations

from collections.abc import Sequence

from seminar_lib.plots import GREY, INK
from seminar_lib.widgets.canvas import Canvas
from seminar_lib.widgets.diffusion.scene import DRAWS, Way
from seminar_lib.widgets.images import as_bytes, draw_small

PANELS, TOP = (8, 168, 328), 40  # left edges of the image, the noisy one and the purified one, and their upper edge
SIDE = 128  # of a panel
DRAWS_AT = (8, 258)  # upper left corner of the draws
STEP = 76  # from one draw to the next
BARS, WIDTH = (488, 40), 376  # upper left corner of the bars, and their width


def draw_way(canvas: Canvas, way: Way, t: int, titles: Sequence[str], enlarge: int) -> None:
    """The image, the same with noise, and what comes back, with arrows between them."""
    pictures = (way.before, way.noisy, way.purified[0])
    for left, title, pixels in zip(PANELS, titles, pictures, strict=True):
        canvas.text((left, 24), title, 14)
        canvas.image((left, TOP), as_bytes(pixels), enlarge)
    for left in PANELS[:2]:
        start, middle = left + SIDE + 6, TOP + SIDE / 2
        canvas.line([(start, middle), (start + 20, middle)], INK)
        canvas.line([(start + 14, middle - 6), (start + 20, middle), (start + 14, middle + 6)], INK)
    words = f"{way.kept:.2f} image + {way.noise:.2f} noise" if t else "no noise"
    canvas.text((PANELS[1], TOP + SIDE + 18), words, 11, GREY)


def draw_draws(canvas: Canvas, way: Way, true: int, classes: Sequence[str], enlarge: int) -> None:
    """Every draw after the way back, and below each what the network takes it for, with a tick or a cross."""
    right = int((way.p.argmax(1) == true).sum())
    canvas.text(
        (DRAWS_AT[0], DRAWS_AT[1] - 12), f"{DRAWS} draws of the noise: {right} of them read rightly", 14, bold=True
    )
    for number, (pixels, p) in enumerate(zip(way.purified, way.p, strict=True)):
        at = (DRAWS_AT[0] + STEP * number, DRAWS_AT[1])
        draw_small(canvas, at, pixels, enlarge, classes[int(p.argmax())], p.argmax() == true)
