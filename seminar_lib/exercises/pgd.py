"""The checks of lesson 02: projection, PGD, the length of its steps, and one step of DeepFool."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask, ask_tensor, marks, right, same
from seminar_lib.losses import margin
from seminar_lib.threat import L2, Linf
from seminar_lib.types import Images, Labels, PerExample

EPS = 8 / 255
LENGTH = 0.5  # the radius of the L2 ball
STEP_SIZE, STEPS = 7 / 255, 5  # so long that most walks on the example pass a better image than their last


@marks
def check_projection(my_project: Answer) -> None:
    """Exercise 2.1: the nearest image inside the ball, and inside [0, 1]."""
    x = Example().x
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    for threat, norm in ((Linf(EPS), "Linf"), (L2(LENGTH), "L2")):
        # The first image lies inside; the others lie outside, each at another distance.
        lengths = threat.eps * torch.tensor([0.7, 1.5, 2.0, 3.0, 4.0, 6.0])
        delta = lengths[:, None, None, None] * noise / threat.norm(noise)[:, None, None, None]
        delta[0] = (x[0] + delta[0]).clamp(0, 1) - x[0]
        _judge_projection(my_project, x + delta, x, threat, norm)
    try:
        ask_tensor("2.1", my_project, tuple(x.shape), x.clone(), x.clone(), LENGTH, "L2")
    except Mistake:
        raise Mistake("an image that has not moved gives NaN: 0 / 0. Keep the length away from 0.") from None
    right("2.1", "Whatever a step does, its result is pulled back to an image that the adversary may use.")


def _judge_projection(my_project: Answer, far: Images, clean: Images, threat: Linf | L2, norm: str) -> None:
    x, x_adv, eps, delta = clean.clone(), far.clone(), threat.eps, far - clean
    answer = ask_tensor("2.1", my_project, tuple(x.shape), x_adv, x, eps, norm)
    if not (torch.equal(x, clean) and torch.equal(x_adv, far)):
        raise Mistake(f"{norm}: you changed x or x_adv in place. Work on a copy.")
    if same(answer, far):
        raise Mistake(f"{norm}: your images equal x_adv: nothing was projected.")
    if same(answer, far.clamp(0, 1)):
        raise Mistake(f"{norm}: you clip to [0, 1] only. The images must also come within eps of x.")
    if same(answer, threat.shrink(delta)):
        raise Mistake(f"{norm}: you return the perturbation. Add it to x.")
    if same(answer.clamp(0, 1), threat.shrink(far).clamp(0, 1)):
        raise Mistake(f"{norm}: your ball is centred at the black image. Its centre is x: shrink x_adv - x.")
    if norm == "L2":
        _judge_length(answer, clean, delta)
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


def _judge_length(answer: Images, clean: Images, delta: Images) -> None:
    """The mistakes of the L2 projection that have a sentence of their own."""
    scales = {
        "you took the length of the whole batch. Each image has its own: sum over dim=(1, 2, 3).": delta.norm(),
        "you took a length for each pixel or channel. One image has one length: sum over dim=(1, 2, 3).": delta.norm(
            dim=1, keepdim=True
        ),
        "you took a length for each channel of an image. Sum over dim=(1, 2, 3).": delta.norm(dim=(2, 3), keepdim=True),
    }
    for sentence, length in scales.items():
        if same(answer.clamp(0, 1), (clean + delta * (LENGTH / length).clamp(max=1)).clamp(0, 1)):
            raise Mistake(f"L2: {sentence}")
    if same(answer.clamp(0, 1), (clean + LENGTH * delta / _length(delta)[:, None, None, None]).clamp(0, 1)):
        raise Mistake("L2: every image ends at distance eps, even one that lay inside. Scale by min(1, eps / length).")
    if same(answer.clamp(0, 1), (clean + delta.clamp(-LENGTH, LENGTH)).clamp(0, 1)):
        raise Mistake("L2: you clip each pixel to [-eps, eps]. That is the Linf ball; here the length must shrink.")


@marks
def check(my_pgd: Answer) -> None:
    """Exercise 2.2: PGD in the Linf ball, which keeps the best image of its walk."""
    runs = [_Run(my_pgd, seed) for seed in range(4)]
    for run in runs:
        if not torch.equal(run.x, run.clean):
            raise Mistake("you changed x in place, so that the ball's centre moves along. Work on a copy.")
        if not run.calls:
            raise Mistake("you never call the model.")
        if not run.visits:
            raise Mistake("the model never sees a moved batch. Show it all images at once, and walk.")
    if torch.equal(runs[0].visits[0], runs[1].visits[0]):
        raise Mistake(
            "two calls start at the same image: there is no random start. Begin at x plus noise from [-eps, eps]."
        )
    walks = [_walk(run, run.visits[0], STEPS + 1) for run in runs]
    for run, walk in zip(runs, walks, strict=True):
        _judge_start(walk[0] - run.clean, walk[0])
        _judge_walk(run, walk)
    _judge_choice(runs, [walk[: STEPS + 1] for walk in walks])
    for run in runs:
        _judge_manners(run)
    right("2.2", f"{STEPS} steps with a fresh gradient each, and the best image of every walk.")


class _Run:
    """One call of a student's PGD, with everything that the model was shown.

    Attributes:
        visits: the batches that the model saw, without the clean one and without repetitions.
    """

    def __init__(self, my_pgd: Answer, seed: int) -> None:
        self.example = Example()
        self.clean, self.x, self.y = self.example.x.clone(), self.example.x.clone(), self.example.y
        self.visits: list[Images] = []
        self.calls = 0
        self.network = copy.deepcopy(self.example.model)
        self.network.register_forward_pre_hook(self._note)
        with torch.random.fork_rng(devices=[]):  # the student's random numbers stay as they are
            torch.manual_seed(seed)
            self.answer = ask_tensor("2.2", self._ask(my_pgd), tuple(self.x.shape))

    def _ask(self, my_pgd: Answer) -> Answer:
        def keep() -> Any:
            self.given = ask("2.2", my_pgd, self.network, self.x, self.y, EPS, STEP_SIZE, STEPS)
            return self.given

        return keep

    def _note(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.calls += 1
        images = inputs[0].detach().clone()
        if images.shape == self.clean.shape and not any(torch.equal(images, old) for old in (self.clean, *self.visits)):
            self.visits.append(images)

    def gradient(self, x: Images, y: Labels | None = None) -> Images:
        """The gradient of each image's cross-entropy at ``x``."""
        x = x.clone().requires_grad_()
        loss = nn.functional.cross_entropy(self.example.model(x), self.y if y is None else y, reduction="sum")
        return torch.autograd.grad(loss, x)[0]

    @torch.no_grad()
    def losses(self, images: list[Images]) -> Tensor:
        """The cross-entropy of each image of each batch, (batches, B)."""
        logits = [self.example.model(x) for x in images]
        return torch.stack([nn.functional.cross_entropy(z, self.y, reduction="none") for z in logits])


