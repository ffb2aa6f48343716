"""The capstone, exercises 12.4 and 12.5: a defence with three masks, to be broken and then repaired.

It is judged by what an attack does and not by how it is written: the student's images are shown to the defence, and
where they fail the check looks at where they went.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from seminar_lib.adaptive import BPDA, replace_layers
from seminar_lib.attacks import PGD
from seminar_lib.attacks.base import climb
from seminar_lib.attacks.flags import answers_at_random
from seminar_lib.checkpoints import load
from seminar_lib.data import load_data
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation import Accuracy
from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_tensor, marks, right
from seminar_lib.freeze import frozen
from seminar_lib.goals import Expectation, Goal, Misclassify
from seminar_lib.losses import margin
from seminar_lib.masking import JpegLike, KWinners, Noise, Ripple, Temperature
from seminar_lib.purification import Quantise
from seminar_lib.threat import Linf
from seminar_lib.types import Flags, Images, Labels, Model

BALL = Linf(8 / 255)
N = 32  # images on which the capstone is judged
LOOKS = 15  # at a defence that answers at random; the majority is its answer
BROKEN = 0.15  # the accuracy that a broken defence may keep: under a full adaptive attack it keeps 0 to 5 %
REPAIRED = 0.2  # what the lower end of a repaired one's interval must exceed
LOST = 0.1  # clean accuracy by which a repaired one may fall behind the adversarially trained network


def fortress(network: nn.Module) -> nn.Sequential:
    """The defence of the capstone: three masks on one network."""
    return nn.Sequential(Quantise(), Noise(), network, Temperature()).eval()


@marks
def check_break(my_attack: Answer) -> None:
    """Exercise 12.4: images of the ball that most looks of the capstone's defence misread."""
    network, _, data = _material()
    x, y = data.x, data.y
    defended = fortress(network)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given = x.clone(), y.clone()
        x_adv = ask_tensor("12.4", my_attack, tuple(x.shape), defended, *given)
        if not (torch.equal(given[0], x) and torch.equal(given[1], y)):
            raise Mistake("you changed x or y in place. Work on copies.")
        _judge_ball(x_adv, x)
        before, after = _standing(defended, x, y), _standing(defended, x_adv, y)
        if Accuracy.of(after).accuracy > BROKEN:
            raise Mistake(_why_it_stands(defended, network, x_adv, x, y, before & after))
    right(
        "12.4",
        f"Clean the defence gets {Accuracy.of(before)} right, under your attack {Accuracy.of(after)} (n = {len(x)}, "
        f"majority of {LOOKS} looks).",
    )


def _judge_ball(x_adv: Images, x: Images) -> None:
    if x_adv.min() < 0 or x_adv.max() > 1:
        raise Mistake(
            f"your pixels reach from {float(x_adv.min()):.3f} to {float(x_adv.max()):.3f}. Images lie in [0, 1]."
        )
    moved = float(BALL.norm(x_adv - x).max())
    if not BALL.contains(x_adv, x).all():
        raise Mistake(
            f"you move a pixel by {255 * moved:.1f}/255; the ball allows 8/255. Anybody can win outside of it: project "
            "after each step."
        )
    if moved == 0:
        raise Mistake("you return the clean images. Does your attack start at x, where the gradient is zero?")


def _why_it_stands(defended: Model, network: Model, x_adv: Images, x: Images, y: Labels, standing: Flags) -> str:
    """A sentence on the images that still stand: moved at random, fooled by luck, or not far enough."""
    left = Accuracy.of(_standing(defended, x_adv, y))
    begin = f"the defence still gets {left} right; {BROKEN:.0%} would count as broken. "
    with frozen(network):
        _, uphill = climb(Misclassify(network, y, margin), x)
    # Random signs in thousands of pixels are nearly orthogonal to any direction.
    along = nn.functional.cosine_similarity((x_adv - x).flatten(1), uphill.sign().flatten(1))
    blind = (along < 0.05) & standing
    if 2 * blind.sum() > standing.sum():
        if left.accuracy > 0.85:
            return begin + (
                "Most of your images went nowhere in particular, as with plain gradients: rounding has no slope, and "
                "logits 10,000 times as large saturate the softmax. Open the one with BPDA, and climb the margin "
                "instead of the cross-entropy. Either alone is not enough."
            )
        return begin + (
            "Some images were moved uphill, but most of those that stand were not: where the softmax is saturated the "
            "cross-entropy has no gradient. Climb a loss of the logits, the margin or DLR."
        )
    wrong = _wrong_looks(defended, x_adv, y)
    lucky = standing & (wrong > 0)
    if 2 * lucky.sum() > standing.sum():
        return begin + (
            f"{int(lucky.sum())} of the {int(standing.sum())} images that stand are misread at some looks, but not at "
            "most: the search met a lucky draw and stopped. Average several looks for each gradient, and go on after "
            "the first success (stop_when_fooled=False)."
        )
    return begin + "You walk uphill, but not far enough: take more steps, or larger ones; ten of eps / 4 are plenty."


