"""Attacks of torchattacks (Kim, arXiv:2010.01950).

Its AutoAttack is not among them: its members take 10 steps where the standard version takes 100.
"""

from __future__ import annotations

from typing import Any

from benchmarks.peers.seeded import seeded
from seminar_lib.attacks import APGD, CW, FAB, FGSM, PGD, Attack, DeepFool, Square
from seminar_lib.models import Classifier


def make(attack: Attack, model: Classifier) -> Any:
    """The same attack as torchattacks makes it."""
    import torchattacks

    eps, norm = attack.threat.eps, type(attack.threat).__name__
    match attack:
        case FGSM():
            return torchattacks.FGSM(model, eps=eps)
        case PGD():
            return torchattacks.PGD(
                model, eps=eps, alpha=attack.step_size, steps=attack.steps, random_start=attack.random_start
            )
        case APGD():
            apgd = torchattacks.APGD(
                model, norm=norm, eps=eps, steps=attack.steps, n_restarts=attack.restarts, loss="ce"
            )
            return seeded(apgd, apgd)
        case CW(binary_steps=1):  # it does not search for the constant
            return torchattacks.CW(model, c=attack.initial_const, kappa=attack.kappa, steps=attack.steps, lr=attack.lr)
        case DeepFool():
            return torchattacks.DeepFool(model, steps=attack.steps, overshoot=attack.overshoot)
        case FAB():
            targeted = torchattacks.FAB(
                model, norm=norm, eps=eps, steps=attack.steps, n_restarts=attack.restarts, multi_targeted=True
            )
            targeted.target_class = None
            targeted.n_target_classes = attack.targets
            # It takes views that no other memory format has.
            return seeded(targeted, lambda x, y: targeted(x.contiguous(), y))
        case Square():
            square = torchattacks.Square(model, norm=norm, eps=eps, n_queries=attack.queries, p_init=attack.p_init)
            return seeded(square, square)
    raise NotImplementedError
