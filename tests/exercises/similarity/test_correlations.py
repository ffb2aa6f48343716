"""Exercise 7.3 accepts every right loss of correlations and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

from seminar_lib.exercises import similarity

from ..conftest import praises, refuses


def standard(view, dim=0, correction=0):
    return (view - view.mean(dim, keepdim=True)) / (view.var(dim, correction=correction, keepdim=True) + 1e-5).sqrt()


def by_batch(one, two):
    return one.T @ two / len(one)


def on_and_off(c, weight):
    squares = (c - torch.eye(len(c))).square()
    return squares.diagonal().sum() + weight * (squares.sum() - squares.diagonal().sum())


def twins(normalise=standard, correlate=by_batch, finish=on_and_off):
    """The loss with one thing exchanged at a time."""
    return lambda z, z2, weight: finish(correlate(normalise(z), normalise(z2)), weight)


def feature_by_feature(z, z2, weight):
    """A double loop over torch's own standard deviation, which divides by one less in both places."""
    total = 0
    for i, first in enumerate(z.T):
        for j, second in enumerate(z2.T):
            product = ((first - first.mean()) * (second - second.mean())).sum() / (len(z) - 1)
            c = product / ((first.var() + 1e-6).sqrt() * (second.var() + 1e-6).sqrt())
            total = total + ((c - 1) ** 2 if i == j else weight * c**2)
    return total


def by_batch_norm(z, z2, weight):
    c = F.batch_norm(z, None, None, training=True).T @ F.batch_norm(z2, None, None, training=True) / len(z)
    off = ~torch.eye(len(c), dtype=torch.bool)
    return (c.diagonal() - 1).pow(2).sum() + weight * c[off].pow(2).sum()


def centred(view):
    return view - view.mean(0)


def off(c):
    return c[~torch.eye(len(c), dtype=torch.bool)]


def diagonal(c):
    return (c.diagonal() - 1).square().sum()


def in_place(z, z2, weight):
    for view in (z, z2):
        view.sub_(view.detach().mean(0))
    return twins()(z, z2, weight)


def by_the_first_view(z, z2, weight):
    by_first = lambda view: (view - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt()  # noqa: E731
    return twins(by_first)(z, z2, weight)


def bare(view):
    return (view - view.mean(0)) / view.std(0, correction=0)


test_every_right_loss_is_praised = praises(similarity.check_correlation, twins(), feature_by_feature, by_batch_norm)

test_a_wrong_loss_gets_its_sentence = refuses(
    similarity.check_correlation,
    (lambda *_: None, "returns nothing"),
    (twins(finish=lambda c, w: c), "expected (): one number"),
    (twins(lambda view: view), "your features are not standardised"),
    (twins(lambda view: standard(view, 1)), "over its features"),
    (twins(lambda view: standard(view, 1, 1)), "over its features"),
    (twins(lambda view: F.normalize(view, dim=1)), "to length 1"),
    (twins(lambda view: (view - view.mean(0)) / (view.var(0, correction=0) + 1e-5)), "by its root"),
    (twins(centred), "do not divide by its standard deviation"),
    (twins(lambda view: view / view.std(0, correction=0)), "do not subtract its mean"),
    (twins(correlate=lambda one, two: one.T @ two / one.shape[1]), "by the number of features"),
    (twins(correlate=lambda one, two: one.T @ two / (len(one) - 1)), "minus one, but standardise"),
    (twins(lambda view: standard(view, correction=1)), "std() divides"),
    (twins(correlate=lambda one, two: one.T @ two), "you do not divide"),
    (twins(correlate=lambda one, two: one @ two.T / len(one)), "a row and a column for each image"),
    (twins(correlate=lambda one, two: one @ two.T / one.shape[1]), "a row and a column for each image"),
    (twins(finish=lambda c, w: diagonal(c) + off(c).square().sum()), "the weight plays no part"),
    (twins(finish=lambda c, w: w * (c - torch.eye(len(c))).square().sum()), "you weigh all terms"),
    (twins(finish=lambda c, w: w * diagonal(c) + off(c).square().sum()), "you weigh the diagonal"),
    (twins(finish=lambda c, w: on_and_off(c, w) + w * diagonal(c)), "in your second sum, too"),
    (twins(finish=lambda c, w: diagonal(c) + w * c.square().sum()), "in your second sum, too"),
    (twins(finish=lambda c, w: diagonal(c) + w * (off(c) - 1).square().sum()), "you subtract 1 everywhere"),
    (twins(finish=lambda c, w: c.diagonal().square().sum() + w * off(c).square().sum()), "you subtract nothing"),
    (twins(finish=lambda c, w: diagonal(c)), "off the diagonal are missing"),
    (twins(finish=lambda c, w: w * off(c).square().sum()), "on the diagonal are missing"),
    (twins(finish=lambda c, w: (c.diagonal() - 1).sum() + w * off(c).sum()), "not squared"),
    (twins(finish=lambda c, w: on_and_off(c, w) / len(c)), "a mean over the features"),
    (
        twins(finish=lambda c, w: diagonal(c) / len(c) + w * off(c).square().mean()),
        "means over the diagonal and over the rest",
    ),
    (twins(finish=lambda c, w: diagonal(c) + w * c.triu(1).square().sum()), "each pair once"),
    (twins(finish=lambda c, w: diagonal(c) + w * c.tril(-1).square().sum()), "each pair once"),
    (twins(lambda view: F.normalize(view, dim=0), lambda one, two: one.T @ two), "to length 1, but do not subtract"),
    (by_the_first_view, "Each view has its own"),
    (lambda z, z2, w: twins()(z, z, w), "you correlate z with itself"),
    (lambda z, z2, w: 2 * twins()(z, z2, w), "here the diagonal adds"),
    (twins(bare), "the same for all images gives NaN"),
    (in_place, "in place"),
    (lambda z, z2, w: twins()(z, z2.detach(), w), "a part of its gradient is missing"),
    (lambda z, z2, w: twins()(z, z2, w).detach(), "no gradient flows back"),
)
