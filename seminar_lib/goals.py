"""Goals: what the adversary wants inside the threat model.

A goal scores images: a loss to climb and whether the adversary has won. An attack sees nothing else, so the same PGD
fools a classifier, hits a target class, or pushes an embedding away. An adaptive attack is a new goal, not a new
attack.

A goal belongs to a batch: example i of ``goal(x)`` is judged against label i. ``goal[rows]`` is the same goal for
some of the examples, so that an attack can stop spending time on images that already fool the model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.losses import Loss, cross_entropy, divergence, margin, rival_margin
from seminar_lib.types import Embeddings, Flags, Images, Labels, Logits, Model, PerExample


class Score(NamedTuple):
    """What a goal says of a batch: the loss that the adversary climbs, and whether each image already wins."""

    loss: PerExample
    success: Flags


@dataclass(frozen=True, eq=False)
class Goal(ABC):
    """What the adversary wants for each example of one batch.

    A goal is a dataclass whose tensors and goals hold one row per example; the rest (models, losses, weights) is
    shared.
    """

    @abstractmethod
    def __call__(self, x: Images) -> Score:
        """Score candidate images; differentiable in ``x``."""

    def __getitem__(self, rows: Tensor) -> Goal:
        """The goal of some examples only; ``rows`` holds indices, possibly repeated, or a mask."""
        return replace(
            self, **{name: part[rows] for name, part in vars(self).items() if isinstance(part, Tensor | Goal)}
        )

    def climbing(self, loss: Loss) -> Goal:
        """The same finish line with another loss to climb, wherever a loss of (logits, y) was chosen."""
        chosen = {name: loss for name, part in vars(self).items() if isinstance(part, Loss)}
        inner = {name: part.climbing(loss) for name, part in vars(self).items() if isinstance(part, Goal)}
        return replace(self, **chosen, **inner)

    def gaps(self, x: Images, count: int) -> Tensor:
        """How far each image is from winning by each of its ``count`` nearest ways, (B, up to count).

        A gap is negative short of the boundary and positive beyond it; the goal is won where any of them is positive.
        Searches for the nearest boundary (DeepFool) follow them one by one. Differentiable in ``x``.

        Raises:
            TypeError: this goal has no finish line to measure a distance to.
        """
        raise TypeError(f"{type(self).__name__} has no boundary between classes. Take an attack that climbs its loss.")

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        """The same finish line approached from each of up to ``count`` wrong classes, the most likely at ``x`` first.

        Raises:
            TypeError: this goal knows no classes to choose from.
        """
        raise TypeError(f"{type(self).__name__} has no rival classes. Take an attack that climbs its loss.")

    @property
    def models(self) -> tuple[Model, ...]:
        """Everything callable inside this goal, networks above all: what an attack must leave as it was."""
        parts = [part.models if isinstance(part, Goal) else (part,) for part in vars(self).values()]
        return tuple(part for group in parts for part in group if callable(part) and not isinstance(part, Loss))


@dataclass(frozen=True, eq=False)
class Misclassify(Goal):
    """Any label but the true one."""

    model: Model
    y: Labels
    loss: Loss = cross_entropy

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(self.loss(logits, self.y), logits.argmax(1) != self.y)

    def gaps(self, x: Images, count: int) -> Tensor:
        """The margins z_j - z_y of the likeliest wrong classes j."""
        logits = self.model(x)
        margins = logits - logits.gather(1, self.y[:, None])
        return margins.gather(1, _rivals(logits, self.y, count))

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        with torch.no_grad():
            rivals = _rivals(self.model(x), self.y, count)
        return [Towards(self.model, self.y, rival, loss) for rival in rivals.unbind(1)]


@dataclass(frozen=True, eq=False)
class Towards(Goal):
    """Any label but the true one wins, but the loss looks at one rival class only.

    Attributes:
        rival: the class that the search runs for, one for each example.
        loss: of (logits, y, rival).
    """

    model: Model
    y: Labels
    rival: Labels
    loss: Loss = rival_margin

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(self.loss(logits, self.y, self.rival), logits.argmax(1) != self.y)


@dataclass(frozen=True, eq=False)
class Reach(Goal):
    """One chosen label for each example: the loss towards it falls, so its negative climbs."""

    model: Model
    target: Labels
    loss: Loss = cross_entropy

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(-self.loss(logits, self.target), logits.argmax(1) == self.target)

    def gaps(self, x: Images, count: int) -> Tensor:
        """One gap only: the target's lead over the best other class."""
        return -margin(self.model(x), self.target)[:, None]

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        """The target is the only class to choose."""
        return [self]


