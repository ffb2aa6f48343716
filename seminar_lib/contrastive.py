"""Losses of embeddings: what belongs together is pulled together, the rest of the batch is pushed away.

Every embedding z_i takes its turn as the anchor. Its positives P(i) are the others that it belongs with, s_ij is the
cosine of the angle between z_i and z_j, and the temperature tau says how much the nearest others dominate:

    loss_i = - sum_{p in P(i)} w_ip log( exp(s_ip / tau) / sum_{a != i} exp(s_ia / tau) )

The losses of this form differ in who is a positive and in how much each one counts, w, which sums to 1 over P(i):

- ``nt_xent``: the other view of the same image, without labels (SimCLR; C-LEAD);
- ``sup_con``: everything of the same class, all of it alike (SupCon);
- ``hard_positive_sup_con``: everything of the same class, the least similar most (ANCHOR).

They return one value for each anchor, as all losses here do; training takes the mean.

Only directions count: the cosine divides by the lengths of the embeddings, as eq. 1 of SimCLR does. That leaves those
of ``Classifier.project``, which have length 1, as they are, and a forgotten normalisation does no harm.
"""

from __future__ import annotations

from math import inf

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from seminar_lib.checks import check_embeddings, check_views
from seminar_lib.types import Embeddings, Labels, PerExample


def nt_xent(z: Embeddings, z2: Embeddings, temperature: float, *, symmetric: bool = True) -> PerExample:
    """NT-Xent: among all other embeddings of the batch, find the other view of the same image.

    Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020, eq. 1. It is
    ``sup_con`` where each image is a class of its own.

    Args:
        z: embeddings of one view of each image, (B, D).
        z2: those of the other view, row by row of the same images.
        temperature: above 0; 0.5 in SimCLR's recipe for CIFAR-10.
        symmetric: whether both views are anchors, as in the paper. If not, only those in ``z`` are, as in the released
            code of C-LEAD (Ghosh et al., arXiv 2510.27249, 2025); both views are among the others in either case.

    Returns:
        One value for each image, (B,): the mean over its two anchors, or its only one.

    Raises:
        TypeError: a view is no tensor.
        ValueError: the shapes differ or are not (B, D), or the temperature is out of range.
    """
    check_views(z, z2)
    image = torch.arange(len(z), device=z.device).repeat(2)
    first, second = sup_con(torch.cat([z, z2]), image, temperature).chunk(2)
    return (first + second) / 2 if symmetric else first


def sup_con(z: Embeddings, y: Labels, temperature: float) -> PerExample:
    """SupCon: every other embedding of the same class is a positive, and all count alike, w_ip = 1 / |P(i)|.

    Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, eq. 2 (L_out). The authors' code multiplies the
    formula by tau / 0.07; ours does not.

    Args:
        z: embeddings (B, D). Two views of each image stand one below the other: ``torch.cat([z, z2])``.
        y: their labels, for two views ``torch.cat([y, y])``.
        temperature: above 0; 0.1 in the authors' recipe for CIFAR-10.

    Returns:
        One value for each embedding, (B,). It is 0, without gradient, for one that is alone in its class: there is
        nothing to pull it to. With two views that cannot happen.

    Raises:
        TypeError: ``z`` or ``y`` is no tensor.
        ValueError: ``z`` is not (B, D), a label is missing, or the temperature is out of range.
    """
    return hard_positive_sup_con(z, y, temperature, beta=0)


def hard_positive_sup_con(z: Embeddings, y: Labels, temperature: float, beta: float) -> PerExample:
    """SupCon where the positives that are still far away count most: w_ip proportional to exp(-beta s_ip).

    After Bhattacharya et al., "ANCHOR", arXiv 2510.27599, 2025. **The weights are this project's reconstruction.** The
    abstract speaks of adaptive weights for hard positives; the paper's formula could not be recovered and no code was
    found. Ours takes the hard ones to be the least similar of the same class, seen from the current batch. Results of
    this loss are not the paper's.

    Args:
        z: embeddings (B, D), as in ``sup_con``.
        y: their labels.
        temperature: above 0.
        beta: 0 or more. At 0 it is ``sup_con``; the larger, the more the hardest positive outweighs the others.

    Returns:
        One value for each embedding, (B,); 0 for one that is alone in its class.

    Raises:
        TypeError, ValueError: as in ``sup_con``, or ``beta`` is out of range.
    """
    check_embeddings(z, y)
    check_contrast(temperature, beta)
    with torch.autocast(z.device.type, enabled=False):  # what half precision rounds off, a small temperature magnifies
        directions = F.normalize(z.to(torch.promote_types(z.dtype, torch.float32)), dim=1)
        cosine = directions @ directions.T  # (B, B)
        itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
        positive = (y[:, None] == y) & ~itself
        log_share = (cosine / temperature).masked_fill(itself, -inf).log_softmax(1)
        return -(positive_weights(cosine, positive, beta) * log_share.masked_fill(itself, 0)).sum(1)


def positive_weights(cosine: Float[Tensor, "B B"], positive: Bool[Tensor, "B B"], beta: float) -> Float[Tensor, "B B"]:
    """The weights w of ``hard_positive_sup_con``: row i says how much each positive of anchor i counts.

    A row sums to 1, or to 0 where there is no positive. The weights carry no gradient: through them the loss could
    also fall by pushing easy positives away, which would then count for more beside the hard ones.

    Args:
        cosine: the similarities s.
        positive: which j are in P(i).
        beta: as in ``hard_positive_sup_con``.
    """
    weights = (-beta * cosine.detach()).masked_fill(~positive, -inf).softmax(1)
    return weights.masked_fill(~positive, 0)  # the softmax over no positives at all is NaN


def check_contrast(temperature: float, beta: float = 0.0) -> None:
    """Refuse hyperparameters with which these losses mean nothing.

    Raises:
        ValueError: ``temperature`` or ``beta`` is out of range.
    """
    if not 0 < temperature < inf:
        raise ValueError(
            f"The temperature divides the cosines: it is finite and above 0; got {temperature}. Usual are 0.05 to 0.5."
        )
    if not 0 <= beta < inf:
        raise ValueError(
            f"beta is finite and 0 or more; got {beta}. Below 0 the easiest positives would count most; 0 is sup_con."
        )
