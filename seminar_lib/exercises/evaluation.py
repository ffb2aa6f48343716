"""The checks of lesson 03: the worst case, an interval, a loss without a scale, and random search."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_tensor, marks, right, same
from seminar_lib.losses import dlr, margin
from seminar_lib.types import Images, PerExample

Z = 1.96  # standard deviations of a 95 % interval


@marks
def check_worst_case(combine: Answer) -> None:
    """Exercise 3.1: the share of images that stand against every attack, and how many each attack broke alone."""
    # A row for each of three attacks. The first breaks most, the second least, and they break different images.
    correct = torch.ones(3, 9, dtype=torch.bool)
    correct[0, [1, 2, 3]] = correct[1, 4] = correct[2, [1, 5]] = False
    given = correct.clone()
    answer = ask("3.1", combine, given)
    if not torch.equal(given, correct):
        raise Mistake("you changed `correct` in place. Work on a copy.")
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise Mistake(f"return two things, the share and the counts; you return {answer!r}.")
    share, alone = _number(answer[0], "the share"), answer[1]
    expected = 4 / 9
    for value, sentence in (
        (6 / 9, "you return the accuracy under the strongest attack. Its survivors may fall to another one."),
        (8 / 9, "you return the accuracy under the weakest attack. The adversary chooses, not you."),
        (float(correct.float().mean()), "you average over the attacks. An image that falls to one of them has fallen."),
        (1.0, "you count the images that stand against *any* attack. They have to stand against all."),
        (6 / 9 * 8 / 9 * 7 / 9, "you multiply the accuracies, as if attacks failed independently. Look at each image."),
        (4.0, "you return a number of images. Divide by how many there are."),
        (1 - expected, "you return the share of images that fall. Asked for is the share that stands."),
    ):
        if math.isclose(share, value, rel_tol=1e-5):
            raise Mistake(sentence)
    if not math.isclose(share, expected, rel_tol=1e-5):
        raise Mistake(f"of 9 images, 4 stand against all three attacks: 0.444. You return {share:.3f}.")
    _judge_alone(alone)
    right("3.1", "Two attacks that break 3 and 2 images break 4 together: the worst case is below each of them.")


def _judge_alone(alone: Any) -> None:
    counts = torch.as_tensor(alone) if isinstance(alone, list | tuple | Tensor) else None
    if counts is None or tuple(counts.shape) != (3,):
        raise Mistake(f"the counts must be one number for each attack, here 3; you return {alone!r}.")
    for wrong, sentence in (
        ([3, 1, 2], "you count all images that an attack broke. Count those that no other attack broke."),
        ([6, 8, 7], "you count the images that stand. Count those that this attack, and no other, broke."),
    ):
        if counts.tolist() == wrong:
            raise Mistake(sentence)
    if counts.tolist() != [2, 1, 1]:
        raise Mistake(
            f"here the attacks alone broke 2, 1 and 1 images; you return {counts.tolist()}. An image counts where "
            "exactly one attack broke it."
        )


@marks
def check_interval(wilson: Answer) -> None:
    """Exercise 3.2: Wilson's interval of k right answers out of n."""
    for k, n in ((44, 100), (0, 100), (5, 5), (620, 1000)):
        answer = ask("3.2", wilson, k, n)
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            raise Mistake(f"return two numbers, the lower and the upper end; you return {answer!r}.")
        low, high = (_number(end, "each end") for end in answer)
        _judge_interval(low, high, k, n)
    right("3.2", "Of 100 images 44 right answers mean 34.7 % to 53.8 %; 0 right answers still allow 3.7 %.")


def _judge_interval(low: float, high: float, k: int, n: int) -> None:
    def is_near(middle: float, half: float) -> bool:
        return math.isclose(low, middle - half, abs_tol=2e-4) and math.isclose(high, middle + half, abs_tol=2e-4)

    p, shrink = k / n, 1 + Z**2 / n
    middle, spread = p + Z**2 / (2 * n), math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    if is_near(middle / shrink, Z * spread / shrink):
        return
    if is_near(middle / shrink, -Z * spread / shrink):
        raise Mistake("your ends are in the wrong order: first the lower, then the upper.")
    for wrong_middle, wrong_half, sentence in (
        (p, Z * math.sqrt(p * (1 - p) / n), "that is the interval p plus or minus 1.96 standard errors. It has no "
         "width at 0 of 100, as if no image could ever be right. Wilson's formula has z**2 in it."),
        (middle, Z * spread, "you forgot to divide by 1 + z**2 / n."),
        (middle / shrink, spread / shrink, "your half width lacks the factor z."),
        (p / shrink, Z * spread / shrink, "your middle lacks z**2 / (2 n)."),
        (middle / shrink, Z**2 * spread**2 / shrink, "your half width lacks the square root."),
        (middle / shrink, Z * math.sqrt(p * (1 - p) / n) / shrink, "under your root z**2 / (4 n**2) is missing."),
        (100 * middle / shrink, 100 * Z * spread / shrink, "return shares in [0, 1], not percent."),
    ):  # fmt: skip
        if is_near(wrong_middle, wrong_half):
            raise Mistake(sentence)
    raise Mistake(
        f"for {k} of {n} your interval is [{low:.4f}, {high:.4f}]; Wilson's is "
        f"[{(middle - Z * spread) / shrink:.4f}, {(middle + Z * spread) / shrink:.4f}]."
    )


