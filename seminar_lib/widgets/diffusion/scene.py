"""One image on its way into noise and back, clean or attacked, and what a network says of it before and after.

The adversary is blind: it attacks the bare network. An image has the same noise at every t and under every attack, so
that what changes when a control is moved comes from the control alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seminar_lib.attacks import PGD
from seminar_lib.data.dataset import Split
from seminar_lib.diffusion.reverse import reverse
from seminar_lib.diffusion.schedule import ALPHA_BAR
from seminar_lib.diffusion.steps import noised
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.threat import Linf
from seminar_lib.types import Images, Model
from seminar_lib.widgets.images import hwc

ATTACKS = ("none", "stops at a success", "to the end")
TIMES = (0, 10, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800)
JUMPS = 4  # of DDIM on the way back
DRAWS = 6  # of the noise; the first is the one that is shown large
STEPS = 20  # of PGD
BALL = Linf(8 / 255)


@dataclass(frozen=True, eq=False)
class Way:
    """An image with noise, and without it again.

    Attributes:
        before: the image, clean or attacked, (H, W, C).
        p_before: what the network makes of it, (K,).
        noisy: the first draw at t, in pixels where 0 and 1 are black and white; noise has carried some beyond.
        purified: every draw after the way back, (DRAWS, H, W, C).
        p: what the network makes of each, (DRAWS, K).
        kept: the weight of the image at t, sqrt(abar_t).
        noise: the weight of the noise, sqrt(1 - abar_t).
    """

    before: NDArray[np.float64]
    p_before: NDArray[np.float64]
    noisy: NDArray[np.float64]
    purified: NDArray[np.float64]
    p: NDArray[np.float64]
    kept: float
    noise: float


class Purification:
    """Purify single images with a diffusion model in front of a classifier.

    All images are attacked when this is made; a way is computed when it is first asked for.

    Args:
        model: the classifier, images in [0, 1] to logits.
        network: what finds the noise in x_t.
        data: the images, on the device of both.
    """

    def __init__(self, model: Model, network: nn.Module, data: Split) -> None:
        self.model, self.network, self.data = model, network, data
        self.images = (data.x, self._attacked(stop=True), self._attacked(stop=False))
        self.way = lru_cache(maxsize=None)(self._way)
        self.peaks = lru_cache(maxsize=None)(self._peaks)

    def _attacked(self, stop: bool) -> Images:
        """What the blind adversary hands over, who is content with a mistake or goes on to a large one."""
        attack = PGD(BALL, steps=STEPS, stop_when_fooled=stop)
        generator = torch.Generator(self.data.images.device).manual_seed(0)
        with frozen(self.model):
            return attack.run(Misclassify(self.model, self.data.y), self.data.x, generator)

    @torch.no_grad()
    def _peaks(self, image: int) -> NDArray[np.float64]:
        """The largest probability that each class has without the purifier, clean or attacked, (K,)."""
        versions = torch.stack([version[image] for version in self.images])
        with frozen(self.model):
            peaks: NDArray[np.float64] = self.model(versions).softmax(1).amax(0).cpu().double().numpy()
        return peaks

    @torch.no_grad()
    def _way(self, image: int, attack: int, t: int) -> Way:
        """From an image to ``t`` and back; ``attack`` is a place in ``ATTACKS``."""
        x = self.images[attack][image : image + 1]
        generator = torch.Generator(x.device).manual_seed(image)
        copies = x.expand(DRAWS, -1, -1, -1)
        noise = torch.empty(copies.shape, device=x.device).normal_(generator=generator)
        xt = noised(2 * copies - 1, t, noise)
        with frozen(self.model, self.network):
            x0 = reverse(self.network, xt, t, min(t, JUMPS)) if t else xt
            purified = ((x0 + 1) / 2).clamp(0, 1)
            p_before, p = (self.model(seen).softmax(1).cpu().double().numpy() for seen in (x, purified))
        kept = float(ALPHA_BAR[t])
        return Way(hwc(x)[0], p_before[0], hwc((xt + 1) / 2)[0], hwc(purified), p, kept**0.5, (1 - kept) ** 0.5)