@dataclass(frozen=True, eq=False)
class Diverge(Goal):
    """Far from what the model says of the clean image: KL(p || p_adv), with the clean prediction held fixed.

    The inner goal of TRADES (Zhang et al., ICML 2019, eq. 5); it needs no labels. Won when the predicted label changes.

    Attributes:
        clean: the model's logits on the clean images, without gradient.
    """

    model: Model
    clean: Logits

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(divergence(self.clean, logits), logits.argmax(1) != self.clean.argmax(1))


@dataclass(frozen=True, eq=False)
class Leave(Goal):
    """Far from the clean image in the embedding: 1 - cosine similarity. There is no finish line, so it never succeeds.

    Attributes:
        embed: images to embeddings (B, D), such as ``model.embed``.
        clean: the embeddings of the clean images, without gradient.
    """

    embed: Model
    clean: Embeddings

    def __call__(self, x: Images) -> Score:
        distance = 1 - F.cosine_similarity(self.embed(x), self.clean, dim=1)
        return Score(distance, torch.zeros_like(distance, dtype=torch.bool))


@dataclass(frozen=True, eq=False)
class Both(Goal):
    """Two goals at once, such as fooling a classifier and a detector: won where both are; the losses add up."""

    first: Goal
    second: Goal
    weight: float = 1.0

    def __call__(self, x: Images) -> Score:
        first, second = self.first(x), self.second(x)
        return Score(first.loss + self.weight * second.loss, first.success & second.success)

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        """Rival classes of the first goal, each together with the second."""
        return [replace(self, first=goal) for goal in self.first.towards(x, count, loss)]


@dataclass(frozen=True, eq=False)
class Expectation(Goal):
    """Expectation over transformation: the mean loss of several looks at a model that answers at random.

    Athalye et al., ICML 2018, section 4.2. Won when more than half of the looks are.
    """

    goal: Goal
    samples: int

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"Expectation needs at least one sample; got {self.samples}.")

    def __call__(self, x: Images) -> Score:
        looks = [self.goal(x) for _ in range(self.samples)]
        wins = torch.stack([look.success for look in looks]).sum(0)
        return Score(torch.stack([look.loss for look in looks]).mean(0), 2 * wins > self.samples)

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        return [replace(self, goal=goal) for goal in self.goal.towards(x, count, loss)]


@dataclass
class Look:
    """One call of a recorded goal.

    Attributes:
        rows: which examples of the batch were looked at, (R,).
        x: the images, (R, C, H, W), without gradient.
        score: loss and success, without gradient.
        grad_norm: Euclidean length of each example's gradient (R,), None until a backward pass has reached the images.
    """

    rows: Tensor
    x: Images
    score: Score
    grad_norm: PerExample | None = None


@dataclass(frozen=True, eq=False)
class Recorded(Goal):
    """Keeps every look that a search takes, without the search knowing: losses, images, gradient lengths, counts.

    Attributes:
        goal: what is recorded.
        rows: the number of each example in its batch; ``torch.arange(B)`` at the start.
        looks: filled by the calls, in order.
    """

    goal: Goal
    rows: Tensor
    looks: list[Look] = field(default_factory=list)

    def __call__(self, x: Images) -> Score:
        score = self.goal(x)
        look = Look(self.rows, x.detach().clone(), Score(score.loss.detach(), score.success))
        if x.requires_grad:
            x.register_hook(lambda grad: setattr(look, "grad_norm", grad.flatten(1).norm(dim=1)))
        self.looks.append(look)
        return score

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        return [replace(self, goal=goal) for goal in self.goal.towards(x, count, loss)]

    @property
    def forwards(self) -> int:
        """How many images were run forwards."""
        return sum(len(look.rows) for look in self.looks)

    @property
    def backwards(self) -> int:
        """How many images were run backwards."""
        return sum(len(look.rows) for look in self.looks if look.grad_norm is not None)


def _rivals(logits: Logits, y: Labels, count: int) -> Tensor:
    """The wrong classes with the largest logits, (B, up to count), the largest first."""
    wrong = logits.detach().scatter(1, y[:, None], float("-inf"))
    return wrong.topk(min(count, logits.shape[1] - 1), dim=1).indices
