"""Numbers about an embedding: how the attack moves images in it, and how well it keeps the classes apart.

Each function stands alone. Networks differ in the scale of their embeddings; every number here is free of it.
Alignment, uniformity and drift look at directions alone.
"""

from __future__ import annotations

from math import inf, log

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from seminar_lib.checks import check_embeddings, check_views
from seminar_lib.types import Embeddings, Flags, Labels, PerExample


def alignment(z: Embeddings, z_adv: Embeddings, alpha: float = 2.0) -> float:
    """How far the two views of an image lie apart on the unit sphere: 0 if nowhere, at most 2^alpha.

        mean_i |u_i - u'_i|^alpha,    u = z / |z|

    Wang & Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
    Hypersphere", ICML 2020, section 4.1. There the two views are two augmentations; here the attack makes the second.

    Args:
        z: embeddings (B, D).
        z_adv: those of the same images after the attack, row by row.
        alpha: above 0; 2 in the paper's figures.

    Raises:
        TypeError: an input is no tensor.
        ValueError: the shapes differ or are not (B, D), an embedding holds NaN or infinity, or ``alpha`` is out of
            range.
    """
    check_views(z, z_adv)
    z, z_adv = _measurable(z), _measurable(z_adv)
    if not 0 < alpha < inf:
        raise ValueError(f"The power alpha of alignment is finite and above 0; got {alpha}.")
    return float((F.normalize(z, dim=1) - F.normalize(z_adv, dim=1)).norm(dim=1).pow(alpha).mean())


def uniformity(z: Embeddings, t: float = 2.0) -> float:
    """How evenly the embeddings cover the unit sphere: 0 when all are in one place, the more negative the better.

        log mean_{i < j} exp(-t |u_i - u_j|^2),    u = z / |z|

    Wang & Isola, ICML 2020, section 4.1. Classes that are drawn together, as a classifier wants them, raise it.

    Args:
        z: embeddings (B, D), at least two.
        t: above 0; 2 in the paper's figures.

    Raises:
        TypeError: an input is no tensor.
        ValueError: the shape is not (B, D), an embedding holds NaN or infinity, there is only one, or ``t`` is out of
            range.
    """
    check_embeddings(z)
    z = _measurable(z)
    if len(z) < 2:
        raise ValueError("Uniformity compares pairs: it needs at least two embeddings; got one.")
    if not 0 < t < inf:
        raise ValueError(f"The factor t of uniformity is finite and above 0; got {t}.")
    exponents = -t * torch.pdist(F.normalize(z, dim=1)).square()
    return float(exponents.logsumexp(0)) - log(len(exponents))  # the exponentials themselves may be too small to keep


def separation(z: Embeddings, y: Labels) -> float:
    """How much nearer an embedding is to its own class than to the next one: the mean silhouette, from -1 to 1.

        mean_i (b_i - a_i) / max(a_i, b_i)

    with a_i the mean distance to the others of its class, and b_i that to the nearest other class. 1 means tight
    classes far apart, 0 that they touch, below 0 that most lie within another class. Rousseeuw, "Silhouettes", Journal
    of Computational and Applied Mathematics 1987, section 2.

    Args:
        z: embeddings (B, D).
        y: their classes (B,); at least two occur, and one of them twice.

    Raises:
        TypeError: an input is no tensor.
        ValueError: the shapes do not fit, an embedding holds NaN or infinity, or the classes are too few or too many.
    """
    from sklearn.metrics import silhouette_score

    check_embeddings(z, y)
    z = _measurable(z)
    if not 2 <= (classes := len(y.unique())) < len(y):
        raise ValueError(
            f"Separation needs at least two classes and more images than classes; got {len(y)} images of {classes}."
        )
    return float(silhouette_score(z.numpy(), y.numpy()))


