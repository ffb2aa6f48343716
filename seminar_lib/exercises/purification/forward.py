"""The check of exercise 10.2: from an image to any step of the diffusion at once."""

from __future__ import annotations

import torch

from seminar_lib.diffusion.schedule import SIGMA
from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same
from seminar_lib.types import Images


@marks
def check_forward(diffused: Answer) -> None:
    """Exercise 10.2: x_t of images in [0, 1], with noise that is given."""
    generator = torch.Generator().manual_seed(4)
    for kept in (0.7, 0.9):
        x, noise = torch.rand(3, 1, 6, 6, generator=generator), torch.randn(3, 1, 6, 6, generator=generator)
        _judge(diffused, x, kept, noise)
    right(
        "10.2",
        f"At t = 50 the noise beside the whole image is {255 * SIGMA[50]:.0f} grey levels wide, at t = 100 "
        f"{255 * SIGMA[100]:.0f}; an attack of 8/255 is no wider than 8.",
    )


def _judge(diffused: Answer, x: Images, kept: float, noise: Images) -> None:
    given = x.clone(), noise.clone()
    with torch.random.fork_rng(devices=[]):  # the student's random numbers stay as they are
        answer, again = (ask_tensor("10.2", diffused, tuple(x.shape), given[0], kept, given[1]) for _ in range(2))
    if not (torch.equal(given[0], x) and torch.equal(given[1], noise)):
        raise Mistake("you changed x or noise in place. Work on copies.")
    if not torch.equal(answer, again):
        raise Mistake("two calls give different images: you draw noise of your own. Use the noise that is given.")
    x0, image, rest = 2 * x - 1, kept**0.5, (1 - kept) ** 0.5
    expected = image * x0 + rest * noise
    if same(answer, expected):
        return
    for wrong, sentence in (
        (image * x + rest * noise, "you leave the pixels in [0, 1]. The diffusion model knows images in [-1, 1], with "
         "grey at 0: start with 2 * x - 1."),
        (image * (x - 0.5) + rest * noise, "x - 0.5 lies in [-0.5, 0.5]; the model knows [-1, 1]: 2 * x - 1."),
        ((expected + 1) / 2, "you go back to pixels of [0, 1] at the end. x_t stays where the diffusion model is."),
        (kept * x0 + (1 - kept) * noise, "you take the shares themselves. They are shares of the *variance*: the "
         "weights are their roots."),
        (image * x0 + (1 - kept) * noise, "the noise needs a root, too: sqrt(1 - abar)."),
        (kept * x0 + rest * noise, "the image needs a root, too: sqrt(abar)."),
        (image * x0 + (1 - image) * noise, "the weight of the noise is sqrt(1 - abar), not 1 - sqrt(abar): the "
         "variances add up to 1, the weights do not."),
        (rest * x0 + image * noise, "you have exchanged the weights: abar is what is kept of the image."),
        (x0 + rest * noise, "you add noise to the whole image. It fades by sqrt(abar), so that the variance stays."),
        (image * x0, "where is the noise?"),
        (rest * noise, "where is the image?"),
        (image * x0 - rest * noise, "you subtract the noise. Add it."),
        (expected.clamp(-1, 1), "you clip. x_t is no picture: the network was trained on noise that was not clipped."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    raise Mistake("that is not sqrt(abar) x_0 + sqrt(1 - abar) eps, with x_0 = 2 x - 1.")
