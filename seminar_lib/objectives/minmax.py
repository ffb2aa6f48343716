"""The inner problem of adversarial training: before each step, an attack finds the images that the loss is about.

    min over theta of the mean of  max over x_adv in the threat model of  ...

An objective of this kind says what its attack is after, and computes its terms on what was found; the search itself is
here, once. As in Pang et al., "Bag of Tricks for Adversarial Training", ICLR 2021, section 3.3, the attack sees
BatchNorm in evaluation mode and the training step sees it in training mode.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seminar_lib.attacks import PGD, Attack
from seminar_lib.freeze import frozen
from seminar_lib.goals import Goal, Misclassify
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective
from seminar_lib.threat import Linf


@dataclass(frozen=True)
class MinMax(Objective):
    """An objective with an attack inside.

    Attributes:
        attack: the inner maximisation. It should not stop at the first success: training wants the strongest loss.
        warmup: share of the training, in [0, 1], over which the radius, and with it the attack's steps, grows from
            nothing to its full size. From the full radius on, a small network on a hard task may not learn anything
            for many epochs.

    Raises:
        TypeError: ``attack`` is no attack.
        ValueError: ``warmup`` is not in [0, 1].
    """

    attack: Attack = PGD(Linf(8 / 255), steps=10, stop_when_fooled=False)
    warmup: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.attack, Attack):
            raise TypeError(
                f"{type(self).__name__} needs an attack, such as PGD(Linf(8/255), stop_when_fooled=False); "
                f"got {self.attack!r}."
            )
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is a share of the training, in [0, 1]; got {self.warmup}.")

    def goal(self, model: Classifier, batch: Batch) -> Goal:
        """What the attack is after, with the model frozen: any wrong label, unless an objective says otherwise."""
        return Misclassify(model, batch.y, self.attack.loss)

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        """The batch with adversarial images; the model, and whatever else the goal looks at, comes back as it was."""
        with frozen(model):
            goal = self.goal(model, batch)
            with frozen(*goal.models):
                attack = self._attack_at(batch.progress)
                x_adv = attack.search(attack.aim(goal, batch.x, confirm=False), batch.x, batch.generator)
        return batch._replace(x_adv=x_adv)

    def _attack_at(self, progress: float) -> Attack:
        # A radius of zero would be no threat model: the first step takes a thousandth.
        return self.attack if progress >= self.warmup else self.attack.scaled(max(progress / self.warmup, 1e-3))
