"""The check of exercise 7.2: a view with Gaussian noise of a given variance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same
from seminar_lib.types import Images

VARIANCE, ANOTHER = 8 / 255, 0.25
SHAPE = (16, 3, 32, 32)  # so many values that their variance is known to two percent


@marks
def check_noise(noisy_view: Answer) -> None:
    """Exercise 7.2: the images plus Gaussian noise, not clipped."""
    clean = torch.rand(SHAPE, generator=torch.Generator().manual_seed(3))
    with torch.random.fork_rng(devices=[]):  # the student's random numbers stay as they are
        first, second = (_look(noisy_view, clean, VARIANCE, seed) for seed in (0, 1))
        wide = _look(noisy_view, clean, ANOTHER, seed=0)
    if same(first, clean):
        raise Mistake("your view is x itself: there is no noise in it.")
    if torch.equal(first, second):
        raise Mistake("two calls give the same noise. Each look has noise of its own: fix no seed inside.")
    noise = first - clean
    _judge_draws(noise)
    _judge_size(first, clean, VARIANCE)
    _judge_density(noise)
    if math.isclose(wide.sub(clean).std(), noise.std(), rel_tol=0.03):
        raise Mistake(f"your noise stays the same with a variance of {ANOTHER}. It is an argument: write no number.")
    _judge_size(wide, clean, ANOTHER)
    sigma, length = math.sqrt(VARIANCE), float(noise.flatten(1).norm(dim=1).mean())
    right(
        "7.2",
        f"sigma = {sigma:.3f}, about {255 * sigma:.0f} grey levels a value, and {length:.1f} in L2 for a whole image; "
        f"a corner of the Linf ball of 8/255 has {VARIANCE * math.sqrt(clean[0].numel()):.1f}.",
    )


def _look(noisy_view: Answer, clean: Images, variance: float, seed: int) -> Images:
    torch.manual_seed(seed)
    x = clean.clone()
    answer = ask_tensor("7.2", noisy_view, SHAPE, x, variance)
    if not torch.equal(x, clean):
        raise Mistake("you changed x in place. The clean view is needed, too.")
    return answer


def _judge_draws(noise: Tensor) -> None:
    """Whether each value has noise of its own."""
    parts = {
        "images of the batch": noise.std(0),
        "channels of an image": noise.std(1),
        "pixels of an image": noise.flatten(2).std(2),
    }
    for what, spread in parts.items():
        if spread.max() < 0.01 * noise.std():
            raise Mistake(f"all {what} get the same noise. Draw a number for each value: torch.randn_like(x).")


def _judge_size(view: Images, clean: Images, variance: float) -> None:
    """Whether the noise is as wide as it has to be, centred, not clipped, and added to the whole image."""
    if view.min() >= 0 and view.max() <= 1:
        raise Mistake(
            "your view is clipped to [0, 1]. The authors' is not: clipping would make bright and dark pixels less "
            "noisy than others."
        )
    if abs(view.mean()) < 0.02:
        raise Mistake("you return the noise alone. Add it to x.")
    noise = view - clean
    sigma, wanted = float(noise.std()), math.sqrt(variance)
    for wrong, sentence in (
        (variance, f"your noise has the standard deviation {variance:.4f}: you took the variance for it. randn has "
         "variance 1, and what is multiplied by sigma has the variance sigma ** 2. Multiply by the root."),
        (variance**2, "you multiply by the square of the variance. The standard deviation is its *root*."),
        (1.0, "your noise has variance 1, as randn gives it. Multiply by the standard deviation."),
        (1 / wanted, "you divide by the standard deviation. Multiply by it: below 1 it makes the noise narrower."),
        (1 / variance, "you divide by the variance. Multiply by its root, which makes the noise narrower below 1."),
        (variance / math.sqrt(3), "your noise is uniform between -variance and +variance. It shall be Gaussian, with "
         "this variance."),
    ):  # fmt: skip
        if math.isclose(sigma, wrong, rel_tol=0.03):
            raise Mistake(sentence)
    kept = float((view * (clean - clean.mean())).mean() / clean.var())
    if sigma < 1 and abs(kept - 1) > 0.05:  # wide noise looks like a part of the image by chance
        raise Mistake(
            f"your view holds {kept:.2f} times the image. The authors add noise, and leave the image as it is."
        )
    if abs(noise.mean()) > 0.02 * max(1.0, sigma):
        raise Mistake(f"your noise has the mean {float(noise.mean()):.3f}. It is centred at 0: torch.randn, not rand.")
    if not math.isclose(sigma, wanted, rel_tol=0.03):
        raise Mistake(
            f"your noise has the standard deviation {sigma:.3f}; its variance shall be {variance:.4f}, so {wanted:.3f}."
        )


def _judge_density(noise: Tensor) -> None:
    """Whether noise of the right variance is Gaussian."""
    beyond = float((noise.abs() > 2 * math.sqrt(VARIANCE)).float().mean())
    if beyond < 0.03:  # of a Gaussian 4.6 %; of a uniform density nothing
        raise Mistake(
            f"your noise has the right variance, but only {beyond:.1%} of it lies beyond two standard deviations; of a "
            "Gaussian it is 4.6 %. Take torch.randn_like(x)."
        )
