"""Standard training: cross-entropy on clean images."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """The mean of -log p_y over the batch."""

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        return {"clean": F.cross_entropy(model(batch.x), batch.y)}
