"""Signs that a model hides its gradients, each seen in a look or two.

Croce & Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML
2020, section 5, and the checks of the authors' package: an attack with gradients says little about a model that answers
at random, optimises while it answers, or has no gradient to give.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seminar_lib.attacks.base import climb, look
from seminar_lib.goals import Goal
from seminar_lib.losses import cross_entropy
from seminar_lib.threat import PIXELS
from seminar_lib.types import Images


def answers_at_random(goal: Goal, x: Images) -> bool:
    """Whether two looks at the same images differ."""
    first, second = look(goal, x).loss, look(goal, x).loss
    return not torch.allclose(first, second, rtol=1e-4, atol=1e-5)  # a GPU may add up in another order


def differentiates_inside(goal: Goal, x: Images) -> bool:
    """Whether a forward pass without gradients turns them on for itself, as defences do that optimise their input."""
    saved = False

    def pack(tensor: Tensor) -> Tensor:
        nonlocal saved
        saved = True
        return tensor

    with torch.no_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        goal(x)
    return saved


def blind_share(goal: Goal, x: Images) -> float:
    """The share of images at which the gradient of the cross-entropy is exactly zero, in [0, 1].

    Raises:
        ValueError: the loss does not depend on the image as far as autograd can see.
    """
    _, grad = climb(goal.climbing(cross_entropy), x)
    return (grad.abs().amax(PIXELS) == 0).float().mean().item()
