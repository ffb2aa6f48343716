"""What every goal is: a score for each image of a batch, and the same goal for some of its images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor

from seminar_lib.losses import Loss
from seminar_lib.types import Flags, Images, Model, PerExample


class Score(NamedTuple):
    """What a goal says of a batch: the loss that the adversary climbs, and whether each image already wins."""

    loss: PerExample
    success: Flags


@dataclass(frozen=True, eq=False)
class Goal(ABC):
    """What the adversary wants for each example of one batch.

    A goal is a dataclass whose tensors and goals hold one row per example; the rest (models, losses, weights) is
    shared.
    """

    @abstractmethod
    def __call__(self, x: Images) -> Score:
        """Score candidate images; differentiable in ``x``."""

    def __getitem__(self, rows: Tensor) -> Goal:
        """The goal of some examples only; ``rows`` holds indices, possibly repeated, or a mask."""
        return replace(
            self, **{name: part[rows] for name, part in vars(self).items() if isinstance(part, Tensor | Goal)}
        )

    def climbing(self, loss: Loss) -> Goal:
        """The same finish line with another loss to climb, wherever a loss of (logits, y) was chosen."""
        chosen = {name: loss for name, part in vars(self).items() if isinstance(part, Loss)}
        inner = {name: part.climbing(loss) for name, part in vars(self).items() if isinstance(part, Goal)}
        return replace(self, **chosen, **inner)

    @property
    def precise(self) -> Goal:
        """The same goal in the precision of the images: another one only where a search takes a faster one."""
        inner = {name: part for name, part in vars(self).items() if isinstance(part, Goal)}
        precise = {name: part.precise for name, part in inner.items()}
        return self if all(precise[name] is inner[name] for name in inner) else replace(self, **precise)

    def gaps(self, x: Images, count: int) -> Tensor:
        """How far each image is from winning by each of its ``count`` nearest ways, (B, up to count).

        A gap is negative short of the boundary and positive beyond it; the goal is won where any of them is positive.
        Searches for the nearest boundary (DeepFool) follow them one by one. Differentiable in ``x``.

        Raises:
            TypeError: this goal has no finish line to measure a distance to.
        """
        raise TypeError(f"{type(self).__name__} has no boundary between classes. Take an attack that climbs its loss.")

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        """The same finish line approached from each of up to ``count`` wrong classes, the most likely at ``x`` first.

        Raises:
            TypeError: this goal knows no classes to choose from.
        """
        raise TypeError(f"{type(self).__name__} has no rival classes. Take an attack that climbs its loss.")

    @property
    def models(self) -> tuple[Model, ...]:
        """Everything callable inside this goal, networks above all: what an attack must leave as it was."""
        parts = [part.models if isinstance(part, Goal) else (part,) for part in vars(self).values()]
        return tuple(part for group in parts for part in group if callable(part) and not isinstance(part, Loss))
