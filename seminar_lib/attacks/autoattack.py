"""AutoAttack: four attacks without a knob to turn wrong, and a warning where even they should not be believed.

Croce & Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML
2020, section 5; for L1 the settings of Croce & Hein, "Mind the box", ICML 2021. Members, steps, targets and queries are
those of the authors' package. Ours leaves an image alone from its first success on, so it is faster and no weaker:
accuracy only asks whether there is one.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import torch

from seminar_lib.attacks.apgd import APGD, APGDTargeted
from seminar_lib.attacks.base import Attack, Generator, care
from seminar_lib.attacks.ensemble import Cascade, WorstCase
from seminar_lib.attacks.fab import FAB
from seminar_lib.attacks.flags import answers_at_random, blind_share, differentiates_inside
from seminar_lib.attacks.square import Square
from seminar_lib.goals import Goal
from seminar_lib.losses import cross_entropy, dlr
from seminar_lib.threat import L1, Linf, ThreatModel
from seminar_lib.types import Images

PROBE = 32  # images that the flags look at before the attack; a defence that masks does so for most of them
BLACK_BOX_LEAD = 0.002  # share of images that Square may add to the attacks with gradients, as in the authors' package


class MaskingWarning(UserWarning):
    """The model hides its gradients, so the accuracy that is left says little about its robustness."""


@dataclass(frozen=True, repr=False)
class AutoAttack(WorstCase):
    """The ensemble in one of its authors' versions, with the flags that they raise.

    Attributes:
        version: ``"standard"`` is what robustness is reported with. ``"plus"`` adds restarts and APGD on DLR; where the
            authors restart FAB without targets, ours restarts it on every target, which contains it.
            ``"rand"`` is for models that answer at random: gradients are averaged over 20 looks.
        members, samples: as the version has them.
        bf16: of the members that climb gradients.

    Raises:
        ValueError: there is no such version.
    """

    members: tuple[Attack, ...] = field(init=False)
    samples: int = field(init=False)
    version: str = "standard"

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise ValueError(f"AutoAttack has the versions {', '.join(VERSIONS)}; got {self.version!r}.")
        # The dataclass is frozen.
        object.__setattr__(self, "members", VERSIONS[self.version](self.threat, self.bf16))
        object.__setattr__(self, "samples", 20 if self.version == "rand" else 1)
        super().__post_init__()

    def within(self, threat: ThreatModel) -> AutoAttack:
        return replace(self, threat=threat)

    def scaled(self, share: float) -> AutoAttack:
        return self.within(replace(self.threat, eps=share * self.threat.eps))  # the members choose their own steps

    def follow(self, goal: Goal, x: Images, generator: Generator = None) -> Cascade:
        """The cascade of members; warns of a model that this ensemble cannot judge."""
        few = torch.arange(min(PROBE, len(x)), device=x.device)
        with care(goal, x):
            self._look_for_masks(goal[few], x[few].clamp(0, 1))
        cascade = super().follow(goal, x, generator)
        black_box = [number for number, member in enumerate(self.members) if isinstance(member, Square)]
        lead = sum((cascade.by == number).sum().item() for number in black_box) / len(x)
        if lead > BLACK_BOX_LEAD:
            _warn(
                f"Square, which sees no gradients, fooled {lead:.1%} of the images after all that the attacks with "
                "gradients could do: they may be masked. Run diagnose(model, x, y) and go around the mask (BPDA, EOT)."
            )
        return cascade

    def _look_for_masks(self, goal: Goal, x: Images) -> None:
        """What speaks against this ensemble before it starts, at a few clean images."""
        if self.samples == 1 and answers_at_random(goal, x):
            _warn(
                "Two looks at the same images differ: the model answers at random, and an attack that follows one look "
                "follows noise. Take autoattack(version='rand')."
            )
        if differentiates_inside(goal, x):
            _warn(
                "The model switches gradients on inside its forward pass: it optimises while it answers, and this "
                "ensemble may not be enough. Attack the optimisation as well."
            )
        if blind := blind_share(goal, x):
            _warn(
                f"The gradient of the cross-entropy is exactly zero for {blind:.0%} of {len(x)} images: they are "
                "saturated or masked. Members that climb the margin or DLR may see more; compare with Square."
            )


def autoattack(threat: ThreatModel = Linf(8 / 255), version: str = "standard") -> AutoAttack:
    """The ensemble of the authors' package, for an Linf, L2 or L1 threat model; versions and errors as of the class."""
    return AutoAttack(threat, version)


def _standard(threat: ThreatModel, bf16: bool, fab_restarts: int = 1) -> tuple[Attack, ...]:
    """Four members. In L1, where one start is not enough, APGD takes five."""
    sparse = isinstance(threat, L1)
    return (
        APGD(threat, steps=100, restarts=5 if sparse else 1, bf16=bf16),
        APGDTargeted(threat, steps=100, targets=5 if sparse else 9, bf16=bf16),
        FAB(threat, steps=100, targets=9, restarts=fab_restarts),
        Square(threat, queries=5000),
    )


def _plus(threat: ThreatModel, bf16: bool) -> tuple[Attack, ...]:
    untargeted = (APGD(threat, steps=100, restarts=5, loss=loss, bf16=bf16) for loss in (cross_entropy, dlr))
    return (*untargeted, *_standard(threat, bf16, fab_restarts=5)[1:])


def _rand(threat: ThreatModel, bf16: bool) -> tuple[Attack, ...]:
    return tuple(APGD(threat, steps=100, loss=loss, bf16=bf16) for loss in (cross_entropy, dlr))


VERSIONS = {"standard": _standard, "plus": _plus, "rand": _rand}


def _warn(text: str) -> None:
    warnings.warn(text, MaskingWarning, stacklevel=2)