def _judge_start(noise: Images, start: Images) -> None:
    reach = float(noise.abs().max())
    if reach > EPS * 1.001:
        raise Mistake(f"your walk starts up to {reach:.3f} away from x, outside the ball of eps = {EPS:.3f}.")
    if start.min() < -1e-6 or start.max() > 1 + 1e-6:
        raise Mistake("your walk starts outside [0, 1]. Project the start too.")
    if noise.min() > -1e-6 or noise.max() < 1e-6:
        raise Mistake("your noise goes one way only. torch.rand gives [0, 1]; the noise must fill [-eps, eps].")
    if reach < 0.9 * EPS:
        raise Mistake(f"your start reaches only {reach:.3f} from x; the noise must fill [-eps, eps].")


def _walk(run: _Run, start: Images, steps: int) -> list[Images]:
    """The images of a right walk from ``start``."""
    points = [start]
    for _ in range(steps):
        points.append(_moved(run, points[-1], STEP_SIZE * run.gradient(points[-1]).sign()))
    return points


def _moved(run: _Run, x_adv: Images, step: Images) -> Images:
    return Linf(EPS).project(x_adv + step, run.clean)


def _judge_walk(run: _Run, walk: list[Images]) -> None:
    """Whether the model saw the images of a right walk; a walk may look at others besides."""
    seen = [any(same(batch, point) for batch in (*run.visits, run.answer)) for point in walk]
    if not seen[1]:
        # Where the model saw one batch only, the answer is what came of it.
        _explain_step(run, walk[0], run.visits[1] if len(run.visits) > 1 else run.answer)
    if not seen[2]:
        _explain_second(run, walk, run.visits[2] if len(run.visits) > 2 else run.answer)
    taken = len(seen) - 1 - seen[::-1].index(True)
    if taken > STEPS:
        raise Mistake(f"you take more than the {STEPS} steps that were asked for.")
    if not all(seen[:STEPS]):
        steps = seen.index(False) - 1
        if len(run.visits) <= seen.index(False):
            raise Mistake(f"you take {steps} steps; asked for were {STEPS}.")
        raise Mistake(f"your walk is right for {steps} steps; then it goes another way.")


