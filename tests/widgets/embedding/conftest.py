"""Two small classifiers and nine images, with labels that the first network gives to all but the last."""

import pytest
import torch
from torch import nn

from seminar_lib import Classifier, Split

CLASSES = ["ant", "bee", "cat"]


class Counted(nn.Module):
    """One linear layer with a bend; counts its calls."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 8 * 8, width)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x.flatten(1)).relu()


def network(seed: int, width: int = 12) -> Classifier:
    torch.manual_seed(seed)
    model = Classifier(Counted(width), width, len(CLASSES), (0.5,) * 3, (0.25,) * 3, projection=4)
    with torch.no_grad():
        model.head.weight *= 4  # sharp enough that the attack turns some answers around
        model.head.bias -= model(torch.rand(64, 3, 8, 8)).mean(0)
    return model.eval()


@pytest.fixture
def networks() -> dict[str, Classifier]:
    return {"standard": network(0), "wide": network(1, 15)}


@pytest.fixture
def data(networks) -> Split:
    images = torch.randint(256, (9, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    with torch.no_grad():
        labels = networks["standard"](images / 255).argmax(1)
    labels[8] = (labels[8] + 1) % len(CLASSES)
    return Split(images, labels)
