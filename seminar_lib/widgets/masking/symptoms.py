"""What an evaluation finds in a network: accuracies, slopes, and how sure it stays along three ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.attacks import FGSM, PGD, Attack, Square
from seminar_lib.attacks.base import climb
from seminar_lib.attacks.flags import answers_at_random, blind_share
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.losses import margin
from seminar_lib.threat import PIXELS, Linf
from seminar_lib.types import Images, Labels, Model

Way: TypeAlias = Literal["own", "undefended", "random"]

BALL = Linf(8 / 255)
LONGEST = 8  # grey levels of a walk: to the edge of the ball
LEVELS = 33  # points on it
QUERIES = 50  # of Square


@dataclass(frozen=True)
class Symptoms:
    """What was measured on n images.

    Attributes:
        right: images that are read rightly, by attack.
        flat: images at which the cross-entropy, and at which the margin, has no slope at all.
        random: whether two looks differ.
        p: probability of the true class of each image along each way, (n, LEVELS).
    """

    right: dict[str, int]
    flat: tuple[int, int]
    random: bool
    p: dict[Way, NDArray[np.float64]]

    def facts(self) -> list[str]:
        """The evidence that is not an accuracy, a phrase each."""
        n = len(self.p["own"])
        cross_entropy, of_margin = self.flat
        return [
            f"cross-entropy without slope: {cross_entropy} of {n}",
            f"margin without slope: {of_margin} of {n}",
            f"two looks at the same images {'differ' if self.random else 'agree'}",
        ]


def examine(model: Model, undefended: Model, x: Images, y: Labels) -> Symptoms:
    """Measure a network; the undefended one lends the gradient of the second way."""
    devices = [x.device] if x.device.type == "cuda" else []
    with frozen(model, undefended), torch.random.fork_rng(devices=devices):
        torch.manual_seed(0)
        goal = Misclassify(model, y)
        _, slope = climb(goal.climbing(margin), x)
        flat = round(len(x) * blind_share(goal, x)), int((slope.abs().amax(PIXELS) == 0).sum())
        return Symptoms(_accuracies(model, x, y), flat, answers_at_random(goal, x), _walks(model, undefended, x, y))


def _accuracies(model: Model, x: Images, y: Labels) -> dict[str, int]:
    """How many images are read rightly, clean, in noise and under three attacks."""
    signs = torch.randn_like(x).sign()
    images = {"clean": x, "noise": (x + BALL.eps * signs).clamp(0, 1)}
    attacks: dict[str, Attack] = {"FGSM": FGSM(BALL), "PGD-20": PGD(BALL, steps=20), "Square": Square(BALL, QUERIES)}
    for name, attack in attacks.items():
        images[name] = attack(model, x, y, generator=torch.Generator(x.device).manual_seed(0))
    with torch.no_grad():
        return {name: int((model(changed).argmax(1) == y).sum()) for name, changed in images.items()}


def _walks(model: Model, undefended: Model, x: Images, y: Labels) -> dict[Way, NDArray[np.float64]]:
    """The probability of the true class along the three ways."""
    _, own = climb(Misclassify(model, y), x)
    _, other = climb(Misclassify(undefended, y), x)
    ways: dict[Way, Tensor] = {"own": own, "undefended": other, "random": torch.randn_like(x)}
    lengths = torch.linspace(0, LONGEST / 255, LEVELS, device=x.device)
    walks = {}
    for way, direction in ways.items():
        with torch.no_grad():
            p = [_true(model((x + length * direction.sign()).clamp(0, 1)), y) for length in lengths]
        walks[way] = torch.stack(p, 1).cpu().double().numpy()
    return walks


def _true(logits: Tensor, y: Labels) -> Tensor:
    return logits.softmax(1).gather(1, y[:, None]).squeeze(1)
