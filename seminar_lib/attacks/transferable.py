"""PGD whose images fool other networks too: momentum, diverse inputs, translation-invariant gradients.

MI-FGSM: Dong et al., "Boosting Adversarial Attacks with Momentum", CVPR 2018. DI-FGSM: Xie et al., "Improving
Transferability of Adversarial Examples with Input Diversity", CVPR 2019. TI-FGSM: Dong et al., "Evading Defenses to
Transferable Adversarial Examples by Translation-Invariant Attacks", CVPR 2019.

    velocity = momentum * velocity + unit(kernel * grad_x loss(f(resize_and_pad(x_t))))

A network's own quirks are what does not transfer. All three average them away: over the steps, over sizes and places,
over shifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.attacks.base import Generator
from seminar_lib.attacks.pgd import PGD
from seminar_lib.goals import Goal, Score
from seminar_lib.types import Images


@dataclass(frozen=True, repr=False)
class TransferPGD(PGD):
    """MI-DI-TI-FGSM, for images made on a surrogate; ``diversity=0, kernel=1`` leaves MI-FGSM.

    It climbs to the end by default: the first success on the surrogate seldom carries over.

    Attributes:
        diversity: how often, in [0, 1], an image is shrunk at random and padded back before the network sees it.
        smallest: the size that it may be shrunk to, as a share of its own, in (0, 1].
        kernel: width in pixels, odd, of the Gaussian that blurs the gradient; 1 leaves it alone. The papers take 15 at
            299 pixels and 7 where the surrogate is close to the victim; at 32 pixels that is 3.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    momentum: float = 1.0
    random_start: bool = False
    stop_when_fooled: bool = False
    diversity: float = 0.5
    smallest: float = 0.9
    kernel: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.diversity <= 1 or not 0 < self.smallest <= 1:
            raise ValueError(
                "TransferPGD needs a diversity in [0, 1] and a smallest share in (0, 1]; "
                f"got diversity={self.diversity}, smallest={self.smallest}."
            )
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"TransferPGD needs an odd kernel >= 1, so that it has a centre; got {self.kernel}.")

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """PGD on the goal as seen through the transformations."""
        return super().search(_Diverse(goal, self.diversity, self.smallest, self.kernel, generator), x, generator)


@dataclass(frozen=True, eq=False)
class _Diverse(Goal):
    """A goal that looks at resized images and hands blurred gradients back; its verdict is on the images themselves."""

    goal: Goal
    diversity: float
    smallest: float
    kernel: int
    generator: Generator

    def __call__(self, x: Images) -> Score:
        if self.kernel > 1:
            x = _BlurGradient.apply(x, self.kernel)
        if torch.rand((), generator=self.generator, device=x.device) >= self.diversity:
            return self.goal(x)
        return self.goal(self._resized(x))

    def _resized(self, x: Images) -> Images:
        """The whole batch shrunk to one random size, at one random place on a black ground."""
        height, width = x.shape[2:]
        share = self.smallest + (1 - self.smallest) * self._uniform(x)
        h, w = max(1, round(height * share)), max(1, round(width * share))
        top, left = (int(self._uniform(x) * (room + 1)) for room in (height - h, width - w))
        small = F.interpolate(x, (h, w), mode="bilinear", align_corners=False)
        return F.pad(small, (left, width - w - left, top, height - h - top))

    def _uniform(self, x: Images) -> float:
        return torch.rand((), generator=self.generator, device=x.device).item()


class _BlurGradient(torch.autograd.Function):
    """The identity on the way forward, a Gaussian blur on the way back: the mean gradient over small shifts."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, width: int) -> Tensor:
        ctx.width = width
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        place = torch.linspace(-3, 3, ctx.width, dtype=grad.dtype, device=grad.device)  # three sigma to either side
        line = torch.softmax(-place.square() / 2, 0)
        kernel = torch.outer(line, line).expand(grad.shape[1], 1, -1, -1)
        return F.conv2d(grad, kernel, padding="same", groups=grad.shape[1]), None
