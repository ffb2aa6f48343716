"""What stands behind a road sign: sky, trees, houses, walls and road, put together at random and out of focus.

Colours are floats in [0, 1]; a picture is an array (size, size, 3), its first row at the top.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[np.float32]  # (size, size, 3)
Field = NDArray[np.float32]  # (size, size), values in [0, 1]
RGB = NDArray[np.float32] | tuple[float, float, float]


def enlarge(picture: Picture, size: int) -> Picture:
    """The same picture at ``size`` x ``size``, smoothly interpolated."""
    channels = [Image.fromarray(channel).resize((size, size), Image.Resampling.BICUBIC) for channel in picture.T]
    large: Picture = np.stack([np.asarray(channel) for channel in channels], axis=-1).swapaxes(0, 1)
    return large.clip(0, 1)


def clouds(rng: Generator, size: int, cells: Sequence[int]) -> Field:
    """Smooth random blotches: a sum of random grids of ``cells`` x ``cells``, finer grids weighing less."""
    total = np.zeros((size, size), dtype=np.float32)
    for octave, n in enumerate(cells):
        grid = Image.fromarray(rng.random((n, n), dtype=np.float32))
        total += np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC)) / 1.5**octave
    total -= total.min()
    total /= total.max()
    return total


def _mix(dark: RGB, light: RGB, share: Field) -> Picture:
    return dark + share[..., None] * np.subtract(light, dark)


def _jitter(rng: Generator, colour: RGB, spread: float = 0.08) -> NDArray[np.float32]:
    """A colour near ``colour``: as a whole lighter or darker, and a little off in each channel."""
    shift = rng.uniform(-spread, spread) + rng.uniform(-spread / 3, spread / 3, 3)
    return np.clip(colour + shift, 0, 1).astype(np.float32)


def _sky(rng: Generator, size: int) -> Picture:
    down = np.linspace(0, 1, size, dtype=np.float32)[:, None].repeat(size, axis=1)
    blue = _mix(_jitter(rng, (0.30, 0.50, 0.82), 0.15), _jitter(rng, (0.74, 0.83, 0.92)), down)
    cover: Field = np.clip(clouds(rng, size, (3, 6, 12)) * 2.5 - rng.uniform(0.2, 2.5), 0, 1)
    return blue + cover[..., None] * (_jitter(rng, (0.84, 0.85, 0.87), 0.10) - blue)


def _foliage(rng: Generator, size: int) -> Picture:
    summer = (0.06, 0.12, 0.05), (0.36, 0.50, 0.20)
    autumn = (0.16, 0.10, 0.05), (0.66, 0.46, 0.16)
    winter = (0.14, 0.13, 0.11), (0.52, 0.49, 0.42)
    dark, light = (summer, summer, summer, autumn, winter)[rng.integers(5)]
    leaves = clouds(rng, size, (5, 11, 23, size)) ** rng.uniform(0.8, 1.8)
    return _mix(_jitter(rng, dark, 0.05), _jitter(rng, light), leaves)


def _house(rng: Generator, size: int) -> Picture:
    wall = ((0.74, 0.66, 0.52), (0.60, 0.34, 0.26), (0.62, 0.62, 0.60), (0.86, 0.84, 0.78))[rng.integers(4)]
    drawing = Image.new("RGB", (size, size), _bytes(_jitter(rng, wall)))
    pen = ImageDraw.Draw(drawing)
    width, height = rng.uniform(0.10, 0.22, 2) * size
    left, top = rng.uniform(0, 0.2, 2) * size
    glass, frame = _bytes(_jitter(rng, (0.22, 0.26, 0.32), 0.15)), _bytes(_jitter(rng, (0.85, 0.85, 0.82), 0.12))
    for x in np.arange(left - 2 * width, size, 1.9 * width):
        for y in np.arange(top - 2 * height, size, 1.8 * height):
            pen.rectangle([x, y, x + width, y + height], fill=glass, outline=frame)
    plaster = 0.9 + 0.1 * clouds(rng, size, (4, 16, size))
    return _floats(drawing) * plaster[..., None]


def _bricks(rng: Generator, size: int) -> Picture:
    brick, mortar = ((0.56, 0.28, 0.20), (0.55, 0.52, 0.48), (0.42, 0.38, 0.34))[rng.integers(3)], (0.68, 0.66, 0.62)
    drawing = Image.new("RGB", (size, size), _bytes(_jitter(rng, mortar)))
    pen = ImageDraw.Draw(drawing)
    height = rng.uniform(0.05, 0.11) * size
    for row, y in enumerate(np.arange(0, size, height)):
        for x in np.arange(-height * (row % 2) - height, size, 2.2 * height):
            pen.rectangle([x, y, x + 1.9 * height, y + 0.78 * height], fill=_bytes(_jitter(rng, brick, 0.06)))
    return _floats(drawing) * (0.85 + 0.15 * clouds(rng, size, (3, size)))[..., None]


def _road(rng: Generator, size: int) -> Picture:
    grey = _jitter(rng, (0.38, 0.38, 0.39), 0.14)
    grain = 0.8 + 0.2 * clouds(rng, size, (4, size))
    drawing = Image.new("RGB", (size, size), _bytes(grey))
    near, far, width = rng.uniform(-0.3, 1.3) * size, rng.uniform(0.2, 0.8) * size, rng.uniform(0.02, 0.07) * size
    marking = [(far - width / 4, 0), (far + width / 4, 0), (near + width, size), (near - width, size)]
    ImageDraw.Draw(drawing).polygon(marking, fill=(214, 212, 205))
    return _floats(drawing) * grain[..., None]


def _bytes(colour: RGB) -> tuple[int, ...]:
    return tuple(round(255 * float(value)) for value in colour)


def _floats(drawing: Image.Image) -> Picture:
    return np.asarray(drawing, dtype=np.float32) / np.float32(255)


def _edge(rng: Generator, size: int, height: float, rough: float) -> Field:
    """1 below an uneven line that runs across at ``height`` (0 top, 1 bottom), 0 above it."""
    steps = np.convolve(rng.normal(0, rough, size + 4), np.full(5, 0.2), mode="valid").cumsum()
    line = size * (height + rng.uniform(-0.3, 0.3) * np.linspace(-0.5, 0.5, size)) + steps - steps.mean()
    below: Field = (np.arange(size)[:, None] - line).clip(0, 1).astype(np.float32)
    return below


def _clutter(rng: Generator, picture: Picture) -> Picture:
    """Things that happen to stand there, posts, bins, cars and boards, as plain patches of muted colour."""
    size = len(picture)
    drawing = Image.fromarray((255 * picture.clip(0, 1)).astype(np.uint8))
    pen = ImageDraw.Draw(drawing)
    for _ in range(rng.integers(0, 4)):
        x, foot = rng.uniform(0.0, 1.0) * size, rng.uniform(0.4, 1.2) * size
        width, height = rng.uniform(0.02, 0.25) * size, rng.uniform(0.1, 0.5) * size
        colour = _bytes(_jitter(rng, (rng.uniform(0.05, 0.85),) * 3, 0.15))
        pen.rectangle([x, foot - height, x + width, foot], fill=colour)
    return _floats(drawing)


def roadside(rng: Generator, size: int) -> Picture:
    """A random roadside scene."""
    far = (_sky, _sky, _foliage, _house, _bricks)[rng.integers(5)](rng, size)
    middle, rough = ((_foliage, 0.8), (_foliage, 0.8), (_house, 0.0))[rng.integers(3)]
    scene = far + _edge(rng, size, rng.uniform(0.1, 1.4), rough)[..., None] * (middle(rng, size) - far)
    scene = scene + _edge(rng, size, rng.uniform(0.6, 1.6), rough=0.05)[..., None] * (_road(rng, size) - scene)
    return _clutter(rng, scene)
