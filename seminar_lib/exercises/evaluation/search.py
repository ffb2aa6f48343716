"""The check of exercise 3.4: random search."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same
from seminar_lib.types import Images, PerExample


@marks
def check_search(my_search: Answer) -> None:
    """Exercise 3.4: random search, which keeps a proposal where it raises the loss of its image."""
    for queries in (8, 3):
        _judge_search(_Search(my_search, queries))
    right("3.4", "No gradient was asked for: only the loss of each proposal.")


class _Search:
    """One call of a student's search, on a loss and proposals that are written down.

    The loss is the mean of an image, so that a proposal is good for some images and bad for others.

    Attributes:
        proposals: every batch that was proposed, in order.
        origins: what each was proposed for.
        scored: how many batches were scored.
    """

    def __init__(self, my_search: Answer, queries: int) -> None:
        self.queries = queries
        self.clean = torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(5)) * 0.2 + 0.4
        self.x = self.clean.clone()
        self.generator = torch.Generator().manual_seed(6)
        self.proposals: list[Images] = []
        self.origins: list[Images] = []
        self.scored = 0
        self.answer = ask_tensor("3.4", my_search, tuple(self.x.shape), self.score, self.propose, self.x, queries)

    def score(self, images: Images) -> PerExample:
        self.scored += 1
        return images.mean((1, 2, 3))

    def propose(self, images: Images) -> Images:
        self.origins.append(images.clone())
        step = 0.1 * torch.randn(images.shape, generator=self.generator)
        self.proposals.append((images + step).clamp(0, 1))
        return self.proposals[-1].clone()


def _judge_search(run: _Search) -> None:
    if not torch.equal(run.x, run.clean):
        raise Mistake("you changed x in place. Work on a copy.")
    if not run.proposals:
        raise Mistake("you never call propose.")
    if not run.scored:
        raise Mistake("you never call score.")
    if len(run.proposals) != run.queries:
        raise Mistake(f"you call propose {len(run.proposals)} times; queries = {run.queries} were allowed.")
    by_image, by_batch, falling = (_followed(run, rule) for rule in (_where_higher, _batch_higher, _where_lower))
    if same(run.answer, by_image[-1]) and all(map(same, run.origins, by_image)):
        return
    if same(run.answer, run.clean):
        raise Mistake("you return x: no proposal was ever kept, though some raise the loss.")
    if same(run.clean + run.answer, by_image[-1]):
        raise Mistake("you return the perturbation. Return the images.")
    if run.queries > 1 and all(same(origin, run.clean) for origin in run.origins):
        raise Mistake("every proposal starts at x again. Propose from the best images so far.")
    if same(run.answer, run.proposals[-1]) and not all(map(same, run.origins, by_batch)):
        raise Mistake("you return the last proposal, whether it was better or not. Keep the best of each image.")
    if same(run.answer, by_batch[-1]):
        raise Mistake("you keep or drop the whole batch. Compare image by image: torch.where(better[:, None, None, "
                      "None], proposal, best).")  # fmt: skip
    if same(run.answer, falling[-1]):
        raise Mistake("you keep proposals that lower the loss. The adversary wants it high.")
    if same(run.answer, _followed(run, _where_higher, [run.clean, run.proposals[0]])[-1]):
        raise Mistake("your first proposal is kept whatever its loss, though for some images x itself is better. Start "
                      "`highest` with the score of x, not with minus infinity.")  # fmt: skip
    if same(run.answer, _against_the_last(run)):
        raise Mistake("you compare with the proposal before, kept or not. `highest` is the loss of `best`: bring it up "
                      "to date only where you keep a proposal.")  # fmt: skip
    if (run.score(run.answer) < run.score(by_image[-1]) - 1e-6).any():
        raise Mistake("for some images a proposal had a higher loss than what you return. Was `highest` brought up to "
                      "date, and does `best` stay where a proposal is dropped?")  # fmt: skip
    raise Mistake("your images are not those that accepting every better proposal leads to.")


def _followed(run: _Search, rule: Any, start: list[Images] | None = None) -> list[Images]:
    """Where a rule of acceptance leads, proposal by proposal: the images before each, and those at the end."""
    held = start or [run.clean]
    for proposal in run.proposals[len(held) - 1 :]:
        better = rule(proposal.mean((1, 2, 3)), held[-1].mean((1, 2, 3)))
        held.append(torch.where(better[:, None, None, None], proposal, held[-1]))
    return held


def _against_the_last(run: _Search) -> Images:
    """Where it leads to keep each proposal that beats the proposal before it."""
    best = before = run.clean
    for proposal in run.proposals:
        better = _where_higher(proposal.mean((1, 2, 3)), before.mean((1, 2, 3)))
        best, before = torch.where(better[:, None, None, None], proposal, best), proposal
    return best


def _where_higher(new: PerExample, old: PerExample) -> Tensor:
    return new > old


def _where_lower(new: PerExample, old: PerExample) -> Tensor:
    return new < old


def _batch_higher(new: PerExample, old: PerExample) -> Tensor:
    return (new.mean() > old.mean()).expand(len(new))
