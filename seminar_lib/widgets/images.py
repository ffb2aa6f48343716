"""What the demos of attacks share: one image out of several, and what a model says of it and of what becomes of it."""

# mypy: allow-untyped-calls

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from ipywidgets import Layout, SelectionSlider, ValueWidget
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.attacks import Attack
from seminar_lib.checks import check_images, check_labels, check_logits, check_model
from seminar_lib.data.dataset import Split, check_split
from seminar_lib.freeze import frozen
from seminar_lib.goals import Goal, Recorded
from seminar_lib.types import Images, Model
from seminar_lib.widgets.canvas import Canvas, Pixels, Point
from seminar_lib.widgets.demo import Demo, S

OTHERS = 4  # wrong classes with a bar of their own


class ImageDemo(Demo[S]):
    """A demo that shows one image of ``data``; its state has a field ``image``, the place of that image from 0.

    Args:
        model: images in [0, 1] to logits (B, K).
        data: the images to choose from, on the model's device.
        classes: the K class names.
        state, subject: as for any demo.

    Attributes:
        panel: the side of the square in which an image is shown.
        enlarge: how often the images are enlarged to fill it.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel: ClassVar[int]

    def __init__(
        self,
        model: Model,
        data: Split,
        classes: Sequence[str],
        state: S,
        subject: str,
    ) -> None:
        check_reader(model, data, classes)
        side = data.images.shape[2:]
        self.enlarge = self.panel // max(side)
        if self.enlarge < 1:
            raise ValueError(f"The demo shows images of at most {self.panel}x{self.panel} pixels; got {tuple(side)}.")
        self.model, self.data, self.classes = model, data, tuple(classes)
        super().__init__(state, self.rows(), subject)

    @abstractmethod
    def rows(self) -> Sequence[Mapping[str, ValueWidget]]:
        """The controls, row by row; one of them is ``image_slider()``."""

    def image_slider(self) -> SelectionSlider:
        """Chooses the image; each is named by its number and its true class."""
        names = [self.classes[label] for label in self.data.y.tolist()]
        return slider("image", [(f"{place + 1}: {name}", place) for place, name in enumerate(names)])

    def true(self, image: int) -> int:
        """The label of an image."""
        return int(self.data.y[image])

    def answer(self, p: NDArray[np.float64]) -> str:
        """The most probable class and its probability, in words."""
        return f"{self.classes[p.argmax()]}, {p.max():.0%}"

    def verdict(self, image: int, clean: NDArray[np.float64], attacked: Mapping[str, NDArray[np.float64]]) -> str:
        """Whether the model was wrong already, is fooled, or still answers rightly, in a sentence.

        Args:
            image: whose true class counts.
            clean: the model's probabilities on it, (K,).
            attacked: those on what has become of it, by the name of what fools the model there.
        """
        true = self.true(image)
        if clean.argmax() != true:
            return "The model was wrong before the attack."
        by = [name for name, p in attacked.items() if p.argmax() != true]
        return f"Fooled by {' and by '.join(by)}." if by else "The model still answers rightly."

    def draw_answer(self, canvas: Canvas, at: Point, image: int, p: NDArray[np.float64], size: int = 16) -> None:
        """The model's answer with a tick or a cross."""
        words = f"{self.classes[p.argmax()]} {p.max():.0%}"
        canvas.answer(at, words, p.argmax() == self.true(image), size, bold=True)

    def draw_bars(
        self,
        canvas: Canvas,
        at: Point,
        image: int,
        p: NDArray[np.float64],
        peaks: NDArray[np.float64],
        width: int = 256,
        others: int = OTHERS,
    ) -> None:
        """The probabilities as bars, in rows that stay the same while something happens to the image.

        Args:
            canvas: to draw on.
            at: the upper left corner.
            image: whose true class comes first.
            p: what is shown, (K,).
            peaks: the largest probability that each class ever reaches, (K,); those with the largest have a bar.
            width: of names, bars and percentages together.
            others: wrong classes with a bar of their own.
        """
        true = self.true(image)
        rows = [true, *[int(k) for k in peaks.argsort()[::-1] if k != true][:others]]
        names, values = [self.classes[k] for k in rows], [float(p[k]) for k in rows]
        if len(rows) < len(self.classes):
            names, values = [*names, "all others"], [*values, max(0.0, 1 - sum(values))]
        canvas.bars(at, names, values, true=0, width=width)


def check_reader(model: Model, data: Split, classes: Sequence[str]) -> None:
    """Refuse a model that does not read the images of ``data`` as the classes named.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """
    check_split(data)
    x = data[:8].x
    check_images(x)
    check_model(model, x)
    with frozen(model), torch.no_grad():
        logits = model(x)
    check_logits(logits, x)
    if logits.shape[1] != len(classes):
        raise ValueError(f"The model tells {logits.shape[1]} classes apart, but there are {len(classes)} names.")
    check_labels(data.y, data.images, len(classes))


def walked(attack: Attack, goal: Goal, x: Images, seed: int) -> Images:
    """All images at which a search looks on its way from one image, in order: of PGD the start and every step.

    Args:
        attack: the search; it runs bare, so freeze the model around it.
        goal: of the image.
        x: a batch of one.
        seed: of its random numbers.
    """
    recorded = Recorded(goal, torch.arange(1))
    attack.search(recorded, x, torch.Generator(x.device).manual_seed(seed))
    return torch.cat([look.x for look in recorded.looks])


def draw_small(canvas: Canvas, at: Point, pixels: NDArray[np.float64], enlarge: int, name: str, right: bool) -> None:
    """One of several small images, and below it what a model takes it for; a long name is cut."""
    left, top = at
    height, width, _ = pixels.shape
    canvas.image(at, as_bytes(pixels), enlarge)
    below = (left + enlarge * width / 2, top + enlarge * height + 13)
    canvas.answer(below, name if len(name) <= 9 else f"{name[:8]}.", right, 10, align="middle")


def slider(description: str, options: Sequence[tuple[str, object]], width: int = 440) -> SelectionSlider:
    """A slider over named values; it takes the arrow keys."""
    return SelectionSlider(
        options=options,
        description=description,
        style={"description_width": "64px"},
        layout=Layout(width=f"{width}px"),
    )


def hwc(images: Tensor) -> NDArray[np.float64]:
    """Images (B, C, H, W) as arrays (B, H, W, C), which is how pictures are drawn."""
    return images.detach().permute(0, 2, 3, 1).cpu().double().numpy()


def as_bytes(pixels: NDArray[np.float64]) -> Pixels:
    """Pixels of [0, 1] as bytes; what lies outside is clipped."""
    return (255 * pixels.clip(0, 1)).round().astype(np.uint8)
