"""Consistency: training on noise, and on saying the same of every noisy copy.

Jeong and Shin, "Consistency Regularization for Certified Robustness of Smoothed Classifiers", NeurIPS 2020, eq. 8, with
p_i = softmax f(x + d_i), d_i ~ N(0, sigma^2), and their average p over m draws:

    1/m sum_i CE(p_i, y)  +  weight * 1/m sum_i KL(p || p_i)  +  entropy * H(p)

The radius grows with the share of noise on which f gives one answer. The second term asks for one answer, whichever;
the third for a clear one, or f would agree with itself by never committing itself.

It stands here in the place of MACER (Zhai et al., ICLR 2020), which climbs the radius itself through 16 draws and three
more hyperparameters. This one is two lines more than training on noise, costs two passes, and needs no attack.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seminar_lib.losses import divergence
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective, check_weights
from seminar_lib.objectives.noise import check_noise, noisy_cross_entropy
from seminar_lib.smoothing.average import draw_noise, log_mean_softmax, noisy_logits


@dataclass(frozen=True)
class Consistency(Objective):
    """Cross-entropy on noisy images, and the divergence of their predictions from the average of these.

    Attributes:
        sigma: standard deviation of the noise, in pixels of [0, 1], 0 or more.
        samples: m, noisy copies of each image in a step, at least 2.
        weight: of the divergence, 0 or more: lambda in the paper, 20 in the authors' scripts.
        entropy: weight of the average's entropy, 0 or more: eta in the paper, 0.5 in the authors' code.

    Raises:
        ValueError: a number is out of range.
    """

    sigma: float = 0.25
    samples: int = 2
    weight: float = 20.0
    entropy: float = 0.5

    def __post_init__(self) -> None:
        check_noise(self, self.sigma, self.samples)
        check_weights(self, weight=self.weight, entropy=self.entropy)
        if self.samples < 2:
            raise ValueError(f"One noisy copy always agrees with itself: Consistency needs two; got {self.samples}.")

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        return batch._replace(noise=draw_noise(batch.x, self.sigma, self.samples, batch.generator))

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.noise is not None  # prepare has drawn it
        logits = noisy_logits(model, batch.x, batch.noise)  # (B, M, K)
        log_p = log_mean_softmax(logits)
        apart = divergence(log_p.repeat_interleave(self.samples, 0), logits.flatten(0, 1))
        return {
            "noisy": noisy_cross_entropy(logits, batch.y),
            "consistency": self.weight * apart.mean(),
            "entropy": self.entropy * -(log_p.exp() * log_p).sum(1).mean(),
        }
