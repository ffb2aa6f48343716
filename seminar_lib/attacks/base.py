"""What all attacks share: an attack is a frozen set of hyperparameters, and calling it returns adversarial images.

A new attack is a dataclass with one method, ``search``. Checks of the input, care for the model, precision, and the
promise that the result is never worse than the clean image are here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from seminar_lib.checks import check_images, check_labels, check_logits, check_model
from seminar_lib.device import computes_bf16
from seminar_lib.freeze import frozen
from seminar_lib.goals import Goal, Misclassify, Reach, Score
from seminar_lib.lean import lean
from seminar_lib.losses import Loss, cross_entropy
from seminar_lib.threat import Linf, ThreatModel
from seminar_lib.types import Flags, Images, Labels, Model, PerExample

Generator = torch.Generator | None


@dataclass(frozen=True, repr=False)
class Attack(ABC):
    """A search for adversarial images inside a threat model.

    Attributes:
        threat: where the images may go.
        loss: what the search climbs, of (logits, labels).
        stop_when_fooled: leave an example alone once it succeeds, which is all that evaluation needs. Training and
            pictures want the strongest loss instead of the first success: set it to False.
        bf16: search in bfloat16 where the hardware computes in it, several times faster; elsewhere in float32 all the
            same. A success counts only when float32 confirms it.
        exact: of the class: whether its search compares such small differences that it always runs in the precision of
            the images; ``bf16`` is then set back to False.
        lengths: of the class: names of the fields that are lengths in the threat's norm, which print and scale as its
            radius does.

    Raises:
        TypeError: ``threat`` is no threat model.
    """

    exact: ClassVar[bool] = False
    lengths: ClassVar[tuple[str, ...]] = ("step_size",)
    threat: ThreatModel = Linf()
    loss: Loss = field(default=cross_entropy, kw_only=True)
    stop_when_fooled: bool = field(default=True, kw_only=True)
    bf16: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.threat, ThreatModel):
            raise TypeError(
                f"{type(self).__name__} needs a threat model, such as {type(self).__name__}(Linf(8/255)); "
                f"got {self.threat!r}."
            )
        if self.exact:
            object.__setattr__(self, "bf16", False)  # the dataclass is frozen

    def __repr__(self) -> str:
        """The code that makes this attack, without the fields that have their default values."""
        chosen = [f for f in fields(self)[1:] if f.init]
        changed = {f.name: getattr(self, f.name) for f in chosen if getattr(self, f.name) != f.default}
        written = {name: self.threat.written if name in self.lengths else repr for name in changed}
        texts = [f"{name}={written[name](value)}" for name, value in changed.items()]
        return f"{type(self).__name__}({', '.join([repr(self.threat), *texts])})"

    @property
    def parts(self) -> tuple[Attack, ...]:
        """The attacks that run when this one does: itself, or the members of an ensemble."""
        return (self,)

    def within(self, threat: ThreatModel) -> Attack:
        """The same attack inside another threat model."""
        return replace(self, threat=threat)

    def scaled(self, share: float) -> Attack:
        """The same attack in ``share`` times the radius; a step size that was chosen is scaled alike."""
        chosen = [name for name in self.lengths if getattr(self, name, None)]
        lengths: dict[str, Any] = {name: share * getattr(self, name) for name in chosen}
        return replace(self.within(replace(self.threat, eps=share * self.threat.eps)), **lengths)

    @abstractmethod
    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """Look for images inside ``threat`` around ``x`` that score high on ``goal``.

        This is the bare search: it checks nothing and runs the model as it stands. Training calls it directly.
        """

    def __call__(
        self, model: Model, x: Images, y: Labels, target: Labels | None = None, generator: Generator = None
    ) -> Images:
        """Adversarial images for ``x``, inside the threat model and never worse for the adversary than ``x``.

        Args:
            model: images in [0, 1] to logits. It comes back as it was: weights, buffers, gradients, modes.
            x: clean images in [0, 1].
            y: their true labels.
            target: when given, the adversary wants exactly these labels instead of any wrong one.
            generator: where random numbers come from (on the device of ``x``); the global stream when omitted.

        Raises:
            TypeError, ValueError: an input or the model is not as described; the message says what came and how to
                mend it.
        """
        return self.run(self.goal(model, x, y, target), x, generator)

    def goal(self, model: Model, x: Images, y: Labels, target: Labels | None = None) -> Goal:
        """What a call aims at: any wrong label, or exactly ``target``. Checks all that a call is given."""
        check_images(x)
        check_model(model, x)
        with torch.no_grad(), frozen(model):
            logits = model(x[:8])
        check_logits(logits, x[:8])
        check_labels(y, x, logits.shape[1])
        if target is None:
            return Misclassify(model, y, self.loss)
        check_labels(target, x, logits.shape[1], "target")
        if (target == y).any():
            raise ValueError("target equals y for some images: the adversary would want the right answer there.")
        return Reach(model, target, self.loss)

    def run(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """The search for any goal: an adaptive attack is ``attack.run(my_goal, x)``.

        It takes the same care as ``__call__``: models frozen, verdicts in float32, never worse than the clean image.

        Raises:
            TypeError, ValueError: ``x`` is no batch of images in [0, 1].
        """
        check_images(x)
        with care(goal, x):
            x = x.clamp(0, 1)
            best = Best(x, verdict(goal, x))
            rows = best.unfooled() if self.stop_when_fooled else best.all()
            if len(rows):
                found = self.search(self.aim(goal[rows], x[rows], self.stop_when_fooled), x[rows], generator)
                best.offer(rows, found, verdict(goal[rows], found))
            return best.x

    def aim(self, goal: Goal, x: Images, confirm: bool) -> Goal:
        """The goal as a search sees it, which is all about speed; verdicts are up to the caller's own model.

        Args:
            goal: on the caller's model.
            x: the images that the search is about.
            confirm: of successes, as ``LowPrecision`` takes it.
        """
        fast = lean(goal, x)
        return LowPrecision(fast, confirm) if self.bf16 and computes_bf16(x.device.type) else fast


@contextmanager
def care(goal: Goal, x: Images) -> Iterator[None]:
    """Run a goal's models without leaving a trace on them, and alike wherever the caller stands.

    A caller's autocast is left outside: it would lower the precision of a search that was not asked for ``bf16``.
    """
    # Tensors born under inference_mode cannot take part in a backward pass; their copies made inside here can.
    with torch.inference_mode(False), torch.autocast(x.device.type, enabled=False), frozen(*goal.models):
        yield


class Best:
    """The best image found so far for each example: a success before a failure, then the higher loss."""

    def __init__(self, x: Images, score: Score | None = None) -> None:
        """Start from ``x``; without a score, whatever is offered first is better."""
        if score is None:
            score = Score(
                torch.full_like(x[:, 0, 0, 0], float("-inf")), torch.zeros(len(x), dtype=torch.bool, device=x.device)
            )
        self.x, self.loss, self.success = x.clone(), score.loss.clone(), score.success.clone()

    def offer(self, rows: Tensor, x: Images, score: Score) -> None:
        """Take each image of ``x``, standing for the examples ``rows``, that beats the one held."""
        loss, success = self.loss[rows], self.success[rows]
        better = (score.success & ~success) | ((score.success == success) & (score.loss > loss))
        self.x[rows[better]] = x[better]
        self.loss[rows] = torch.where(better, score.loss, loss)
        self.success[rows] = success | score.success

    def all(self) -> Tensor:
        """The indices of all examples."""
        return torch.arange(len(self.x), device=self.x.device)

    def unfooled(self) -> Tensor:
        """The indices of the examples without a success yet."""
        return (~self.success).nonzero().squeeze(1)


def climb(goal: Goal, x: Images) -> tuple[Score, Images]:
    """The score of ``x`` and the gradient of each example's loss with respect to its image.

    Raises:
        ValueError, FloatingPointError: as ``slopes``.
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        score = goal(x)
    (grad,) = slopes([score.loss], x)
    return Score(score.loss.detach(), score.success), grad


