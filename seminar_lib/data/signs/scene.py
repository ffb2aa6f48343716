"""From a sign's face to its photograph: pose, roadside, light, weather and camera.

A photograph is composed at three times its final size and averaged down, as a camera's pixels average the light that
falls on them. Everything random comes from one generator, and in an order that does not depend on the sign: the same
generator gives the same photograph with another sign in it, or with none. Brightness is that of the picture file, not
of the light: what an attacker changes by eps, and so the scale on which contrast decides what is lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from seminar_lib.data.signs.backdrop import Field, Picture, clouds, enlarge, roadside
from seminar_lib.data.signs.faces import EXTENT, face

SIZE = 32  # pixels of the photograph
_SCALE = 3
_CANVAS = SIZE * _SCALE
_DISTANCE = 5.0  # from the camera to the sign, in radii of the sign: near enough that a turned sign shows perspective

Range = tuple[float, float]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Conditions:
    """How hard the photographs are to read: ranges (low, high) and limits that each photograph's values are drawn from.

    A perturbation of size eps wipes out any detail whose contrast is below about 2 eps. ``contrast`` therefore decides
    how many signs a robust model can read at a given eps; it spans a decade, evenly on a logarithmic scale, so that
    a model's robust accuracy falls little by little as eps grows instead of all at once.
    """

    contrast: Range = (0.08, 1.0)  # white minus black on the sign; log-uniform. The lever of robustness: see above
    diameter: Range = (21.0, 31.0)  # pixels; log-uniform. On smaller signs 30, 50 and 80 are one to a robust model
    turn: float = 40.0  # degrees to the left or right at most; more than 45 squeezes two digits into one
    tilt: float = 12.0  # degrees up or down at most: signs are seen from below, but from afar
    roll: float = 9.0  # degrees; a bent pole. More, and "right" approaches "ahead"
    defocus: Range = (0.15, 0.50)  # pixels, standard deviation; above 0.8 the digits of a small sign run together
    motion: Range = (0.0, 0.40)  # pixels, standard deviation along one direction
    noise: Range = (0.002, 0.006)  # standard deviation; far below the faintest contrast, or nobody could read it
    shadows: float = 0.4  # chance that something casts a shadow across the sign
    obstacles: float = 0.3  # chance of a sticker on the sign, and again of a twig before it

    def __post_init__(self) -> None:
        for name, least, most in (("contrast", 0.001, 1.0), ("diameter", 8.0, SIZE)):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(f"{name} is a pair (low, high) between {least} and {most}; got {(low, high)}.")


class Photograph(NamedTuple):
    """A rendered image (32, 32, 3) and ``mask`` (32, 32), true where the sign is, hidden by a twig or not."""

    image: Bytes
    mask: NDArray[np.bool_]


def _log_uniform(rng: Generator, bounds: Range) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))


@dataclass(frozen=True)
class _Pose:
    """Where the sign hangs, in pixels of the canvas; ``matrix`` maps its plane there through a pinhole camera."""

    radius: float
    centre: NDArray[np.float64]  # (2,)
    matrix: NDArray[np.float64]  # (3, 3): from (x, y, 1) on the sign to homogeneous coordinates

    @classmethod
    def draw(cls, rng: Generator, conditions: Conditions) -> _Pose:
        a, b, c = np.radians(rng.uniform(-1, 1, 3) * (conditions.turn, conditions.tilt, conditions.roll))
        turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        roll = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        view = (turn @ tilt @ roll)[:, :2]  # a sign has no depth of its own
        view = np.column_stack([view / [[1], [1], [_DISTANCE]], [0, 0, 1]])

        radius = _log_uniform(rng, conditions.diameter) / 2 * _SCALE
        slack = _CANVAS / 2 - radius  # the sign stays within the picture; the near edge of a turned one just leaves it
        centre = _CANVAS / 2 + rng.uniform(-slack, slack, 2)
        return cls(radius, centre, np.array([[radius, 0, centre[0]], [0, radius, centre[1]], [0, 0, 1]]) @ view)

    def place(self, picture: Image.Image) -> Image.Image:
        """``picture``, which shows the sign's plane from -EXTENT to EXTENT, as the camera sees it on the canvas."""
        half = picture.width / 2
        to_picture = np.array([[half / EXTENT, 0, half], [0, half / EXTENT, half], [0, 0, 1]])
        inverse = to_picture @ np.linalg.inv(self.matrix)
        coefficients = (inverse / inverse[2, 2]).ravel()[:8].tolist()
        size = (_CANVAS, _CANVAS)
        return picture.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)


def _stickered(rng: Generator, picture: Image.Image, chance: float) -> Image.Image:
    """The face, by chance with a small sticker on it."""
    middle, reach = rng.uniform(0.25, 0.75, 2) * picture.width, rng.uniform(0.02, 0.06, 2) * picture.width
    colour = tuple(rng.integers(20, 240, 3).tolist())
    stuck = picture.copy()
    if rng.random() < chance:
        ImageDraw.Draw(stuck).rectangle([*(middle - reach), *(middle + reach)], fill=colour)
        stuck.putalpha(picture.getchannel("A"))  # nothing sticks to the air around the sign
    return stuck


def _ramp(angle: float) -> Field:
    """Rises from 0 to 1 across the canvas in the direction ``angle``."""
    across = np.linspace(-0.5, 0.5, _CANVAS) * math.sqrt(0.5)
    return (0.5 + math.cos(angle) * across + math.sin(angle) * across[:, None]).astype(np.float32)


