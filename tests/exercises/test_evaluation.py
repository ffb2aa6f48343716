"""The checks of lesson 03 accept every right answer and say what is wrong with each typical wrong one."""

import math

import torch
from scipy.stats import binomtest

import seminar_lib as sl
from seminar_lib.exercises import evaluation

from .conftest import praises, refuses

# 3.1: the worst case


def combine(correct):
    broken = ~correct
    return correct.all(0).float().mean(), (broken & (broken.sum(0) == 1)).sum(1)


def combine_in_a_loop(correct):
    stands, alone = 0, [0] * len(correct)
    for image in correct.T.tolist():
        stands += all(image)
        if image.count(False) == 1:
            alone[image.index(False)] += 1
    return stands / correct.shape[1], alone


def share(function):
    """A wrong share with right counts."""
    return lambda correct: (function(correct), combine(correct)[1])


def counts(function):
    return lambda correct: (combine(correct)[0], function(correct))


def in_place(correct):
    answer = combine(correct)
    correct[:] = True
    return answer


test_every_right_worst_case_is_praised = praises(evaluation.check_worst_case, combine, combine_in_a_loop)

test_a_wrong_worst_case_gets_its_sentence = refuses(
    evaluation.check_worst_case,
    (lambda correct: None, "return two things"),
    (lambda correct: combine(correct)[0], "return two things"),
    (share(lambda correct: "0.444"), "the share must be a number"),
    (share(lambda correct: correct.float().mean(1).min()), "the strongest attack"),
    (share(lambda correct: correct.float().mean(1).max()), "the weakest attack"),
    (share(lambda correct: correct.float().mean()), "average over the attacks"),
    (share(lambda correct: correct.any(0).float().mean()), "stand against all"),
    (share(lambda correct: correct.float().mean(1).prod()), "independently"),
    (share(lambda correct: correct.all(0).sum()), "a number of images"),
    (share(lambda correct: 1 - correct.all(0).float().mean()), "the share of images that fall"),
    (share(lambda correct: 0.5), "0.444"),
    (counts(lambda correct: 4), "one number for each attack"),
    (counts(lambda correct: correct.sum(0)), "one number for each attack"),
    (counts(lambda correct: (~correct).sum(1)), "no other attack broke"),
    (counts(lambda correct: correct.sum(1)), "images that stand"),
    (counts(lambda correct: torch.zeros(3)), "exactly one attack"),
    (in_place, "in place"),
)


# 3.2: the interval


def wilson(k, n, z=1.96, root=math.sqrt, extra=1.0, middle=1.0, factor=1.0, divide=True):
    """Wilson's interval, with one part exchanged at a time."""
    p = k / n
    centre = p + middle * z**2 / (2 * n)
    half = factor * z * root(p * (1 - p) / n + extra * z**2 / (4 * n**2))
    scale = 1 + z**2 / n if divide else 1
    return (centre - half) / scale, (centre + half) / scale


def by_scipy(k, n):
    interval = binomtest(k, n).proportion_ci(method="wilson")
    return [interval.low, interval.high]


def by_tensors(k, n):
    low, high = wilson(k, n)
    return torch.tensor(low), torch.tensor(high)


def wald(k, n):
    p, half = k / n, 1.96 * math.sqrt(k / n * (1 - k / n) / n)
    return p - half, p + half


test_every_right_interval_is_praised = praises(evaluation.check_interval, wilson, by_scipy, by_tensors)

test_a_wrong_interval_gets_its_sentence = refuses(
    evaluation.check_interval,
    (lambda k, n: k / n, "return two numbers"),
    (lambda k, n: (None, 1.0), "must be a number"),
    (lambda k, n: wilson(k, n)[::-1], "wrong order"),
    (wald, "standard errors"),
    (lambda k, n: wilson(k, n, divide=False), "forgot to divide"),
    (lambda k, n: wilson(k, n, factor=1 / 1.96), "lacks the factor z"),
    (lambda k, n: wilson(k, n, middle=0.0), "your middle lacks"),
    (lambda k, n: wilson(k, n, root=lambda v: 1.96 * v), "lacks the square root"),
    (lambda k, n: wilson(k, n, extra=0.0), "under your root"),
    (lambda k, n: tuple(100 * end for end in wilson(k, n)), "not percent"),
    (lambda k, n: wilson(k, n, z=2.58), "Wilson's is"),
)


# 3.3: the loss without a scale


def my_dlr(logits, y):
    true = logits.gather(1, y[:, None]).squeeze(1)
    other = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    ordered = logits.sort(1, descending=True).values
    return (other - true) / (ordered[:, 0] - ordered[:, 2])


