"""What is attacked: a trained network, on test images of the data set that its card names."""

from __future__ import annotations

from typing import NamedTuple

import torch

from benchmarks.measure import Batches
from seminar_lib.checkpoints import load_classifier
from seminar_lib.data import load_data
from seminar_lib.models import Classifier


class Subject(NamedTuple):
    """A network with its images.

    Attributes:
        model: on the device where it is attacked.
        dataset: the name of its data set.
        batches: test images and labels, on the same device.
    """

    model: Classifier
    dataset: str
    batches: Batches


def subject(weights: str, n: int, batch_size: int, seed: int, device: torch.device) -> Subject:
    """The network ``weights``, shipped or a path, with ``n`` test images that ``seed`` chooses.

    Raises:
        FileNotFoundError, ValueError: as ``load_classifier``.
    """
    model, card = load_classifier(weights, device)
    images = load_data(card["dataset"]).test.sample(n, seed).to(device)
    return Subject(model, card["dataset"], list(images.batches(batch_size)))
