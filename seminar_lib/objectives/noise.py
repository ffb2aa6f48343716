"""Training on noise: what makes a network worth smoothing.

Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019, section 3.3:

    CE(f(x + d), y),   d ~ N(0, sigma^2)

The smoothed classifier asks f about noisy images alone, so these alone are learned. Take the sigma that will be
certified with. The noise is not clipped: what the network sees leaves [0, 1], here as there.

``LISArD(weight=0)`` is another training on noise: half of its loss is on clean images.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective, check_weights
from seminar_lib.smoothing.average import NoisyLogits, draw_noise, noisy_logits
from seminar_lib.types import Labels


@dataclass(frozen=True)
class NoiseTraining(Objective):
    """Cross-entropy on noisy images only.

    Attributes:
        sigma: standard deviation of the noise, in pixels of [0, 1], 0 or more. At 0 it is standard training.
        samples: noisy copies of each image in a step; 1 in the paper.

    Raises:
        ValueError: a number is out of range.
    """

    sigma: float = 0.25
    samples: int = 1

    def __post_init__(self) -> None:
        check_noise(self, self.sigma, self.samples)

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        return batch._replace(noise=draw_noise(batch.x, self.sigma, self.samples, batch.generator))

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.noise is not None  # prepare has drawn it
        return {"noisy": noisy_cross_entropy(noisy_logits(model, batch.x, batch.noise), batch.y)}


def noisy_cross_entropy(logits: NoisyLogits, y: Labels) -> Tensor:
    """The mean cross-entropy of all noisy copies of all images."""
    return F.cross_entropy(logits.flatten(0, 1), y.repeat_interleave(logits.shape[1]))


def check_noise(objective: Objective, sigma: float, samples: int) -> None:
    """Refuse noise that cannot be drawn.

    Raises:
        ValueError: ``sigma`` is negative, infinite or NaN; or there are no samples.
    """
    check_weights(objective, sigma=sigma)
    if samples < 1:
        raise ValueError(
            f"{type(objective).__name__} needs at least one noisy copy of an image; got samples={samples}."
        )