def _light(rng: Generator, chance_of_shadow: float) -> Field:
    """How brightly each point of the sign is lit, at most 1: uneven light, dirt, and sometimes a shadow's edge."""
    light = 1 - rng.uniform(0, 0.45) * _ramp(rng.uniform(0, 2 * math.pi))
    light *= 1 - rng.uniform(0, 0.20) * clouds(rng, _CANVAS, (6, 14, 40))
    depth, blotches, level = rng.uniform(0.25, 0.55), clouds(rng, _CANVAS, (2, 4, 7)), rng.uniform(0.35, 0.65)
    if rng.random() < chance_of_shadow:
        light *= 1 - depth * np.clip((blotches - level) * 12, 0, 1)
    return light


def _pole(rng: Generator, pose: _Pose, picture: Picture) -> None:
    """Draw the pole that may carry the sign into ``picture``; it is lit from one side."""
    width, grey = rng.uniform(0.10, 0.20) * pose.radius, rng.uniform(0.35, 0.75)
    across = (np.arange(_CANVAS) - pose.centre[0]) / width + 0.5
    inside = (across >= 0) & (across < 1)
    if rng.random() < 0.7:
        picture[max(0, round(pose.centre[1])) :, inside] = (grey * (0.7 + 0.5 * across[inside]))[:, None]


def _twig(rng: Generator, pose: _Pose, chance: float) -> Image.Image:
    """A twig with leaves that hangs before the sign; mostly air, and with 1 - chance nothing but air."""
    twig = Image.new("RGBA", (_CANVAS, _CANVAS))
    pen = ImageDraw.Draw(twig)
    angle = rng.uniform(0, 2 * math.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    start = pose.centre + 0.9 * pose.radius * np.array([-along[1], along[0]]) * rng.uniform(-1, 1) - 100 * along
    points = start + np.linspace(0, 200, 9)[:, None] * along + rng.normal(0, 2.0, (9, 2))
    colour = tuple((255 * rng.uniform((0.10, 0.12, 0.03), (0.30, 0.38, 0.12))).astype(int).tolist())
    leaves = rng.uniform(-5, 5, (9, 2))
    if rng.random() < chance:
        pen.line([tuple(p) for p in points.tolist()], fill=(60, 48, 36), width=2)
        for (x, y), (dx, dy) in zip(points, leaves, strict=True):
            pen.ellipse([x + dx - 4, y + dy - 2, x + dx + 4, y + dy + 3], fill=colour)
    return twig


def _over(below: Picture, above: Image.Image, light: float | Field) -> Picture:
    """``above`` (RGBA), lit by ``light``, laid over ``below``."""
    pixels = np.asarray(above.convert("RGBa"), dtype=np.float32) / np.float32(255)  # colour times opacity, and opacity
    colour: Picture = pixels[..., :3] * np.asarray(light, dtype=np.float32)[..., None]
    return below * (1 - pixels[..., 3:]) + colour


def _shrunk(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The average over each pixel of the camera: from the canvas to (32, 32, channels)."""
    average: NDArray[np.float32] = picture.reshape(SIZE, _SCALE, SIZE, _SCALE, -1).mean((1, 3))
    return average


def _blurred(rng: Generator, picture: Picture, conditions: Conditions) -> Picture:
    """Out of focus and shaken: a Gaussian blur that is wider along the direction of motion."""
    defocus, motion, angle = rng.uniform(*conditions.defocus), rng.uniform(*conditions.motion), rng.uniform(0, math.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    spread = np.linalg.inv(defocus**2 * np.eye(2) + motion**2 * np.outer(along, along))
    offsets = np.moveaxis(np.mgrid[-2:3, -2:3], 0, -1)  # (5, 5, 2)
    kernel = np.exp(-0.5 * np.einsum("ijk,kl,ijl->ij", offsets, spread, offsets))
    kernel = (kernel / kernel.sum()).astype(np.float32)
    padded = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="edge")
    blurred: Picture = sum(kernel[i, j] * padded[i : i + SIZE, j : j + SIZE] for i in range(5) for j in range(5))
    return blurred


def photograph(rng: Generator, name: str | None, conditions: Conditions) -> Photograph:
    """A photograph of the sign ``name`` (of ``faces.CLASSES``); of the place without the sign when it is None."""
    pose = _Pose.draw(rng, conditions)
    contrast = _log_uniform(rng, conditions.contrast)
    # Contrast is lost in two ways, in a random proportion: the sign stands in the shade, or haze and night veil it all.
    share = rng.uniform(0, 1)
    shade, clear = contrast**share, contrast ** (1 - share)
    veil = rng.uniform(0.03, 0.95) + rng.uniform(-0.05, 0.05, 3)

    picture = enlarge(roadside(rng, SIZE), _CANVAS)
    picture *= rng.uniform(0.5, 1.0)
    _pole(rng, pose, picture)
    light = shade * _light(rng, conditions.shadows)
    sign = face(name, 128) if name else Image.new("RGBA", (128, 128))
    sign = pose.place(_stickered(rng, sign, conditions.obstacles))
    picture = _over(picture, sign, light)
    picture = _over(picture, _twig(rng, pose, conditions.obstacles), max(shade, 0.5))

    picture = _blurred(rng, _shrunk(picture), conditions)
    cast = np.exp(rng.normal(0, 0.06, 3))  # the camera's white balance
    picture = clear * picture * cast + (1 - clear) * veil.clip(0, 1)
    picture += rng.normal(0, rng.uniform(*conditions.noise), picture.shape)
    mask = _shrunk(np.asarray(sign.getchannel("A"), dtype=np.float32))[..., 0] > 127
    return Photograph((255 * picture).round().clip(0, 255).astype(np.uint8), mask)
