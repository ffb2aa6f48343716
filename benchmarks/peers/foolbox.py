"""Attacks of foolbox (Rauber et al., JOSS 2020)."""

from __future__ import annotations

from typing import Any

from seminar_lib.attacks import CW, FGSM, PGD, Attack, DeepFool
from seminar_lib.models import Classifier


def make(attack: Attack, model: Classifier) -> Any:
    """The same attack as foolbox makes it."""
    from foolbox.attacks.carlini_wagner import L2CarliniWagnerAttack
    from foolbox.attacks.deepfool import L2DeepFoolAttack
    from foolbox.attacks.fast_gradient_method import LinfFastGradientAttack
    from foolbox.attacks.projected_gradient_descent import LinfProjectedGradientDescentAttack
    from foolbox.models.pytorch import PyTorchModel

    eps: float | None = attack.threat.eps
    theirs: Any
    match attack:
        case FGSM():
            theirs = LinfFastGradientAttack(random_start=False)
        case PGD():
            theirs = LinfProjectedGradientDescentAttack(
                abs_stepsize=attack.step_size, steps=attack.steps, random_start=attack.random_start
            )
        case CW():
            eps = None
            theirs = L2CarliniWagnerAttack(
                binary_search_steps=attack.binary_steps,
                steps=attack.steps,
                stepsize=attack.lr,
                confidence=attack.kappa,
                initial_const=attack.initial_const,
            )
        case DeepFool():
            eps = None
            theirs = L2DeepFoolAttack(steps=attack.steps, overshoot=attack.overshoot)
        case _:
            raise NotImplementedError
    # Without a device it would move the model to the first GPU.
    wrapped = PyTorchModel(model, bounds=(0, 1), device=model.mean.device)
    return lambda x, y: theirs(wrapped, x, y, epsilons=eps)[1]  # 0: not clipped to the ball, 2: successes
