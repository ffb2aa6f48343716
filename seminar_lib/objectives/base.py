"""What training minimises."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from seminar_lib.checks import check_images, check_labels, check_parameters
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
        view: the same images as ``x``, changed in another way, where ``Objective.prepare`` has made such a view. A view
            with added noise may leave [0, 1].
        noise: Gaussian noise for M noisy copies of each image, (B, M, C, H, W), where ``Objective.prepare`` drew it.
        t: how many steps of a diffusion each view is on its way to noise, where ``Objective.prepare`` drew that.
    """

    x: Images
    y: Labels
    progress: float = 0.0
    generator: torch.Generator | None = None
    x_adv: Images | None = None
    view: Images | None = None
    noise: Tensor | None = None
    t: Labels | None = None


@dataclass(frozen=True)
class Objective(ABC):
    """A sum of named terms; each is drawn in the training curves under its name.

    A training step has two halves: ``prepare`` looks for the images that the loss is computed on, without a gradient
    for the weights, and ``terms`` computes it. So the terms can be had for the same images at other weights.

    Attributes:
        network: what it trains. Each objective says so again in the type of ``model``.
    """

    network: ClassVar[type[nn.Module]] = Classifier

    def __call__(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """Both halves of a training step. ``fit`` calls them one by one, having checked all images before the first.

        Args:
            model: a ``network``, in the mode that it is to be trained in.
            batch: the images of the step; of a classifier, with their labels.

        Returns:
            The terms, already weighted, each a scalar; the loss is their sum.

        Raises:
            TypeError, ValueError: the model or the batch is not as described. The model is then as it was.
        """
        self._check(model, batch)
        return self.terms(model, self.prepare(model, batch))

    def _check(self, model: object, batch: object) -> None:
        if not isinstance(batch, Batch):
            raise TypeError(
                f"{type(self).__name__} needs the images of one step, Batch(x, y); got {type(batch).__name__}."
            )
        if not isinstance(model, self.network):
            raise TypeError(
                f"{type(self).__name__} trains a {self.network.__name__}, as an architecture of seminar_lib.models "
                f"builds it; got {type(model).__name__}."
            )
        check_images(batch.x)
        check_parameters(model, batch.x)
        if isinstance(model, Classifier):
            check_labels(batch.y, batch.x, model.head.out_features)

    def prepare(self, model: Any, batch: Batch) -> Batch:
        """The batch with whatever else the terms need, found with the model as it is now; most need nothing."""
        return batch

    def begin(self, earlier: tuple[Any, ...]) -> Objective:
        """The same objective at the beginning of a training; itself, unless it has to remember an earlier network.

        Args:
            earlier: what the stages before ended with, the first stage first; none of them in the first stage.
        """
        return self

    @property
    def projects(self) -> bool:
        """Whether it trains the projection head. Most do not look at it."""
        return False

    @abstractmethod
    def terms(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """The terms, already weighted, each a scalar; the loss is their sum."""


def check_weights(objective: Objective, **weights: float) -> None:
    """Refuse a number that scales a part of an objective and is negative, infinite or NaN.

    Raises:
        ValueError: the first such number, by its name.
    """
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"{type(objective).__name__} needs a finite {name} >= 0; got {weight}.")
