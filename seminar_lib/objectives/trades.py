"""TRADES: be right on clean images, and say the same of every image nearby.

Zhang et al., "Theoretically Principled Trade-off between Robustness and Accuracy", ICML 2019, eq. 5:

    min over theta of the mean of  CE(p(x), y) + beta * max over x_adv in the threat model of  KL(p(x) || p(x_adv))

where beta is the paper's 1 / lambda. The first term knows the labels, the second only asks the prediction to stand
still: beta buys robustness with accuracy.

We depart from the authors' code in three ways. Their attack starts within Gaussian noise of deviation 0.001 around the
clean image, ours anywhere in the ball. It takes the last image of its walk, ours the best. And there all forward passes
move BatchNorm's running statistics, here that over the clean images alone, so that with beta = 0 a step is one of
standard training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.attacks import FGSM
from seminar_lib.freeze import steady_statistics
from seminar_lib.goals import Diverge, Goal
from seminar_lib.losses import divergence
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, check_weights
from seminar_lib.objectives.minmax import MinMax


@dataclass(frozen=True)
class TRADES(MinMax):
    """Cross-entropy on clean images, and the divergence between clean and adversarial predictions.

    Attributes:
        beta: weight of the divergence, 0 or more; 6 is the paper's choice for CIFAR-10.

    Raises:
        TypeError, ValueError: as ``MinMax``; ``attack`` starts at the clean image; ``beta`` is out of range.
    """

    beta: float = 6.0

    def __post_init__(self) -> None:
        super().__post_init__()
        # The divergence has its minimum at the clean image: what a walk would follow from there is rounding errors.
        if any(isinstance(part, FGSM) or not getattr(part, "random_start", True) for part in self.attack.parts):
            raise ValueError(f"TRADES has no slope at the clean image: start at random; got attack={self.attack}.")
        check_weights(self, beta=self.beta)

    def goal(self, model: Classifier, batch: Batch) -> Goal:
        with torch.no_grad():
            return Diverge(model, model(batch.x))

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        clean = model(batch.x)
        with steady_statistics(model):
            adversarial = model(batch.x_adv)
        return {
            "clean": F.cross_entropy(clean, batch.y),
            "divergence": self.beta * divergence(clean, adversarial).mean(),
        }