@marks
def check_repair(repair: Answer) -> None:
    """Exercise 12.5: a network that stands against an attack that knows it, and a claim that does, too."""
    standard, robust, data = _material()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        answer = ask("12.5", repair, standard, robust, data)
        network, claim = _network_and_claim(answer)
        clean, usual = (Accuracy.of(_standing(model, data.x, data.y)) for model in (network, robust))
        if clean.accuracy < usual.accuracy - LOST:
            raise Mistake(
                f"clean, your network gets {clean} right, the adversarially trained one {usual}; a repair may fall "
                f"behind it by {100 * LOST:.0f} points."
            )
        if claim.n != len(data):
            raise Mistake(f"your claim is about {claim.n} images; you were given {len(data)}. Measure all of them.")
        measured = Accuracy.of(_worst_case(network, standard, robust, data))
    if measured.low <= REPAIRED:
        raise Mistake(
            f"under an attack that knows it your network keeps {measured}. The lower end must exceed {REPAIRED:.0%}: "
            "a mask in front of a network that is not robust does not make it so. Which of the two networks is?"
        )
    if claim.accuracy > measured.high:
        raise Mistake(
            f"the network stands, but your claim does not: you say {claim}, an attack that knows it leaves {measured}. "
            "Did you measure through a mask, or with one weak attack?"
        )
    right("12.5", f"You claim {claim}, we measured {measured}, clean {clean} (n = {len(data)}).")


def _network_and_claim(answer: Any) -> tuple[nn.Module, Accuracy]:
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise Mistake(f"return two things, the network and the accuracy that you claim for it; you return {answer!r}.")
    network, claim = answer
    if not isinstance(network, nn.Module):
        raise Mistake(f"the first thing must be a network, an nn.Module; you return a {type(network).__name__}.")
    if not isinstance(claim, Accuracy):
        raise Mistake(
            f"the second thing must be an accuracy with its interval, such as report['worst case']; you return "
            f"{claim!r}."
        )
    return network, claim


def _worst_case(network: nn.Module, standard: Model, robust: Model, data: Split) -> Flags:
    """Which images stand against the attack through all masks that we know, and against two transfers."""
    x, y = data.x, data.y
    goals: list[Goal] = [Misclassify(surrogate, y, margin) for surrogate in (standard, robust)]
    own = Misclassify(_opened(network), y, margin)
    goals.append(Expectation(own, 4) if answers_at_random(own, x) else own)
    attack = PGD(BALL, steps=10, stop_when_fooled=False)
    standing = _standing(network, x, y)
    for goal in goals:
        try:
            x_adv = attack.run(goal, x, torch.Generator().manual_seed(0))
        except ValueError:  # a mask of the student's own that cuts the gradient; the transfers need none
            continue
        standing &= _standing(network, x_adv, y)
    return standing


def _opened(network: nn.Module) -> nn.Module:
    for kind in (Quantise, JpegLike, KWinners, Ripple):
        if any(isinstance(layer, kind) for layer in network.modules()):
            network = replace_layers(network, kind, BPDA)
    return network


def _standing(network: Model, x: Images, y: Labels) -> Flags:
    """Which images most looks read rightly."""
    return 2 * _wrong_looks(network, x, y) < LOOKS


@torch.no_grad()
def _wrong_looks(network: Model, x: Images, y: Labels) -> Tensor:
    with frozen(network):
        return torch.stack([network(x).argmax(1) != y for _ in range(LOOKS)]).sum(0)


@cache
def _material() -> tuple[nn.Module, nn.Module, Split]:
    """The undefended network, the adversarially trained one, and test images."""
    data = load_data()
    standard, robust = (load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at"))
    return standard, robust, data.test.sample(N)
