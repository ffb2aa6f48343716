"""SmoothAdv: adversarial training of the smoothed classifier.

Salman et al., "Provably Robust Deep Learning via Adversarially Trained Smoothed Classifiers", NeurIPS 2019:

    x_adv = argmax over |x' - x|_2 <= eps of  -log (1/m sum_i softmax f(x' + d_i))_y
    minimise  1/m sum_i CE(f(x_adv + d_i), y),   d_i ~ N(0, sigma^2)

The attack climbs the soft smoothed classifier (``smoothing/average.py``), and the same draws d_i serve all of its steps
and the training step after it. The threat is L2, as the certificate is.

We depart from the authors' code in two ways. It takes the last image of the walk, ours the best. And there the batch is
cut into m parts with an optimiser step each, so that a step costs what one of plain training does; here a step has m
copies of the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seminar_lib.attacks import PGD, Attack
from seminar_lib.goals import Goal
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch
from seminar_lib.objectives.minmax import MinMax
from seminar_lib.objectives.noise import check_noise, noisy_cross_entropy
from seminar_lib.smoothing.average import MisclassifyOnAverage, draw_noise, noisy_logits
from seminar_lib.threat import L2


@dataclass(frozen=True)
class SmoothAdv(MinMax):
    """Cross-entropy on noisy copies of images that fool the smoothed classifier.

    Attributes:
        attack: of the authors' code, with their step of 2 eps / steps, at one of the paper's radii.
        sigma: standard deviation of the noise, in pixels of [0, 1], 0 or more.
        samples: m, draws for each image.

    Raises:
        TypeError, ValueError: as ``MinMax``; a number is out of range.
    """

    attack: Attack = PGD(L2(0.5), steps=4, step_size=0.25, random_start=False, stop_when_fooled=False)
    sigma: float = 0.25
    samples: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_noise(self, self.sigma, self.samples)

    def goal(self, model: Classifier, batch: Batch) -> Goal:
        assert batch.noise is not None  # prepare has drawn it
        return MisclassifyOnAverage(model, batch.y, batch.noise, self.attack.loss)

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        noise = draw_noise(batch.x, self.sigma, self.samples, batch.generator)
        return super().prepare(model, batch._replace(noise=noise))

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        assert batch.x_adv is not None and batch.noise is not None  # noqa: PT018  (prepare has found them)
        return {"adversarial": noisy_cross_entropy(noisy_logits(model, batch.x_adv, batch.noise), batch.y)}
