"""The soft smoothed classifier: probabilities averaged over noise, with a gradient to follow.

Salman et al., "Provably Robust Deep Learning via Adversarially Trained Smoothed Classifiers", NeurIPS 2019, section 2:

    G(x) = E[softmax f(x + d)],  d ~ N(0, sigma^2),  which is about  1/m sum_i softmax f(x + d_i)

Votes have no gradient, so an attack on them climbs the cross-entropy of G instead: the average stands inside the
logarithm. EOT, the mean of the cross-entropies of all draws (``Expectation``), looks for an image that fools f under
most of the noise, which is near to it and not the same.

Logarithms of probabilities serve as logits: their softmax is the probabilities again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from jaxtyping import Float
from torch import Generator, Tensor

from seminar_lib.goals import Goal, Score
from seminar_lib.losses import Loss, cross_entropy
from seminar_lib.types import Images, Labels, Logits, Model

Noise: TypeAlias = Float[Tensor, "B M C H W"]  # M draws for each image
NoisyLogits: TypeAlias = Float[Tensor, "B M K"]


def draw_noise(x: Images, sigma: float, samples: int, generator: Generator | None = None) -> Noise:
    """Gaussian noise of deviation ``sigma``, ``samples`` times for each image."""
    return x.new_empty(len(x), samples, *x.shape[1:]).normal_(std=sigma, generator=generator)


def noisy_logits(model: Model, x: Images, noise: Noise) -> NoisyLogits:
    """What a model says of every image with each of its draws; these copies may leave [0, 1]."""
    logits = model((x[:, None] + noise).flatten(0, 1))  # (B * M, K)
    return logits.unflatten(0, noise.shape[:2])  # type: ignore[no-any-return]


def log_mean_softmax(logits: NoisyLogits) -> Logits:
    """The logarithm of the probabilities averaged over M draws."""
    return logits.log_softmax(2).logsumexp(1) - math.log(logits.shape[1])


@dataclass(frozen=True, eq=False)
class MisclassifyOnAverage(Goal):
    """Any label but the true one, for the soft smoothed classifier with these draws.

    The draws stay the same for the whole search, as in the paper, so that all of its steps climb one function.
    """

    model: Model
    y: Labels
    noise: Noise
    loss: Loss = cross_entropy

    def __call__(self, x: Images) -> Score:
        average = log_mean_softmax(noisy_logits(self.model, x, self.noise))
        return Score(self.loss(average, self.y), average.argmax(1) != self.y)