def _explain_step(run: _Run, start: Images, moved: Images) -> None:
    """Say what is wrong with the first step, which led from ``start`` to ``moved``."""
    sign, x = run.gradient(start).sign(), run.clean
    step = STEP_SIZE * sign
    if same(moved, start):
        raise Mistake("you return the random start: not a step was taken.")
    if same(moved, _moved(run, start, -step)):
        raise Mistake("you walk downhill: the model gets more certain of the right answer. Add the sign.")
    if same(moved, _moved(run, start, STEP_SIZE * run.gradient(start, run.example.model(x).argmax(1)).sign())):
        raise Mistake("you climb the loss of the predicted labels; where the model is wrong, that helps it. Use y.")
    if same(moved, _moved(run, start, STEP_SIZE * run.gradient(x).sign())):
        raise Mistake("your first step follows the gradient at x. The walk stands at x_adv: ask for the slope there.")
    if same(moved, _moved(run, x, step)):
        raise Mistake("your step starts at x again. Go on from x_adv, and project around x.")
    if same(moved, start + step):
        raise Mistake("after a step, nothing pulls your images back into the ball and into [0, 1]. Project each time.")
    if same(moved, (start + step).clamp(0, 1)):
        raise Mistake(
            "after a step your images may leave the ball: within eps of x, not of the image before it, and not only "
            "in [0, 1]. Project around x each time."
        )
    if same(moved, x + Linf(EPS).shrink(start + step - x)):
        raise Mistake("after a step, some pixels leave [0, 1]. Clip to the ball and then to the box.")
    for size, sentence in {
        EPS: "your steps have length eps. Their length is step_size; eps is the radius of the ball.",
        EPS / STEPS: "your steps have length eps / steps. Take step_size as it is given.",
        STEP_SIZE / run.example.std: "your steps are too long by the model's std: that is step_size in normalised "
        "space. The model normalises by itself; step in pixels.",
        STEP_SIZE * run.example.std: "your steps are too short by the model's std: that is step_size in normalised "
        "space. The model normalises by itself; step in pixels.",
    }.items():
        if same(moved, _moved(run, start, size * sign)):
            raise Mistake(sentence)
    free = ((start + step - x).abs() < EPS) & (start + step > 0) & (start + step < 1)
    lengths = (moved - start)[free].abs()
    if lengths.std() > 0.01 * lengths.mean():
        raise Mistake("some of your pixels move further than others. In the Linf ball, step along the sign.")
    if (lengths - STEP_SIZE).abs().max() > 0.01 * STEP_SIZE:
        raise Mistake(f"your steps have length {lengths.mean():.4f}, but step_size is {STEP_SIZE:.4f}.")
    raise Mistake("your first step is not project(x_adv + step_size * sign(gradient at x_adv)).")


def _explain_second(run: _Run, walk: list[Images], moved: Images) -> None:
    """Say what is wrong with the second step, which led from ``walk[1]`` to ``moved``."""
    first, second = (run.gradient(point) for point in walk[:2])
    if same(moved, walk[1]) or len(run.visits) < 2:
        raise Mistake("you take one step only. Repeat it `steps` times, each time with a fresh gradient.")
    if same(moved, _moved(run, walk[1], STEP_SIZE * first.sign())):
        raise Mistake("all your steps follow one gradient, that of the start. Ask for a fresh one at every step.")
    if same(moved, _moved(run, walk[1], STEP_SIZE * (first + second).sign())):
        raise Mistake(
            "your gradients add up: backward() adds to x_adv.grad. Set it to zero, or use torch.autograd.grad."
        )
    raise Mistake("your first step is right; the second is not a step from there.")


