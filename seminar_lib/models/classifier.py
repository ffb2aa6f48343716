"""The one shape of every network here: normalise, embed, classify.

The first layer normalises, so that everything outside the network, the attacks above all, speaks in pixels of [0, 1].
An eps in normalised space means a different number for every data set, and is this field's classic bug.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.types import Embeddings, Images, Logits


class Classifier(nn.Module):
    """A backbone with a linear classifier, and a projection head for the contrastive losses.

    Args:
        backbone: normalised images (B, C, H, W) to features (B, ``features``).
        features: the number of features D.
        classes: the number of classes K.
        mean, std: channel statistics of the training images in [0, 1].
        projection: the size P of the projected embedding.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        features: int,
        classes: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        projection: int = 128,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))
        self.backbone = backbone
        self.head = nn.Linear(features, classes)
        # Two layers, thrown away after training, as in Chen et al., "SimCLR", ICML 2020, section 2.1.
        self.projector = nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, projection))

    @property
    def built_for(self) -> dict[str, Any]:
        """What the architecture's ``build`` was told."""
        mean, std = ([round(float(value), 4) for value in values.flatten()] for values in (self.mean, self.std))
        return {"classes": self.head.out_features, "mean": mean, "std": std}

    def embed(self, x: Images) -> Embeddings:
        """Features before the classifier, (B, D).

        Raises:
            ValueError: the images have another number of channels than the network.
        """
        if x.shape[1] != self.mean.shape[1]:  # or one channel would quietly be broadcast to three
            raise ValueError(
                f"This network takes images with {self.mean.shape[1]} channels; got shape {tuple(x.shape)}."
            )
        return cast(Tensor, self.backbone((x - self.mean) / self.std))

    def forward(self, x: Images) -> Logits:
        """Logits (B, K) of images in [0, 1]; float32 even under autocast, where losses are computed."""
        return self.classify(self.embed(x))

    def classify(self, z: Embeddings) -> Logits:
        """The logits (B, K) of features that ``embed`` gave; float32 as ``forward``'s."""
        return cast(Tensor, self.head(z).float())

    def project(self, x: Images) -> Embeddings:
        """Projected embeddings of length 1, (B, P)."""
        return F.normalize(self.projector(self.embed(x)).float(), dim=1)
