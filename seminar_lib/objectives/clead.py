"""C-LEAD as its abstract has it: adversarial training with a contrastive loss between clean and adversarial images.

Ghosh et al., "C-LEAD: Contrastive Learning for Enhanced Adversarial Defense", arXiv 2510.27249, 2025:

    CE(f(x), y) + CE(f(x_adv), y) + weight * nt_xent(z(x), z(x_adv))

each the mean over the batch, where z are projected embeddings. "Optimizing the model's parameters alongside the
perturbations" is taken at its word: the attack works on the network as it is in this step. The released scripts do
something else: ``clead_released.py``.

**A reconstruction.** The paper's formula could not be read. The sum, its weights, the temperature and the attack are
this project's choices, and so are the two options: labels in the contrastive loss, and an attack that climbs it too.
As in TRADES, only the pass over clean images moves BatchNorm's running statistics. Results of this file are not the
paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.contrastive import check_contrast, sup_con
from seminar_lib.freeze import steady_statistics
from seminar_lib.goals import Both, Contrast, Crowd, Goal
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, check_weights
from seminar_lib.objectives.minmax import MinMax


@dataclass(frozen=True)
class CLEAD(MinMax):
    """Cross-entropy on clean and on adversarial images, and a contrastive loss that holds the two together.

    Attributes:
        weight: of the contrastive term, 0 or more. At 0 it is not computed: two cross-entropies are left.
        temperature: of the contrastive loss, above 0; 0.5 is SimCLR's for CIFAR-10.
        labels: whether all images of a class belong together (SupCon) or only the two views of an image (NT-Xent).
        attack_contrast: whether the attack climbs the contrastive term as well, with the same weight. Each of its steps
            then looks twice at the network.

    Raises:
        TypeError, ValueError: as ``MinMax``; a number is out of range.
    """

    weight: float = 1.0
    temperature: float = 0.5
    labels: bool = False
    attack_contrast: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weights(self, weight=self.weight)
        check_contrast(self.temperature)

    @property
    def projects(self) -> bool:
        return self.weight > 0

    def goal(self, model: Classifier, batch: Batch) -> Goal:
        misclassify = super().goal(model, batch)
        if not self.attack_contrast:
            return misclassify
        groups = self._groups(batch)
        with torch.no_grad():
            crowd = Crowd(model.project(batch.x), groups)
        return Both(misclassify, Contrast(model.project, groups, crowd, self.temperature), self.weight)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.x_adv is not None  # prepare has found them
        clean = model.embed(batch.x)
        with steady_statistics(model):
            adversarial = model.embed(batch.x_adv)
        terms = {
            "clean": F.cross_entropy(model.classify(clean), batch.y),
            "adversarial": F.cross_entropy(model.classify(adversarial), batch.y),
        }
        if self.weight:
            z = model.projector(torch.cat([clean, adversarial]))
            loss = sup_con(z, self._groups(batch).repeat(2), self.temperature)
            terms["contrastive"] = self.weight * loss.mean()
        return terms

    def _groups(self, batch: Batch) -> Tensor:
        """What belongs together, (B,): a class, or else each image by itself, which makes ``sup_con`` ``nt_xent``."""
        return batch.y if self.labels else torch.arange(len(batch.y), device=batch.y.device)