def _judge_choice(runs: list[_Run], walks: list[list[Images]]) -> None:
    """Which image of the walk was returned; by accident, one call alone may look like another rule."""
    answer = torch.cat([run.answer for run in runs])
    points = [torch.cat(batches) for batches in zip(*walks, strict=True)]
    losses = torch.cat([run.losses(walk) for run, walk in zip(runs, walks, strict=True)], 1)
    # Best by cross-entropy or by margin; the start, and the clean image, may take part or not.
    clean = torch.cat([run.clean for run in runs])
    on_walk = torch.stack([_length(answer - point) < 1e-4 for point in (*points, clean)]).any(0)
    best = torch.cat([_is_best(run, walk) for run, walk in zip(runs, walks, strict=True)])
    if bool((on_walk & best).all()):
        return
    of_each_run = losses.unflatten(1, (len(runs), -1)).sum(2)
    one_for_all = of_each_run.argmax(0).repeat_interleave(len(runs[0].x))
    for chosen, sentence in (
        (torch.full_like(one_for_all, STEPS), "you return the last image of the walk. Keep the one with the highest "
         "loss, for each image."),
        (losses.argmin(0), "you keep the image with the lowest loss. The adversary wants the highest."),
        (losses[:-1].argmax(0), "you never look at the image after the last step; it may be the best."),
        (one_for_all, "you choose one step for the whole batch. Compare the losses image by image: reduction='none'."),
    ):  # fmt: skip
        if same(answer, _taken(points, chosen)):
            raise Mistake(sentence)
    if same(clean + answer, _taken(points, losses.argmax(0))):
        raise Mistake("you return the perturbation. Return the images.")
    if not bool(on_walk.all()):
        raise Mistake("you return an image that the walk never passed.")
    raise Mistake("your images are on the walk, but for some the walk passed a better one. Keep the highest loss.")


def _judge_manners(run: _Run) -> None:
    """What a right answer may still leave behind."""
    if run.given.requires_grad:
        raise Mistake("your images are right, but they drag their gradient history along. Return best.detach().")
    if run.x.requires_grad or run.x.grad is not None:
        raise Mistake("your images are right, but x now records gradients. Work on x.clone(), and leave x alone.")
    if any(p.grad is not None for p in run.network.parameters()):
        raise Mistake(
            "your images are right, but backward() also added to the gradients of the model's weights, and the next "
            "training step would use them. torch.autograd.grad(loss, x_adv) leaves them alone."
        )
    if run.network.training:
        raise Mistake("your images are right, but you left the model in training mode.")


def _taken(walk: list[Images], steps: Tensor) -> Images:
    """For each image the point of the walk after its own number of steps."""
    return torch.stack(walk)[steps, torch.arange(len(steps))]


@torch.no_grad()
def _is_best(run: _Run, walk: list[Images]) -> Tensor:
    """Whether no image of the walk beats the answer, by cross-entropy or by margin."""
    best = run.losses([run.answer])[0] >= run.losses(walk[1:]).amax(0) - 1e-5
    margins = torch.stack([margin(run.example.model(x), run.y) for x in (run.answer, *walk[1:])])
    return best | (margins[0] >= margins[1:].amax(0) - 1e-5)


def _length(delta: Images) -> PerExample:
    return L2(1).norm(delta)


@marks
def check_stride(smallest_step: Answer) -> None:
    """Exercise 2.3: the shortest steps that still take a walk from any point of the ball to any other."""
    for eps, steps in ((EPS, 10), (0.1, 7)):
        size = ask("2.3", smallest_step, eps, steps)
        if not isinstance(size, int | float) or not math.isfinite(size):
            raise Mistake(f"return one number, the length of a step; you return {size!r}.")
        reach, width = size * steps, 2 * eps
        if math.isclose(size, eps):
            raise Mistake("one step of that length crosses half of the ball. Divide the way by the number of steps.")
        if math.isclose(size, width):
            raise Mistake("one step of that length crosses the ball. There are `steps` of them.")
        if math.isclose(size, eps / steps):
            raise Mistake("that reaches the border from the centre. A random start may lie at the opposite border.")
        if math.isclose(size, 2.5 * eps / steps):
            raise Mistake("that is Madry's rule, which leaves a quarter to spare. Without it?")
        if reach < width * 0.999:
            raise Mistake(f"{steps} steps of {size:.4f} go {reach:.4f} far; across the ball it is {width:.4f}.")
        if reach > width * 1.001:
            raise Mistake(f"{steps} steps of {size:.4f} go {reach:.4f} far, more than the {width:.4f} that are needed.")
    right("2.3", "With shorter steps a part of the ball is out of reach from some starts.")


