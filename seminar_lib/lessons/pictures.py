"""Pictures of a committed notebook in fewer bytes: they are most of what a clone of the course weighs."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import zopfli.png
from PIL import Image

WIDEST = 1200  # pixels. Demos draw two for each of the screen's, for sharp letters
COLOURS = 256
KMEANS = 3  # rounds that move the colours to the middle of what they stand for
LEVELS, SHARE = 3, 90  # of 255; per cent of the pixels. A perturbation of a lesson moves nearly all, and further


def lighter(png: bytes) -> bytes:
    """The same picture, in at most as many bytes.

    One that is wider than a page is made half as wide and half as high.

    A drawing has few colours, or one scale of them, so 256 of its own do: a pixel then takes one byte, not three. A
    photograph has more, and what a lesson shows of it may be a change of a few levels; it stays as it is, bit for bit,
    and is packed better.

    Args:
        png: a picture without transparency.

    Returns:
        the PNG: within 3 of 255 levels in 90 % of the pixels of that size, or equal in all.
    """
    given = Image.open(BytesIO(png))
    wide = given.width > WIDEST
    if given.mode == "P" and not wide:  # has a palette already
        return packed(png)
    picture = given.convert("RGB").reduce(2 if wide else 1)
    drawing = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=KMEANS, dither=Image.Dither.NONE)
    moved = np.abs(np.asarray(picture, int) - np.asarray(drawing.convert("RGB"), int)).max(-1)
    file = BytesIO()
    (drawing if np.percentile(moved, SHARE) <= LEVELS else picture).save(file, "PNG")
    light = packed(file.getvalue())
    return light if wide else min(light, png, key=len)


def packed(png: bytes) -> bytes:
    """The same pixels in at most as many bytes: zopfli takes a second, and an eighth less than zlib at its best."""
    tight: bytes = zopfli.png.optimize(png)
    return min(tight, png, key=len)
