"""The curve of a training while it runs: ``fit(..., watch=curve)`` draws it after each epoch, and within long ones.

A kernel that trains answers to no control, so there are none.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from seminar_lib.plots import GREY, training_curve
from seminar_lib.plots.training import OTHERS, figures, reached
from seminar_lib.widgets.canvas import DENSITY, Pixels
from seminar_lib.widgets.demo import Demo

SIZE = (7.0, 4.6)  # inches of 100 pixels of the screen


@dataclass(frozen=True)
class State:
    """What has been seen of the training: the rows of its history, see ``Trained``."""

    history: tuple[Mapping[str, float], ...] = ()


class LiveCurve(Demo[State]):
    """Show it in one cell (``curve = LiveCurve(); curve``), then call it with the history so far, as ``fit`` does.

    Raises:
        ValueError: when called, as ``training_curve``.
    """

    lines = 2

    def __init__(self) -> None:
        self._canvas = FigureCanvasAgg(Figure(SIZE, dpi=100 * DENSITY, layout="constrained"))  # lives as long as this
        super().__init__(State(), [], "training curve")

    def __call__(self, history: Sequence[Mapping[str, float]]) -> None:
        self.state = State(tuple(history))
        self._show()

    def render(self, state: State) -> Pixels:
        """The picture of ``training_curve``; before the first steps, white with a word."""
        figure = self._canvas.figure
        figure.clear()
        if state.history:
            training_curve(state.history, figure.subplots())
        else:
            figure.text(0.5, 0.5, "no epoch yet", ha="center", color=GREY)
        self._canvas.draw()
        return np.array(self._canvas.buffer_rgba())[..., :3].copy()

    def describe(self, state: State) -> str:
        """The latest terms, the latest accuracies or loss, and the best epoch, in words."""
        if not state.history:
            return "The training has not begun."
        latest, finished = state.history[-1], [row for row in state.history if "score" in row]
        epoch = latest["epoch"]
        words = [f"Epoch {epoch:g} is done." if "score" in latest else f"Epoch {int(epoch) + 1}, {epoch % 1:.0%} done."]
        terms = {name: value for name, value in latest.items() if name not in OTHERS}
        words.append(f"Loss: {', '.join(f'{name} {value:.3g}' for name, value in terms.items())}.")
        if finished:
            best = max(finished, key=lambda row: row["score"])
            shown = ", ".join(f"{name} {value}" for name, value in figures(finished[-1]).items())
            words.append(f"After epoch {finished[-1]['epoch']:g}: {shown}.")
            words.append(f"Best so far: epoch {best['epoch']:g} with {reached(best)}.")
        return " ".join(words)
