"""What the contrastive losses have in common, and so have their mistakes."""

from __future__ import annotations

from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.types import Embeddings, PerExample

TEMPERATURE = 0.4
SCORE_ZERO = "you give what is left out the score 0, and exp(0) = 1 still counts. Its score is -inf."


def embeddings(count: int, seed: int) -> Embeddings:
    """Embeddings (count, 4) of different lengths, so that a forgotten normalisation shows."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.rand(count, 1, generator=generator) * 2 + 0.5
    return lengths * F.normalize(torch.randn(count, 4, generator=generator), dim=1)


def log_shares(z: Embeddings, among: Tensor, temperature: float = TEMPERATURE, left_out: float = -inf) -> Tensor:
    """How alike p is to i, among all a that count as others: log( exp(s_ip / t) / sum_a exp(s_ia / t) ), (B, B).

    Args:
        z: embeddings; s are their dot products, so cosines need directions.
        among: which a are in the sum of i, bool (B, B).
        temperature: t.
        left_out: the score of all others.
    """
    scores = z @ z.T / temperature
    return scores - scores.masked_fill(~among, left_out).logsumexp(1, keepdim=True)


def over_positives(values: Tensor, positive: Tensor) -> PerExample:
    """Minus the mean of a row over its positives."""
    return -(values * positive).sum(1) / positive.sum(1)


def usual_mistakes(z: Embeddings, positive: Tensor) -> list[tuple[PerExample, str]]:
    """What each mistake that both losses share makes of a batch: the wrong losses of all anchors, and a sentence."""
    others = ~torch.eye(len(z), dtype=torch.bool)
    u = F.normalize(z, dim=1)
    return [
        (over_positives(log_shares(u, torch.ones_like(others)), positive), "the anchor itself is among the others in "
         "your sum. Its cosine with itself is 1, the largest there is. Leave it out: a != i."),
        (over_positives(log_shares(u, others, left_out=0.0), positive), SCORE_ZERO),
        (over_positives(log_shares(z, others), positive), "you take dot products of embeddings as they come, so long "
         "ones count more. A cosine divides by both lengths: F.normalize(z, dim=1)."),
        (over_positives(log_shares(F.normalize(z, dim=0), others), positive), "you normalise each feature over the "
         "batch. Each embedding has a length of its own: dim=1."),
        (over_positives(log_shares(u, others, 1 / TEMPERATURE), positive), "you multiply by the temperature. Divide "
         "by it: a low temperature makes differences large."),
        (over_positives(log_shares(u, others, 1.0), positive), "the temperature plays no part in your loss. The "
         "cosines are divided by it."),
        (over_positives(log_shares(u, others & ~positive), positive), "your sum holds the negatives only. Here a runs "
         "over all others, the positives among them."),
        (-over_positives(log_shares(u, others), positive), "your sign is turned: where the positives have a large "
         "share the loss has to be small. It is *minus* the logarithm."),
    ]  # fmt: skip
