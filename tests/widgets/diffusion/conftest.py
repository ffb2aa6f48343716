"""A diffusion model that finds some of the noise, and says how often it was asked."""

import pytest
from torch import nn


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, xt, t):
        self.calls += 1
        return 0.5 * xt


@pytest.fixture
def network():
    return Network()
