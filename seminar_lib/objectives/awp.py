"""Adversarial weight perturbation: minimise the loss at the worst weights nearby, so that its valley is wide.

Wu et al., "Adversarial Weight Perturbation Helps Robust Generalization", NeurIPS 2020, section 4:

    min over w of  max over v with |v_l| <= gamma |w_l| in every layer l of  loss(w + v)

solved by one step up the gradient g of the loss, at its full length: v_l = gamma |w_l| g_l / |g_l|. The optimiser is
given the gradient at w + v and applies it to w. The adversarial images are those found at w, in both looks at the loss.

The authors move the weights themselves and move them back after the optimiser's step. Here w + v is a function of w,
in which v counts as constant: nothing is moved, and the gradient at w + v arrives at w by itself. Weight decay then
pulls at w, where theirs pulls at w + v.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from seminar_lib.freeze import steady_statistics
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch, Objective, check_weights


@dataclass(frozen=True)
class AWP(Objective):
    """Another objective, at adversarial weights. Its terms keep their names; their values are those at w + v.

    Attributes:
        objective: what is minimised.
        gamma: length of each layer's perturbation, as a share of the length of its weights; 0 or more. The authors'
            code takes 0.01 around adversarial training and 0.005 around TRADES.

    Raises:
        TypeError: ``objective`` is no objective.
        ValueError: ``gamma`` is out of range.
    """

    objective: Objective
    gamma: float = 0.005

    def __post_init__(self) -> None:
        if not isinstance(self.objective, Objective):
            raise TypeError(f"AWP needs an objective, such as AWP(TRADES()); got {self.objective!r}.")
        check_weights(self, gamma=self.gamma)

    @property
    def projects(self) -> bool:
        return self.objective.projects

    def begin(self, earlier: tuple[Classifier, ...]) -> AWP:
        return replace(self, objective=self.objective.begin(earlier))

    def prepare(self, model: Classifier, batch: Batch) -> Batch:
        return self.objective.prepare(model, batch)

    def terms(self, model: Classifier, batch: Batch) -> dict[str, Tensor]:
        step = _Terms(self.objective, model)
        # Kernels and matrices, as in the authors' code: biases and the scales of BatchNorm stay where they are.
        weights = {name: w for name, w in step.named_parameters() if w.requires_grad and w.dim() > 1}
        with steady_statistics(model):
            loss = torch.stack(list(step(batch).values())).sum()
        grads = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
        worst = {}
        for (name, w), g in zip(weights.items(), grads, strict=True):
            v = self.gamma * w.detach().norm() * g / g.norm().clamp_min(1e-12)  # zero where the loss knows nothing of w
            worst[name] = w + v
        return cast(dict[str, Tensor], functional_call(step, worst, (batch,)))


class _Terms(nn.Module):
    """The terms of an objective as a function of all weights, which is what ``functional_call`` takes."""

    def __init__(self, objective: Objective, model: Classifier) -> None:
        super().__init__()
        self.objective = objective
        self.model = model

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        return self.objective.terms(self.model, batch)
