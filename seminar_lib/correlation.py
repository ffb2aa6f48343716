"""The loss of LISArD: two views of an image agree feature by feature, and no feature repeats another.

Costa et al., "LISArD", arXiv 2502.20562, 2025; its form is that of Zbontar et al., "Barlow Twins: Self-Supervised
Learning via Redundancy Reduction", ICML 2021, eqs. 1 and 2:

    C = n(z)^T n(z2) / B;        loss = sum_i (C_ii - 1)^2 + weight * sum_{i != j} C_ij^2

where n gives each feature mean 0 and variance 1 over the batch, as BatchNorm does. Agreement alone could be had by
sending all images to one point. The contrastive losses forbid that by pushing images apart. This one needs no
negatives: a feature that does not vary cannot correlate, and the second sum keeps the others from being all the same.
"""

from __future__ import annotations

from math import inf

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from seminar_lib.checks import check_views
from seminar_lib.types import Embeddings


def cross_correlation(z: Embeddings, z2: Embeddings, weight: float = 0.0051) -> Float[Tensor, ""]:
    """How far the correlations C between the features of two views are from the identity.

    A scalar: a correlation belongs to the batch, not to an image. A feature that is the same for all images correlates
    with nothing, itself included, and costs 1.

    B is the number of images that came. The released code of LISArD divides by the nominal batch size, so that in a
    smaller last batch even equal views seem to disagree.

    Args:
        z: embeddings of one view of each image, (B, D); they need no normalisation.
        z2: those of the other view, row by row of the same images.
        weight: of the off-diagonal terms, 0 or more; 0.0051 in the released code.

    Raises:
        TypeError: an input is no tensor.
        ValueError: the shapes differ or are not (B, D), there is only one image, or ``weight`` is out of range.
    """
    check_views(z, z2)
    if len(z) < 2:
        raise ValueError("A correlation needs at least two images; got a batch of one. Leave out such a last batch.")
    if not 0 <= weight < inf:
        raise ValueError(f"The weight of the off-diagonal terms is finite and 0 or more; got {weight}.")
    with torch.autocast(z.device.type, enabled=False):  # sums over the batch need more digits than half precision has
        first, second = (
            F.batch_norm(view.to(torch.promote_types(view.dtype, torch.float32)), None, None, training=True)
            for view in (z, z2)
        )
        squares = (first.T @ second / len(z) - torch.eye(z.shape[1], device=z.device)).square()  # (D, D)
        diagonal = squares.diagonal().sum()
        return diagonal + weight * (squares.sum() - diagonal)
