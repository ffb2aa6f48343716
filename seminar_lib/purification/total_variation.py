"""Total variation: throw half of the pixels away, and draw the smoothest image through the others.

Guo et al., "Countering Adversarial Images using Input Transformations", ICLR 2018, section 4.1, after Rudin, Osher &
Fatemi, Physica D 1992. With a random m of zeros and ones,

    x' = argmin_z  1/2 sum m (z - x)^2  +  weight * sum |grad z|

for each channel. Edges stay and noise goes, because one large step costs no more than many small ones on the way to the
same height. As in the authors' code the squared distance counts, where the paper has its root, and each value of each
channel is dropped by itself.

The minimum is found by the primal-dual steps of Chambolle & Pock, "A First-Order Primal-Dual Algorithm for Convex
Problems", Journal of Mathematical Imaging and Vision 2011, algorithm 1, for all images at once; the authors take the
split Bregman method, one image at a time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.types import Images

# Of a step along z and along its slopes. The method converges while its square times 8, which is the square of the
# longest gradient of an image of length 1, is at most 1.
STEP = 8**-0.5


class TotalVariation(nn.Module):
    """The smoothest image near some of the pixels, drawn anew at each call.

    All of it is differentiable: undone by EOT with its own gradient through all the steps. EOT with the identity as a
    stand-in (BPDA) is what Athalye et al. (ICML 2018, section 5.3) take, and costs a fraction of the time.

    Args:
        weight: of the variation, in pixels of [0, 1]: without ``drop``, a patch moves towards its surroundings by
            weight * perimeter / area.
        drop: the share of the pixels to throw away, in [0, 1). Without, nothing is random.
        steps: of the search for the minimum.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(self, weight: float = 0.03, drop: float = 0.5, steps: int = 30) -> None:
        super().__init__()
        if not 0 < weight < float("inf"):
            raise ValueError(f"TotalVariation needs a finite weight > 0, in pixels of [0, 1]; got {weight}.")
        if not 0 <= drop < 1:
            raise ValueError(f"TotalVariation drops a share of the pixels in [0, 1); got drop={drop}.")
        if steps < 1:
            raise ValueError(f"TotalVariation needs at least one step; got {steps}.")
        self.weight, self.drop, self.steps = weight, drop, steps

    def extra_repr(self) -> str:
        return f"weight={self.weight:g}, drop={self.drop:g}, steps={self.steps}"

    def forward(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Images to images of the same size; what is dropped comes from the global stream if no other is given."""
        kept = torch.ones_like(x)
        if self.drop:
            kept = (torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=generator) >= self.drop).to(x)
        z = ahead = x
        down, right = torch.zeros_like(x), torch.zeros_like(x)
        for _ in range(self.steps):
            down, right = _shortened(down + STEP * _down(ahead), right + STEP * _right(ahead), self.weight)
            moved = (z + STEP * (_divergence(down, right) + kept * x)) / (1 + STEP * kept)
            z, ahead = moved, 2 * moved - z
        return z.clamp(0, 1)  # where the minimum lies in any case


def _down(z: Images) -> Images:
    """The step to the pixel below; none at the lower edge."""
    return F.pad(z.diff(dim=2), (0, 0, 0, 1))


def _right(z: Images) -> Images:
    """The step to the pixel on the right; none at the right edge."""
    return F.pad(z.diff(dim=3), (0, 1))


def _divergence(down: Images, right: Images) -> Images:
    """What flows out of each pixel: the negative transpose of the two steps."""
    inner = F.pad(down[:, :, :-1], (0, 0, 1, 1)).diff(dim=2)
    return inner + F.pad(right[:, :, :, :-1], (1, 1)).diff(dim=3)


def _shortened(down: Images, right: Images, longest: float) -> tuple[Tensor, Tensor]:
    """Slopes of a length of ``longest`` at most."""
    shrink = ((down.square() + right.square()) / longest**2).clamp_min(1).sqrt()  # its own slope is finite at 0, too
    return down / shrink, right / shrink
