"""Images, perturbations and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.checks import check_images, check_labels
from seminar_lib.plots.style import BLUE, GREY, INK, RIGHT, VERMILLION, answer_look
from seminar_lib.types import Images, Labels

CELL = 1.9  # inches, the side of one image


def triptych(x: Images, x_adv: Images, p: Tensor, p_adv: Tensor, y: Labels, classes: Sequence[str]) -> Figure:
    """Clean image, perturbation and adversarial image side by side, a row for each example.

    The true class stands at the left, the model's answers above the images. The perturbation is amplified until its
    largest change spans the grey scale; mid-grey means no change.

    Args:
        x: clean images in [0, 1].
        x_adv: what an attack made of them.
        p: the model's probabilities of the clean images, (B, K).
        p_adv: the model's probabilities of the adversarial images, (B, K).
        y: true labels.
        classes: the K class names.

    Returns:
        The figure; in a notebook it shows as the last line of a cell, elsewhere ``savefig`` writes it.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """
    check_images(x)
    check_images(x_adv)
    check_labels(y, x, len(classes))
    for name, given in {"x_adv": x_adv, "p": p, "p_adv": p_adv}.items():
        expected = x.shape if name == "x_adv" else (len(x), len(classes))
        if given.shape != expected:
            raise ValueError(f"{name} must have shape {tuple(expected)}; got {tuple(given.shape)}.")
    figure, axes = _grid(len(x), 3, CELL)
    for row, (clean, perturbation, adversarial) in enumerate(axes):
        label, delta = int(y[row]), x_adv[row] - x[row]
        largest = float(delta.detach().abs().max())
        amplify = 0.5 / largest if largest > 0 else 1.0
        clean.text(-0.04, 0.5, classes[label], rotation=90, ha="right", va="center", transform=clean.transAxes)
        _image(clean, x[row], *_answer(p[row], label, classes))
        _image(perturbation, 0.5 + amplify * delta, f"perturbation \N{MULTIPLICATION SIGN} {amplify:.0f}", GREY)
        _image(adversarial, x_adv[row], *_answer(p_adv[row], label, classes))
    return figure


def gallery(images: Images, labels: Sequence[str], columns: int = 8) -> Figure:
    """Images with a caption above each, in rows.

    Args:
        images: in [0, 1].
        labels: a caption for each image.
        columns: images in a row.

    Raises:
        TypeError, ValueError: the images are not images, or there is not one caption for each.
    """
    check_images(images)
    if len(labels) != len(images):
        raise ValueError(f"gallery needs one caption per image: {len(images)} images, {len(labels)} captions.")
    columns = min(columns, len(images))
    figure, axes = _grid(-(-len(images) // columns), columns, 0.7 * CELL)
    for ax, image, caption in zip(axes.flat, images, labels, strict=False):
        _image(ax, image, caption, INK)
    return figure


def probability_bars(
    p: Tensor, classes: Sequence[str], label: int | None = None, ax: Axes | None = None, top: int = 5
) -> Axes:
    """The most probable classes of one image as bars; the true class is ticked and bold.

    Args:
        p: probabilities (K,).
        classes: the K class names.
        label: the true class, where it is known.
        ax: where to draw; default: the current axes.
        top: how many classes.

    Raises:
        ValueError: ``p`` is no vector of K probabilities.
    """
    if p.shape != (len(classes),):
        raise ValueError(f"p must hold one probability for each of {len(classes)} classes; got {tuple(p.shape)}.")
    if p.min() < 0 or p.max() > 1 + 1e-4:
        raise ValueError("p must hold probabilities, 0 to 1. Logits become probabilities with logits.softmax(-1).")
    p = p.detach()
    ax = plt.gca() if ax is None else ax
    highest, order = (found.tolist() for found in p.topk(min(top, len(p))))
    for place, (value, k) in enumerate(zip(highest, order, strict=True)):
        ax.barh(place, value, color=BLUE if k == label else VERMILLION, height=0.7)
        ax.annotate(f"{value:.0%}", (value, place), (4, 0), textcoords="offset points", va="center")
    names = [f"{RIGHT} {classes[k]}" if k == label else classes[k] for k in order]
    ax.set(xlim=(0, 1.15), xticks=[], yticks=range(len(order)), yticklabels=names, xlabel="probability")
    ax.invert_yaxis()
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    for k, text in zip(order, ax.get_yticklabels(), strict=True):
        text.set_fontweight("bold" if k == label else "normal")
    return ax


def _grid(rows: int, columns: int, side: float) -> tuple[Figure, NDArray[Any]]:
    """A figure that a notebook shows once, as a cell's value: pyplot would show it a second time."""
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * side, rows * (side + 0.35)), squeeze=False, layout="constrained"
    )
    plt.close(figure)
    for ax in axes.flat:
        ax.set_axis_off()
    return figure, axes


def _image(ax: Axes, image: Tensor, title: str, colour: str) -> None:
    pixels = image.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()  # (H, W, C)
    ax.imshow(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), interpolation="nearest")
    ax.set_title(title, color=colour, fontsize=10)


def _answer(p: Tensor, label: int, classes: Sequence[str]) -> tuple[str, str]:
    """The most probable class with its mark and confidence, and the colour to write them in."""
    confidence, answer = p.detach().max(0)
    mark, colour = answer_look(int(answer) == label)
    return f"{mark} {classes[int(answer)]} {float(confidence):.0%}", colour