@marks
def check_step(to_the_boundary: Answer) -> None:
    """Exercise 2.4: the smallest Linf perturbation that reaches the nearest linearised boundary."""
    generator = torch.Generator().manual_seed(3)
    # Of three classes, in this order: flat and narrow, steep and wide, in between.
    grads = torch.randn(6, 3, 3, 8, 8, generator=generator) * torch.tensor([0.3, 4.0, 1.0])[:, None, None, None]
    slopes = grads.abs().sum((2, 3, 4))
    gaps = -torch.tensor([0.5, 2.5, 1.0]) * (0.8 + 0.4 * torch.rand(6, 3, generator=generator))
    gaps[:2, 0], gaps[2:4, 2] = -0.05, -0.1  # which class is the nearest differs from image to image
    given = gaps.clone(), grads.clone()
    answer = ask_tensor("2.4", to_the_boundary, tuple(grads[:, 0].shape), *given)
    if not (torch.equal(given[0], gaps) and torch.equal(given[1], grads)):
        raise Mistake("you changed the gaps or the gradients in place. Work on copies.")
    distance = -gaps / slopes
    nearest = distance.argmin(1)
    expected = _onto(gaps, grads, slopes, nearest)
    if same(answer, expected):
        right("2.4", f"The nearest boundaries are {distance.amin(1).min():.3f} to {distance.amin(1).max():.3f} away.")
        return
    if same(answer, -expected):
        raise Mistake("you walk away from the boundary. A gap is negative, and along its gradient it rises to zero.")
    for classes, sentence in (
        (gaps.argmax(1), "you go to the class with the narrowest gap. The nearest boundary is that of the smallest "
         "distance, gap over slope."),
        (distance.argmax(1), "you go to the farthest boundary. Take the smallest distance."),
        (torch.zeros_like(nearest), "you always go to the first class. Take the nearest of them, image by image."),
        (distance.amin(0).argmin().expand(6), "you choose one class for the whole batch. Each image has its own."),
    ):  # fmt: skip
        if same(answer, _onto(gaps, grads, slopes, classes)):
            raise Mistake(sentence)
    for slope, sentence in (
        (grads.square().sum((2, 3, 4)).sqrt(), "you divide by the Euclidean length of the gradient. If every pixel "
         "moves by the same amount, the gap closes by the sum of all |slopes|."),
        (grads.abs().amax((2, 3, 4)), "you divide by the largest slope, as if one pixel moved alone. All of them move: "
         "add up the |slopes|."),
        (grads.abs().mean((2, 3, 4)), "you average the slopes over the pixels. All pixels move, so they add up."),
        (slopes.sum(0, keepdim=True).expand_as(slopes), "you add up the slopes of the whole batch. Each image has its "
         "own."),
    ):  # fmt: skip
        if same(answer, _onto(gaps, grads, slope, (-gaps / slope).argmin(1))):
            raise Mistake(sentence)
    length = grads.square().sum((2, 3, 4))
    euclidean = (-gaps / length.sqrt()).argmin(1)
    chosen = grads[torch.arange(6), euclidean]
    if same(answer, (-gaps / length).gather(1, euclidean[:, None])[..., None, None] * chosen):
        raise Mistake("that is the L2 step, along the gradient itself. In the Linf ball the way is along its sign.")
    closed = gaps + (grads * answer[:, None]).sum((2, 3, 4))
    best = closed.gather(1, nearest[:, None]).squeeze(1)
    if best.abs().max() > 1e-3:
        raise Mistake(
            f"after your step the gap to the nearest class should be 0 if the model were linear; it is {best[0]:.2f} "
            "for the first image."
        )
    raise Mistake("you reach the boundary, but a smaller perturbation does so too: move all pixels by one amount.")


def _onto(gaps: Tensor, grads: Tensor, slopes: Tensor, classes: Tensor) -> Images:
    """The Linf perturbation towards one class for each image, as long as gap over slope."""
    rows = torch.arange(len(gaps))
    return (-gaps / slopes)[rows, classes][:, None, None, None] * grads[rows, classes].sign()
