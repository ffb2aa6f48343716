"""The contestants: our attacks, the same attacks by other libraries, and the floor below all of them.

One of our attacks is the description that a peer's is made from: radius, steps, step size and random start are taken
from its fields, and all of them climb the cross-entropy. To add a row is to add an attack to ``ATTACKS`` or a function
to ``PEERS``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, assert_never

import torch
import torch.nn.functional as F

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.freeze import frozen
from seminar_lib.models import Classifier
from seminar_lib.threat import Linf
from seminar_lib.types import Images, Labels

Compared: TypeAlias = FGSM | PGD
Contestant: TypeAlias = Callable[[Images, Labels], Images]

ATTACKS: dict[str, Compared] = {
    "FGSM": FGSM(Linf(8 / 255)),
    "PGD-20": PGD(Linf(8 / 255), steps=20, step_size=2 / 255),
}


def floor(attack: Compared, model: Classifier) -> Contestant:
    """The bare forward and backward passes of the attack's steps, in float32; the images come back unchanged."""
    steps = attack.steps if isinstance(attack, PGD) else 1

    def passes(x: Images, y: Labels) -> Images:
        with frozen(model):
            for _ in range(steps):
                image = x.detach().requires_grad_()
                torch.autograd.grad(F.cross_entropy(model(image), y), image)
        return x

    return passes


def ours(attack: Compared) -> dict[str, Compared]:
    """Our variants of an attack. Those without stopping take every step on every image, as the peers do."""
    return {
        "seminar_lib": attack,
        "seminar_lib, bf16": replace(attack, bf16=True),
        "seminar_lib, no stopping": replace(attack, stop_when_fooled=False),
        "seminar_lib, no stopping, bf16": replace(attack, stop_when_fooled=False, bf16=True),
    }


def with_torchattacks(attack: Compared, model: Classifier) -> Contestant:
    """The attack as torchattacks makes it (Kim, arXiv:2010.01950)."""
    import torchattacks

    eps = attack.threat.eps
    theirs: Contestant
    match attack:
        case FGSM():
            theirs = torchattacks.FGSM(model, eps=eps)
        case PGD():
            theirs = torchattacks.PGD(
                model, eps=eps, alpha=attack.step_size, steps=attack.steps, random_start=attack.random_start
            )
        case _:
            assert_never(attack)
    return theirs


def with_foolbox(attack: Compared, model: Classifier) -> Contestant:
    """The attack as foolbox makes it (Rauber et al., JOSS 2020)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports from a module that SciPy has renamed
        from foolbox.attacks.fast_gradient_method import LinfFastGradientAttack
        from foolbox.attacks.projected_gradient_descent import LinfProjectedGradientDescentAttack
        from foolbox.models.pytorch import PyTorchModel

    theirs: Callable[..., Any]
    match attack:
        case FGSM():
            theirs = LinfFastGradientAttack(random_start=False)
        case PGD():
            theirs = LinfProjectedGradientDescentAttack(
                abs_stepsize=attack.step_size, steps=attack.steps, random_start=attack.random_start
            )
        case _:
            assert_never(attack)
    # Without a device it would move the model to the first GPU.
    wrapped = PyTorchModel(model, bounds=(0, 1), device=model.mean.device)
    return lambda x, y: theirs(wrapped, x, y, epsilons=attack.threat.eps)[1]  # 0: not clipped to the ball, 2: successes


PEERS: dict[str, Callable[[Compared, Classifier], Contestant]] = {
    "torchattacks": with_torchattacks,
    "foolbox": with_foolbox,
}


def contestants(attack: Compared, model: Classifier) -> dict[str, Contestant]:
    """All that run against each other, by name, without the peers that are not installed."""
    found = {"floor": floor(attack, model)}
    for name, make in PEERS.items():
        with suppress(ImportError):
            found[name] = make(attack, model)
    return found | {name: partial(variant, model) for name, variant in ours(attack).items()}
