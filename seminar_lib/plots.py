"""Still pictures of images, perturbations, probabilities and trainings; they draw what they are given, no model runs.

The colours are those of Okabe & Ito, "Color Universal Design", 2008, which readers with any colour vision can tell
apart. Colour is never the only sign: a right answer also has a tick, a wrong one a cross, the true class bold letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.checks import check_images, check_labels
from seminar_lib.types import Images, Labels

BLUE, VERMILLION = "#0072B2", "#D55E00"
INK, GREY = "#1A1A1A", "#6B6B6B"
RIGHT, WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"

CELL = 1.9  # inches, the side of one image

# A colour, a line and a mark for each accuracy, and for one term of a loss after the other.
ACCURACIES = {"clean accuracy": (BLUE, "-", "o"), "robust accuracy": (VERMILLION, "--", "s")}
TERMS = [("#009E73", "-", "^"), ("#CC79A7", "--", "D"), ("#E69F00", "-.", "v"), ("#56B4E9", ":", "P")]
OTHERS = (*ACCURACIES, "epoch", "score", "seconds")  # what a row of a history holds besides the terms
MARKS = 12  # on one curve; more would hide it


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


def training_curve(history: Sequence[Mapping[str, float]], ax: Axes | None = None) -> Axes:
    """How a training went: accuracy on the validation images and, in a panel above, the terms of the loss.

    A dotted line marks the best epoch, which is the one to report. Where the robust accuracy falls after it while the
    terms go on falling, the network overfits robustly (Rice et al., ICML 2020).

    Args:
        history: as ``fit`` returns it or passes it on: a row for each epoch. A row without accuracies, of an epoch
            under way, continues the terms alone.
        ax: where to draw, of ``plt.subplots``; default: the current axes. The place that it has in its figure is
            divided: ``ax`` keeps the lower half for the accuracies.

    Returns:
        ``ax``; the panel above is the newest of the axes of its figure.

    Raises:
        ValueError: there are no rows, their epochs do not rise, or ``ax`` has no place that could be divided.
    """
    epochs = [row.get("epoch", np.nan) for row in history]
    if not epochs or not all(before < after for before, after in pairwise([0, *epochs])):
        raise ValueError(f"A history holds a row for each epoch, from 1 on, at least one; got the epochs {epochs}.")
    ax = plt.gca() if ax is None else ax
    place, figure = ax.get_subplotspec(), ax.figure
    if place is None or figure is None:
        raise ValueError("training_curve divides the place of ax in its figure: take axes of plt.subplots.")
    halves = place.subgridspec(2, 1)
    ax.set_subplotspec(halves[1])
    above = figure.add_subplot(halves[0], sharex=ax)
    names = list(dict.fromkeys(name for row in history for name in row))
    terms = [name for name in names if name not in OTHERS]
    for name, style in zip(terms, cycle(TERMS), strict=False):
        _curve(above, history, name, f"{name} {{:.3g}}", style)
    for name, style in ACCURACIES.items():
        if name in names:
            _curve(ax, history, name, f"{name.removesuffix(' accuracy')} {{:.1%}}", style)
    scores = {row["epoch"]: row["score"] for row in history if "score" in row}
    if scores:
        best = max(scores, key=lambda epoch: scores[epoch])  # the first of equals
        for panel in (above, ax):
            panel.axvline(best, color=GREY, linestyle=":", linewidth=1.2, zorder=1)
        ax.plot([], [], color=GREY, linestyle=":", linewidth=1.2, label=f"best epoch {best:g}: {scores[best]:.1%}")
    above.set_title("terms of the loss, training images", loc="left", fontsize=10, color=INK)
    above.tick_params(labelbottom=False)
    if above.dataLim.y0 > 0:
        above.set_ylim(bottom=0)
    ax.set_title("accuracy, validation images", loc="left", fontsize=10, color=INK)
    ax.set(xlabel="epoch", xlim=(min(1, epochs[0]) - 0.3, max(2, epochs[-1]) + 0.3), ylim=(-0.02, 1.02))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for panel in (above, ax):
        panel.grid(color="#E4E4E4", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.03), frameon=False, handlelength=3, fontsize=9)
    return ax


def _curve(
    ax: Axes, history: Sequence[Mapping[str, float]], name: str, label: str, style: tuple[str, str, str]
) -> None:
    """One figure of the history against its epochs; its last value stands in the legend."""
    points = [(row["epoch"], row[name]) for row in history if name in row]
    colour, line, mark = style
    ax.plot(
        *zip(*points, strict=True),
        color=colour,
        linestyle=line,
        marker=mark,
        markersize=5,
        markevery=-(-len(points) // MARKS),
        label=label.format(points[-1][1]),
    )


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
    mark, colour = (RIGHT, BLUE) if int(answer) == label else (WRONG, VERMILLION)
    return f"{mark} {classes[int(answer)]} {float(confidence):.0%}", colour
