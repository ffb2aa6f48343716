"""The same attacks in other libraries: images that are equal, and robust accuracies within one point.

The peers differ from us in two ways. They return the last image of a walk and we the best one; and they draw other
random starts. The real weights are compared in benchmarks/.
"""

import warnings
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.data.augment import Augment
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.goals import Misclassify
from seminar_lib.models import Classifier, SmallCNN
from seminar_lib.threat import L2, Linf
from seminar_lib.train import Recipe, fit

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    foolbox = pytest.importorskip("foolbox")
    torchattacks = pytest.importorskip("torchattacks")

LINF, BALL, STEPS = 4 / 255, 0.25, 20


def blobs(n: int, seed: int) -> Split:
    """Four classes: a faint bright patch in one corner each, under noise."""
    noise = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 4
    x = 0.5 + 0.15 * torch.randn(n, 3, 12, 12, generator=noise)
    for i, label in enumerate(labels):
        top, left = 6 * (label // 2), 6 * (label % 2)
        x[i, :, top : top + 6, left : left + 6] += 0.08
    return Split((255 * x.clamp(0, 1)).round().to(torch.uint8), labels)


@pytest.fixture(scope="module")
def model() -> Classifier:
    splits = {"train": blobs(768, seed=1), "validation": blobs(64, seed=2)}
    data = Dataset("blobs", ("a", "b", "c", "d"), (0.5,) * 3, (0.15,) * 3, splits.__getitem__)
    recipe = Recipe("blobs", model=SmallCNN(4), epochs=6, batch_size=64, augment=Augment(crop=0), seed=2)
    best = fit(recipe, data, progress=False).best
    return best.to(memory_format=torch.contiguous_format)  # torchattacks' L2 norm knows no other layout


@pytest.fixture(scope="module")
def data() -> Split:
    return blobs(512, seed=3)


def robust(model: nn.Module, x_adv: Tensor, data: Split) -> float:
    with torch.no_grad():
        return (model(x_adv).argmax(1) == data.y).float().mean().item()


def of_torchattacks(attack, data: Split) -> Tensor:
    return attack(data.x.contiguous(), data.y)


def of_foolbox(attack, model: nn.Module, data: Split, eps: float) -> Tensor:
    _, x_adv, _ = attack(foolbox.PyTorchModel(model, bounds=(0, 1)), data.x, data.y, epsilons=eps)
    return x_adv


OURS = {
    "FGSM": FGSM(Linf(LINF)),
    "PGD Linf": PGD(Linf(LINF), steps=STEPS, step_size=1 / 255),
    "PGD L2": PGD(L2(BALL), steps=STEPS, step_size=0.05),
}
TORCHATTACKS = {
    "FGSM": lambda model: torchattacks.FGSM(model, eps=LINF),
    "PGD Linf": lambda model: torchattacks.PGD(model, eps=LINF, alpha=1 / 255, steps=STEPS, random_start=True),
    "PGD L2": lambda model: torchattacks.PGDL2(model, eps=BALL, alpha=0.05, steps=STEPS, random_start=True),
}
FOOLBOX = {
    "FGSM": (foolbox.attacks.LinfFastGradientAttack(random_start=False), LINF),
    "PGD Linf": (foolbox.attacks.LinfPGD(abs_stepsize=1 / 255, steps=STEPS, random_start=True), LINF),
    "PGD L2": (foolbox.attacks.L2PGD(abs_stepsize=0.05, steps=STEPS, random_start=True), BALL),
}


@pytest.mark.parametrize("name", OURS)
def test_robust_accuracy_is_that_of_torchattacks(name, model, data):
    ours = robust(model, OURS[name](model, data.x, data.y), data)
    theirs = robust(model, of_torchattacks(TORCHATTACKS[name](model), data), data)
    assert abs(ours - theirs) <= 0.01
    assert 0.05 < ours < robust(model, data.x, data) - 0.05


@pytest.mark.parametrize("name", OURS)
def test_robust_accuracy_is_that_of_foolbox(name, model, data):
    attack, eps = FOOLBOX[name]
    ours = robust(model, OURS[name](model, data.x, data.y), data)
    assert abs(ours - robust(model, of_foolbox(attack, model, data, eps), data)) <= 0.01


@pytest.mark.parametrize("peer", ["torchattacks", "foolbox"])
def test_fgsm_makes_the_same_images_wherever_its_step_helped(peer, model, data):
    """Where it does not help, or the model was wrong already, we return the clean image."""
    x, y = data.x, data.y
    if peer == "torchattacks":
        theirs = of_torchattacks(TORCHATTACKS["FGSM"](model), data)
    else:
        theirs = of_foolbox(FOOLBOX["FGSM"][0], model, data, LINF)
    ours = replace(OURS["FGSM"], stop_when_fooled=False)(model, x, y)
    goal = Misclassify(model, y)
    with torch.no_grad():
        clean, there = goal(x), goal(theirs)
    helped = ~clean.success & (there.loss > clean.loss)
    assert helped.float().mean() > 0.5
    same = (ours - theirs).abs().flatten(1).amax(1) < 1e-6
    assert same[helped].all()


def test_without_a_random_start_the_walks_are_the_same(model, data):
    """The last image of our walk, which the search looks at last, is the image that torchattacks returns."""
    attack = torchattacks.PGD(model, eps=LINF, alpha=1 / 255, steps=5, random_start=False)
    theirs = of_torchattacks(attack, data)
    ours = PGD(Linf(LINF), steps=5, step_size=1 / 255, random_start=False, stop_when_fooled=False)
    better = Misclassify(model, data.y)(ours(model, data.x, data.y)).loss - Misclassify(model, data.y)(theirs).loss
    assert (better > -1e-5).all()
    assert (better.abs() < 1e-5).float().mean() > 0.9
