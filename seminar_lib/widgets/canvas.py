"""What the scenes of the demos draw on: text, enlarged images and bars, on white, within milliseconds.

A scene redraws itself for every key press, so it is drawn with Pillow; a matplotlib figure would take longer than the
eye allows. Lengths are those of the screen; the picture has ``DENSITY`` times as many pixels, for sharp letters.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from seminar_lib.plots import BLUE, GREY, INK, VERMILLION
from seminar_lib.plots.style import PALE, answer_look

Pixels: TypeAlias = NDArray[np.uint8]  # (H, W, C): grey with one channel, RGB with three
Point: TypeAlias = tuple[float, float]
Marker: TypeAlias = Literal["disc", "square", "triangle", "diamond", "wedge", "plus", "cross"]

DENSITY = 2
ROW = 20  # from one bar to the next

# Corners of the markers that are no discs, around a middle at (0, 0), y downwards; a cross is a plus, turned.
_PLUS = tuple(
    (x / 10, y / 10)
    for x, y in (
        (-4, -11),
        (4, -11),
        (4, -4),
        (11, -4),
        (11, 4),
        (4, 4),
        (4, 11),
        (-4, 11),
        (-4, 4),
        (-11, 4),
        (-11, -4),
        (-4, -4),
    )
)
_CORNERS: dict[Marker, tuple[Point, ...]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "triangle": ((0, -1.2), (1.2, 1), (-1.2, 1)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "wedge": ((0, 1.2), (-1.2, -1), (1.2, -1)),
    "plus": _PLUS,
    "cross": tuple(((x - y) / 2**0.5, (x + y) / 2**0.5) for x, y in _PLUS),
}


def png(pixels: Pixels) -> bytes:
    """An RGB picture (H, W, 3) as the bytes of a PNG (ISO/IEC 15948), in half the time that Pillow takes.

    A PNG may store a row as its difference from the row above. In a picture of large squares on white that is mostly
    zero, so every row takes this filter, where a general encoder tries five.
    """
    height, width, _ = pixels.shape
    values = pixels.reshape(height, 3 * width)
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = 2  # the number of the filter "up"
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])  # modulo 256, as the standard wants it
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB, the only methods there are
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows.data, level=1), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )


class Canvas:
    """A white picture with a pen.

    Args:
        width, height: in pixels of the screen.
    """

    def __init__(self, width: int, height: int) -> None:
        self._use(Image.new("RGB", (DENSITY * width, DENSITY * height), "white"))

    def _use(self, picture: Image.Image) -> None:
        self._picture = picture
        self._pen = ImageDraw.Draw(picture)

    def copy(self) -> Self:
        """The same picture to draw on further: what never changes is drawn once, and copied for every frame."""
        twin = object.__new__(type(self))
        twin._use(self._picture.copy())
        return twin

    def pixels(self) -> Pixels:
        """What has been drawn, (DENSITY * height, DENSITY * width, 3)."""
        return np.array(self._picture)

    def text(
        self,
        at: Point,
        words: str,
        size: int = 13,
        colour: str = INK,
        bold: bool = False,
        align: Literal["left", "middle", "right"] = "left",
        halo: bool = False,
    ) -> None:
        """One line of text; ``at`` is on its baseline. A white halo makes it readable on marks and lines."""
        anchor = {"left": "ls", "middle": "ms", "right": "rs"}[align]
        around: dict[str, Any] = {"stroke_width": DENSITY * 2, "stroke_fill": "white"} if halo else {}
        self._pen.text(_dense(at), words, fill=colour, font=_font(size, bold), anchor=anchor, **around)

    def answer(
        self,
        at: Point,
        words: str,
        right: bool,
        size: int = 13,
        bold: bool = False,
        align: Literal["left", "middle"] = "left",
    ) -> None:
        """An answer in words, with a tick or a cross before it."""
        mark, colour = answer_look(right)
        self.text(at, f"{mark} {words}", size, colour, bold, align)

    def image(self, at: Point, pixels: Pixels, enlarge: int = 1) -> None:
        """An image, each pixel a square of ``enlarge``; ``at`` is its upper left corner."""
        height, width, _ = pixels.shape
        rgb = Image.fromarray(np.broadcast_to(pixels, (height, width, 3)).copy())
        scale = DENSITY * enlarge
        x, y = _dense(at)
        self._picture.paste(rgb.resize((scale * width, scale * height), Image.Resampling.NEAREST), (int(x), int(y)))

    def box(self, at: Point, to: Point, outline: str, width: int = 1) -> None:
        """The outline of a rectangle."""
        self._pen.rectangle([_dense(at), _dense(to)], outline=outline, width=DENSITY * width)

    def line(self, points: Sequence[Point], colour: str, width: int = 2, dashed: bool = False) -> None:
        """Straight lines from point to point; dashed leaves out every other one."""
        if dashed:
            for start, end in list(pairwise(points))[::2]:
                self.line([start, end], colour, width)
        elif len(points) > 1:
            self._pen.line([_dense(point) for point in points], fill=colour, width=DENSITY * width, joint="curve")

    def marker(self, at: Point, shape: Marker, colour: str, radius: float = 4) -> None:
        """A small mark, its middle at ``at``."""
        x, y = at
        if shape == "disc":
            self._pen.ellipse([_dense((x - radius, y - radius)), _dense((x + radius, y + radius))], fill=colour)
        else:
            self._pen.polygon([_dense((x + radius * a, y + radius * b)) for a, b in _CORNERS[shape]], fill=colour)

    def probability_axes(self, at: Point, to: Point, longest: int, step: int) -> None:
        """What curves of a probability against eps are drawn on: a line at 100% and one at 0%, and ticks below.

        Args:
            at: the upper left corner of the curves.
            to: the lower right one.
            longest: the largest eps, in grey levels.
            step: from one tick to the next, in grey levels.
        """
        (left, top), (right, bottom) = at, to
        for level, words in ((top, "100%"), (bottom, "0%")):
            self.line([(left, level), (right, level)], PALE, 1)
            self.text((left - 5, level + 4), words, 11, GREY, align="right")
        for tick in range(0, longest + 1, step):
            words = f"{tick}/255" if tick == longest else f"{tick}"
            self.text((left + (right - left) * tick / longest, bottom + 16), words, 11, GREY, align="middle")

    def way(self, points: Sequence[Point]) -> None:
        """The path of an attack on a map, seen on any ground, with a large disc where it has come to."""
        self.line(points, "white", 4)
        self.line(points, VERMILLION, 2)
        for point in points[:-1]:
            self.marker(point, "disc", VERMILLION, 3)
        self.marker(points[-1], "disc", "white", 8)
        self.marker(points[-1], "disc", VERMILLION, 6)

    def bars(self, at: Point, names: Sequence[str], values: Sequence[float], true: int, width: int = 256) -> None:
        """A row for each class: its name, a bar for its probability, and the percentage.

        Args:
            at: the upper left corner.
            names: of the classes.
            values: their probabilities.
            true: which row is the true class; it says so, in bold letters and a colour of its own.
            width: of names, bars and percentages together.
        """
        left, top = at
        bar, longest = left + 140, width - 140 - 40
        for row, (name, value) in enumerate(zip(names, values, strict=True)):
            y = top + ROW * row
            is_true = row == true
            if is_true:
                self.text((left, y + 14), "true", 12, BLUE)
            self.text((left + 32, y + 14), name, bold=is_true)
            length = value * longest
            self._pen.rectangle(
                [_dense((bar, y + 3)), _dense((bar + length, y + 16))], fill=BLUE if is_true else VERMILLION
            )
            self.text((bar + length + 5, y + 14), f"{value:.0%}", 12, GREY if value < 0.005 else INK)


def text_width(words: str, size: int = 13, bold: bool = False) -> float:
    """How much of the screen a line of text takes."""
    return _font(size, bold).getlength(words) / DENSITY


def _dense(point: Point) -> Point:
    return (round(DENSITY * point[0]), round(DENSITY * point[1]))


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib ships it: the same letters on every computer."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), DENSITY * size)
