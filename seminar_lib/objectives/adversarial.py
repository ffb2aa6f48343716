"""Adversarial training: minimise the loss on the worst images that an attack finds.

Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, eq. 2.1:

    min over theta of the mean of  max over x_adv in the threat model of  loss(f_theta(x_adv), y)

The attack solves the inner problem, the optimiser the outer one. As in Pang et al., "Bag of Tricks for Adversarial
Training", ICLR 2021, section 3.3, the attack sees BatchNorm in evaluation mode and the training step sees it in
training mode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from seminar_lib.attacks import PGD, Attack
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective
from seminar_lib.threat import Linf


@dataclass(frozen=True)
class AdversarialTraining(Objective):
    """Cross-entropy on adversarial images only.

    Attributes:
        attack: the inner maximisation. It should not stop at the first success: training wants the strongest loss.
            Leave its ``step_size`` open when there is a warm-up, so that steps grow with the radius.
        warmup: share of the training, in [0, 1], over which the radius grows from nothing to its full size. From the
            full radius on, a small network on a hard task may not learn anything for many epochs.

    Raises:
        ValueError: ``warmup`` is not in [0, 1].
    """

    attack: Attack = PGD(Linf(8 / 255), steps=10, stop_when_fooled=False)
    warmup: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is a share of the training, in [0, 1]; got {self.warmup}.")

    def __call__(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        with frozen(model):
            goal = Misclassify(model, batch.y, self.attack.loss)
            x_adv = self._attack_at(batch.progress).search(goal, batch.x, batch.generator)
        return {"adversarial": F.cross_entropy(model(x_adv), batch.y)}

    def _attack_at(self, progress: float) -> Attack:
        if progress >= self.warmup:
            return self.attack
        threat = self.attack.threat
        return self.attack.within(replace(threat, eps=threat.eps * max(progress / self.warmup, 1e-3)))