def dlr_by_image(logits, y):
    losses = []
    for z, label in zip(logits.tolist(), y.tolist(), strict=True):
        ordered = sorted(z, reverse=True)
        others = [value for j, value in enumerate(z) if j != label]
        losses.append((max(others) - z[label]) / (ordered[0] - ordered[2]))
    return torch.tensor(losses)


def ratio(top, bottom):
    """A ratio of other logits than the right ones, numbered as sorted."""

    def loss(logits, y):
        ordered = logits.sort(1, descending=True).values
        true = logits.gather(1, y[:, None]).squeeze(1)
        other = sl.margin(logits, y) + true if top is None else ordered[:, top]
        return (other - true) / (ordered[:, bottom[0]] - ordered[:, bottom[1]])

    return loss


def dlr_in_place(logits, y):
    answer = my_dlr(logits, y)
    logits.zero_()
    return answer


test_every_right_loss_is_praised = praises(evaluation.check_loss, my_dlr, dlr_by_image, sl.dlr)

test_a_wrong_loss_gets_its_sentence = refuses(
    evaluation.check_loss,
    (lambda logits, y: None, "returns nothing"),
    (lambda logits, y: my_dlr(logits, y).mean(), "has shape"),
    (lambda logits, y: -my_dlr(logits, y), "sign is turned"),
    (sl.margin, "the margin alone"),
    (ratio(None, (0, 1)), "z_(1) - z_(2)"),
    (ratio(None, (1, 2)), "z_(2) - z_(3)"),
    (ratio(0, (0, 2)), "the true class itself"),
    (ratio(1, (0, 2)), "not always the second"),
    (lambda logits, y: my_dlr(logits.softmax(1), y), "use probabilities"),
    (lambda logits, y: my_dlr(logits, y).clamp(-0.5, 0.5), "for logits"),
    (lambda logits, y: my_dlr(logits, y) + 1e-5 * (logits.abs().amax(1) > 100) * logits[:, 0], "1000 times as large"),
    (dlr_in_place, "in place"),
)


# 3.4: random search


def search(better=lambda new, old: new > old, start=lambda best, x: best, count=lambda queries: queries):
    """Random search with one part exchanged at a time."""

    def my_search(score, propose, x, queries):
        best, highest = x.clone(), score(x)
        for _ in range(count(queries)):
            proposal = propose(start(best, x))
            loss = score(proposal)
            kept = better(loss, highest).expand(len(x))
            best = torch.where(kept[:, None, None, None], proposal, best)
            highest = torch.where(kept, loss, highest)
        return best

    return my_search


def by_index(score, propose, x, queries):
    best = x.clone()
    for _ in range(queries):
        proposal = propose(best)
        rows = score(proposal) > score(best)
        best[rows] = proposal[rows]
    return best


def last(score, propose, x, queries):
    for _ in range(queries):
        x = propose(x)
        score(x)
    return x


def stale(score, propose, x, queries):
    """The record is never brought up to date."""
    best, highest = x.clone(), score(x)
    for _ in range(queries):
        proposal = propose(best)
        better = score(proposal) > highest
        best[better] = proposal[better]
    return best


def into_x(score, propose, x, queries):
    answer = search()(score, propose, x, queries)
    return x.copy_(answer)


def bold(score, propose, x, queries):
    """Drops proposals that are better by a little."""
    return search(better=lambda new, old: new > old + 0.02)(score, propose, x, queries)


test_every_right_search_is_praised = praises(
    evaluation.check_search, search(), by_index, search(better=lambda new, old: new >= old)
)

test_a_wrong_search_gets_its_sentence = refuses(
    evaluation.check_search,
    (lambda score, propose, x, queries: None, "returns nothing"),
    (lambda score, propose, x, queries: score(x), "has shape"),
    (lambda score, propose, x, queries: x.clone(), "never call propose"),
    (lambda score, propose, x, queries: [propose(x) for _ in range(queries)][-1], "never call score"),
    (search(count=lambda queries: queries + 1), "were allowed"),
    (search(better=lambda new, old: new > 9), "no proposal was ever kept"),
    (search(start=lambda best, x: x), "starts at x again"),
    (search(better=lambda new, old: new.mean() > old.mean()), "the whole batch"),
    (search(better=lambda new, old: new < old), "lower the loss"),
    (last, "the last proposal"),
    (stale, "brought up to date"),
    (bold, "had a higher loss"),
    (into_x, "in place"),
)
