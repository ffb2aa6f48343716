"""How well a network does by the objective that it was trained for: the measure of those that do not classify."""

from __future__ import annotations

import torch

from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.models import Network
from seminar_lib.objectives import Batch, Objective

BATCH = 240


def mean_loss(model: Network, images: Split, objective: Objective, seed: int = 0) -> float:
    """The loss, averaged over images, with random numbers that are the same for the same seed and images.

    So the difference between two networks is that of the networks, though one draw for each image is a small sample of
    all noise.

    Args:
        model: what the objective is for; measured in evaluation mode.
        images: where to measure, on the device of the model.
        objective: its terms are summed.
        seed: of the noise.
    """
    generator = torch.Generator(images.images.device).manual_seed(seed)
    total = 0.0
    with torch.no_grad(), frozen(model):
        for x, y in images.batches(BATCH):
            terms = objective(model, Batch(x, y, progress=1.0, generator=generator))
            total += float(torch.stack(list(terms.values())).sum()) * len(x)
    return total / len(images)
