"""Transfer: the surrogate does the work, the victim is only asked for its verdict."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.attacks.transfer import Transfer
from seminar_lib.goals import Diverge, Expectation, Misclassify, Reach, Recorded
from seminar_lib.threat import L2, Linf

WALK = PGD(Linf(8 / 255), random_start=False)


@pytest.fixture
def surrogate(tiny):
    """Much like the victim, but not quite."""
    model = deepcopy(tiny)
    with torch.no_grad():
        model.head.weight += 0.3 * model.head.weight.std() * torch.randn_like(model.head.weight)
    return model


def test_with_the_victim_for_a_surrogate_it_is_the_attack_itself(tiny, x, y):
    direct, target = replace(WALK, stop_when_fooled=False), (y + 1) % 5
    through = Transfer(WALK, tiny, stop_when_fooled=False)
    assert torch.equal(through(tiny, x, y), direct(tiny, x, y))
    assert torch.equal(through(tiny, x, y, target), direct(tiny, x, y, target))


def test_images_of_the_surrogate_fool_the_victim(tiny, surrogate, x, y):
    x_adv = Transfer(WALK, surrogate)(tiny, x, y)
    assert (tiny(x_adv).argmax(1) != y).sum() > 2


def test_the_victim_is_asked_for_labels_only(tiny, surrogate, x, y):
    seen = []

    def victim(x):
        assert not x.requires_grad
        seen.append(len(x))
        with torch.no_grad():
            return tiny(x)

    expected = Transfer(WALK, surrogate)(tiny, x, y)
    assert torch.equal(Transfer(WALK, surrogate)(victim, x, y), expected)
    assert sum(seen) <= 4 * len(x)  # two checks, the clean images, one candidate each


def test_where_the_victim_stands_firm_the_image_stays_clean(surrogate, x, y):
    """A candidate that helps the adversary nothing is no candidate."""
    firm = nn.functional.one_hot(y, 5).float() * 9
    assert torch.equal(Transfer(WALK, surrogate)(lambda x: firm[: len(x)], x, y), x)


def test_no_trace_is_left_on_the_surrogate(tiny, surrogate, x, y):
    surrogate.train()
    surrogate.head.bias.requires_grad_(False)
    for parameter in surrogate.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = deepcopy(surrogate)
    Transfer(WALK, surrogate)(tiny, x, y)
    for ours, theirs in zip(surrogate.state_dict().values(), before.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert all((parameter.grad == 1).all() for parameter in surrogate.parameters())
    assert [p.requires_grad for p in surrogate.parameters()] == [p.requires_grad for p in before.parameters()]
    assert [module.training for module in surrogate.modules()] == [module.training for module in before.modules()]


def test_the_search_goes_on_when_the_surrogate_is_fooled(tiny, surrogate, x, y):
    loss = WALK.loss(surrogate(Transfer(WALK, surrogate)(tiny, x, y)), y)
    hasty = WALK.loss(surrogate(WALK(surrogate, x, y)), y)
    assert (loss[1:] >= hasty[1:]).float().mean() > 0.6
    assert loss[1:].mean() > hasty[1:].mean()


@pytest.mark.parametrize("wrap", [lambda g, n: Recorded(g, torch.arange(n)), lambda g, n: Expectation(g, 2)])
@pytest.mark.parametrize("kind", [Misclassify, Reach])
def test_labels_are_found_inside_a_wrapper(wrap, kind, tiny, surrogate, x, y):
    plain, attack = kind(tiny, (y + 1) % 5), Transfer(WALK, surrogate)
    assert torch.equal(attack.search(wrap(plain, len(x)), x), attack.search(plain, x))


def test_a_goal_without_labels_is_refused(tiny, surrogate, x):
    with pytest.raises(TypeError, match=r"Diverge has none\. Take Misclassify or Reach"):
        Transfer(WALK, surrogate).run(Diverge(tiny, tiny(x).detach()), x)


def test_a_surrogate_of_another_task_is_refused(tiny, x, y):
    other = nn.Sequential(nn.Flatten(), nn.Linear(192, 7))
    with pytest.raises(ValueError, match="surrogate has 7 classes and the victim 5"):
        Transfer(WALK, other)(tiny, x, y)


def test_a_surrogate_of_another_precision_is_refused(tiny, surrogate, x, y):
    with pytest.raises(TypeError, match=r"computes in torch.float64 but x is torch.float32"):
        Transfer(WALK, surrogate.double())(tiny, x, y)


def test_a_surrogate_that_gives_probabilities_is_refused(tiny, surrogate, x, y):
    with pytest.raises(ValueError, match="returns probabilities"):
        Transfer(WALK, nn.Sequential(surrogate, nn.Softmax(1)))(tiny, x, y)


def test_what_is_no_attack_or_no_model_is_refused(surrogate, as_users_call_it):
    with pytest.raises(TypeError, match="Transfer needs an attack"):
        Transfer(Linf(), surrogate)
    with pytest.raises(TypeError, match="surrogate that turns images into logits; got str"):
        Transfer(WALK, "resnet")


def test_it_has_the_threat_model_of_its_attack_and_a_short_name(surrogate):
    attack = Transfer(FGSM(L2(0.5)), surrogate)
    assert attack.threat == L2(0.5)
    assert repr(attack) == "Transfer(FGSM(L2(0.5)), Classifier)"
    assert replace(attack, attack=WALK).threat == WALK.threat
