"""What an evaluation of a purified classifier found: the label of each draw, and three ways to judge by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from seminar_lib import markdown
from seminar_lib.attacks import Attack
from seminar_lib.evaluation.accuracy import Accuracy, grouped_bars
from seminar_lib.evaluation.report import versions
from seminar_lib.types import Flags

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLEAN, BLIND, STAND_IN, FULL, WORST_CASE = "clean", "blind", "BPDA", "full gradient", "worst case"

Answers: TypeAlias = Int[Tensor, "N draws"]


@dataclass(frozen=True, repr=False)
class PurifiedReport(markdown.Tabular):
    """The answers to every draw of every image, under every adversary.

    ``self[row]`` holds the accuracies of a row by column. Rows are ``"clean"``, the adversaries ``"blind"``, ``"BPDA"``
    and, where there is one, ``"full gradient"``, and ``"worst case"``: right in every row. A random purifier has a
    column for each way to judge it, any other ``"accuracy"`` alone. Every row has draws of its own, so that the worst
    case of one draw is the worst of as many as there are rows.

    Attributes:
        answers: by row, without the worst case: the label that each draw was given, int64 (N, draws).
        labels: the true labels (N,).
        purifier: its name and settings.
        attack: of all adversaries.
        random: whether the purifier draws random numbers.
        eot: looks for each gradient through the purifier.
        seed: of all random numbers.
        seconds: how long it took.
        device: what it ran on.
    """

    answers: Mapping[str, Answers]
    labels: Tensor
    purifier: str
    attack: Attack
    random: bool
    eot: int
    seed: int
    seconds: float
    device: str

    @property
    def rows(self) -> list[str]:
        """The names that ``self[name]`` knows."""
        return [*self.answers, WORST_CASE]

    @property
    def draws(self) -> int:
        """How often each image was purified to judge it."""
        return next(iter(self.answers.values())).shape[1]

    def outcomes(self, row: str) -> dict[str, Flags]:
        """Which images were answered rightly, (N,) for each column.

        Raises:
            KeyError: there is no such row.
        """
        if row == WORST_CASE:
            judged = [self.outcomes(each) for each in self.answers]
            return {column: torch.stack([one[column] for one in judged]).all(0) for column in judged[0]}
        if row not in self.answers:
            raise KeyError(f"There is no row {row!r}; the rows are {', '.join(self.rows)}.")
        answers = self.answers[row]
        right = answers == self.labels[:, None]
        if not self.random:
            return {"accuracy": right[:, 0]}
        ways = {"one draw": right[:, 0]}
        if self.draws > 1:
            ways[f"majority of {self.draws}"] = _majority(answers, self.labels)
            ways[f"worst of {self.draws}"] = right.all(1)
        return ways

    def __getitem__(self, row: str) -> dict[str, Accuracy]:
        return {column: Accuracy.of(right) for column, right in self.outcomes(row).items()}

    @property
    def remarks(self) -> list[str]:
        """What a reader has to know before they believe these numbers."""
        found = []
        if not self.random:
            found.append("The purifier draws no random numbers, so all draws agree and one look gives the gradient.")
        if FULL not in self.answers:
            found.append("The purifier has no gradient: the adversary knows it through BPDA alone.")
            return found
        full = self[FULL]
        stronger = [
            row
            for row in (BLIND, STAND_IN)
            if any(accuracy.high < full[column].low for column, accuracy in self[row].items())
        ]
        if stronger:
            found.append(
                f"The purifier's own gradient is masked: less harm is done by it than by {' or '.join(stronger)}. What "
                "it leaves says nothing about robustness; believe the worst case."
            )
        return found

    def table(self) -> str:
        """Markdown: accuracies with 95 % intervals, then n, settings and remarks."""
        columns = list(self[CLEAN])
        looks = f", {self.eot} looks for each gradient, {self.draws} draws of each result" if self.random else ""
        return "\n".join(
            [
                markdown.table(("", *columns), [(row, *self[row].values()) for row in self.rows]),
                "",
                f"n = {len(self.labels)}, 95 % intervals, seed {self.seed}",
                "",
                f"- `{self.purifier}` under `{self.attack}`{looks}",
                *(f"- {remark}" for remark in self.remarks),
            ]
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Bars for each row, the darker the harder it is judged, with intervals; returns the axes."""
        import matplotlib.pyplot as plt

        ax = plt.gca() if ax is None else ax
        shades = {column: str(0.85 - 0.3 * number) for number, column in enumerate(self[CLEAN])}
        grouped_bars(ax, {row: self[row] for row in self.rows}, shades)
        ax.set_title(f"{self.purifier}, n = {len(self.labels)}, 95 % intervals", fontsize="medium")
        return ax

    def as_dict(self) -> dict[str, Any]:
        """All figures as plain values, ready for JSON."""
        return {
            "n": len(self.labels),
            "purifier": self.purifier,
            "rows": {row: {column: vars(accuracy) for column, accuracy in self[row].items()} for row in self.rows},
            "attack": repr(self.attack),
            "eps": self.attack.threat.eps,
            "random": self.random,
            "eot": self.eot,
            "draws": self.draws,
            "seed": self.seed,
            "seconds": round(self.seconds, 2),
            "device": self.device,
            "versions": versions(),
            "remarks": self.remarks,
        }


def _majority(answers: Answers, labels: Tensor) -> Flags:
    """Whether more draws are answered rightly than with any other label."""
    classes = int(max(answers.max(), labels.max())) + 1
    votes = F.one_hot(answers, classes).sum(1)  # (N, classes)
    rivals = votes.scatter(1, labels[:, None], 0).amax(1)
    return votes.gather(1, labels[:, None]).squeeze(1) > rivals
