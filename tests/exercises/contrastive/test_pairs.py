"""Exercise 5.1 accepts every right NT-Xent and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

from seminar_lib.exercises import contrastive

from ..conftest import praises, refuses

INF = float("inf")


def cosines(z, z2):
    u = F.normalize(torch.cat([z, z2]), dim=1)
    return u @ u.T


def dots(z, z2):
    both = torch.cat([z, z2])
    return both @ both.T


def of_features(z, z2):
    u = F.normalize(torch.cat([z, z2]), dim=0)
    return u @ u.T


def of_features_of_each(z, z2):
    u = torch.cat([F.normalize(view, dim=0) for view in (z, z2)])
    return u @ u.T


def times_infinity(z, z2, temperature):
    return halves((cosines(z, z2) - torch.eye(2 * len(z)) * INF).logsumexp(1))


def halves(losses):
    return sum(losses.chunk(2)) / 2


def views(
    similarity=cosines,
    scale=lambda t: 1 / t,
    leave_out=lambda n: torch.eye(2 * n, dtype=torch.bool),
    partner=lambda n: torch.arange(2 * n).roll(n),
    finish=halves,
    left_out=-INF,
    given=lambda scores: scores,
):
    """NT-Xent as a classification among all others, with one thing exchanged at a time."""

    def my_nt_xent(z, z2, temperature):
        n = len(z)
        scores = (similarity(z, z2) * scale(temperature)).masked_fill(leave_out(n), left_out)
        return finish(F.cross_entropy(given(scores), partner(n), reduction="none"))

    return my_nt_xent


def word_for_word(z, z2, temperature):
    """One anchor at a time."""
    both, n = torch.cat([z, z2]), len(z)
    losses = []
    for i in range(2 * n):
        others = [a for a in range(2 * n) if a != i]
        scores = torch.stack([torch.cosine_similarity(both[i], both[a], dim=0) / temperature for a in others])
        losses.append(torch.logsumexp(scores, 0) - scores[others.index((i + n) % (2 * n))])
    return torch.stack([(losses[i] + losses[i + n]) / 2 for i in range(n)])


def negatives_only(z, z2, temperature):
    n, scores = len(z), cosines(z, z2) / temperature
    rows, partner = torch.arange(2 * n), torch.arange(2 * n).roll(n)
    hidden = torch.eye(2 * n, dtype=torch.bool)
    hidden[rows, partner] = True
    return halves(scores.masked_fill(hidden, -INF).logsumexp(1) - scores[rows, partner])


def across(both_ways):
    def my_nt_xent(z, z2, temperature):
        scores, own = F.normalize(z, dim=1) @ F.normalize(z2, dim=1).T / temperature, torch.arange(len(z))
        there = F.cross_entropy(scores, own, reduction="none")
        return (there + F.cross_entropy(scores.T, own, reduction="none")) / 2 if both_ways else there

    return my_nt_xent


def normalised_in_place(z, z2, temperature):
    for view in (z, z2):
        view.div_(view.detach().norm(dim=1, keepdim=True))
    return views()(z, z2, temperature)


def half_detached(z, z2, temperature):
    return views()(z, z2.detach(), temperature)


def by_numbers(z, z2, temperature):
    return torch.tensor(views()(z, z2, temperature).tolist())


nobody = lambda n: torch.zeros(2 * n, 2 * n, dtype=torch.bool)  # noqa: E731
itself = lambda n: torch.arange(2 * n)  # noqa: E731

test_every_right_loss_is_praised = praises(contrastive.check_nt_xent, views(), word_for_word)

test_a_wrong_loss_gets_its_sentence = refuses(
    contrastive.check_nt_xent,
    (lambda z, z2, t: None, "returns nothing"),
    (views(finish=lambda losses: losses.mean()), "has shape ()"),
    (views(finish=lambda losses: losses), "each of the 2B anchors"),
    (views(finish=lambda losses: losses.view(-1, 2).mean(1)), "neighbouring rows"),
    (views(finish=lambda losses: float(losses.mean())), "Leave out float() and item()"),
    (views(leave_out=nobody), "the anchor itself is among the others"),
    (views(left_out=0.0), "exp(0) = 1 still counts"),
    (views(given=lambda scores: scores.softmax(1)), "has the softmax inside"),
    (views(dots), "dot products"),
    (views(of_features), "each feature over the batch"),
    (views(of_features_of_each), "each feature over its view"),
    (times_infinity, "0 * inf"),
    (views(scale=lambda t: t), "multiply by the temperature"),
    (views(scale=lambda t: 1), "plays no part"),
    (negatives_only, "the negatives only"),
    (views(finish=lambda losses: -halves(losses)), "your sign is turned"),
    (views(partner=lambda n: torch.arange(2 * n) ^ 1), "neighbouring rows"),
    (views(leave_out=nobody, partner=itself), "to find itself"),
    (views(partner=itself), "what has been taken out of the sum"),
    (across(both_ways=True), "the other view only"),
    (across(both_ways=False), "the other view only"),
    (views(finish=lambda losses: losses.chunk(2)[0]), "only the embeddings in z are"),
    (views(finish=lambda losses: losses.chunk(2)[1]), "only the embeddings in z2 are"),
    (views(finish=lambda losses: sum(losses.chunk(2))), "the two anchors of an image"),
    (views(finish=lambda losses: halves(losses) / 5), "the number of images"),
    (views(scale=lambda t: 1 / t**2), "the loss of the first image is"),
    (normalised_in_place, "in place"),
    (half_detached, "a part of its gradient is missing"),
    (by_numbers, "no gradient flows back"),
)
