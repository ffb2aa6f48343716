"""Standard training: cross-entropy on clean images.

With label smoothing (Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7) the label gives up
a share s of its weight, which all K classes divide among themselves:

    (1 - s) (-log p_y) + s / K sum_k (-log p_k)

By itself it makes a network less certain rather than robust; weak attacks take the one for the other (Fu et al., "Label
Smoothing and Adversarial Robustness", 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """The mean of -log p_y over the batch.

    Attributes:
        smoothing: the share of each label that is spread evenly over all classes, in [0, 1).

    Raises:
        ValueError: ``smoothing`` is not in [0, 1).
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_smoothing(self.smoothing)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        return {"clean": F.cross_entropy(model(batch.x), batch.y, label_smoothing=self.smoothing)}


def check_smoothing(smoothing: float) -> None:
    """Refuse a share that leaves nothing of the label, or more than all of it.

    Raises:
        ValueError: ``smoothing`` is not in [0, 1).
    """
    if not 0 <= smoothing < 1:
        raise ValueError(
            f"smoothing is the share of a label that is spread over all classes, in [0, 1); got {smoothing}."
        )
