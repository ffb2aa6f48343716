"""Goals about the embedding: away from the clean image, away from one's own kind. Neither has a finish line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from seminar_lib.goals.base import Goal, Score
from seminar_lib.types import Embeddings, Images, Labels, Model


@dataclass(frozen=True, eq=False)
class Leave(Goal):
    """Far from the clean image in the embedding: 1 - cosine similarity. There is no finish line, so it never succeeds.

    Attributes:
        embed: images to embeddings (B, D), such as ``model.embed``.
        clean: the embeddings of the clean images, without gradient.
    """

    embed: Model
    clean: Embeddings

    def __call__(self, x: Images) -> Score:
        distance = 1 - F.cosine_similarity(self.embed(x), self.clean, dim=1)
        return Score(distance, torch.zeros_like(distance, dtype=torch.bool))


class Crowd(NamedTuple):
    """Embeddings that stand still while an adversary moves others among them; all examples of a goal share them.

    Attributes:
        z: the embeddings, (N, D), without gradient; only their directions count.
        y: what each belongs with, int64 (N,): its class, or its own number where each belongs with itself alone.
    """

    z: Embeddings
    y: Labels


@dataclass(frozen=True, eq=False)
class Contrast(Goal):
    """Away from one's own kind and into the crowd: the loss of ``sup_con`` with the image for an anchor.

    With s the cosines between the image and the crowd, and P those of its own kind,

        loss = - 1 / |P| sum_{p in P} log( exp(s_p / temperature) / sum_a exp(s_a / temperature) )

    where a runs over the whole crowd. The crowd is that of the clean images, its own clean version among them. In
    training the adversarial images are among the others too. They would move with every step and make the loss of one
    image depend on the attack on all others; here they are left out, so that any part of a batch can be searched alone.
    There is no finish line, so the goal never succeeds.

    Attributes:
        embed: images to embeddings (B, D), such as ``model.project``.
        y: which of the crowd each image belongs with, (B,); at least one does.
        crowd: the clean embeddings.
        temperature: above 0.
    """

    embed: Model
    y: Labels
    crowd: Crowd
    temperature: float

    def __call__(self, x: Images) -> Score:
        z = self.embed(x)
        with torch.autocast(x.device.type, enabled=False):  # as in ``sup_con``
            cosine = F.normalize(z.float(), dim=1) @ F.normalize(self.crowd.z.float(), dim=1).T  # (B, N)
            log_share = (cosine / self.temperature).log_softmax(1)
            own = self.y[:, None] == self.crowd.y
            loss = -(own * log_share).sum(1) / own.sum(1)
        return Score(loss, torch.zeros_like(loss, dtype=torch.bool))
