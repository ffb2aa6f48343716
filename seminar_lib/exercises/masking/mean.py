"""The check of exercise 12.2: the mean of several looks at a loss that is left to chance."""

from __future__ import annotations

import torch

from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_tensor, marks, right, same
from seminar_lib.threat import PIXELS
from seminar_lib.types import Images, PerExample


@marks
def check_mean_gradient(mean_gradient: Answer) -> None:
    """Exercise 12.2: the mean of the gradients of several looks."""
    for looks in (5, 3):
        _judge_mean(_Chance(mean_gradient, looks))
    right("12.2", "The chance of a single look averages out, and what is left points uphill for most looks.")


class _Chance:
    """One call of a student's mean, on a loss that is another one at each look: its gradient is slope_i + x."""

    def __init__(self, mean_gradient: Answer, looks: int) -> None:
        self.looks = looks
        self.generator = torch.Generator().manual_seed(3)
        self.clean = torch.rand(4, 1, 3, 3, generator=self.generator)
        self.slopes: list[Images] = []
        self.seen: list[Images] = []
        x = self.clean.clone()
        answer = ask("12.2", mean_gradient, self.score, x, looks)
        if isinstance(answer, tuple) and len(answer) == 1:
            raise Mistake("you return a tuple of one: torch.autograd.grad(...)[0] takes the gradient out of it.")
        self.answer = ask_tensor("12.2", lambda: answer, tuple(self.clean.shape))
        if not torch.equal(x, self.clean):
            raise Mistake("you changed x in place. Work on a copy.")

    def score(self, x: Images) -> PerExample:
        self.slopes.append(torch.randn(self.clean.shape, generator=self.generator))
        self.seen.append(x.detach().clone())
        return (self.slopes[-1] * x + x**2 / 2).sum(PIXELS)


def _judge_mean(run: _Chance) -> None:
    if not run.slopes:
        raise Mistake("you never call score.")
    if any(not torch.equal(seen, run.clean) for seen in run.seen):
        raise Mistake("you look at different images. All looks are at the same x; the chance is inside score.")
    grads = torch.stack([slope + run.clean for slope in run.slopes])
    expected = grads.mean(0)
    if len(grads) != run.looks:
        few = "you look once, and multiply or repeat it" if len(grads) == 1 else f"you look {len(grads)} times"
        raise Mistake(f"{few}; looks = {run.looks} were asked for, each a new call of score.")
    if same(run.answer, expected):
        return
    for wrong, sentence in (
        (grads[0], "you return the gradient of the first look."),
        (grads[-1], "you return the gradient of the last look. Add them up, and divide."),
        (grads.sum(0), "you return the sum. Divide by the number of looks."),
        (expected / len(run.clean), "you divide by the number of images. Add up the losses of the batch: .sum()."),
        (-expected, "your sign is turned: the gradient has to point uphill."),
        (grads.sign().mean(0), "you average the signs. That throws the sizes away: average the gradients."),
        (expected.sign(), "you return the sign of the mean. The step takes the sign; return the mean itself."),
    ):
        if same(run.answer, wrong):
            raise Mistake(sentence)
    raise Mistake("that is not the mean of the gradients of your looks.")
