"""What an attack climbs: losses of (logits, labels), one value for each example, large when the model is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper

import torch.nn.functional as F

from seminar_lib.types import Labels, Logits, PerExample


class Loss:
    """A function of logits and labels that prints as its name, so that an attack prints as the code that makes it.

    Most losses look at the true label ``y`` alone; those of a targeted search are told the ``rival`` too.
    """

    def __init__(self, function: Callable[..., PerExample]) -> None:
        self._function = function
        update_wrapper(self, function)

    def __call__(self, logits: Logits, *labels: Labels) -> PerExample:
        return self._function(logits, *labels)

    def __repr__(self) -> str:
        return self._function.__name__


@Loss
def cross_entropy(logits: Logits, y: Labels) -> PerExample:
    """-log p_y (Goodfellow et al., ICLR 2015).

    Its gradient vanishes where the model is certain: p_y rounds to 1 in float32 and the attack goes blind.
    """
    return F.cross_entropy(logits, y, reduction="none")


@Loss
def margin(logits: Logits, y: Labels) -> PerExample:
    """max_{j != y} z_j - z_y, positive exactly when the model is wrong (Carlini & Wagner, S&P 2017, f_6)."""
    return _best_other(logits, y) - _chosen(logits, y)


@Loss
def dlr(logits: Logits, y: Labels) -> PerExample:
    """Difference of logits ratio: (max_{j != y} z_j - z_y) / (z_(1) - z_(3)), logits sorted downwards.

    Croce & Hein, ICML 2020, eq. 6. The ratio cancels the scale of the logits, so a model cannot hide its gradients
    behind a large temperature. Of two logits the ratio would be 1 everywhere: with two classes it is the margin.
    """
    if logits.shape[1] < 3:
        return margin(logits, y)
    first, _, third = logits.topk(3, dim=1).values.unbind(1)
    return margin(logits, y) / (first - third).clamp_min(1e-12)


@Loss
def rival_margin(logits: Logits, y: Labels, rival: Labels) -> PerExample:
    """z_rival - z_y: the margin over one wrong class; where it is positive, the model is wrong."""
    return _chosen(logits, rival) - _chosen(logits, y)


@Loss
def rival_dlr(logits: Logits, y: Labels, rival: Labels) -> PerExample:
    """(z_rival - z_y) / (z_(1) - (z_(3) + z_(4)) / 2), logits sorted downwards: targeted DLR.

    Croce & Hein, ICML 2020, eq. 7. With three classes z_(4) is left out; with two it is the margin, as ``dlr`` is.
    """
    if logits.shape[1] < 3:
        return rival_margin(logits, y, rival)
    first, _, *lower = logits.topk(min(4, logits.shape[1]), dim=1).values.unbind(1)
    return rival_margin(logits, y, rival) / (first - sum(lower) / len(lower)).clamp_min(1e-12)


def divergence(logits: Logits, logits_adv: Logits) -> PerExample:
    """KL(p || p_adv) = sum_k p_k (log p_k - log p_adv_k), how far a prediction has moved; differentiable in both."""
    log_p, log_p_adv = logits.log_softmax(1), logits_adv.log_softmax(1)
    return F.kl_div(log_p_adv, log_p, reduction="none", log_target=True).sum(1)


def _chosen(logits: Logits, y: Labels) -> PerExample:
    return logits.gather(1, y[:, None]).squeeze(1)


def _best_other(logits: Logits, y: Labels) -> PerExample:
    return logits.scatter(1, y[:, None], float("-inf")).amax(1)
