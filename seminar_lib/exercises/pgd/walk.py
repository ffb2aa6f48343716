"""The check of exercise 2.2: PGD. It follows the walk of a student step by step, in what the model was shown."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask, ask_tensor, marks, not_followed, right, same
from seminar_lib.losses import margin
from seminar_lib.threat import L2, Linf
from seminar_lib.types import Images, Labels

EPS = 8 / 255
STEP_SIZE, STEPS = 7 / 255, 5  # so long that most walks on the example pass a better image than their last


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
    walks = [_walk(run) for run in runs]
    for run, walk in zip(runs, walks, strict=True):
        _judge_start(run, walk[0])
        _judge_walk(run, walk)
    _judge_choice(runs, [walk[:-1] for walk in walks])
    for run in runs:
        _judge_manners(run)
    _judge_other("eps", EPS, _Run(my_pgd, 0, eps=5 / 255))
    _judge_other("step_size", STEP_SIZE, _Run(my_pgd, 0, step_size=4 / 255))
    _judge_other("steps", STEPS, _Run(my_pgd, 0, steps=3))
    right("2.2", f"{STEPS} steps with a fresh gradient each, and the best image of every walk.")


class _Run:
    """One call of a student's PGD, with everything that the model was shown.

    Attributes:
        visits: the batches that the model saw, without the clean one and without repetitions.
    """

    def __init__(
        self, my_pgd: Answer, seed: int, eps: float = EPS, step_size: float = STEP_SIZE, steps: int = STEPS
    ) -> None:
        self.eps, self.step_size, self.steps = eps, step_size, steps
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
            self.given = ask("2.2", my_pgd, self.network, self.x, self.y, self.eps, self.step_size, self.steps)
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


def _judge_start(run: _Run, start: Images) -> None:
    noise, eps = start - run.clean, run.eps
    reach = float(noise.abs().max())
    if reach > eps * 1.001:
        raise Mistake(f"your walk starts up to {reach:.3f} away from x, outside the ball of eps = {eps:.3f}.")
    if start.min() < -1e-6 or start.max() > 1 + 1e-6:
        raise Mistake("your walk starts outside [0, 1]. Project the start too.")
    if noise.min() > -1e-6 or noise.max() < 1e-6:
        raise Mistake("your noise goes one way only. torch.rand gives [0, 1]; the noise must fill [-eps, eps].")
    if reach < 0.9 * eps:
        raise Mistake(f"your start reaches only {reach:.3f} from x; the noise must fill [-eps, eps].")


def _walk(run: _Run) -> list[Images]:
    """The images of a right walk from where the student's started, and one step beyond."""
    points = [run.visits[0]]
    for _ in range(run.steps + 1):
        points.append(_moved(run, points[-1], run.step_size * run.gradient(points[-1]).sign()))
    return points


def _moved(run: _Run, x_adv: Images, step: Images) -> Images:
    return Linf(run.eps).project(x_adv + step, run.clean)


def _judge_walk(run: _Run, walk: list[Images]) -> None:
    """Whether the model saw the images of a right walk; a walk may look at others besides."""
    seen = [any(same(batch, point) for batch in (*run.visits, run.answer)) for point in walk]
    if not seen[1]:
        # Where the model saw one batch only, the answer is what came of it.
        _explain_step(run, walk[0], run.visits[1] if len(run.visits) > 1 else run.answer)
    if not seen[2]:
        _explain_second(run, walk, run.visits[2] if len(run.visits) > 2 else run.answer)
    taken = len(seen) - 1 - seen[::-1].index(True)
    if taken > run.steps:
        raise Mistake(f"you take more than the {run.steps} steps that were asked for.")
    if not all(seen[: run.steps]):
        steps = seen.index(False) - 1
        if len(run.visits) <= seen.index(False):
            raise Mistake(f"you take {steps} steps; asked for were {run.steps}.")
        raise Mistake(f"your walk is right for {steps} steps; then it goes another way. Does each step go on "
                      "from the last image, better or not?")  # fmt: skip


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
        STEP_SIZE
        / run.example.std: "your steps cross the whole ball: too long by the model's std, or by 255? step_size "
        "is in pixels of [0, 1], and the model normalises by itself.",
        STEP_SIZE * run.example.std: "your steps are too short by the model's std: that is step_size in normalised "
        "space. The model normalises by itself; step in pixels.",
    }.items():
        if same(moved, _moved(run, start, size * sign)):
            raise Mistake(sentence)
    if same(moved, Linf(EPS).project(x, start + step)):
        raise Mistake("you exchanged the arguments of project: first the image that is pulled back, then x.")
    longest = float((moved - start).abs().max())
    if same(moved, _moved(run, start, longest * sign)):
        raise Mistake(f"your steps have length {longest:.4f} or more, but step_size is {STEP_SIZE:.4f}.")
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
    on_walk = torch.stack([L2(1).norm(answer - point) < 1e-4 for point in (*points, clean)]).any(0)
    best = torch.cat([_is_best(run, walk) for run, walk in zip(runs, walks, strict=True)])
    if bool((on_walk & best).all()):
        return
    of_each_run = losses.unflatten(1, (len(runs), -1)).sum(2)
    one_for_all = of_each_run.argmax(0).repeat_interleave(len(runs[0].x))
    last = torch.full_like(one_for_all, len(points) - 1)
    for chosen, sentence in (
        (last, "you return the last image of the walk. Keep the one with the highest loss, for each image."),
        (losses.argmin(0), "you keep the image with the lowest loss. The adversary wants the highest."),
        (losses[:-1].argmax(0), "you never look at the image after the last step; it may be the best."),
        (losses[:-1].argmax(0) + 1, "you keep the image after the one with the highest loss: note where the loss is "
         "better first, and move then."),
        (one_for_all, "you choose one step for the whole batch. Compare the losses image by image: reduction='none'."),
    ):  # fmt: skip
        if same(answer, _taken(points, chosen)):
            raise Mistake(sentence)
    if same(clean + answer, _taken(points, losses.argmax(0))):
        raise Mistake("you return the perturbation. Return the images.")
    if same(answer, clean):
        raise Mistake("you return x: no image of the walk was ever kept.")
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


def _judge_other(name: str, usual: float, run: _Run) -> None:
    """Refuse an answer that goes astray as soon as one of its arguments is another number."""
    try:
        if not run.visits:
            raise Mistake("the model never sees a moved batch.")
        walk = _walk(run)
        _judge_start(run, walk[0])
        _judge_walk(run, walk)
        _judge_choice([run], [walk[:-1]])
    except Mistake:
        raise not_followed("your walk", name, usual, getattr(run, name)) from None


def _taken(walk: list[Images], steps: Tensor) -> Images:
    """For each image the point of the walk after its own number of steps."""
    return torch.stack(walk)[steps, torch.arange(len(steps))]


@torch.no_grad()
def _is_best(run: _Run, walk: list[Images]) -> Tensor:
    """Whether no image of the walk beats the answer, by cross-entropy or by margin."""
    best = run.losses([run.answer])[0] >= run.losses(walk[1:]).amax(0) - 1e-5
    margins = torch.stack([margin(run.example.model(x), run.y) for x in (run.answer, *walk[1:])])
    return best | (margins[0] >= margins[1:].amax(0) - 1e-5)
