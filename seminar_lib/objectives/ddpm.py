"""Training a diffusion model: find the noise.

Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, eq. 14 and algorithm 1:

    | eps - eps_theta( sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps, t ) |^2,    t ~ U{1, ..., T},  eps ~ N(0, I)

which is a bound of the likelihood in which every t has the same weight. We take the mean over pixels. A network that
answers 0 has the loss 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.diffusion.schedule import T
from seminar_lib.diffusion.steps import noised
from seminar_lib.models import NoisePredictor
from seminar_lib.objectives.base import Batch, Objective


@dataclass(frozen=True)
class DDPM(Objective):
    """The mean squared error of the predicted noise, at a random step for each image."""

    network: ClassVar[type[nn.Module]] = NoisePredictor

    def prepare(self, model: NoisePredictor, batch: Batch) -> Batch:
        t = torch.randint(1, T + 1, (len(batch.x),), generator=batch.generator, device=batch.x.device)
        noise = torch.empty_like(batch.x).normal_(generator=batch.generator)
        return batch._replace(t=t, noise=noise[:, None], view=noised(2 * batch.x - 1, t, noise))

    def terms(self, model: NoisePredictor, batch: Batch) -> dict[str, Tensor]:
        assert batch.view is not None and batch.t is not None and batch.noise is not None  # noqa: PT018  (prepare's)
        return {"noise": F.mse_loss(model(batch.view, batch.t), batch.noise.squeeze(1))}
