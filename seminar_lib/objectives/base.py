"""What training minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from seminar_lib.models import Classifier
from seminar_lib.types import Images, Labels


class Batch(NamedTuple):
    """What an objective sees of one training step.

    Attributes:
        x: augmented images in [0, 1].
        y: their labels.
        progress: how much of the training is done, 0 to 1, for schedules.
        generator: where random numbers come from, on the device of ``x``.
        x_adv: adversarial images for ``x``, once ``Objective.prepare`` has found them.
    """

    x: Images
    y: Labels
    progress: float = 0.0
    generator: torch.Generator | None = None
    x_adv: Images | None = None


@dataclass(frozen=True)
class Objective(ABC):
    """A sum of named terms; each is drawn in the training curves under its name.

    A training step has two halves: ``prepare`` looks for the images that the loss is computed on, without a gradient
    for the weights, and ``terms`` computes it. So the terms can be had for the same images at other weights.
    """

    def __call__(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        """Both halves of a training step; see ``terms``."""
        return self.terms(model, self.prepare(model, batch))

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        """The batch with whatever else the terms need, found with the model as it is now; most need nothing."""
        return batch

    def begin(self, before: Classifier | None) -> Objective:
        """The same objective at the beginning of a training from ``before``, the network of an earlier stage.

        Itself, unless it has to remember that network as it was.
        """
        return self

    @abstractmethod
    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        """The terms, already weighted, each a scalar; the loss is their sum."""
