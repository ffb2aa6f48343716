"""Exercise 6.1 accepts every right SupCon and says what is wrong with each typical wrong one."""

from functools import partial

import torch
import torch.nn.functional as F

from seminar_lib.exercises import contrastive

from ..conftest import praises, refuses

INF = float("inf")


def identity(z):
    return torch.eye(len(z), dtype=torch.bool)


def shares(z, temperature, hidden=identity, normalise=lambda z: F.normalize(z, dim=1), left_out=-INF):
    """The logarithms of the shares, with 0 on the diagonal."""
    u = normalise(z)
    logs = (u @ u.T / temperature).masked_fill(hidden(z), left_out).log_softmax(1)
    return logs.masked_fill(identity(z), 0)


def same_class(z, y):
    return (y[:, None] == y) & ~identity(z)


def supervised(
    logs=shares,
    positive=same_class,
    finish=lambda logs, positive: -(logs * positive).sum(1) / positive.sum(1).clamp(min=1),
):
    """SupCon with one thing exchanged at a time."""
    return lambda z, y, temperature: finish(logs(z, temperature), positive(z, y))


def divided_by(count):
    return supervised(finish=lambda logs, positive: -(logs * positive).sum(1) / count(positive))


def word_for_word(z, y, temperature):
    """One anchor at a time."""
    losses = []
    for i in range(len(z)):
        scores = {a: torch.cosine_similarity(z[i], z[a], dim=0) / temperature for a in range(len(z)) if a != i}
        total = torch.stack(list(scores.values())).exp().sum()
        terms = [-(scores[p].exp() / total).log() for p in scores if y[p] == y[i]]
        losses.append(sum(terms) / len(terms) if terms else 0 * total)
    return torch.stack(losses)


def negatives_only(z, y, temperature):
    u, positive = F.normalize(z, dim=1), same_class(z, y)
    scores = u @ u.T / temperature
    logs = scores - scores.masked_fill(positive | identity(z), -INF).logsumexp(1, keepdim=True)
    return -(logs * positive).sum(1) / positive.sum(1).clamp(min=1)


def with_itself(z, y, temperature):
    u, kind = F.normalize(z, dim=1), y[:, None] == y
    logs = (u @ u.T / temperature).log_softmax(1)
    return -(logs * kind).sum(1) / kind.sum(1)


def infinite_diagonal(z, y, temperature):
    u = F.normalize(z, dim=1)
    logs = (u @ u.T / temperature).masked_fill(identity(z), -INF).log_softmax(1)
    return -(logs * same_class(z, y)).sum(1) / same_class(z, y).sum(1)


def silent_gap(z, y, temperature):
    """The value is mended after the division, its gradient is not."""
    logs, positive = shares(z, temperature), same_class(z, y)
    loss = -(logs * positive).sum(1) / positive.sum(1)
    return torch.where(positive.any(1), loss, (logs * positive).sum(1).sqrt())


def normalised_in_place(z, y, temperature):
    z.div_(z.detach().norm(dim=1, keepdim=True))
    return supervised()(z, y, temperature)


def in_log(inside):
    return supervised(finish=lambda logs, positive: -inside((logs.exp() * positive).sum(1), positive.sum(1)).log())


test_every_right_loss_is_praised = praises(contrastive.check_sup_con, supervised(), word_for_word)

test_a_wrong_loss_gets_its_sentence = refuses(
    contrastive.check_sup_con,
    (lambda z, y, t: None, "returns nothing"),
    (lambda z, y, t: supervised()(z, y, t).mean(), "has shape ()"),
    (infinite_diagonal, "0 * -inf is NaN"),
    (supervised(partial(shares, left_out=0.0)), "exp(0) = 1 still counts"),
    (divided_by(lambda positive: positive.sum(1)), "alone in its class"),
    (silent_gap, "its gradient holds NaN or infinity"),
    (supervised(logs=lambda z, t: shares(z, t, lambda z: ~identity(z) & False)), "the anchor itself is among"),
    (supervised(logs=lambda z, t: shares(z, t, normalise=lambda z: z)), "dot products"),
    (supervised(logs=lambda z, t: shares(z, t, normalise=lambda z: F.normalize(z, dim=0))), "over the batch"),
    (supervised(logs=lambda z, t: shares(z, 1 / t)), "multiply by the temperature"),
    (supervised(logs=lambda z, t: shares(z, 1.0)), "plays no part"),
    (negatives_only, "the negatives only"),
    (lambda z, y, t: -supervised()(z, y, t), "your sign is turned"),
    (in_log(lambda total, count: total / count), "the logarithm of the mean share"),
    (in_log(lambda total, count: total), "the logarithm of the sum of the shares"),
    (with_itself, "counts as its own positive"),
    (divided_by(lambda positive: positive.sum(1) + 1), "divide by the size of the class"),
    (divided_by(lambda positive: len(positive)), "the number of all embeddings"),
    (divided_by(lambda positive: len(positive) - 1), "the number of all others"),
    (divided_by(lambda positive: 1), "you add up over the positives"),
    (supervised(positive=lambda z, y: y[:, None] != y), "of *other* classes"),
    (lambda z, y, t: supervised()(z, y, t) * t / 0.07, "temperature / 0.07"),
    (lambda z, y, t: supervised()(z, y, t) / len(z), "the number of embeddings"),
    (lambda z, y, t: supervised()(z, y, t) + 1, "the loss of embedding"),
    (normalised_in_place, "in place"),
    (lambda z, y, t: supervised()(z.detach(), y, t), "no gradient flows back"),
)
