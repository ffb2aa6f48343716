"""A lean copy answers as the original does, or it is not used."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.freeze import frozen
from seminar_lib.goals import Both, Expectation, Leave, Misclassify, Recorded
from seminar_lib.lean import lean
from seminar_lib.models import Classifier, ResNet18, SmallCNN, ViT
from seminar_lib.threat import Linf

COLOURS = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@pytest.fixture
def many() -> Tensor:
    return torch.rand(40, 3, 8, 8)


def norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def lived(model: nn.Module, x: Tensor) -> nn.Module:
    """``model`` with BatchNorms that have seen something."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    for _ in range(3):
        model.train()(x)
    return model.eval()


def leaned(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Misclassify:
    with frozen(model):
        return lean(Misclassify(model, torch.zeros(len(x), dtype=torch.long) if y is None else y), x)


def gradient(function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function(x).square().sum(), x)[0]


@pytest.mark.parametrize("architecture", [SmallCNN(8), ResNet18(4)], ids=repr)
def test_every_batchnorm_is_folded_and_answers_and_gradients_stay(architecture, many):
    model = lived(architecture.build(5, *COLOURS), many).double()
    many = many.double()
    fast = leaned(model, many).model
    assert (norms(fast), norms(model)) == (0, norms(model))
    assert norms(model) > 0
    torch.testing.assert_close(fast(many), model(many))
    torch.testing.assert_close(gradient(fast, many), gradient(model, many))
    torch.testing.assert_close(fast.project(many), model.project(many))


def test_the_original_is_left_as_it_was(tiny, many):
    before = deepcopy(tiny.state_dict())
    modules = list(tiny.modules())
    leaned(tiny, many)
    assert list(tiny.modules()) == modules
    assert not any(module._forward_hooks for module in modules)
    assert all(
        torch.equal(ours, theirs) for ours, theirs in zip(tiny.state_dict().values(), before.values(), strict=True)
    )
    assert all(parameter.is_contiguous() for parameter in tiny.parameters())


def test_no_copy_outlives_a_change_of_the_weights(tiny, many):
    y = tiny(many).argmax(1)
    FGSM(Linf(1e-3))(tiny, many, y)
    tiny.head.weight.data.neg_()  # a change of which autograd's version counter knows nothing
    tiny.head.bias.data.neg_()
    torch.testing.assert_close(leaned(tiny, many).model(many), tiny(many))


def test_every_model_of_a_goal_is_replaced_and_a_shared_one_copied_once(tiny, many):
    y = tiny(many).argmax(1)
    inner = Both(Misclassify(tiny, y), Leave(tiny.embed, tiny.embed(many).detach()))
    goal = Recorded(Expectation(inner, 2), torch.arange(len(many)))
    with frozen(tiny):
        fast = lean(goal, many)
    first, second = fast.models
    assert first is second.__self__
    assert first is not tiny
    assert (norms(first), norms(tiny)) == (0, 2)
    assert goal.looks == []  # nobody looked
    assert fast.looks is goal.looks
    torch.testing.assert_close(fast(many), goal(many), rtol=1e-4, atol=1e-5)


class Wrapped(nn.Module):
    """A model around the fixture, with something in it that a lean copy must not change."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model


class AnswersAtRandom(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return self.model(x + 0.1 * torch.randn_like(x))


class LooksBetween(Wrapped):
    """The convolution's output is wanted for its own sake too."""

    def forward(self, x: Tensor) -> Tensor:
        between = self.model.backbone[0](x)
        return self.model.backbone[1](between).mean((2, 3)) + between.mean((2, 3))


class LooksBetweenForTheGradientOnly(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        between = self.model.backbone[0](x)
        after = self.model.backbone[1](between)
        return (between + (after - between).detach()).mean((2, 3))


class CannotBeCopied(Wrapped):
    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)

    def __deepcopy__(self, memo):
        raise RuntimeError("one of a kind")


@pytest.mark.parametrize(
    "wrapper", [AnswersAtRandom, LooksBetween, LooksBetweenForTheGradientOnly, CannotBeCopied], ids=lambda w: w.__name__
)
def test_where_a_copy_would_differ_the_original_is_used(wrapper, tiny, many):
    model = wrapper(tiny).eval()
    state = torch.get_rng_state()
    assert leaned(model, many).model is model
    assert torch.equal(torch.get_rng_state(), state)


def test_where_somebody_listens_the_original_is_used(tiny, many):
    tiny.backbone[2].register_forward_hook(lambda *_: None)
    assert leaned(tiny, many).model is tiny


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # PyTorch looks at it itself
@pytest.mark.parametrize("whole", [True, False], ids=["network", "layer"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_compiled_network_is_used_itself(whole, wrapped, tiny, many):
    """Its copy would not be compiled, or again for each attack, whose passes are most of a training."""
    part = tiny if whole else tiny.backbone
    if wrapped:
        compiled = torch.compile(part, backend="eager")
        model = compiled if whole else nn.Sequential(compiled, tiny.head)
    else:
        part.compile(backend="eager")
        model = tiny
    assert leaned(model, many).model is model


def test_a_function_and_a_few_images_are_left_alone(tiny, many):
    function = lambda x: tiny(x)  # noqa: E731
    goal = Misclassify(function, torch.zeros(len(many), dtype=torch.long))
    assert lean(goal, many).model is function
    assert leaned(tiny, many[:8]).model is tiny


def test_a_convolution_or_batchnorm_that_is_used_twice_stays(many):
    conv, norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
    for layers in [(conv, norm, conv, nn.BatchNorm2d(3)), (conv, norm, nn.Conv2d(3, 3, 3, padding=1), norm)]:
        model = lived(nn.Sequential(*layers, nn.AvgPool2d(8), nn.Flatten()), many)
        fast = leaned(model, many).model
        torch.testing.assert_close(fast(many), model(many), rtol=1e-4, atol=1e-5)
        assert norms(fast) >= 1


def test_networks_without_batchnorm_are_served_too():
    x = torch.rand(33, 3, 32, 32)
    model = ViT(layers=1).build(5, *COLOURS).eval()
    torch.testing.assert_close(leaned(model, x).model(x), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attack", [FGSM(Linf(0.02)), PGD(Linf(0.02), steps=5, random_start=False)], ids=repr)
def test_an_attack_finds_the_same_with_and_without(attack, tiny, many):
    tiny, many = tiny.double(), many.double()  # in double precision the two agree to the last sign
    y = tiny(many).argmax(1)
    few = torch.cat([attack(tiny, many[i : i + 20], y[i : i + 20]) for i in (0, 20)])
    assert leaned(tiny, many).model is not tiny
    torch.testing.assert_close(attack(tiny, many, y), few, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("in_bf16")
@pytest.mark.parametrize("bf16", [False, True])
def test_the_last_word_is_the_callers_own(bf16, tiny, many, monkeypatch):
    """A copy that says the opposite leads the search astray, but never to a result worse than the clean image."""
    y = tiny(many).argmax(1)

    def astray(goal, x):
        return replace(goal, model=lambda x: -goal.model(x))

    monkeypatch.setattr("seminar_lib.attacks.base.lean", astray)
    x_adv = PGD(Linf(0.05), bf16=bf16)(tiny, many, y)
    loss, loss_adv = (nn.functional.cross_entropy(tiny(images), y, reduction="none") for images in (many, x_adv))
    assert (loss_adv >= loss).all()
    assert torch.equal(x_adv[0], many[0])
