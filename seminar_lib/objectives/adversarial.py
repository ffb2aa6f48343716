"""Adversarial training: minimise the loss on the worst images that an attack finds.

Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, eq. 2.1:

    min over theta of the mean of  max over x_adv in the threat model of  loss(f_theta(x_adv), y)

The attack solves the inner problem (``minmax.py``), the optimiser the outer one.

With an attack of a single step from a random start it is "fast" adversarial training (Wong et al., "Fast is better than
free", ICLR 2020); ``seminar_lib.recipes.FAST`` holds the settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch
from seminar_lib.objectives.cross_entropy import check_smoothing
from seminar_lib.objectives.minmax import MinMax


@dataclass(frozen=True)
class AdversarialTraining(MinMax):
    """Cross-entropy on adversarial images only.

    Attributes:
        smoothing: of the labels, in [0, 1), as in ``CrossEntropy``. The attack climbs its own loss, without it.

    Raises:
        TypeError, ValueError: as ``MinMax``; ``smoothing`` is not in [0, 1).
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_smoothing(self.smoothing)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        return {"adversarial": F.cross_entropy(model(batch.x_adv), batch.y, label_smoothing=self.smoothing)}
