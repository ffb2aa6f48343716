"""LISArD: one network, two views of an image, and features that agree about both. No attack is needed in training.

Costa et al., "LISArD: Learning Image Similarity to Defend Against Gray-box Adversarial Attacks", arXiv 2502.20562,
2025, as its released code does it:

    a (CE(f(x), y) + CE(f(x + n), y)) + (1 - a) weight * cross_correlation(e(x), e(x + n)),    n ~ N(0, sigma^2)

where e are the features before the classifier and a grows over the training. The noise has the *variance* 8/255, so
that sigma = 0.177: about 45 grey levels a pixel, far more than an attack of 8/255 may change. The noisy view is not
clipped: what the network sees leaves [0, 1] here on purpose.

The aim is the gray box, where the adversary attacks another network of the same kind. Against the network's own
gradients the authors' table has 11.8 % left under AutoAttack on CIFAR-10: better than nothing, and not robust. With
``weight=0`` the same code is plain training on noise. Without that comparison nobody knows which of the two helped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.correlation import cross_correlation
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective, check_weights


@dataclass(frozen=True)
class LISArD(Objective):
    """Cross-entropy on clean and on noisy images, and the distance of their features' correlations from the identity.

    The views pass through the network one after the other, as in the authors' code: each is normalised by its own
    statistics, and both move those that BatchNorm keeps for later. The code builds a projection head and never uses
    it; neither do we.

    We depart from it in the divisor of a smaller last batch (see ``cross_correlation``) and in that a grows with every
    step instead of every epoch. A batch of one image, as the last of an epoch may be, has no correlations: there the
    term is left out.

    Attributes:
        sigma: standard deviation of the noise, in pixels of [0, 1], 0 or more.
        weight: of the correlations, 0 or more; 1/9000 in the code. At 0 they are not computed at all.
        off_diagonal: of the correlations between different features among them; 0.0051 in the code.
        alpha: a at the beginning and at the end of the training, in [0, 1]; a line in between. In the code epoch t of
            200, counted from 0, has a = 0.5 + (t - 1) / 400: where such an epoch begins, ours is the same.

    Raises:
        ValueError: a number is out of range.
    """

    sigma: float = math.sqrt(8 / 255)
    weight: float = 1 / 9000
    off_diagonal: float = 0.0051
    alpha: tuple[float, float] = (0.4975, 0.9975)

    def __post_init__(self) -> None:
        check_weights(self, sigma=self.sigma, weight=self.weight, off_diagonal=self.off_diagonal)
        if not all(0 <= a <= 1 for a in self.alpha):
            raise ValueError(f"alpha is the share of the cross-entropies, from 0 to 1; got {self.alpha}.")

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        noise = torch.empty_like(batch.x).normal_(std=self.sigma, generator=batch.generator)
        return batch._replace(view=batch.x + noise)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.view is not None  # prepare has made it
        first, last = self.alpha
        a = first + (last - first) * batch.progress
        clean, noisy = model.embed(batch.x), model.embed(batch.view)
        terms = {
            "clean": a * F.cross_entropy(model.classify(clean), batch.y),
            "noisy": a * F.cross_entropy(model.classify(noisy), batch.y),
        }
        if self.weight and len(clean) > 1:
            terms["correlation"] = (1 - a) * self.weight * cross_correlation(clean, noisy, self.off_diagonal)
        return terms
