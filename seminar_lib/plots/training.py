"""The curve of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from seminar_lib.plots.style import BLUE, COLOURS, GREY, INK, VERMILLION

# A colour, a line and a mark for each accuracy, and for one term of a loss after the other.
ACCURACIES = {"clean accuracy": (BLUE, "-", "o"), "robust accuracy": (VERMILLION, "--", "s")}
TERMS = list(zip(COLOURS[2:6], ("-", "--", "-.", ":"), "^DvP", strict=True))
LOSS = "validation loss"  # of a network that does not classify
OTHERS = (*ACCURACIES, LOSS, "epoch", "score", "seconds")  # what a row of a history holds besides the terms
MARKS = 12  # on one curve; more would hide it


def training_curve(history: Sequence[Mapping[str, float]], ax: Axes | None = None) -> Axes:
    """How a training went: accuracy or loss on the validation images and, in a panel above, the terms of the loss.

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
    if LOSS in names:
        _curve(ax, history, LOSS, f"{LOSS} {{:.3g}}", TERMS[0])
    finished = [row for row in history if "score" in row]
    if finished:
        best = max(finished, key=lambda row: row["score"])  # the first of equals
        for panel in (above, ax):
            panel.axvline(best["epoch"], color=GREY, linestyle=":", linewidth=1.2, zorder=1)
        label = f"best epoch {best['epoch']:g}: {reached(best)}"
        ax.plot([], [], color=GREY, linestyle=":", linewidth=1.2, label=label)
    above.set_title("terms of the loss, training images", loc="left", fontsize=10, color=INK)
    above.tick_params(labelbottom=False)
    if above.dataLim.y0 > 0:
        above.set_ylim(bottom=0)
    ax.set(xlabel="epoch", xlim=(min(1, epochs[0]) - 0.3, max(2, epochs[-1]) + 0.3))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if LOSS in names:
        ax.set_title("loss, validation images", loc="left", fontsize=10, color=INK)
    else:
        ax.set_title("accuracy, validation images", loc="left", fontsize=10, color=INK)
        ax.set_ylim(-0.02, 1.02)
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for panel in (above, ax):
        panel.grid(color="#E4E4E4", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.03), frameon=False, handlelength=3, fontsize=9)
    return ax


def figures(row: Mapping[str, float]) -> dict[str, str]:
    """What the validation images say of an epoch, in words by name.

    The score is not shown: it is the negative of a loss, or counts the epochs where a recipe reports the last.

    Raises:
        KeyError: the row has neither an accuracy nor a validation loss.
    """
    accuracies = {name: f"{row[name]:.1%}" for name in ACCURACIES if name in row}
    return accuracies or {LOSS: f"{row[LOSS]:.3g}"}


def reached(row: Mapping[str, float]) -> str:
    """That figure of an epoch by which epochs compare: the robust accuracy, where there is one."""
    return list(figures(row).values())[-1]


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
