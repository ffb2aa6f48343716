"""What a training is to do, as one value that prints, compares and is written beside what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from seminar_lib.attacks import Attack
from seminar_lib.data.augment import Augment
from seminar_lib.models import Architecture, Classifier, SmallCNN
from seminar_lib.objectives import CrossEntropy, Objective
from seminar_lib.schedules import OneCycle

PARTS: dict[str, Callable[[Classifier], nn.Module]] = {"all": lambda model: model, "head": lambda model: model.head}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run ends with.

    Attributes:
        dataset: the name of the data set, as ``load_data`` takes it.
        objective: what is minimised.
        model: the network.
        epochs, batch_size: passes over the training images, and images a step.
        rate: the largest learning rate of SGD with Nesterov momentum 0.9.
        schedule: the share of ``rate`` at each point of the training.
        weight_decay: of all parameters.
        augment: how training images are changed.
        ema: decay of the exponential moving average of the weights, per step; the average is what is validated and
            returned. None turns it off.
        validation: the attack that picks the best epoch on the validation images; None picks by clean accuracy.
        seed: of the initial weights, the order of images and the attacks.
        bf16: compute in bfloat16 where autocast finds it safe and the hardware computes in it, in float32 elsewhere.
        start: the stage before: its best weights are where this one starts. Or the name of weights as ``load`` takes
            it, such as ``"signs/standard"``. None starts from fresh weights.
        trains: ``"all"`` of the network, or the ``"head"`` alone: the rest then stands still, its BatchNorm statistics
            too.

    Raises:
        ValueError: a number is out of range, or the stage before trains another network or on other images.
    """

    dataset: str = "signs"
    objective: Objective = CrossEntropy()
    model: Architecture = SmallCNN()
    epochs: int = 10
    batch_size: int = 128
    rate: float = 0.1
    schedule: Callable[[float], float] = OneCycle()
    weight_decay: float = 5e-4
    augment: Augment = Augment()
    ema: float | None = None
    validation: Attack | None = None
    seed: int = 0
    bf16: bool = True
    start: Recipe | str | None = None
    trains: str = "all"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"A recipe needs at least one epoch and one image a step; got epochs={self.epochs}, "
                f"batch_size={self.batch_size}."
            )
        if not 0 < self.rate < math.inf:
            raise ValueError(f"A recipe needs a finite learning rate > 0; got rate={self.rate}.")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema is the share of the average that a step keeps, 0 <= ema < 1; got {self.ema}.")
        if self.trains not in PARTS:
            raise ValueError(f"trains is one of {', '.join(map(repr, PARTS))}; got {self.trains!r}.")
        if isinstance(self.start, Recipe) and (self.start.model, self.start.dataset) != (self.model, self.dataset):
            raise ValueError(
                f"A stage goes on with the network and the images of the one before, {self.start.model} on "
                f"{self.start.dataset!r}; got {self.model} on {self.dataset!r}."
            )
