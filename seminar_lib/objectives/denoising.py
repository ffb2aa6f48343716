"""Training a denoiser: find the image before the noise.

Vincent, Larochelle, Bengio and Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders", ICML
2008, section 2.2; with Gaussian noise as Salman, Sun, Yang, Kapoor and Kolter, "Denoised Smoothing", NeurIPS 2020,
eq. 5:

    | D(x + d) - x |^2,    d ~ N(0, sigma^2)

sigma is drawn anew for each image, so that one network serves for all noise of a range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.data.augment import uniform
from seminar_lib.models import Denoiser
from seminar_lib.objectives.base import Batch, Objective


@dataclass(frozen=True)
class Denoising(Objective):
    """The mean squared error of the image that is found under the noise. The noisy image is not clipped.

    Attributes:
        least, most: between which the noise's standard deviation is drawn, in pixels of [0, 1].

    Raises:
        ValueError: the range is empty, infinite or begins below 0.
    """

    network: ClassVar[type[nn.Module]] = Denoiser

    least: float = 0.0
    most: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most < math.inf:
            raise ValueError(f"Denoising needs 0 <= least <= most < infinity; got {self.least} and {self.most}.")

    def prepare(self, model: Denoiser, batch: Batch) -> Batch:
        sigma = uniform(batch.x, self.least, self.most, batch.generator)  # (B, 1, 1, 1)
        return batch._replace(
            view=batch.x + sigma * batch.x.new_empty(batch.x.shape).normal_(generator=batch.generator)
        )

    def terms(self, model: Denoiser, batch: Batch) -> dict[str, Tensor]:
        assert batch.view is not None  # prepare has made it
        return {"error": F.mse_loss(model(batch.view), batch.x)}
