"""What tells two networks apart, and what does not."""

from copy import deepcopy

import pytest
import torch
from fresh import in_a_fresh_python
from torch import nn

from seminar_lib.checkpoints import load
from seminar_lib.evaluation.kept import network_fingerprint


class Scale(nn.Module):
    """Times a factor that is neither a weight nor printed."""

    def __init__(self, factor) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


class Hidden(nn.Module):
    """With a buffer that is not saved."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(value), persistent=False)


LAYER = nn.Linear(3, 3)
LARGE = torch.zeros(2000)  # a tensor of this size is printed with its middle left out

NETWORKS = {
    "layer": LAYER,
    "wrapped": nn.Sequential(LAYER),
    "twice": nn.Sequential(LAYER, LAYER),
    "with a part that has no weights": nn.Sequential(LAYER, nn.ReLU()),
    "with another": nn.Sequential(LAYER, nn.Tanh()),
    "before it": nn.Sequential(nn.ReLU(), LAYER),
    "other weights": nn.Linear(3, 3),
    "without bias": nn.Linear(3, 3, bias=False),
    "half": Scale(0.5),
    "full": Scale(1.0),
    "tensor": Scale(LARGE),
    "another tensor": Scale(LARGE.index_fill(0, torch.tensor([1000]), 1.0)),
    "function": Scale(lambda x: x),
    "another function": Scale(lambda x: -x),
    "buffer": Hidden(0.0),
    "another buffer": Hidden(1.0),
}


def test_no_two_of_many_networks_are_taken_for_one():
    found = {name: network_fingerprint(network) for name, network in NETWORKS.items()}
    assert len(set(found.values())) == len(NETWORKS)


@pytest.mark.parametrize("name", [name for name in NETWORKS if "function" not in name])
def test_a_copy_in_another_mode_is_the_same_network(name):
    network = NETWORKS[name]
    assert network_fingerprint(deepcopy(network).train()) == network_fingerprint(network.eval())


def test_it_is_the_same_after_a_look_and_for_weights_that_learn_no_more():
    network = deepcopy(NETWORKS["wrapped"])
    before = network_fingerprint(network)
    network(torch.rand(2, 3)).sum().backward()
    assert network_fingerprint(network.requires_grad_(False)) == before


def test_a_shipped_network_is_known_again_in_another_process():
    code = (
        "from seminar_lib.checkpoints import load; from seminar_lib.evaluation.kept import network_fingerprint; "
        "print(network_fingerprint(load('signs/standard')[0]))"
    )
    assert in_a_fresh_python(code).strip() == network_fingerprint(load("signs/standard")[0])
