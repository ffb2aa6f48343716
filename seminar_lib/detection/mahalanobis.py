"""Mahalanobis distance: how far an embedding lies from the nearest class, in units of the classes' own spread.

Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks", NeurIPS
2018, section 2.1:

    score(x) = min_c (z - mu_c)^T S^-1 (z - mu_c),    z = embed(x)
    S = 1/N sum_c sum_{i in c} (z_i - mu_c)(z_i - mu_c)^T

one mean for each class and one covariance, tied, for all of them: the embedding as a mixture of Gaussians of one shape.
Ours looks at the last features only, where the paper weighs several layers by a regression on adversarial examples, and
does without its input perturbation (section 2.2), a step of the image along the gradient of the score: the score would
hold a gradient itself, which makes every look several times as slow and stops no attack that differentiates twice.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from seminar_lib.data.dataset import Dataset
from seminar_lib.detection.base import Detector, check_each_class, training_images
from seminar_lib.freeze import in_batches
from seminar_lib.models import Classifier
from seminar_lib.types import Embeddings, Images, Labels, PerExample


class Mahalanobis(Detector):
    """The squared distance to the nearest class.

    Args:
        model: the network whose embedding is measured.
        means: of each class, (K, D).
        precision: the inverse of the tied covariance, (D, D).
    """

    means: Tensor
    precision: Tensor

    def __init__(self, model: Classifier, means: Float[Tensor, "K D"], precision: Float[Tensor, "D D"]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("means", means)
        self.register_buffer("precision", precision)

    @classmethod
    def fit(cls, model: Classifier, data: Dataset, n: int = 4000, seed: int = 0) -> Mahalanobis:
        """Means and covariance of training images.

        Args:
            model: a trained network.
            data: its task.
            n: how many training images are sampled at most.
            seed: of the sample.

        Raises:
            TypeError, ValueError: the network does not belong to the data set, or there are too few images.
        """
        images = training_images(model, data, n, seed)
        return cls(model, *gaussians(in_batches(model.embed, images.x), images.y, len(data.classes)))

    def score(self, x: Images) -> PerExample:
        away = self.model.embed(x).float()[:, None] - self.means  # (B, K, D)
        distances: Tensor = ((away @ self.precision) * away).sum(2)
        return distances.amin(1)


def gaussians(z: Embeddings, y: Labels, classes: int) -> tuple[Float[Tensor, "K D"], Float[Tensor, "D D"]]:
    """The mean of each class and the inverse of the covariance that they share.

    Features that never change, such as dead ReLUs, have no spread to measure by; the pseudo-inverse leaves them out.

    Args:
        z: embeddings (N, D).
        y: labels (N,).
        classes: their number K.

    Raises:
        ValueError: a class has fewer than two images, or there are too few for a covariance of D features.
    """
    check_each_class(y, classes, 2, "A covariance")
    if len(z) < (enough := z.shape[1] + classes):
        raise ValueError(
            f"The covariance of {z.shape[1]} features around {classes} means needs {enough} or more training images; "
            f"got {len(z)}. Take more: fit(..., n=...)."
        )
    z = z.double()
    means = torch.stack([z[y == label].mean(0) for label in range(classes)])
    around = z - means[y]
    covariance = around.T @ around / len(z)
    return means.float(), torch.linalg.pinv(covariance, hermitian=True).float()
