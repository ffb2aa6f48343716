"""Broken defences on purpose: how a model hides its gradient, and which adaptive attack finds it again.

Athalye, Carlini & Wagner, "Obfuscated Gradients Give a False Sense of Security: Circumventing Defenses to Adversarial
Examples", ICML 2018, section 3. None of these makes an adversarial image rarer or farther away. They blind the search:
the gradient is zero, saturated, random or points anywhere, and an attack that trusts it gives up. Each one caricatures
published work, made simple and exaggerated, so that a trick can be seen in a few lines; two of them, ``Quantise`` and
``RandomResize``, are purifiers (see ``purification``). To practise on::

    planted = DEFENCES["quantise"]
    defended = planted.build(model)
    PGD(threat)(defended, x, y)                               # looks robust
    PGD(threat).run(planted.adaptive(defended, y), x)         # is not
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from seminar_lib.adaptive import BPDA, replace_layers
from seminar_lib.goals import Expectation, Goal, Misclassify
from seminar_lib.losses import margin
from seminar_lib.purification import Quantise, RandomResize
from seminar_lib.purification.cosines import BLOCK, inverse, transform
from seminar_lib.types import Images, Labels, Logits

LOOKS = 8  # at a model that answers at random, averaged for each gradient


@dataclass(frozen=True)
class Trick:
    """One way to hide a gradient.

    Attributes:
        name: what a diagnosis calls it.
        remedy: the adaptive attack that undoes it, in a sentence.
    """

    name: str
    remedy: str


CUT = Trick("cut gradient", "Give the step that cuts it a differentiable stand-in: BPDA(layer, stand_in).")
ROUNDING = Trick("step without slope", "Give the step that rounds a stand-in that does not: BPDA(layer).")
SATURATION = Trick("saturated softmax", "Climb a loss of the logits that cannot saturate: loss=margin or loss=dlr.")
CHANCE = Trick(
    "random answers",
    "Average several looks for each gradient and let the majority judge (EOT): Expectation(goal, samples).",
)
SHATTERED = Trick(
    "shattered gradient",
    "Give the layer that shatters it a smooth stand-in: BPDA(layer, stand_in); where it cannot be found, average the "
    "gradient over small random steps.",
)
INNER_LOOP = Trick(
    "optimisation inside the forward pass",
    "Differentiate through the inner optimisation, or give it a stand-in: BPDA(purifier).",
)


class JpegLike(nn.Module):
    """Round the cosine transform of each 8x8 block, as JPEG does, without its colour space and its tables.

    Dziugaite, Ghahramani & Roy, "A study of the effect of JPG compression on adversarial images", 2016; Guo et al.,
    ICLR 2018. Fine noise seems to be compressed away; as with ``Quantise``, only the slope is.
    Undone by BPDA with the identity.

    Args:
        step: distance of two levels of a coefficient of the orthonormal transform, in pixels of [0, 1].

    Raises:
        ValueError: ``step`` is not positive; in a call, when the sides of the images are no multiples of 8.
    """

    def __init__(self, step: float = 0.1) -> None:
        super().__init__()
        _check(step > 0, f"JpegLike needs a step > 0, in pixels of [0, 1]; got {step}.")
        self.step = step

    def forward(self, x: Images) -> Images:
        """Images to images of the same size."""
        H, W = x.shape[2:]
        if H % BLOCK or W % BLOCK:
            raise ValueError(
                f"JpegLike cuts images into blocks of {BLOCK}x{BLOCK} pixels; got {H}x{W}. Pad or resize the images to "
                f"multiples of {BLOCK}."
            )
        return inverse((transform(x) / self.step).round() * self.step)


class Temperature(nn.Module):
    """Logits times a large number, after the network.

    What is left of defensive distillation at test time: Papernot et al., "Distillation as a Defense to Adversarial
    Perturbations against Deep Neural Networks", S&P 2016; broken by Carlini & Wagner, "Towards Evaluating the
    Robustness of Neural Networks", S&P 2017. No prediction changes, but p_y rounds to 1 and the gradient of the
    cross-entropy to 0. Undone by a loss of the logits, such as the margin.

    Raises:
        ValueError: ``factor`` is not positive.
    """

    def __init__(self, factor: float = 1e4) -> None:
        super().__init__()
        _check(factor > 0, f"Temperature needs a factor > 0, or it changes predictions; got {factor}.")
        self.factor = factor

    def forward(self, logits: Logits) -> Logits:
        """Logits to larger logits."""
        return self.factor * logits


class Noise(nn.Module):
    """Gaussian noise on the input at test time.

    A stochastic layer: Liu et al., "Towards Robust Neural Networks via Random Self-ensemble", ECCV 2018; Dhillon et
    al., "Stochastic Activation Pruning", ICLR 2018. As with ``RandomResize``, most of the robustness is a lucky look
    that the next look denies. Undone by EOT.

    Args:
        sigma: the standard deviation, in pixels of [0, 1].

    Raises:
        ValueError: ``sigma`` is negative.
    """

    def __init__(self, sigma: float = 0.04) -> None:
        super().__init__()
        _check(sigma >= 0, f"Noise needs a standard deviation sigma >= 0, in pixels of [0, 1]; got {sigma}.")
        self.sigma = sigma

    def forward(self, x: Images) -> Images:
        """Images to noisy images, drawn from the global random numbers; they may leave [0, 1]."""
        return x + self.sigma * torch.randn_like(x)


class KWinners(nn.Module):
    """Each pixel value excites a population of units, the k most active ones win, and the others fall silent.

    Xiao, Zhong & Zheng, "Enhancing Adversarial Defense by k-Winners-Take-All", ICLR 2020; broken by Tramèr et al., "On
    Adaptive Attacks to Adversarial Example Defenses", NeurIPS 2020, section 5. There the units of each layer compete
    and the network is trained with them; here those of one pixel do, in front of any network. A unit is the more
    active, the nearer the value is to the one that it prefers:

        a_j = 1 - gain |x - c_j|,    x' = 1/k sum over the winners of a_j c_j

    Where winners change, x' jumps and follows x; in between it drifts up or down with the slope of k hills. So the
    derivative is exact, not zero, and says nothing about where x' is bound. Undone by BPDA with the identity.

    Raises:
        ValueError: there are less than one winner, or more winners than units.
    """

    def __init__(self, k: int = 3, units: int = 32, gain: float = 0.5) -> None:
        super().__init__()
        _check(1 <= k <= units, f"KWinners needs 1 to {units} winners, one for each unit at most; got {k}.")
        self.k, self.gain = k, gain
        self.preferred = (torch.arange(units) + 0.5) / units

    def forward(self, x: Images) -> Images:
        """Images to images that are nearly the same, read from the winners."""
        preferred = self.preferred.to(x)
        everyone = 1 - self.gain * (x[..., None] - preferred).abs()  # (B, C, H, W, units)
        activity, winners = everyone.topk(self.k)  # (B, C, H, W, k)
        return (activity * preferred[winners]).sum(-1) / self.k


class Ripple(nn.Module):
    """x + height sin(2 pi x / length): ripples too low to see and too steep to climb.

    Gradient shattering in its purest form (Athalye et al., section 3): the slope 1 + (2 pi height / length) cos(...)
    swings between -20 and 22, so its sign is a coin toss, while the image hardly changes.
    Undone by BPDA with the identity.

    Args:
        height, length: of a ripple, in pixels of [0, 1].

    Raises:
        ValueError: ``length`` is not positive.
    """

    def __init__(self, height: float = 1 / 255, length: float = 0.3 / 255) -> None:
        super().__init__()
        _check(length > 0, f"Ripple needs a length > 0, in pixels of [0, 1]; got {length}.")
        self.height, self.length = height, length

    def forward(self, x: Images) -> Images:
        """Images to images that differ by at most ``height``; they may leave [0, 1] by as much."""
        return x + self.height * torch.sin(2 * math.pi * x / self.length)


@dataclass(frozen=True)
class Planted:
    """A broken defence with what undoes it.

    Attributes:
        trick: how it hides the gradient.
        build: the defended model, around a trained one. The trained one is inside, not copied.
        adaptive: the goal of the adaptive attack on a defended model, of (defended, labels). Any search runs it; where
            answers are random, one with ``stop_when_fooled=False`` goes on past the first lucky majority.
    """

    trick: Trick
    build: Callable[[nn.Module], nn.Module]
    adaptive: Callable[[nn.Module, Labels], Goal]


def _opened(kind: type[nn.Module]) -> Callable[[nn.Module, Labels], Goal]:
    """The goal of an attack through the layers of one kind."""
    return lambda defended, y: Misclassify(replace_layers(defended, kind, BPDA), y)


def _averaged(defended: nn.Module, y: Labels) -> Goal:
    return Expectation(Misclassify(defended, y), LOOKS)


DEFENCES = {
    "quantise": Planted(ROUNDING, lambda model: nn.Sequential(Quantise(), model), _opened(Quantise)),
    "jpeg": Planted(ROUNDING, lambda model: nn.Sequential(JpegLike(), model), _opened(JpegLike)),
    "temperature": Planted(
        SATURATION,
        lambda model: nn.Sequential(model, Temperature()),
        lambda defended, y: Misclassify(defended, y, margin),
    ),
    "random resize": Planted(CHANCE, lambda model: nn.Sequential(RandomResize(), model), _averaged),
    "noise": Planted(CHANCE, lambda model: nn.Sequential(Noise(), model), _averaged),
    "k winners": Planted(SHATTERED, lambda model: nn.Sequential(KWinners(), model), _opened(KWinners)),
    "ripple": Planted(SHATTERED, lambda model: nn.Sequential(Ripple(), model), _opened(Ripple)),
}


def _check(right: bool, sentence: str) -> None:
    if not right:
        raise ValueError(sentence)
