"""A share of correct answers never goes without the number of images behind it and an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scipy.stats import binomtest

from seminar_lib.types import Flags

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Accuracy:
    """A share of correct answers with its 95 % interval (Wilson, JASA 1927), all in [0, 1]."""

    accuracy: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, correct: Flags) -> Accuracy:
        """Count the outcomes of n images.

        Raises:
            ValueError: there are none.
        """
        k, n = int(correct.sum()), len(correct)
        if n == 0:
            raise ValueError("An accuracy needs at least one image; got none.")
        interval = binomtest(k, n).proportion_ci(method="wilson")
        return cls(k / n, float(interval.low), float(interval.high), n)

    def __str__(self) -> str:
        return f"{self.accuracy:.1%} [{self.low:.1%}, {self.high:.1%}]"

    def bar(self, ax: Axes, place: float, width: float = 0.8, rotation: float = 0, **style: Any) -> None:
        """Draw a bar with its interval, and the percentage above it.

        Args:
            ax: where to draw.
            place: of the bar's middle on the x axis.
            width: of the bar.
            rotation: of the percentage, in degrees; 90 for bars that stand close together.
            style: of the bar, such as its colour.
        """
        below, above = self.accuracy - self.low, self.high - self.accuracy
        ax.bar(place, self.accuracy, width, yerr=[[below], [above]], capsize=4, **style)
        text, at = f"{self.accuracy:.1%}", (place, self.high)
        ax.annotate(text, at, (0, 3), textcoords="offset points", ha="center", va="bottom", rotation=rotation)


def grouped_bars(ax: Axes, rows: Mapping[str, Mapping[str, Accuracy]], shades: Mapping[str, str]) -> float:
    """A group of bars for each row of a table, with a legend of its columns; returns the width of a bar.

    Args:
        ax: where to draw.
        rows: accuracies by row and column; a column that a row lacks leaves a gap.
        shades: the colour of each column.
    """
    width = 0.85 / len(shades)
    for number, (column, shade) in enumerate(shades.items()):
        label: str | None = column
        for place, accuracies in enumerate(rows.values()):
            if column in accuracies:
                x = place + (number - (len(shades) - 1) / 2) * width
                accuracies[column].bar(ax, x, width, rotation=90, color=shade, edgecolor="black", label=label)
                label = None  # one entry in the legend will do
    ax.set(xticks=range(len(rows)), xticklabels=list(rows), ylim=(0, 1.25), ylabel="accuracy")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return width