def slopes(losses: Sequence[PerExample], x: Images) -> list[Images]:
    """The gradients of several losses that one look at ``x`` gave, each example's with respect to its own image.

    Raises:
        ValueError: a loss does not depend on the image as far as autograd can see.
        FloatingPointError: a gradient holds NaN or infinity.
    """
    found = []
    for number, loss in enumerate(losses, 1):
        grad = None
        if loss.requires_grad:
            (grad,) = torch.autograd.grad(loss.sum(), x, retain_graph=number < len(losses), allow_unused=True)
        if grad is None:
            raise ValueError(
                "The loss has no gradient with respect to the image: the model detaches its input or runs under "
                "no_grad. Give that step a differentiable stand-in (BPDA), or take an attack without gradients."
            )
        # One number tells that all is well. Where it does not (finite numbers too may sum to infinity), look closer.
        if not grad.sum().isfinite() and not (finite := grad.isfinite().flatten(1).all(1)).all():
            raise FloatingPointError(
                f"The gradient holds NaN or infinity, first for image {int((~finite).nonzero()[0])} of the batch, and "
                "an attack would go blind. Look for a division by zero, the root or logarithm of 0, or diverged "
                "weights."
            )
        found.append(grad)
    return found


@torch.no_grad()
def look(goal: Goal, x: Images) -> Score:
    """The score of ``x`` without a gradient."""
    return goal(x)


def verdict(goal: Goal, x: Images) -> Score:
    """The score of ``x`` in full precision, whatever autocast surrounds the call."""
    with torch.autocast(x.device.type, enabled=False):
        return look(goal, x)


def confirmed(goal: Goal, x: Images, claimed: Flags) -> Flags:
    """Those of the successes that ``goal`` claims at ``x`` which are some in full precision, too."""
    precise, rows = goal.precise, claimed.nonzero().squeeze(1)
    if precise is goal or not len(rows):
        return claimed
    success = claimed.clone()
    success[rows] = verdict(precise[rows], x[rows]).success
    return success


@dataclass(frozen=True, eq=False)
class LowPrecision(Goal):
    """A goal computed in bfloat16: the sign of a gradient mostly survives the rounding, a verdict may not.

    Attributes:
        goal: what is computed.
        confirm: check each success in float32, where it ends the search for an example. Where the search goes on
            whatever the success, ``run`` takes the verdict at its end and a forward pass at each step is saved.
    """

    goal: Goal
    confirm: bool

    def __call__(self, x: Images) -> Score:
        with torch.autocast(x.device.type, torch.bfloat16):
            loss, claimed = self.goal(x)
        return Score(loss.float(), confirmed(self, x.detach(), claimed) if self.confirm else claimed)

    @property
    def precise(self) -> Goal:
        return self.goal.precise

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        return [replace(self, goal=goal) for goal in self.goal.towards(x, count, loss)]
