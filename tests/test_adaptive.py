"""BPDA: the answer of the layer to the last bit, the gradient of the stand-in, and layers exchanged in a copy."""

import re
from copy import deepcopy

import pytest
import torch
from torch import nn

from seminar_lib.adaptive import BPDA, identity, replace_layers
from seminar_lib.attacks import PGD
from seminar_lib.attacks.base import climb
from seminar_lib.goals import Misclassify
from seminar_lib.threat import Linf


def test_the_answer_is_the_layers_to_the_last_bit():
    """The one-line version s + (g - s).detach() is not: it rounds, and loses the sign of zero."""
    x = torch.cat([torch.randn(100), torch.tensor([-0.0, 0.0, float("inf"), float("nan"), 1e-45])]).requires_grad_()
    layer = BPDA(lambda x: -x.sin() * 1e-6, lambda x: 1e6 * x)
    expected = layer.layer(x)
    assert torch.equal(layer(x).view(torch.int32), expected.view(torch.int32))
    with torch.no_grad():
        assert torch.equal(layer(x).view(torch.int32), expected.view(torch.int32))


def test_the_gradient_is_the_stand_ins():
    x = torch.linspace(-2, 2, 9, requires_grad=True)
    loss = (3 * BPDA(torch.round, torch.sin)(x)).square().sum()
    loss.backward()
    assert torch.allclose(x.grad, 18 * x.detach().round() * x.detach().cos())  # d/dx of 9 r^2 with dr/dx = cos x


def test_the_gradient_of_the_identity_passes_straight_through():
    x = torch.rand(4, requires_grad=True)
    (BPDA(torch.round)(x) * torch.arange(4.0)).sum().backward()
    assert torch.equal(x.grad, torch.arange(4.0))


def test_the_layer_is_never_differentiated_and_may_switch_gradients_off():
    def detached(x):
        assert not torch.is_grad_enabled()
        return torch.from_numpy(x.detach().numpy() ** 2)

    x = torch.tensor([3.0], requires_grad=True)
    BPDA(detached)(x).backward()
    assert x.grad == 1


def test_the_stand_in_is_called_only_where_gradients_are_enabled():
    calls = []
    layer = BPDA(torch.round, lambda x: calls.append(None) or x)
    with torch.no_grad():
        layer(torch.rand(3, requires_grad=True))
    assert not calls
    layer(torch.rand(3, requires_grad=True))
    assert len(calls) == 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_precision_is_kept(dtype):
    x = torch.rand(5, dtype=dtype, requires_grad=True)
    answer = BPDA(torch.round)(x)
    answer.sum().backward()
    assert answer.dtype == x.grad.dtype == dtype


def test_parameters_of_the_stand_in_learn():
    stand_in = nn.Linear(3, 3)
    BPDA(torch.round, stand_in)(torch.rand(2, 3)).sum().backward()
    assert torch.equal(stand_in.bias.grad, torch.full((3,), 2.0))


@pytest.mark.parametrize(
    ("stand_in", "words"),
    [
        (lambda x: x.mean(1), "must answer as the layer does, (2, 3) of torch.float32; it gives (2,) of torch.float32"),
        (lambda x: x.double(), "it gives (2, 3) of torch.float64"),
        (lambda x: x[:1], "choose a stand-in that resizes or converts as the layer does"),
    ],
)
def test_a_stand_in_of_another_shape_or_dtype_is_refused(stand_in, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        BPDA(torch.round, stand_in)(torch.rand(2, 3))


@pytest.mark.usefixtures("as_users_call_it")
def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="BPDA needs a stand_in that can be called with a tensor; got int"):
        BPDA(torch.round, 1)


def test_an_attack_goes_through_where_it_could_not_start(tiny, x, y):
    def blurred(x):
        return torch.from_numpy(x.detach().numpy().round(1))

    with pytest.raises(ValueError, match="BPDA"):
        climb(Misclassify(lambda x: tiny(blurred(x)), y), x)
    opened = nn.Sequential(BPDA(blurred), tiny)
    x_adv = PGD(Linf(8 / 255))(opened, x, y)
    with torch.no_grad():
        assert (opened(x_adv).argmax(1) != y).sum() > (opened(x).argmax(1) != y).sum()


def test_layers_are_exchanged_in_a_copy(tiny, x):
    before = deepcopy(tiny)
    leaky = replace_layers(tiny, nn.ReLU, lambda relu: nn.LeakyReLU(0.0, inplace=relu.inplace))
    assert torch.equal(leaky(x), tiny(x))
    counts = [sum(isinstance(layer, nn.ReLU) for layer in model.modules()) for model in (tiny, before, leaky)]
    assert counts == [3, 3, 0]
    leaky.head.weight.data.zero_()
    assert torch.equal(tiny.head.weight, before.head.weight)


def test_the_layer_itself_may_be_the_model_and_is_handed_over_whole():
    inner = nn.Sequential(nn.Sequential(nn.ReLU()))
    opened = replace_layers(inner, nn.Sequential, BPDA)
    assert isinstance(opened, BPDA)
    assert isinstance(opened.layer[0], nn.Sequential)
    assert opened.stand_in is identity


def test_a_network_without_such_a_layer_is_refused():
    with pytest.raises(ValueError, match="Sequential has no layer of type Conv2d; it has ReLU, Sequential"):
        replace_layers(nn.Sequential(nn.ReLU()), nn.Conv2d, BPDA)
