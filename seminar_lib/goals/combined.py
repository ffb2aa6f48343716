"""Goals made of others: two at once, and one on the average of several looks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seminar_lib.goals.base import Goal, Score
from seminar_lib.losses import Loss
from seminar_lib.types import Images


@dataclass(frozen=True, eq=False)
class Both(Goal):
    """Two goals at once, such as fooling a classifier and a detector: won where both are; the losses add up.

    Attributes:
        first: a goal of B examples.
        second: a goal of the same examples.
        weight: of the second loss, usually above 0; that of the first is 1.
    """

    first: Goal
    second: Goal
    weight: float = 1.0

    def __call__(self, x: Images) -> Score:
        return self.join(self.first(x), self.second(x))

    def join(self, first: Score, second: Score) -> Score:
        """What the scores of the two goals make together."""
        return Score(first.loss + self.weight * second.loss, first.success & second.success)

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        """Rival classes of the first goal, each together with the second."""
        return [replace(self, first=goal) for goal in self.first.towards(x, count, loss)]


@dataclass(frozen=True, eq=False)
class Expectation(Goal):
    """Expectation over transformation: the mean loss of several looks at a model that answers at random.

    Athalye et al., ICML 2018, section 4.2. Won when more than half of the looks are.

    Attributes:
        goal: what is looked at.
        samples: looks, 1 or more.

    Raises:
        ValueError: ``samples`` is below 1.
    """

    goal: Goal
    samples: int

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"Expectation needs at least one sample; got {self.samples}.")

    def __call__(self, x: Images) -> Score:
        looks = [self.goal(x) for _ in range(self.samples)]
        wins = torch.stack([look.success for look in looks]).sum(0)
        return Score(torch.stack([look.loss for look in looks]).mean(0), 2 * wins > self.samples)

    def gaps(self, x: Images, count: int) -> Tensor:
        raise TypeError(
            "Expectation is won by the majority of its looks, and each look of a model that answers at random has a "
            "boundary of its own. Take an attack that climbs its loss."
        )

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        return [replace(self, goal=goal) for goal in self.goal.towards(x, count, loss)]