@marks
def check_loss(my_dlr: Answer) -> None:
    """Exercise 3.3: the difference of logits ratio of each image."""
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(4)) * 3
    order = logits.argsort(1, descending=True)
    y = order[torch.arange(6), torch.tensor([0, 0, 0, 1, 2, 4])]  # three right answers, three wrong ones
    given = logits.clone(), y.clone()
    answer = ask_tensor("3.3", my_dlr, (6,), *given)
    if not (torch.equal(given[0], logits) and torch.equal(given[1], y)):
        raise Mistake("you changed the logits or the labels in place. Work on copies.")
    expected = dlr(logits, y)
    if same(answer, expected):
        if not same(ask_tensor("3.3", my_dlr, (6,), 1000 * logits, y), expected):
            raise Mistake("logits that are 1000 times as large change your loss. Does something keep its scale?")
        right("3.3", "Logits that are 1000 times as large give the same loss, and so the same gradient signs.")
        return
    first, second, third, *_ = logits.sort(1, descending=True).values.unbind(1)
    lead = margin(logits, y)
    own = logits.gather(1, y[:, None]).squeeze(1)
    for wrong, sentence in (
        (-expected, "your sign is turned: the loss has to be large where the network is wrong."),
        (lead, "that is the margin alone. Divide it by z_(1) - z_(3)."),
        (lead / (first - second), "you divide by z_(1) - z_(2); then every right answer has the loss -1. Take z_(3)."),
        (lead / (second - third), "you divide by z_(2) - z_(3). Take z_(1) - z_(3)."),
        ((first - own) / (first - third), "your best logit may be the true class itself, so that every right answer "
         "has the loss 0. Take the largest of the *other* classes."),
        ((second - own) / (first - third), "the best wrong class is not always the second: where the network is wrong "
         "it is the first. Leave out the true class and take the largest."),
        (dlr(logits.softmax(1), y), "you use probabilities. Their scale is what hides the slope; take the logits."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    i = int((answer - expected).abs().argmax())
    raise Mistake(
        f"for logits {[round(z, 2) for z in logits[i].tolist()]} and label {int(y[i])} the loss is {expected[i]:.3f}; "
        f"yours is {answer[i]:.3f}."
    )


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
        raise Mistake(f"you make {len(run.proposals)} proposals; queries = {run.queries} were allowed.")
    by_image, by_batch, falling = (_followed(run, rule) for rule in (_where_higher, _batch_higher, _where_lower))
    if same(run.answer, by_image[-1]) and all(map(same, run.origins, by_image)):
        return
    if same(run.answer, run.clean):
        raise Mistake("you return x: no proposal was ever kept, though some raise the loss.")
    if run.queries > 1 and all(same(origin, run.clean) for origin in run.origins):
        raise Mistake("every proposal starts at x again. Propose from the best images so far.")
    if same(run.answer, by_batch[-1]):
        raise Mistake("you keep or drop the whole batch. Compare image by image: torch.where(better[:, None, None, "
                      "None], proposal, best).")  # fmt: skip
    if same(run.answer, falling[-1]):
        raise Mistake("you keep proposals that lower the loss. The adversary wants it high.")
    if same(run.answer, run.proposals[-1]):
        raise Mistake("you return the last proposal, whether it was better or not. Keep the best of each image.")
    if (run.score(run.answer) < run.score(by_image[-1]) - 1e-6).any():
        raise Mistake("for some images a proposal had a higher loss than what you return. Was `highest` brought up to "
                      "date?")  # fmt: skip
    raise Mistake("your images are not those that accepting every better proposal leads to.")


def _followed(run: _Search, rule: Any) -> list[Images]:
    """Where a rule of acceptance leads, proposal by proposal: the images before each, and those at the end."""
    held = [run.clean]
    for proposal in run.proposals:
        better = rule(proposal.mean((1, 2, 3)), held[-1].mean((1, 2, 3)))
        held.append(torch.where(better[:, None, None, None], proposal, held[-1]))
    return held


def _where_higher(new: PerExample, old: PerExample) -> Tensor:
    return new > old


def _where_lower(new: PerExample, old: PerExample) -> Tensor:
    return new < old


def _batch_higher(new: PerExample, old: PerExample) -> Tensor:
    return (new.mean() > old.mean()).expand(len(new))


def _number(value: Any, what: str) -> float:
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Mistake(f"{what} must be a number; you return {value!r}.")
    return float(value)
