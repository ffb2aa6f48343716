"""The check of exercise 7.3: how far the correlations between the features of two views are from the identity."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.correlation import cross_correlation
from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_loss, judge_slope, marks, right, same
from seminar_lib.types import Embeddings

IMAGES, FEATURES = 12, 5  # another number of each: divided by the wrong one shows
WEIGHT = 0.3  # so large that mistakes off the diagonal show


@marks
def check_correlation(my_correlation: Answer) -> None:
    """Exercise 7.3: the cross-correlation loss of LISArD, which is that of Barlow Twins."""
    z, z2 = _views()
    _judge(my_correlation, z, z2)
    _judge(my_correlation, z.index_fill(1, torch.tensor(2), 0), z2.index_fill(1, torch.tensor(2), 0))
    right("7.3", f"Two equal views would cost {float(cross_correlation(z, z, WEIGHT)):.2f}, these two cost "
          f"{float(cross_correlation(z, z2, WEIGHT)):.2f}.")  # fmt: skip


def _views() -> tuple[Embeddings, Embeddings]:
    """Features of two views that agree in part, each feature with a mean and a spread of its own."""
    generator = torch.Generator().manual_seed(6)
    common, first, second = torch.randn(3, IMAGES, FEATURES, generator=generator)
    spread, mean = 0.5 + 2 * torch.rand(FEATURES, generator=generator), 2 * torch.rand(FEATURES, generator=generator)
    mixed = common @ (torch.eye(FEATURES) + 0.4)  # so that features repeat each other
    return (mixed + 0.6 * first) * spread + mean, (mixed + 0.6 * second) * spread + mean


def _judge(my_correlation: Answer, z: Embeddings, z2: Embeddings) -> None:
    leaves = [view.clone().requires_grad_() for view in (z, z2)]
    given = [leaf.clone() for leaf in leaves]
    answer = ask("7.3", my_correlation, *given, WEIGHT)
    if isinstance(answer, Tensor) and not answer.isfinite().all():
        raise Mistake(
            "a feature that is the same for all images gives NaN: it is divided by a standard deviation of 0. After a "
            "ReLU there are such features. Add a small number to the variance, such as 1e-5."
        )
    answer = ask_loss("7.3", lambda: answer, ())
    if not (torch.equal(given[0], z) and torch.equal(given[1], z2)):
        raise Mistake("you changed the features in place. Work on copies.")
    expected = cross_correlation(leaves[0], leaves[1], WEIGHT)
    if not same(answer, expected):
        raise Mistake(_explain(answer.detach(), z, z2, float(expected.detach())))
    judge_slope(answer, expected, leaves)


def _explain(answer: Tensor, z: Embeddings, z2: Embeddings, expected: float) -> str:
    def standard(view: Tensor, dim: int = 0, correction: int = 0) -> Tensor:
        spread = (view.var(dim, correction=correction, keepdim=True) + 1e-5).sqrt()
        return (view - view.mean(dim, keepdim=True)) / spread

    def spread_only(view: Tensor) -> Tensor:
        return view / (view.var(0, correction=0) + 1e-5).sqrt()

    def over_variance(view: Tensor) -> Tensor:
        return (view - view.mean(0)) / (view.var(0, correction=0) + 1e-5)

    def correlations(first: Tensor, second: Tensor, count: float = IMAGES) -> Tensor:
        return first.T @ second / count

    one, two = standard(z), standard(z2)
    C, identity = correlations(one, two), torch.eye(FEATURES)
    squares = (C - identity).square()
    diagonal, rest = squares.diagonal().sum(), squares.sum() - squares.diagonal().sum()
    over_features = "you standardise each image over its features. Standardise each feature over the *batch*: dim=0."
    of_images = (
        "your C has a row and a column for each image: it says which images look alike. The features are to be "
        "compared: z.T @ z2, divided by the number of images."
    )
    for wrong, sentence in (
        (_loss(correlations(z, z2)), "your features are not standardised: subtract the mean over the batch and divide "
         "by the standard deviation over the batch."),
        (_loss(correlations(standard(z, 1), standard(z2, 1))), over_features),
        (_loss(correlations(standard(z, 1, 1), standard(z2, 1, 1))), over_features),
        (_loss(correlations(F.normalize(z, dim=1), F.normalize(z2, dim=1))), "you bring each embedding to length 1, as "
         "for the contrastive losses. Here each *feature* is standardised over the batch."),
        (_loss(correlations(z - z.mean(0), z2 - z2.mean(0))), "you subtract the mean of each feature, but do not "
         "divide by its standard deviation."),
        (_loss(correlations(over_variance(z), over_variance(z2))), "you divide by the variance of each feature. Divide "
         "by its root, the standard deviation."),
        (_loss(correlations(spread_only(z), spread_only(z2))), "you divide by the standard deviation of each feature, "
         "but do not subtract its mean."),
        (_loss(correlations(F.normalize(z, dim=0), F.normalize(z2, dim=0), 1)), "you bring each feature to length 1, "
         "but do not subtract its mean first."),
        (_loss(correlations(one, (z2 - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt())), "you standardise the "
         "second view by the mean and the spread of the first. Each view has its own."),
        (_loss(correlations(one, two, FEATURES)), "you divide by the number of features. C is a mean over the images: "
         "divide by how many there are."),
        (_loss(correlations(one, two, IMAGES - 1)), "you divide by the number of images minus one, but standardise as "
         "if it were the number of images. Take the same for both."),
        (_loss(correlations(standard(z, correction=1), standard(z2, correction=1))), "a feature correlates with itself "
         "by less than 1 in your C: std() divides by the number of images minus one, and you by the number of images. "
         "Take the same for both: std(0, correction=0)."),
        (_loss(correlations(one, two, 1)), "you do not divide by the number of images, so that C grows with the "
         "batch."),
        (_loss(one @ two.T / IMAGES), of_images),
        (_loss(one @ two.T / FEATURES), of_images),
        (diagonal + rest, "the weight plays no part: it is that of the terms off the diagonal."),
        (WEIGHT * (diagonal + rest), "you weigh all terms. The weight is that of the terms off the diagonal alone."),
        (WEIGHT * diagonal + rest, "you weigh the diagonal. The weight is that of the terms off it."),
        (diagonal + WEIGHT * (diagonal + rest), "the diagonal is in your second sum, too. It runs over i != j."),
        (diagonal + WEIGHT * C.square().sum(), "the diagonal is in your second sum, too. It runs over i != j."),
        (diagonal + WEIGHT * ((C - 1).square().sum() - diagonal), "you subtract 1 everywhere. Only the diagonal shall "
         "be 1; off it the correlations shall be 0."),
        (C.diagonal().square().sum() + WEIGHT * rest, "you subtract nothing: the diagonal of C shall be 1, not 0."),
        (diagonal, "the terms off the diagonal are missing. Without them all features may be the same."),
        (WEIGHT * rest, "the terms on the diagonal are missing: nothing asks the two views to agree."),
        ((C - identity).diagonal().sum() + WEIGHT * (C.sum() - C.trace()), "your terms are not squared."),
        ((diagonal + WEIGHT * rest) / FEATURES, "you take a mean over the features. The authors add up."),
        (squares.diagonal().mean() + WEIGHT * rest / (FEATURES * (FEATURES - 1)), "you take means over the diagonal "
         "and over the rest. The authors add up."),
        *((diagonal + WEIGHT * once.sum(), "you take each pair once. C is not symmetric: i != j runs over both orders.")
          for once in (squares.triu(1), squares.tril(-1))),
        (_loss(correlations(one, one)), "you correlate z with itself. The second view is z2."),
    ):  # fmt: skip
        if same(answer, wrong):
            return sentence
    return (
        f"here the diagonal adds {float(diagonal):.3f} and the rest {WEIGHT} * {float(rest):.3f}, in all "
        f"{expected:.3f}; yours is {float(answer):.3f}."
    )


def _loss(c: Tensor) -> Tensor:
    """The loss of a matrix of correlations: the squared distances from the identity, off the diagonal weighted."""
    squares = (c - torch.eye(len(c))).square()
    diagonal = squares.diagonal().sum()
    return diagonal + WEIGHT * (squares.sum() - diagonal)
