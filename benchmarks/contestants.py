"""The contestants: our attacks, the same attacks by other libraries, and the floor below all of them.

One of our attacks is the description that a peer's is made from: radius, steps, step size and random start are taken
from its fields. To add a row is to add an attack to ``ATTACKS`` and a case to the peers that have it.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F

from benchmarks.peers import PEERS, Contestant
from seminar_lib.attacks import APGD, CW, FAB, FGSM, PGD, Attack, DeepFool, MinimumNorm, Square, WorstCase, autoattack
from seminar_lib.device import computes_bf16
from seminar_lib.freeze import frozen
from seminar_lib.models import Classifier
from seminar_lib.threat import L2, Linf
from seminar_lib.types import Images, Labels, Model

LINF, BALL = Linf(8 / 255), L2(0.5)

ATTACKS: dict[str, Attack] = {
    "FGSM": FGSM(LINF),
    "PGD-20": PGD(LINF, steps=20, step_size=2 / 255),
    "APGD-CE": APGD(LINF, steps=50),
    "C&W": CW(BALL, binary_steps=1, steps=100, initial_const=1.0),
    "DeepFool": DeepFool(BALL, steps=50),
    "FAB-T": FAB(LINF, steps=20, targets=3),
    "Square": Square(LINF, queries=500),
    "AutoAttack": autoattack(LINF),
}
HOURS = {"AutoAttack"}  # what runs only when it is asked for by name


def chosen(titles: tuple[str, ...]) -> dict[str, Attack]:
    """The attacks of these titles; all but those that take hours when there are none.

    Raises:
        ValueError: there is no such attack.
    """
    if unknown := set(titles) - set(ATTACKS):
        raise ValueError(f"--attacks are some of {', '.join(ATTACKS)}; got {', '.join(sorted(unknown))}.")
    return {title: ATTACKS[title] for title in titles or ATTACKS if titles or title not in HOURS}


def check_left_out(without: Collection[str]) -> None:
    """Raise ValueError where one of these is no peer."""
    if unknown := [peer for peer in without if peer not in PEERS]:
        raise ValueError(f"--without names some of {', '.join(PEERS)}; got {unknown[0]!r}.")


def passes(attack: Attack) -> tuple[int, int]:
    """The forward and backward passes of each image that an attack's settings speak of, without any overhead.

    DeepFool stops when it is done, after two or three steps mostly: one look at all its classes is the least. Of
    AutoAttack, whose members see only survivors, the first member is the least.
    """
    match attack:
        case FGSM():
            return 1, 1
        case PGD() | APGD():
            return attack.steps * attack.restarts, attack.steps * attack.restarts
        case CW():
            return attack.binary_steps * attack.steps, attack.binary_steps * attack.steps
        case DeepFool():
            return 1, attack.classes
        case FAB():
            return 2 * attack.steps * attack.targets * attack.restarts, attack.steps * attack.targets * attack.restarts
        case Square():
            return attack.queries, 0
        case WorstCase():
            return passes(attack.members[0])
    raise TypeError(f"How many passes does {attack!r} take? Say so in benchmarks/contestants.py.")


def floor(attack: Attack, model: Classifier) -> Contestant:
    """The bare passes of an attack, in float32; the images come back unchanged."""
    forwards, backwards = passes(attack)
    gradients = -(-backwards // forwards)  # of each look that has any; more than one where it serves several classes

    def run(x: Images, y: Labels) -> Images:
        with frozen(model):
            image = x.detach().requires_grad_()
            for look in range(forwards):
                with torch.set_grad_enabled(look * gradients < backwards):
                    loss = F.cross_entropy(model(image), y)
                for _ in range(gradients if loss.requires_grad else 0):
                    torch.autograd.grad(loss, image, retain_graph=gradients > 1)
        return x

    return run


def ours(attack: Attack, device: torch.device) -> dict[str, Attack | Nearest]:
    """Our variants of an attack.

    Those without stopping take every step on every image, as most peers do; those that are not drawn back leave a
    success where it was found, as all peers do. Exact attacks have no variant in bf16, and neither has a device that
    does not compute in it.
    """
    found: dict[str, Attack | Nearest] = {}
    for low, suffix in ((False, ""), (True, ", bf16"))[: 1 + computes_bf16(device.type)]:
        variant = replace(attack, bf16=low)
        if variant.bf16 != low:
            continue
        if isinstance(variant, MinimumNorm):
            found[f"seminar_lib{suffix}"] = Nearest(variant)
            if isinstance(variant, CW | DeepFool):
                found[f"seminar_lib, not drawn back{suffix}"] = Nearest(replace(variant, refinements=0))
            found[f"seminar_lib, within eps{suffix}"] = variant
        else:
            found[f"seminar_lib{suffix}"] = variant
            if not isinstance(variant, WorstCase):
                found[f"seminar_lib, no stopping{suffix}"] = replace(variant, stop_when_fooled=False)
    return found


class Nearest:
    """A minimum-norm attack that looks for the nearest success, however far, as its peers do."""

    def __init__(self, attack: MinimumNorm) -> None:
        self.attack = attack

    def __call__(self, model: Model, x: Images, y: Labels) -> Images:
        return self.attack.nearest(model, x, y).x_adv


def contestants(
    attack: Attack, model: Classifier, without: Collection[str] = ()
) -> tuple[dict[str, Contestant], list[str]]:
    """All that run against each other, by name, and the peers that are not installed.

    A peer that has no such attack is in neither, nor is one of those that it goes ``without``.
    """
    found, absent = {"floor": floor(attack, model)}, []
    for name, make in PEERS.items():
        if name in without:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # what other libraries import is their affair
                found[name] = make(attack, model)
        except ImportError:
            absent.append(name)
        except NotImplementedError:
            continue
    return found | {name: partial(variant, model) for name, variant in ours(attack, model.mean.device).items()}, absent
