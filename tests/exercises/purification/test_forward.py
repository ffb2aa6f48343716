"""Exercise 10.2 accepts every right step into noise and says what is wrong with each typical wrong one."""

import math

import torch

from seminar_lib.exercises import purification

from ..conftest import praises, refuses


def step(image=math.sqrt, rest=lambda kept: math.sqrt(1 - kept), scale=lambda x: 2 * x - 1, after=lambda xt: xt):
    """The right one, with one part exchanged at a time."""
    return lambda x, kept, noise: after(image(kept) * scale(x) + rest(kept) * noise)


def in_place(x, kept, noise):
    return x.mul_(2).sub_(1).mul_(kept**0.5).add_(noise, alpha=(1 - kept) ** 0.5)


def by_tensors(x, kept, noise):
    kept = torch.tensor(kept)
    return kept.sqrt() * (x - 0.5) / 0.5 + (1 - kept).sqrt() * noise


test_every_right_step_is_praised = praises(
    purification.check_forward, step(), by_tensors, lambda x, kept, noise: step()(x.double(), kept, noise.double())
)

test_a_wrong_step_gets_its_sentence = refuses(
    purification.check_forward,
    (lambda x, kept, noise: None, "returns nothing"),
    (in_place, "in place"),
    (lambda x, kept, noise: step()(x, kept, torch.randn_like(x)), "noise of your own"),
    (step(scale=lambda x: x), "start with 2 * x - 1"),
    (step(scale=lambda x: x - 0.5), "lies in [-0.5, 0.5]"),
    (step(after=lambda xt: (xt + 1) / 2), "go back to pixels"),
    (step(image=lambda kept: kept, rest=lambda kept: 1 - kept), "shares of the *variance*"),
    (step(rest=lambda kept: 1 - kept), "the noise needs a root"),
    (step(image=lambda kept: kept), "the image needs a root"),
    (step(rest=lambda kept: 1 - math.sqrt(kept)), "not 1 - sqrt(abar)"),
    (step(image=lambda kept: math.sqrt(1 - kept), rest=math.sqrt), "exchanged the weights"),
    (step(image=lambda kept: 1), "to the whole image"),
    (step(rest=lambda kept: 0), "where is the noise?"),
    (step(image=lambda kept: 0), "where is the image?"),
    (step(rest=lambda kept: -math.sqrt(1 - kept)), "you subtract the noise"),
    (step(after=lambda xt: xt.clamp(-1, 1)), "you clip"),
    (step(after=lambda xt: xt + 0.1), "that is not sqrt(abar)"),
)
