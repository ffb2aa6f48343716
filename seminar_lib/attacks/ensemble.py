"""Several attacks, and for each image the worst of them.

Croce & Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML
2020, section 5: attacks that fail in different ways seldom fail together, so an image is robust only when it stands
against all of them. A member works on the survivors of those before it, which makes the cheap and strong ones come
first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from torch import Tensor

from seminar_lib.attacks.base import Attack, Best, Generator, care, verdict
from seminar_lib.checks import check_images
from seminar_lib.goals import Expectation, Goal
from seminar_lib.losses import Loss, margin
from seminar_lib.threat import ThreatModel
from seminar_lib.types import Images, Labels, Model

STANDING, WRONG_BEFORE = -1, -2  # no member fooled it; the clean image was enough


class Cascade(NamedTuple):
    """What became of each image in an ensemble.

    Attributes:
        x_adv: the worst image found, (B, C, H, W).
        by: the number of the member that fooled it first, (B,); ``STANDING`` or ``WRONG_BEFORE`` where none did.
    """

    x_adv: Images
    by: Tensor


@dataclass(frozen=True, repr=False)
class WorstCase(Attack):
    """The worst of several attacks, per image; each member climbs its own loss on the survivors of those before it.

    Attributes:
        members: attacks within one threat model, in the order in which they run.
        samples: looks at the model that are averaged for each score; more than one for a model that answers at random
            (EOT). The verdict is then that of the majority.
        loss: decides between two failures of different members.
        bf16: nothing here; each member has its own.

    Raises:
        ValueError: there are no members, they do not share this threat model, or there is less than one sample.
    """

    members: tuple[Attack, ...] = ()
    samples: int = 1
    loss: Loss = field(default=margin, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.members:
            raise ValueError(f"{type(self).__name__} needs at least one attack; got none.")
        if strangers := [member for member in self.members if member.threat != self.threat]:
            raise ValueError(
                f"All attacks of {type(self).__name__} work within {self.threat}; {strangers[0]} does not. "
                "A worst case over different threat models would mean nothing."
            )
        if self.samples < 1:
            raise ValueError(f"{type(self).__name__} needs at least one sample; got {self.samples}.")

    @property
    def parts(self) -> tuple[Attack, ...]:
        return tuple(part for member in self.members for part in member.parts)

    def within(self, threat: ThreatModel) -> WorstCase:
        return replace(self, threat=threat, members=tuple(member.within(threat) for member in self.members))

    def scaled(self, share: float) -> WorstCase:
        members = tuple(member.scaled(share) for member in self.members)
        return replace(self, threat=members[0].threat, members=members)

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """One member after the other."""
        return self.follow(goal, x, generator).x_adv

    def run(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """As of any attack. Each member prepares the model for itself, and each verdict is taken in float32."""
        return self.follow(goal, x, generator).x_adv

    def cascade(
        self, model: Model, x: Images, y: Labels, target: Labels | None = None, generator: Generator = None
    ) -> Cascade:
        """As a call, with a note of which member fooled which image; arguments and errors as for a call."""
        return self.follow(self.goal(model, x, y, target), x, generator)

    def follow(self, goal: Goal, x: Images, generator: Generator = None) -> Cascade:
        """As ``run``, with a note of which member reached the goal for which image."""
        check_images(x)
        if self.samples > 1:
            goal = Expectation(goal, self.samples)
        with care(goal, x):
            x = x.clamp(0, 1)
            best = Best(x, verdict(goal, x))
            by = best.success.long() * (WRONG_BEFORE - STANDING) + STANDING
            for number, member in enumerate(self.members):
                rows = best.unfooled() if self.stop_when_fooled else best.all()
                if not len(rows):
                    break
                aim, standing = goal[rows], ~best.success[rows]
                found = member.run(aim.climbing(member.loss), x[rows], generator)
                best.offer(rows, found, verdict(aim, found))
                by[rows[standing & best.success[rows]]] = number
        return Cascade(best.x, by)


def worst_case(attacks: Iterable[Attack]) -> WorstCase:
    """The ensemble of attacks that share a threat model.

    Raises:
        ValueError: there are none, or their threat models differ.
    """
    members = tuple(attacks)
    if not members:
        raise ValueError("worst_case needs at least one attack; got none.")
    return WorstCase(members[0].threat, members)
