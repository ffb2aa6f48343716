"""ANCHOR: adversarial training in which an image, its adversarial version and its whole class share one direction.

Bhattacharya et al., "ANCHOR: Integrating Adversarial Training with Hard-mined Supervised Contrastive Learning for
Robust Representation Learning", arXiv 2510.27599, 2025:

    CE(f(x_adv), y) + weight * the mean over all anchors of hard_positive_sup_con(z)

where z holds the projected embeddings of two views of each image, one augmented, one adversarial. A second stage trains
the classifier alone (``seminar_lib.recipes``).

**A reconstruction.** The abstract names these parts: a contrastive loss with labels and weights for hard positives, the
two views, cross-entropy on adversarial images, and the second stage. No formula, no hyperparameter and no code could be
found. The weights of the positives, temperature, beta and weight, and that the attack climbs cross-entropy alone, are
this project's choices. So is which view counts in BatchNorm's statistics: the adversarial one, so that with weight 0 a
step is one of ``AdversarialTraining`` to the bit. Results of this file are not the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.contrastive import check_contrast, hard_positive_sup_con
from seminar_lib.data.augment import Augment
from seminar_lib.freeze import steady_statistics
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, check_weights
from seminar_lib.objectives.minmax import MinMax


@dataclass(frozen=True)
class ANCHOR(MinMax):
    """Cross-entropy on adversarial images, and a contrastive loss that pulls the hardest positives most.

    Attributes:
        weight: of the contrastive term, 0 or more. At 0 it is not computed: adversarial training is left.
        temperature: of the contrastive loss, above 0; 0.1 is SupCon's for CIFAR-10.
        beta: how much the hardest positives outweigh the others, 0 or more. At 0 the term is SupCon.
        augment: what to make a second augmented view with, which takes the place of the adversarial one in the
            contrastive term; it changes ``x``, which the recipe has augmented already. None, as the paper has it,
            leaves the adversarial view in.

    Raises:
        TypeError, ValueError: as ``MinMax``; a number is out of range.
    """

    weight: float = 1.0
    temperature: float = 0.1
    beta: float = 1.0
    augment: Augment | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weights(self, weight=self.weight)
        check_contrast(self.temperature, self.beta)

    @property
    def projects(self) -> bool:
        return self.weight > 0

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        batch = super().prepare(model, batch)
        return batch._replace(view=self.augment(batch.x, batch.generator)) if self.augment else batch

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.x_adv is not None  # prepare has found them
        adversarial = model.embed(batch.x_adv)
        terms = {"adversarial": F.cross_entropy(model.classify(adversarial), batch.y)}
        if self.weight:
            with steady_statistics(model):
                first = model.embed(batch.x)
                second = adversarial if batch.view is None else model.embed(batch.view)
            z = model.projector(torch.cat([first, second]))
            loss = hard_positive_sup_con(z, torch.cat([batch.y, batch.y]), self.temperature, self.beta)
            terms["contrastive"] = self.weight * loss.mean()
        return terms
