"""MART: hold still above all what the network gets wrong already on clean images.

Wang et al., "Improving Adversarial Robustness Requires Revisiting Misclassified Examples", ICLR 2020, section 3:

    min over theta of the mean of  BCE(p(x_adv), y) + beta * KL(p(x) || p(x_adv)) * (1 - p_y(x))
    BCE(p, y) = -log p_y - log(1 - max_{k != y} p_k)

where x_adv is the image of adversarial training and beta the paper's lambda. The boosted cross-entropy BCE also pushes
the strongest rival down. The divergence is that of TRADES, weighed by how wrong the clean prediction is.

The logarithms are taken without the small constants of the authors' code, which keep them finite; ours are finite by
themselves. Our attack starts anywhere in the ball instead of near the clean image and returns the best image of its
walk. Only the pass over adversarial images moves BatchNorm's running statistics, as in adversarial training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from seminar_lib.freeze import steady_statistics
from seminar_lib.losses import divergence
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, check_weights
from seminar_lib.objectives.minmax import MinMax
from seminar_lib.types import Labels, Logits, PerExample


@dataclass(frozen=True)
class MART(MinMax):
    """Boosted cross-entropy on adversarial images, and a divergence that counts most where clean images are misread.

    Attributes:
        beta: weight of the divergence, 0 or more.

    Raises:
        TypeError, ValueError: as ``MinMax``; ``beta`` is out of range.
    """

    beta: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weights(self, beta=self.beta)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        adversarial = model(batch.x_adv)
        with steady_statistics(model):
            clean = model(batch.x)
        wrong = 1 - clean.softmax(1).gather(1, batch.y[:, None]).squeeze(1)
        return {
            "adversarial": boosted_cross_entropy(adversarial, batch.y).mean(),
            "divergence": self.beta * (divergence(clean, adversarial) * wrong).mean(),
        }


def boosted_cross_entropy(logits: Logits, y: Labels) -> PerExample:
    """-log p_y - log(1 - max_{k != y} p_k)."""
    log_p = logits.log_softmax(1)
    rival = log_p.scatter(1, y[:, None], float("-inf")).argmax(1, keepdim=True)
    # 1 - p_k as the sum of all other p: the difference would be 0, and its logarithm infinite, where p_k rounds to 1.
    log_others = log_p.scatter(1, rival, float("-inf")).logsumexp(1)
    return F.nll_loss(log_p, y, reduction="none") - log_others
