"""Attacks of the Adversarial Robustness Toolbox (Nicolae et al., arXiv:1807.01069), which works on NumPy arrays.

Its C&W is not among them: at these settings it takes hours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from seminar_lib.attacks import APGD, FGSM, PGD, Attack, DeepFool, Square
from seminar_lib.models import Classifier
from seminar_lib.types import Images, Labels


def make(attack: Attack, model: Classifier) -> Any:
    """The same attack as ART makes it."""
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    if not isinstance(attack, FGSM | PGD | APGD | DeepFool | Square):
        raise NotImplementedError
    eps = attack.threat.eps

    def theirs(classifier: Any, size: int) -> Any:
        match attack:
            case FGSM():
                return evasion.FastGradientMethod(classifier, norm=np.inf, eps=eps, batch_size=size)
            case PGD():
                return evasion.ProjectedGradientDescentPyTorch(
                    classifier,
                    norm=np.inf,
                    eps=eps,
                    eps_step=attack.step_size,
                    max_iter=attack.steps,
                    num_random_init=int(attack.random_start),
                    batch_size=size,
                    verbose=False,
                )
            case APGD():
                return evasion.AutoProjectedGradientDescent(
                    classifier,
                    norm=np.inf,
                    eps=eps,
                    eps_step=2 * eps,
                    max_iter=attack.steps,
                    nb_random_init=attack.restarts,
                    batch_size=size,
                    loss_type="cross_entropy",
                    verbose=False,
                )
            case DeepFool():
                return evasion.DeepFool(
                    classifier, max_iter=attack.steps, epsilon=attack.overshoot, batch_size=size, verbose=False
                )
        return evasion.SquareAttack(
            classifier,
            norm=np.inf,
            eps=eps,
            max_iter=attack.queries,
            p_init=attack.p_init,
            batch_size=size,
            verbose=False,
        )

    def run(x: Images, y: Labels) -> Images:
        kind, shape, classes = "gpu" if x.is_cuda else "cpu", tuple(x.shape[1:]), model.head.out_features
        wrapped = PyTorchClassifier(model, nn.CrossEntropyLoss(), shape, classes, clip_values=(0, 1), device_type=kind)
        return torch.from_numpy(theirs(wrapped, len(x)).generate(x.cpu().numpy(), y.cpu().numpy())).to(x)

    return run
