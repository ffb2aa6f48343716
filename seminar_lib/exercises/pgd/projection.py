"""The check of exercise 2.1: projection onto a ball around the image and onto [0, 1]."""

from __future__ import annotations

import torch

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask_tensor, marks, not_followed, right, same
from seminar_lib.threat import L2, Linf
from seminar_lib.types import Images, PerExample

RADII = {"Linf": (8 / 255, 5 / 255), "L2": (0.5, 0.8)}  # of each ball two: a fixed number shows at the second


@marks
def check_projection(my_project: Answer) -> None:
    """Exercise 2.1: the nearest image inside the ball, and inside [0, 1]."""
    x = Example().x
    for norm, (eps, _) in RADII.items():
        _judge_projection(my_project, x, _ball(norm, eps), norm)
    for norm, (eps, other) in RADII.items():
        try:
            _judge_projection(my_project, x, _ball(norm, other), norm)
        except Mistake:
            raise not_followed(f"{norm}: your answer", "eps", eps, other) from None
    try:
        ask_tensor("2.1", my_project, tuple(x.shape), x.clone(), x.clone(), RADII["L2"][0], "L2")
    except Mistake:
        raise Mistake("an image that has not moved gives NaN: 0 / 0. Keep the length away from 0.") from None
    right("2.1", "Whatever a step does, its result is pulled back to an image that the adversary may use.")


def _ball(norm: str, eps: float) -> Linf | L2:
    return Linf(eps) if norm == "Linf" else L2(eps)


def _far(clean: Images, threat: Linf | L2) -> Images:
    """Images of which the first lies inside the ball, and each other one at another distance outside."""
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(2))
    lengths = threat.eps * torch.tensor([0.7, 1.5, 2.0, 3.0, 4.0, 6.0])
    delta = lengths[:, None, None, None] * noise / threat.norm(noise)[:, None, None, None]
    delta[0] = (clean[0] + delta[0]).clamp(0, 1) - clean[0]
    return clean + delta


def _judge_projection(my_project: Answer, clean: Images, threat: Linf | L2, norm: str) -> None:
    far, eps = _far(clean, threat), threat.eps
    x, x_adv, delta = clean.clone(), far.clone(), far - clean
    answer = ask_tensor("2.1", my_project, tuple(x.shape), x_adv, x, eps, norm)
    if not (torch.equal(x, clean) and torch.equal(x_adv, far)):
        raise Mistake(f"{norm}: you changed x or x_adv in place. Work on a copy.")
    if same(answer, far):
        raise Mistake(f"{norm}: your images equal x_adv: nothing was projected.")
    if same(answer, far.clamp(0, 1)):
        raise Mistake(
            f"{norm}: you clip to [0, 1] only, or take every perturbation for a short one. The images must also come "
            "within eps of x."
        )
    if same(answer, threat.shrink(delta)):
        raise Mistake(f"{norm}: you return the perturbation. Add it to x.")
    if same(answer.clamp(0, 1), threat.shrink(far).clamp(0, 1)):
        raise Mistake(f"{norm}: your ball is centred at the black image. Its centre is x: shrink x_adv - x.")
    if same(answer, threat.project(clean, far)):
        raise Mistake(f"{norm}: your ball is centred at x_adv. Its centre is x, and x_adv is pulled back.")
    if norm == "L2":
        _judge_length(answer, clean, delta, eps)
    elif same(answer.clamp(0, 1), L2(eps).project(far, clean)):
        raise Mistake("Linf: you project onto the L2 ball. Here norm is 'Linf', spelt like this.")
    elif same(
        answer.clamp(0, 1), (clean + delta * (eps / threat.norm(delta)).clamp(max=1)[:, None, None, None]).clamp(0, 1)
    ):
        raise Mistake("Linf: you scale the whole perturbation. The nearest image has each pixel clipped on its own.")
    reach, low, high = float(threat.norm(answer - clean).max()), float(answer.min()), float(answer.max())
    if reach > eps * 1.001:
        raise Mistake(f"{norm}: an image of yours is {reach:.3f} away from x, but eps is {eps:.3f}.")
    if low < -1e-6 or high > 1 + 1e-6:
        raise Mistake(f"{norm}: your images span [{low:.3f}, {high:.3f}] and leave [0, 1]. Clip them too.")
    if not same(answer[0], far[0]):
        raise Mistake(f"{norm}: an image that lies inside the ball already must stay where it is.")
    # Ball and box in either order, or the nearest point of both at once: all of them serve an attack.
    orders = (threat.project(far, clean), clean + threat.shrink(far.clamp(0, 1) - clean))
    farthest = torch.stack([_length(far - image) for image in orders]).amax(0)
    if (_length(far - answer) > farthest * 1.001).any():
        raise Mistake(f"{norm}: your images are inside the ball and the box, but nearer ones to x_adv are inside too.")


def _judge_length(answer: Images, clean: Images, delta: Images, eps: float) -> None:
    """The mistakes of the L2 projection that have a sentence of their own."""
    image = (1, 2, 3)
    scales = {
        "you took the length of the whole batch. Each image has its own: sum over dim=(1, 2, 3).": delta.norm(),
        "you took a length for each pixel or channel. One image has one length: sum over dim=(1, 2, 3).": delta.norm(
            dim=1, keepdim=True
        ),
        "you took a length for each channel of an image. Sum over dim=(1, 2, 3).": delta.norm(dim=(2, 3), keepdim=True),
        "that is the L1 length. Take the root of the sum of squares.": delta.abs().sum(image, keepdim=True),
        "your length lacks the root: it is that of the sum of squares.": delta.square().sum(image, keepdim=True),
        "you took the largest change for the length. Take the root of the sum of squares.": delta.abs().amax(
            image, keepdim=True
        ),
    }
    for sentence, length in scales.items():
        if same(answer.clamp(0, 1), (clean + delta * (eps / length).clamp(max=1)).clamp(0, 1)):
            raise Mistake(f"L2: {sentence}")
    if same(answer.clamp(0, 1), (clean + eps * delta / _length(delta)[:, None, None, None]).clamp(0, 1)):
        raise Mistake("L2: every image ends at distance eps, even one that lay inside. Scale by min(1, eps / length).")
    if same(answer.clamp(0, 1), (clean + delta.clamp(-eps, eps)).clamp(0, 1)):
        raise Mistake("L2: you clip each pixel to [-eps, eps]. That is the Linf ball; here the length must shrink.")


def _length(delta: Images) -> PerExample:
    return L2(1).norm(delta)
