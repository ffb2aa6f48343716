"""What a network answers to noisy copies of images: the votes, counted.

Nearly all of the time of a certificate goes by here, so the network is a lean copy (see ``lean.py``), and noise is
drawn into one piece of memory over and over, in the order (height, width, channel) that convolutions are fastest on.

Each image has a random stream of its own, and its looks come in pieces of a size that does not depend on its
neighbours. So what is found of an image depends on its seed alone, whoever stands beside it and however early the
others stop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.checks import check_logits
from seminar_lib.types import Images, Model


class Poll:
    """Noisy looks at a batch of images, on demand.

    Args:
        model: images to logits, in evaluation mode.
        x: the images (B, C, H, W), in [0, 1]; with the noise they leave it.
        sigma: standard deviation of the noise.
        chunk: how many noisy copies go through the model at once, at most.
        seeds: of the random numbers of each image, B of them.
    """

    def __init__(self, model: Model, x: Images, sigma: float, chunk: int, seeds: Sequence[int]) -> None:
        self.model, self.sigma, self.chunk = model, sigma, chunk
        self.x = x.permute(0, 2, 3, 1)  # (B, H, W, C)
        self.noisy = torch.empty(chunk, *self.x.shape[1:], dtype=x.dtype, device=x.device)
        self.streams = [torch.Generator(x.device).manual_seed(seed) for seed in seeds]

    def votes(self, rows: Sequence[int], looks: int) -> Tensor:
        """How often each class is the answer in so many more looks at these images, int64 (R, K) on the CPU."""
        pieces = [min(self.chunk, looks - done) for done in range(0, looks, self.chunk)]
        return torch.stack([self._round(rows, piece) for piece in pieces]).sum(0)

    def _round(self, rows: Sequence[int], looks: int) -> Tensor:
        """A piece of the votes: as many images as the chunk has room for go through the model together."""
        together = self.chunk // looks
        return torch.cat([self._count(rows[i : i + together], looks) for i in range(0, len(rows), together)])

    def _count(self, rows: Sequence[int], looks: int) -> Tensor:
        noisy = self.noisy[: len(rows) * looks]
        for row, part in zip(rows, noisy.split(looks), strict=True):
            part.normal_(std=self.sigma, generator=self.streams[row]).add_(self.x[row])
        images = noisy.permute(0, 3, 1, 2)  # (R * looks, C, H, W)
        logits = self.model(images)
        check_logits(logits, images)
        answers = F.one_hot(logits.argmax(1), logits.shape[1])  # (R * looks, K)
        return torch.stack([part.sum(0) for part in answers.split(looks)]).cpu()
