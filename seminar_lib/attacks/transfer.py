"""Transfer: fool a network of one's own, and try the images on the victim.

Papernot, McDaniel & Goodfellow, "Transferability in Machine Learning: from Phenomena to Black-Box Attacks using
Adversarial Samples", arXiv:1605.07277, 2016, section 2:

    x_adv = attack(surrogate, x, y);    success where victim(x_adv) != y

Networks that learn one task often share their mistakes, so an adversary needs neither the victim's gradient nor its
logits. The surrogate is given, where the paper also trains it on the victim's answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from seminar_lib.attacks.base import Attack, Generator
from seminar_lib.checks import check_logits, check_model
from seminar_lib.freeze import frozen
from seminar_lib.goals import Goal, Misclassify, Reach
from seminar_lib.threat import ThreatModel
from seminar_lib.types import Images, Model


@dataclass(frozen=True, repr=False)
class Transfer(Attack):
    """One candidate for each image, found on ``surrogate``; the victim is asked for its verdict and nothing else.

    The search runs on to the strongest loss, whatever the attack's own ``stop_when_fooled`` says: an image that only
    just fools the surrogate rarely fools another network. Members of an ensemble stop all the same, each as it is set.
    ``bf16`` is the attack's own, too.

    Attributes:
        attack: how the surrogate is attacked; its threat model is this attack's, too.
        surrogate: images in [0, 1] to logits, over the victim's classes. It comes back as it was.

    Raises:
        TypeError: ``attack`` is no attack, or ``surrogate`` is not callable.
    """

    threat: ThreatModel = field(init=False)
    attack: Attack
    surrogate: Model

    def __post_init__(self) -> None:
        if not isinstance(self.attack, Attack):
            raise TypeError(f"Transfer needs an attack, such as Transfer(PGD(), surrogate); got {self.attack!r}.")
        if not callable(self.surrogate):
            raise TypeError(
                f"Transfer needs a surrogate that turns images into logits; got {type(self.surrogate).__name__}."
            )
        object.__setattr__(self, "threat", self.attack.threat)  # the dataclass is frozen
        super().__post_init__()

    def __repr__(self) -> str:
        name = getattr(self.surrogate, "__name__", type(self.surrogate).__name__)  # a network prints as many lines
        return f"Transfer({self.attack!r}, {name})"

    def within(self, threat: ThreatModel) -> Transfer:
        return replace(self, attack=self.attack.within(threat))

    def scaled(self, share: float) -> Transfer:
        return replace(self, attack=self.attack.scaled(share))

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """The attack, run on the surrogate for the labels of the goal.

        Raises:
            TypeError: the goal has no labels.
            TypeError, ValueError: the surrogate does not fit the images or the victim.
        """
        there = self.there(goal)
        check_surrogate(self.surrogate, _of_labels(goal).model, x[:8])
        return replace(self.attack, stop_when_fooled=False).run(there, x, generator)

    def there(self, goal: Goal) -> Goal:
        """The same labels, wanted of the surrogate.

        Raises:
            TypeError: the goal has no labels.
        """
        return replace(_of_labels(goal), model=self.surrogate, loss=self.attack.loss)


def check_surrogate(surrogate: Model, victim: Model, x: Images) -> None:
    """Refuse a surrogate that does not fit the images, or whose classes are not the victim's.

    Args:
        surrogate: images in [0, 1] to logits.
        victim: images in [0, 1] to logits.
        x: a few images.

    Raises:
        TypeError, ValueError: one of them is no such model, or they differ in the number of classes.
    """
    classes = []
    for model in (surrogate, victim):
        check_model(model, x)
        with torch.no_grad(), frozen(model):
            logits = model(x)
        check_logits(logits, x)
        classes.append(logits.shape[1])
    if classes[0] != classes[1]:
        raise ValueError(
            f"The surrogate has {classes[0]} classes and the victim {classes[1]}; a label has to mean the same to "
            "both. Take a surrogate that was trained on the victim's task."
        )


def _of_labels(goal: Goal) -> Misclassify | Reach:
    """The goal itself, or the one inside a wrapper such as ``Recorded``."""
    if isinstance(goal, Misclassify | Reach):
        return goal
    inner = getattr(goal, "goal", None)
    if isinstance(inner, Goal):
        return _of_labels(inner)
    raise TypeError(
        f"Transfer takes labels to another model, and {type(goal).__name__} has none. Take Misclassify or Reach, or "
        "build the goal on the surrogate and try the images on the victim yourself."
    )
