"""Exercise 3.4 accepts every right search and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.exercises import evaluation

from ..conftest import praises, refuses


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


def last_of_a_right_search(score, propose, x, queries):
    best, highest, proposal = x.clone(), score(x), x
    for _ in range(queries):
        proposal = propose(best)
        loss = score(proposal)
        better = loss > highest
        best[better], highest[better] = proposal[better], loss[better]
    return proposal


def from_minus_infinity(score, propose, x, queries):
    best, highest = x.clone(), torch.full((len(x),), -torch.inf)
    for _ in range(queries):
        proposal = propose(best)
        loss = score(proposal)
        better = loss > highest
        best[better], highest[better] = proposal[better], loss[better]
    return best


def against_the_last(score, propose, x, queries):
    """The record follows every proposal, also those that were dropped."""
    best, highest = x.clone(), score(x)
    for _ in range(queries):
        proposal = propose(best)
        loss = score(proposal)
        best = torch.where((loss > highest)[:, None, None, None], proposal, best)
        highest = loss
    return best


def back_to_x(score, propose, x, queries):
    best, highest = x, score(x)
    for _ in range(queries):
        proposal = propose(best)
        loss = score(proposal)
        best = torch.where((loss > highest)[:, None, None, None], proposal, x)
        highest = torch.maximum(loss, highest)
    return best


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
    (last_of_a_right_search, "the last proposal"),
    (from_minus_infinity, "Start `highest` with the score of x"),
    (against_the_last, "with the proposal before"),
    (search(better=lambda new, old: (new > old).any()), "the last proposal"),
    (search(better=lambda new, old: (new > old).all()), "no proposal was ever kept"),
    (lambda score, propose, x, queries: search()(score, propose, x, queries) - x, "return the perturbation"),
    (stale, "brought up to date"),
    (back_to_x, "where a proposal is dropped"),
    (bold, "had a higher loss"),
    (into_x, "in place"),
)
