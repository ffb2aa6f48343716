"""Exercise 6.2 accepts all right weights and says what is wrong with each typical wrong ones."""

import torch

from seminar_lib.exercises import contrastive

from ..conftest import praises, refuses

INF = float("inf")


def kind(cosine, y):
    return y[:, None] == y


def positive(cosine, y):
    return kind(cosine, y) & ~torch.eye(len(y), dtype=torch.bool)


def everybody(cosine, y):
    return torch.ones_like(cosine, dtype=torch.bool)


def everybody_else(cosine, y):
    return ~torch.eye(len(y), dtype=torch.bool)


def shared_out(among=positive, keep=None, sign=-1, dim=1, scale=lambda mask: 1, left_out=-INF):
    """A softmax over a mask, with one thing exchanged at a time."""

    def my_weights(cosine, y, beta):
        mask = among(cosine, y)
        w = (sign * beta * cosine.detach()).masked_fill(~mask, left_out).softmax(dim)
        return w.masked_fill(~(keep or among)(cosine, y), 0) * scale(mask)

    return my_weights


def divided(cosine, y, beta):
    raw = (-beta * cosine.detach()).exp() * positive(cosine, y)
    return raw / raw.sum(1, keepdim=True).clamp(min=1e-12)


def word_for_word(cosine, y, beta):
    w = torch.zeros_like(cosine)
    for i in range(len(y)):
        mine = [p for p in range(len(y)) if p != i and y[p] == y[i]]
        for p in mine:
            w[i, p] = 1 / sum(torch.exp(beta * (cosine[i, p] - cosine[i, q])).item() for q in mine)
    return w


def raw(cosine, y, beta):
    return (-beta * cosine.detach()).exp() * positive(cosine, y)


def in_place(cosine, y, beta):
    answer = divided(cosine, y, beta)
    cosine.detach().fill_diagonal_(-INF)
    return answer


def with_gradient(cosine, y, beta):
    mask = positive(cosine, y)
    return (-beta * cosine).masked_fill(~mask, -INF).softmax(1).masked_fill(~mask, 0)


def undefined_on_the_diagonal(cosine, y, beta):
    """A root of 1 - s, below 0 where rounding has made s larger than 1."""
    raw = (1 - cosine.detach() - 1e-6) ** 0.5 * positive(cosine, y)
    return raw / raw.sum(1, keepdim=True)


def nothing_shared_out(cosine, y, beta):
    raw = (-beta * cosine.detach()).exp() * positive(cosine, y)
    return raw / raw.sum(1, keepdim=True)


def alike(cosine, y, beta):
    mask = positive(cosine, y)
    return mask / mask.sum(1, keepdim=True).clamp(min=1)


test_all_right_weights_are_praised = praises(contrastive.check_weights, shared_out(), divided, word_for_word)

test_wrong_weights_get_their_sentence = refuses(
    contrastive.check_weights,
    (lambda cosine, y, beta: None, "returns nothing"),
    (lambda cosine, y, beta: divided(cosine, y, beta).sum(1), "a row and a column for each example"),
    (shared_out(left_out=0.0), "exp(0) = 1 still counts"),
    (shared_out(keep=everybody, left_out=0.0), "exp(0) = 1 still counts"),
    (undefined_on_the_diagonal, "though every embedding has a positive"),
    (nothing_shared_out, "alone in its class"),
    (shared_out(sign=1), "the *most* similar positives"),
    (raw, "as it is"),
    (shared_out(everybody), "Negatives are no positives"),
    (shared_out(everybody_else), "Negatives are no positives"),
    (shared_out(everybody, positive), "Negatives are no positives"),
    (shared_out(everybody_else, positive), "Negatives are no positives"),
    (shared_out(kind), "among its own positives"),
    (shared_out(kind, positive), "has a share, too"),
    (shared_out(scale=lambda mask: mask.sum(1, keepdim=True)), "sum to the number of its positives"),
    (lambda *given: raw(*given) / raw(*given).sum(), "the sum of all weights"),
    (shared_out(dim=0), "your columns sum to 1"),
    (alike, "beta plays no part"),
    (shared_out(lambda cosine, y: y[:, None] != y), "of *other* classes"),
    (lambda cosine, y, beta: divided(cosine, y, 2 * beta), "the positives of anchor"),
    (lambda *given: raw(*given) / raw(*given).sum(1, keepdim=True), "shared out among nobody"),
    (in_place, "in place"),
    (with_gradient, "they carry a gradient"),
)
