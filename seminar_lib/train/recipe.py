"""What a training is to do, as one value that prints, compares and is written beside what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any, Literal

from torch import nn
from torch.optim import SGD, Adam, Optimizer

from seminar_lib.attacks import Attack
from seminar_lib.data.augment import Augment
from seminar_lib.models import Architecture, ImageArchitecture, SmallCNN
from seminar_lib.objectives import CrossEntropy, Objective
from seminar_lib.schedules import OneCycle

PARTS: dict[str, Callable[[Any], nn.Module]] = {"all": lambda model: model, "head": lambda model: model.head}
OPTIMISERS: dict[str, Callable[..., Optimizer]] = {"sgd": partial(SGD, momentum=0.9, nesterov=True), "adam": Adam}
LARGEST_SEED = 2**40  # that of an epoch is a million times as large, and has 64 bits


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run ends with.

    Attributes:
        dataset: the name of the data set, as ``load_data`` takes it.
        objective: what is minimised.
        model: the network.
        epochs, batch_size: passes over the training images, and images a step.
        rate: the largest learning rate.
        schedule: the share of ``rate`` at each point of the training, from its progress in [0, 1].
        weight_decay: of all parameters, 0 or more.
        augment: how training images are changed.
        ema: decay of the exponential moving average of the weights, per step; the average is what is validated and
            returned. None turns it off.
        validation: the attack that picks the best epoch on the validation images; None picks by clean accuracy, and
            ``"last"`` takes the last epoch, as where the labels have no say. Where the network's answer is an image,
            its objective on the validation images picks.
        seed: of the initial weights, the order of images and the attacks.
        bf16: compute in bfloat16 where autocast finds it safe and the hardware computes in it, in float32 elsewhere.
        start: the stage before: its best weights are where this one starts. Or the name of weights as ``load`` takes
            it, such as ``"signs/standard"``. None starts from fresh weights.
        trains: ``"all"`` of the network, or the ``"head"`` alone: the rest then stands still, its BatchNorm statistics
            too.
        optimiser: ``"sgd"``, with Nesterov momentum 0.9, or ``"adam"`` (Kingma and Ba, ICLR 2015).

    Raises:
        TypeError: something is of another kind than described, such as a class in place of what it makes.
        ValueError: a number is out of range; there is no such part or optimiser; a network that gives images has
            neither head nor attacks; or the stage before trains another network or on other images.
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
    validation: Attack | Literal["last"] | None = None
    seed: int = 0
    bf16: bool = True
    start: Recipe | str | None = None
    trains: str = "all"
    optimiser: str = "sgd"

    @property
    def projects(self) -> bool:
        """Whether this stage, or one before it, trains the projection head. Of given weights it is taken on trust."""
        before = self.start.projects if isinstance(self.start, Recipe) else self.start is not None
        return self.objective.projects or before

    def __post_init__(self) -> None:
        self._check_kinds()
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"A recipe needs at least one epoch and one image a step; got epochs={self.epochs}, "
                f"batch_size={self.batch_size}."
            )
        if not 0 < self.rate < math.inf:
            raise ValueError(f"A recipe needs a finite learning rate > 0; got rate={self.rate}.")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"A recipe needs a finite weight decay >= 0; got weight_decay={self.weight_decay}.")
        if abs(self.seed) > LARGEST_SEED:
            raise ValueError(f"A seed is a whole number of up to {LARGEST_SEED}; got {self.seed}.")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema is the share of the average that a step keeps, 0 <= ema < 1; got {self.ema}.")
        if self.trains not in PARTS:
            raise ValueError(f"trains is one of {', '.join(map(repr, PARTS))}; got {self.trains!r}.")
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"optimiser is one of {', '.join(map(repr, OPTIMISERS))}; got {self.optimiser!r}.")
        if isinstance(self.validation, str) and self.validation != "last":
            raise ValueError(f'validation is an attack, "last", or None for clean accuracy; got {self.validation!r}.')
        if isinstance(self.model, ImageArchitecture) and (self.trains != "all" or self.validation):
            raise ValueError(
                f"{self.model} gives images: it has no head to train alone and no answer to attack in validation. "
                f"Leave out trains={self.trains!r} and validation={self.validation}."
            )
        if isinstance(self.start, Recipe) and (self.start.model, self.start.dataset) != (self.model, self.dataset):
            raise ValueError(
                f"A stage goes on with the network and the images of the one before, {self.start.model} on "
                f"{self.start.dataset!r}; got {self.model} on {self.dataset!r}."
            )

    def _check_kinds(self) -> None:
        """Refuse what is of another kind before it fails in the middle of a run, or is taken for None."""
        kinds: tuple[tuple[str, Any, str], ...] = (
            ("dataset", str, "the name of a data set"),
            ("objective", Objective, "an objective, such as CrossEntropy()"),
            ("model", Architecture, "the plan of a network, such as SmallCNN()"),
            ("epochs", int, "a whole number"),
            ("batch_size", int, "a whole number"),
            ("rate", Real, "a number"),
            ("schedule", Callable, "a function of the progress, such as OneCycle()"),
            ("weight_decay", Real, "a number"),
            ("augment", Augment, "an Augment(), which with crop=0, flip=False and jitter=0 changes nothing"),
            ("ema", Real | None, "a number, or None for no average"),
            ("validation", Attack | str | None, 'an attack, "last", or None for clean accuracy'),
            ("seed", int, "a whole number"),
            ("start", Recipe | str | None, "the recipe of the stage before, the name of weights, or None"),
        )
        for name, kind, wanted in kinds:
            value = getattr(self, name)
            if isinstance(value, type) or not isinstance(value, kind):
                raise TypeError(f"{name} is {wanted}; got {value!r}.")