def drift(z: Embeddings, z_adv: Embeddings, y: Labels) -> PerExample:
    """How far the attack moves each image on the unit sphere, in ways from one class to another, (B,).

        |u'_i - u_i| / mean_{k < l} |c_k - c_l|,    u = z / |z|,    c_k the mean u of the clean images of class k

    1 is as far as from one class to the next. Off the sphere an embedding that only gets longer or shorter, which
    hardly changes what a linear classifier says of it, would count as moved. That attacks carry images from the region
    of their own class to that of another is an observation of Mao et al., "Metric Learning for Adversarial Robustness",
    NeurIPS 2019; the unit is ours.

    Args:
        z: embeddings of the clean images, (B, D).
        z_adv: those of the adversarial images, row by row.
        y: true labels; at least two classes occur.

    Raises:
        TypeError: an input is no tensor.
        ValueError: the shapes do not fit, an embedding holds NaN or infinity, there is only one class, or all classes
            have the same mean.
    """
    check_views(z, z_adv)
    check_embeddings(z, y)
    u, u_adv = F.normalize(_measurable(z), dim=1), F.normalize(_measurable(z_adv), dim=1)
    _, middles = class_means(u, y)
    if len(middles) < 2:
        raise ValueError(
            "Drift is measured against the way from class to class: it needs at least two classes; got one."
        )
    typical = torch.pdist(middles).mean()
    if typical < 10 * torch.finfo(u.dtype).eps:  # no more than rounding
        raise ValueError("All classes have the same mean: there is no way to measure by. Has the network collapsed?")
    way: PerExample = (u_adv - u).norm(dim=1) / typical
    return way


def neighbours(
    z: Embeddings, y: Labels, z_train: Float[Tensor, "N D"], y_train: Int[Tensor, " N"], k: int = 5
) -> Flags:
    """Which embeddings are told rightly by a vote of their k nearest training embeddings, (B,).

    Cover & Hart, "Nearest Neighbor Pattern Classification", 1967. The network's own linear classifier has no part in
    it: what the vote gets wrong was lost in the embedding. Papernot & McDaniel, "Deep k-Nearest Neighbors", arXiv
    1803.04765, 2018, distrust inputs whose neighbours disagree.

    Args:
        z: embeddings to be told, clean or adversarial, (B, D).
        y: their true labels.
        z_train: clean embeddings of training images by the same network, (N, D).
        y_train: their labels (N,).
        k: how many vote; 1 to N. A tie goes to the smallest label.

    Raises:
        TypeError: an input is no tensor.
        ValueError: the shapes do not fit, an embedding holds NaN or infinity, or ``k`` is out of range.
    """
    from sklearn.neighbors import KNeighborsClassifier

    check_embeddings(z, y)
    check_embeddings(z_train, y_train)
    z, z_train = _measurable(z), _measurable(z_train)
    if z.shape[1] != z_train.shape[1]:
        raise ValueError(
            f"z has {z.shape[1]} features but z_train has {z_train.shape[1]}. Embed both with the same network."
        )
    if not 1 <= k <= len(z_train):
        raise ValueError(f"The vote needs 1 to {len(z_train)} neighbours, as many as there are; got k={k}.")
    voters = KNeighborsClassifier(k).fit(z_train.numpy(), y_train.numpy())
    return torch.from_numpy(voters.predict(z.numpy())) == y


def class_means(z: Embeddings, y: Labels) -> tuple[Int[Tensor, " L"], Float[Tensor, "L D"]]:
    """The L classes that occur, in order, and the mean embedding of each."""
    labels = y.unique()
    return labels, torch.stack([z[y == label].mean(0) for label in labels])


def _measurable(z: Embeddings) -> Embeddings:
    """Embeddings in float32 or better, without the gradients that come with them; refuses those that are not finite."""
    if not (finite := z.isfinite().all(1)).all():
        raise ValueError(
            f"The embeddings hold NaN or infinity, first in row {int((~finite).nonzero()[0])}. Did the network's "
            "training diverge?"
        )
    return z.detach().to(torch.promote_types(z.dtype, torch.float32))
