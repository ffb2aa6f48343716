"""Attacks of the adversarial library (Rony & Ben Ayed, 2020), the fastest peer for minimum-norm attacks."""

from __future__ import annotations

import sys
from functools import partial
from types import ModuleType
from typing import Any

import torch

from seminar_lib.attacks import APGD, CW, PGD, Attack, DeepFool
from seminar_lib.models import Classifier
from seminar_lib.types import Images, Labels


def make(attack: Attack, model: Classifier) -> Any:
    """The same attack as adv_lib makes it."""
    # It imports a plotting client, which no longer builds, for callbacks that nobody here asks for.
    if "visdom" not in sys.modules:
        sys.modules["visdom"] = ModuleType("visdom")
        sys.modules["visdom"].Visdom = object  # type: ignore[attr-defined]
    from adv_lib import attacks

    eps = attack.threat.eps
    theirs: Any
    match attack:
        case PGD():
            theirs = partial(
                attacks.pgd_linf,
                ε=eps,
                steps=attack.steps,
                random_init=attack.random_start,
                absolute_step_size=attack.step_size,
            )
        case APGD():
            theirs = partial(
                attacks.apgd,
                eps=eps,
                norm=torch.inf,
                n_iter=attack.steps,
                n_restarts=attack.restarts,
                loss_function="ce",
            )
        case CW():
            theirs = partial(
                attacks.carlini_wagner_l2,
                confidence=attack.kappa,
                learning_rate=attack.lr,
                initial_const=attack.initial_const,
                binary_search_steps=attack.binary_steps,
                max_iterations=attack.steps,
            )
        case DeepFool():
            theirs = partial(attacks.df, steps=attack.steps, overshoot=attack.overshoot)
        case _:
            raise NotImplementedError

    def run(x: Images, y: Labels) -> Images:
        found: Images = theirs(model, x, y)
        return found.detach()

    return run
