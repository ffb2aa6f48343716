r"""Threat models: the set of images that the adversary may turn x into.

A threat model is geometry and nothing else. It knows its radius ``eps``; it does not know the network, the loss or
the step size. A p-norm ball needs four verbs, from which everything that an attack asks for follows:

    norm       how large a perturbation is
    steepest   the direction of norm 1 that climbs fastest along a gradient: argmax of <d, grad> over norm(d) <= 1
    shrink     a perturbation of norm at most eps, taken from one that may be too large
    noise      a random perturbation inside the ball
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from seminar_lib.types import Flags, Images, PerExample

PIXELS = (1, 2, 3)  # the dimensions of one image in a batch (B, C, H, W)
SLACK = 1e-5  # of eps, by which the rounding of float32 may carry an image out of its ball


def wide(per_image: Tensor) -> Tensor:
    """One value for each image, (B,), as (B, 1, 1, 1)."""
    return per_image[:, None, None, None]


@dataclass(frozen=True, repr=False)
class ThreatModel(ABC):
    """All images in [0, 1] whose distance from x is at most ``eps``, measured in pixels of [0, 1].

    Raises:
        ValueError: ``eps`` is not a positive, finite number.
    """

    eps: float

    def __post_init__(self) -> None:
        if not 0 < self.eps < math.inf:
            raise ValueError(
                f"{type(self).__name__} needs a finite radius eps > 0; got {self.eps}. "
                "For no attack at all, call the model on x."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.written(self.eps)})"

    def written(self, length: float) -> str:
        """The code of a length, to the last digit: results are kept and taken up by what their attack prints."""
        return repr(float(length)).removesuffix(".0")

    @abstractmethod
    def norm(self, delta: Images) -> PerExample:
        """The size of each perturbation."""

    @abstractmethod
    def steepest(self, grad: Images) -> Images:
        """The perturbation of norm 1 that increases the loss fastest; zero where the gradient is zero."""

    @abstractmethod
    def shrink(self, delta: Images) -> Images:
        """The nearest perturbation inside the ball."""

    @abstractmethod
    def noise(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Random perturbations, uniform in the ball, shaped like ``x``."""

    def dual(self, grad: Images) -> PerExample:
        """The dual norm of each gradient: by how much a perturbation of norm 1 raises a linear loss at most."""
        return (self.steepest(grad) * grad).sum(PIXELS)

    def project(self, x_adv: Images, x: Images) -> Images:
        """``x_adv`` pulled back to within ``eps`` of ``x`` and into [0, 1].

        Clipping to [0, 1] comes last. It cannot leave the ball again: x lies in the box, so clipping moves every pixel
        towards x.
        """
        return (x + self.shrink(x_adv - x)).clamp(0, 1)

    def random_start(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """A random image inside the threat model."""
        return (x + self.noise(x, generator)).clamp(0, 1)

    def contains(self, x_adv: Images, x: Images) -> Flags:
        """Whether each image obeys the threat model, up to ``SLACK`` (relative to eps) for float32 rounding."""
        near = self.norm(x_adv - x) <= self.eps * (1 + SLACK) + 1e-7
        boxed = (x_adv >= 0).flatten(1).all(1) & (x_adv <= 1).flatten(1).all(1)
        return near & boxed


@dataclass(frozen=True, repr=False)
class Linf(ThreatModel):
    """Every pixel value may change by at most ``eps``.

    Raises:
        ValueError: ``eps`` is not in (0, 1].
    """

    eps: float = 8 / 255

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eps > 1:
            raise ValueError(
                f"Linf: eps is measured in pixels of [0, 1], so it is at most 1; got {self.eps}. "
                f"Did you mean {self.eps:g}/255?"
            )

    def written(self, length: float) -> str:
        """In grey levels, ``"8/255"``, where it is a whole number of them."""
        levels = round(255 * length)
        return f"{levels}/255" if levels / 255 == length else super().written(length)

    def norm(self, delta: Images) -> PerExample:
        """The largest change of any pixel value."""
        return delta.abs().amax(PIXELS)

    def steepest(self, grad: Images) -> Images:
        """The sign of the gradient: every pixel moves as far as it may, whatever its slope."""
        return grad.sign()

    def shrink(self, delta: Images) -> Images:
        """Each pixel value clipped to [-eps, eps]."""
        return delta.clamp(-self.eps, self.eps)

    def noise(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Each pixel value uniform in [-eps, eps]."""
        return torch.empty_like(x).uniform_(-self.eps, self.eps, generator=generator)


@dataclass(frozen=True, repr=False)
class L2(ThreatModel):
    """The Euclidean length of the whole perturbation is at most ``eps``."""

    eps: float = 0.5

    def norm(self, delta: Images) -> PerExample:
        """The Euclidean length over all pixels and channels."""
        return cast(Tensor, torch.linalg.vector_norm(delta, dim=PIXELS))

    def steepest(self, grad: Images) -> Images:
        """The gradient divided by its length."""
        # A confident model's gradient can be so small that its square underflows to zero: scale it up first.
        scaled = grad / _positive(grad.abs().amax(PIXELS, keepdim=True))
        return scaled / _positive(torch.linalg.vector_norm(scaled, dim=PIXELS, keepdim=True))

    def shrink(self, delta: Images) -> Images:
        """Perturbations that are too long are scaled down to length eps."""
        length = torch.linalg.vector_norm(delta, dim=PIXELS, keepdim=True)
        return delta * (self.eps / _positive(length)).clamp(max=1)

    def noise(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """A random direction with length eps * U^(1/d), which is uniform over the volume of a d-dimensional ball."""
        direction = self.steepest(torch.empty_like(x).normal_(generator=generator))
        uniform = torch.empty(len(x), 1, 1, 1, dtype=x.dtype, device=x.device).uniform_(generator=generator)
        return self.eps * uniform.pow(1 / x.shape[1:].numel()) * direction


@dataclass(frozen=True, repr=False)
class L1(ThreatModel):
    """The absolute changes of all pixel values add up to at most ``eps``: few values may change, but by much."""

    eps: float = 12.0

    def norm(self, delta: Images) -> PerExample:
        """The sum of all absolute changes."""
        return delta.abs().sum(PIXELS)

    def steepest(self, grad: Images) -> Images:
        """The one pixel value with the largest slope moves alone; the first of them where several tie.

        It is the best direction for a linear loss and a poor step for a network: a thousand steps would change a
        thousand values. APGD takes wider ones.
        """
        values = grad.flatten(1)
        largest = values.abs().argmax(1, keepdim=True)
        return torch.zeros_like(values).scatter(1, largest, values.gather(1, largest).sign()).view_as(grad)

    def shrink(self, delta: Images) -> Images:
        """All changes come nearer to zero by the same amount, and stay there (Duchi et al., ICML 2008)."""
        return _shorten(delta, delta.abs(), self.eps)

    def project(self, x_adv: Images, x: Images) -> Images:
        """The nearest image within ``eps`` of ``x`` and in [0, 1] (Croce & Hein, "Mind the box", ICML 2021, prop. 2.1).

        Ball first and box second would do for Linf. Here it would waste most of the budget on changes that clipping
        takes back.
        """
        room = torch.where(x_adv > x, 1 - x, x)
        return (x + _shorten(x_adv - x, room, self.eps)).clamp(0, 1)

    def noise(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Exponential variables over their sum and one more are uniform in the ball (Barthe et al., 2005)."""
        exponential = torch.empty_like(x).exponential_(generator=generator)
        one_more = torch.empty_like(x[:, :1, :1, :1]).exponential_(generator=generator)
        signs = 2 * torch.empty_like(x).bernoulli_(generator=generator) - 1
        return self.eps * signs * exponential / (exponential.sum(PIXELS, keepdim=True) + one_more)


def _shorten(delta: Images, room: Images, eps: float) -> Images:
    """The nearest perturbation with an L1 length of at most ``eps`` whose values stay below ``room``.

    Its values are those of ``delta`` brought nearer to zero by a threshold t, then cut to their room:
    min(max(|d| - t, 0), r). Their sum falls with t along a line that bends at |d|, where a value becomes zero, and at
    |d| - r, where it starts to move. So we walk down from the largest bend to the one where the sum reaches ``eps``.
    """
    size = delta.abs().flatten(1)
    bends, order = torch.cat([size, size - room.flatten(1)], 1).sort(dim=1, descending=True)
    moving = torch.where(order < size.shape[1], 1.0, -1.0).to(size.dtype).cumsum(1)[:, :-1]  # values between two bends
    sums = (moving * (bends[:, :-1] - bends[:, 1:])).cumsum(1)  # at the second bend and those after it
    segment = (sums < eps).sum(1, keepdim=True).clamp_max(sums.shape[1] - 1)
    beyond = sums.gather(1, segment) - eps
    threshold = bends.gather(1, segment + 1) + beyond / moving.gather(1, segment).clamp_min(1)
    shorter = torch.minimum((size - threshold.clamp_min(0)).clamp_min(0), room.flatten(1))
    shorter = shorter * (eps / _positive(shorter.sum(1, keepdim=True))).clamp(max=1)  # of 3072 values rounding adds up
    return shorter.view_as(delta) * delta.sign()


def _positive(scale: Tensor) -> Tensor:
    """A divisor that leaves zero vectors zero instead of making them NaN."""
    return scale.clamp_min(torch.finfo(scale.dtype).tiny)
