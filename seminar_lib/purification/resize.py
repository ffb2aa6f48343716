"""Random resizing and padding: the adversary cannot know where the next draw puts a pixel.

Xie et al., "Mitigating Adversarial Effects Through Randomization", ICLR 2018, section 3. There an image of 299 pixels
grows to 299 to 330 and stands at a random place on a black ground of 331, so that it fills 90 % of it or more. Ours
shrinks on a ground of its own size, which every network takes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from seminar_lib.types import Images


class RandomResize(nn.Module):
    """Shrink each image by a random factor and put it at a random place on a black image of the old size.

    The adversary cannot know the next draw, and a search that stops at its first success has only met a lucky one. The
    *mean* over draws has a gradient like any other: undone by EOT. No stand-in is needed.

    Args:
        smallest: the smallest factor, in (0, 1].

    Raises:
        ValueError: ``smallest`` is out of range.
    """

    def __init__(self, smallest: float = 0.75) -> None:
        super().__init__()
        if not 0 < smallest <= 1:
            raise ValueError(f"RandomResize needs a smallest factor in (0, 1]; got {smallest}.")
        self.smallest = smallest

    def extra_repr(self) -> str:
        return f"smallest={self.smallest:g}"

    def forward(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Images to images of the same size, with one draw for each, from the global stream if none is given."""
        zoom = 1 / torch.empty(len(x), dtype=x.dtype, device=x.device).uniform_(self.smallest, 1, generator=generator)
        place = 2 * torch.rand(len(x), 2, dtype=x.dtype, device=x.device, generator=generator) - 1
        # Where in the old image, which spans [-1, 1], a pixel of the new one is read: (x, y) -> zoom (x, y) + shift.
        affine = torch.zeros(len(x), 2, 3, dtype=x.dtype, device=x.device)
        affine[:, 0, 0] = affine[:, 1, 1] = zoom
        affine[:, :, 2] = (zoom - 1)[:, None] * place
        grid = F.affine_grid(affine, list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)
