"""Feature squeezing: ask again about a coarser image, and be suspicious where the answer changes.

Xu, Evans & Qi, "Feature Squeezing: Detecting Adversarial Examples in Deep Neural Networks", NDSS 2018:

    score(x) = max over squeezers s of |p(x) - p(s(x))|_1,    p = softmax(f), from 0 to 2

A perturbation is fine, and fewer grey levels or a median wipe it out; a real sign stays what it is. Of their three
squeezers for CIFAR-10 ours takes two, 5 bits and a median of 2x2 pixels; non-local means is left out. He et al.,
"Adversarial Example Defenses: Ensembles of Weak Defenses are not Strong", WOOT 2017, broke it: an adversary who knows
the squeezers finds images whose answer they do not change.

The grey levels have no slope, so ``opened`` gives them BPDA's; a median has the slope of the pixel that it picks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from seminar_lib.adaptive import BPDA, replace_layers
from seminar_lib.detection.base import Detector
from seminar_lib.purification import Quantise
from seminar_lib.types import Images, PerExample


class Median(nn.Module):
    """Each pixel becomes the median of a square around it, in each channel; of an even number the upper one.

    Squares of an even side lie up and to the left of the pixel. Beyond the border the image is mirrored. It is
    ``scipy.ndimage.median_filter(..., mode="mirror")``, with a gradient.

    Raises:
        ValueError: the side is less than 2.
    """

    def __init__(self, side: int = 2) -> None:
        super().__init__()
        if side < 2:
            raise ValueError(f"A median needs a square of 2 pixels or more; got side={side}.")
        self.side = side

    def forward(self, x: Images) -> Images:
        """Images to images of the same size."""
        before = self.side // 2
        after = self.side - 1 - before
        padded = F.pad(x, (before, after, before, after), mode="reflect")
        squares = padded.unfold(2, self.side, 1).unfold(3, self.side, 1).flatten(4)  # (B, C, H, W, side^2)
        return squares.kthvalue(self.side**2 // 2 + 1, dim=4).values


class FeatureSqueezing(Detector):
    """The largest change of the probabilities under any squeezer; nothing in it is learned.

    Args:
        model: images in [0, 1] to logits.
        squeezers: layers from images to images; 5 bits and a median of 2x2 when omitted.

    Raises:
        ValueError: there are no squeezers.
    """

    def __init__(self, model: nn.Module, squeezers: tuple[nn.Module, ...] | None = None) -> None:
        super().__init__()
        chosen = (Quantise(5), Median(2)) if squeezers is None else squeezers
        if not chosen:
            raise ValueError("Feature squeezing needs at least one squeezer, such as Quantise(5); got none.")
        self.model, self.squeezers = model, nn.ModuleList(chosen)

    def score(self, x: Images) -> PerExample:
        p, *squeezed = self.model(torch.cat([x, *(squeeze(x) for squeeze in self.squeezers)])).softmax(1).split(len(x))
        changes = torch.stack([(p - other).abs().sum(1) for other in squeezed])  # (S, B)
        return changes.amax(0)

    def opened(self) -> Detector:
        """Rounding gets the identity's slope; other squeezers have their own."""
        if not any(isinstance(layer, Quantise) for layer in self.modules()):
            return self
        opened = replace_layers(self, Quantise, BPDA)
        assert isinstance(opened, Detector)
        return opened
