"""A task for the tiny network, with enough images for a covariance of its 64 features."""

import pytest
import torch

from seminar_lib.data.dataset import Dataset, Split


@pytest.fixture
def task() -> Dataset:
    """Random images of five classes; 200 to train on, 60 to validate, 20 to test."""

    def read(name: str) -> Split:
        n, number = {"train": (200, 1), "validation": (60, 2), "test": (20, 3)}[name]
        noise = torch.Generator().manual_seed(number)
        return Split(torch.randint(256, (n, 3, 8, 8), generator=noise, dtype=torch.uint8), torch.arange(n) % 5)

    return Dataset("noise", tuple("abcde"), (0.5,) * 3, (0.25,) * 3, read)
