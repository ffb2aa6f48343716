"""What the figures of several decks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import seminar_lib as sl
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION
from seminar_lib.types import Model
from slides.deck import FOLDER

LOOKS = {"standard": (BLUE, "o-"), "pgd_at": (VERMILLION, "s-")}
SHARE = r"([\d.]+)% \[([\d.]+)%, ([\d.]+)%\]"  # as an accuracy writes itself: three groups for ``accuracy``
STYLES = ((BLUE, ""), (VERMILLION, "//"), (GREY, "\\\\"), (INK, ""))  # of neighbouring bars, told apart without colour


@cache
def network(name: str) -> Model:
    """The network of that name for signs, loaded once."""
    return sl.load(f"signs/{name}")[0].eval()


def printed(lesson: str) -> str:
    """The executed notebook of a lesson, with what it printed: for figures whose numbers take long to compute."""
    return (FOLDER.parent / "notebooks" / "solutions" / f"{lesson}.ipynb").read_text(encoding="utf-8")


def accuracy(parts: Sequence[str], n: int) -> sl.Accuracy:
    """The accuracy on ``n`` images whose percentage and interval ``SHARE`` has found."""
    share, low, high = (float(part) / 100 for part in parts)
    return sl.Accuracy(share, low, high, n)


def legible(figure: Figure, size: float = 15) -> Figure:
    """The same figure with all its letters in one size, in points: those of the library are meant for a notebook."""
    for text in figure.findobj(Text):
        text.set_fontsize(size)
    return figure


def band(ax: Axes, at: Sequence[float], accuracies: Sequence[sl.Accuracy], name: str) -> None:
    """Draw the accuracies of a network of ``LOOKS`` as a line, and their intervals as a band."""
    colour, style = LOOKS[name]
    ax.plot(at, [a.accuracy for a in accuracies], style, color=colour, label=name)
    ax.fill_between(at, [a.low for a in accuracies], [a.high for a in accuracies], color=colour, alpha=0.2)
    ax.set(ylabel="accuracy", ylim=(0, 1.03))


def bars(ax: Axes, groups: Mapping[str, Mapping[str, sl.Accuracy]]) -> None:
    """Draw bars with their intervals: a group for each thing that is judged, a bar in it for each judge."""
    for place, judged in enumerate(groups.values()):
        width = 0.8 / len(judged)
        for turn, ((name, accuracy), (colour, hatch)) in enumerate(zip(judged.items(), STYLES, strict=False)):
            at = place + width * (turn - (len(judged) - 1) / 2)
            accuracy.bar(ax, at, 0.9 * width, color=colour, hatch=hatch, label=name if place == 0 else None)
    ax.set(xticks=range(len(groups)), xticklabels=groups, ylim=(0, 1.15), yticks=(0, 0.5, 1), ylabel="accuracy")


def rounded(ax: Axes, size: float) -> None:
    """Write the percentages above bars without decimals and in this size, so that neighbours do not touch."""
    for text in ax.texts:
        text.set(text=f"{float(text.get_text()[:-1]):.0f}%", fontsize=size)
