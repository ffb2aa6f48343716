"""Kernel density: how lonely an embedding is among the training images of the class that the network names.

Feinman et al., "Detecting Adversarial Samples from Artifacts", arXiv 1703.00410, 2017:

    score(x) = -log 1/|X_c| sum_{i in X_c} exp(-|z - z_i|^2 / (2 h^2)),    z = embed(x),  c = argmax f(x)

X_c are training images of class c. The idea: an adversarial image leaves its class but does not arrive in the other.
The paper has the density itself; its logarithm has a gradient where the density underflows. The bandwidth h is theirs
too, the one of the highest likelihood, here of each training image among the others.
"""

from __future__ import annotations

from math import log

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seminar_lib.data.dataset import Dataset
from seminar_lib.detection.base import Detector, check_each_class, training_images
from seminar_lib.freeze import in_batches
from seminar_lib.models import Classifier
from seminar_lib.types import Embeddings, Images, Labels, PerExample


class KernelDensity(Detector):
    """The negative logarithm of the density, up to a constant.

    Args:
        model: the network whose embedding is measured.
        z: embeddings of training images, (N, D).
        y: their labels (N,); each class occurs.
        bandwidth: h, in units of the embedding.
    """

    z: Tensor
    y: Tensor

    def __init__(self, model: Classifier, z: Float[Tensor, "N D"], y: Int[Tensor, " N"], bandwidth: float) -> None:
        super().__init__()
        self.model, self.bandwidth = model, bandwidth
        self.register_buffer("z", z)
        self.register_buffer("y", y)

    @classmethod
    def fit(
        cls, model: Classifier, data: Dataset, n: int = 2000, bandwidth: float | None = None, seed: int = 0
    ) -> KernelDensity:
        """Keep the embeddings of training images.

        Args:
            model: a trained network.
            data: its task.
            n: how many training images are sampled at most.
            bandwidth: the most likely one when omitted.
            seed: of the sample.

        Raises:
            TypeError, ValueError: the network does not belong to the data set, there are too few images, or
                ``bandwidth`` is not positive.
        """
        images = training_images(model, data, n, seed)
        check_each_class(images.y, len(data.classes), 2, "A density")
        z = in_batches(model.embed, images.x)
        if bandwidth is None:
            bandwidth = likeliest_bandwidth(z, images.y)
        if not 0 < bandwidth < float("inf"):
            raise ValueError(f"A density needs a finite bandwidth > 0; got {bandwidth}.")
        return cls(model, z, images.y, bandwidth)

    def score(self, x: Images) -> PerExample:
        z = self.model.embed(x)
        named = self.model.classify(z).argmax(1)
        others = named[:, None] != self.y  # (B, N)
        return -log_density(_squares(z, self.z), others, self.bandwidth)


def log_density(squares: Float[Tensor, "B N"], left_out: Bool[Tensor, "B N"], bandwidth: float) -> PerExample:
    """The logarithm of 1/n sum_i exp(-d_i^2 / (2 h^2)) over the n that are not left out, from squared distances."""
    exponents = (-squares / (2 * bandwidth**2)).masked_fill(left_out, -torch.inf)
    return exponents.logsumexp(1) - (~left_out).sum(1).log()


def likeliest_bandwidth(z: Embeddings, y: Labels) -> float:
    """The bandwidth under which each embedding is likeliest among the others of its class, to a factor of 1.2.

    Args:
        z: embeddings (N, D).
        y: their labels; each that occurs does so twice.

    Raises:
        ValueError: all embeddings of each class are the same.
    """
    squares = _squares(z, z)
    left_out = (y[:, None] != y) | torch.eye(len(y), dtype=torch.bool, device=y.device)
    typical = float(squares[~left_out].median().sqrt())
    if typical == 0:
        raise ValueError("Most embeddings of a class are the same: there is no bandwidth. Has the network collapsed?")
    grid = [typical * 1.2**k for k in range(-20, 5)]
    # The density of D features has 1/h^D in front, which does not matter to the score but does here.
    return max(grid, key=lambda h: float(log_density(squares, left_out, h).mean()) - z.shape[1] * log(h))


def _squares(z: Embeddings, others: Float[Tensor, "N D"]) -> Float[Tensor, "B N"]:
    """Squared distances, written out: ``cdist`` has no gradient where a distance is zero."""
    return (z.square().sum(1)[:, None] - 2 * z @ others.T + others.square().sum(1)).clamp_min(0)
