"""The checks of lesson 12: a stand-in, the mean of several looks, a diagnosis, and the capstone.

The capstone is judged by what an attack does and not by how it is written: the student's images are shown to the
defence, and where they fail the check looks at where they went.
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
from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_tensor, marks, right, same
from seminar_lib.freeze import frozen
from seminar_lib.goals import Expectation, Goal, Misclassify
from seminar_lib.losses import margin
from seminar_lib.masking import DEFENCES, JpegLike, KWinners, Noise, Quantise, Ripple, Temperature
from seminar_lib.threat import PIXELS, Linf
from seminar_lib.types import Flags, Images, Labels, Model, PerExample

BALL = Linf(8 / 255)
N = 32  # images on which the capstone is judged
LOOKS = 15  # at a defence that answers at random; the majority is its answer
BROKEN = 0.15  # the accuracy that a broken defence may keep: under a full adaptive attack it keeps 0 to 5 %
REPAIRED = 0.2  # what the lower end of a repaired one's interval must exceed
KEPT = 0.85  # clean accuracy of a repaired defence

NOTHING = "nothing hidden"
TRICKS = (NOTHING, "step without slope", "saturated softmax", "random answers", "shattered gradient")
HIDDEN = {"A": "temperature", "B": "random resize", "C": "ripple"}
AGAINST = {
    NOTHING: "then there would be no alarm that names the gradient. Read its alarms again.",
    "step without slope": "then the check `slope` would find a gradient of exactly zero; it finds none.",
    "saturated softmax": "then the check `saturation` would raise an alarm; it does not.",
    "random answers": "then two looks at the same image would differ; they agree.",
    "shattered gradient": "then the check `kept promise` would raise an alarm; it does not.",
}


class Unlabelled(nn.Module):
    """A defence that does not tell its name."""

    def __init__(self, letter: str, inside: nn.Module) -> None:
        super().__init__()
        self.letter, self.inside = letter, inside

    def forward(self, x: Images) -> Tensor:
        answer: Tensor = self.inside(x)
        return answer

    def __repr__(self) -> str:
        return f"Defence {self.letter}"


def unlabelled(network: nn.Module) -> dict[str, nn.Module]:
    """The three defences of exercise 12.3 around a network."""
    return {letter: Unlabelled(letter, DEFENCES[name].build(network)).eval() for letter, name in HIDDEN.items()}


def fortress(network: nn.Module) -> nn.Sequential:
    """The defence of the capstone: three masks on one network."""
    return nn.Sequential(Quantise(), Noise(), network, Temperature()).eval()


@marks
def check_straight_through(straight_through: Answer) -> None:
    """Exercise 12.1: the value of a layer with the derivative of the identity."""
    # One layer with a wild slope and one without any: what helps against the second may fail at the first.
    for layer in (Ripple(height=0.02, length=0.03), Quantise(bits=2)):
        _judge_stand_in(straight_through, layer)
    right("12.1", "Forwards the defence answers as it did; backwards the gradient passes as if it were not there.")


def _judge_stand_in(straight_through: Answer, layer: nn.Module) -> None:
    generator = torch.Generator().manual_seed(2)
    clean, upstream = torch.rand(2, 1, 5, 5, generator=generator), torch.rand(2, 1, 5, 5, generator=generator)
    x = clean.clone().requires_grad_()
    answer = ask("12.1", straight_through, layer, x)
    value = ask_tensor("12.1", lambda: answer, tuple(x.shape))
    truth = layer(clean)
    for wrong, sentence in (
        (clean, "your answer is x itself. Forwards the layer has to do its work: return layer(x), or you attack "
         "another network."),
        (clean + truth, "you return x + layer(x). What is added has to cancel forwards: layer(x) *minus* x, detached."),
        (2 * clean - truth, "your sign is turned: you return x - (layer(x) - x)."),
        (truth - clean, "you return the difference layer(x) - x alone. Add it to x."),
    ):  # fmt: skip
        if same(value, wrong):
            raise Mistake(sentence)
    if not same(value, truth):
        raise Mistake("forwards your answer is not layer(x).")
    grad = torch.autograd.grad((answer * upstream).sum(), x, allow_unused=True)[0] if answer.requires_grad else None
    if grad is None:
        raise Mistake("your answer has no gradient with respect to x: all of it is detached. Detach the layer only.")
    if same(grad, upstream):
        return
    own = _gradient(layer, clean, upstream)
    for wrong, sentence in (
        (own, "backwards you still use the layer's own derivative. Its answer has to be detached."),
        (own + upstream, "backwards you use the layer's own derivative *plus* the identity. Detach layer(x), too."),
        (-upstream, "backwards your sign is turned: the attack would walk downhill."),
        (torch.zeros_like(upstream), "backwards your gradients cancel to zero. Detach the whole difference."),
    ):
        if same(grad, wrong):
            raise Mistake(sentence)
    raise Mistake("backwards the gradient must pass unchanged, as through the identity; yours is changed.")


def _gradient(layer: nn.Module, x: Images, upstream: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad((layer(x) * upstream).sum(), x)[0]


@marks
def check_mean_gradient(mean_gradient: Answer) -> None:
    """Exercise 12.2: the mean of the gradients of several looks."""
    for looks in (5, 3):
        _judge_mean(_Chance(mean_gradient, looks))
    right("12.2", "The chance of a single look averages out, and what is left points uphill for most looks.")


class _Chance:
    """One call of a student's mean, on a loss that is another one at each look: its gradient is slope_i + x."""

    def __init__(self, mean_gradient: Answer, looks: int) -> None:
        self.looks = looks
        self.generator = torch.Generator().manual_seed(3)
        self.clean = torch.rand(4, 1, 3, 3, generator=self.generator)
        self.slopes: list[Images] = []
        self.seen: list[Images] = []
        x = self.clean.clone()
        answer = ask("12.2", mean_gradient, self.score, x, looks)
        if isinstance(answer, tuple) and len(answer) == 1:
            raise Mistake("you return a tuple of one: torch.autograd.grad(...)[0] takes the gradient out of it.")
        self.answer = ask_tensor("12.2", lambda: answer, tuple(self.clean.shape))
        if not torch.equal(x, self.clean):
            raise Mistake("you changed x in place. Work on a copy.")

    def score(self, x: Images) -> PerExample:
        self.slopes.append(torch.randn(self.clean.shape, generator=self.generator))
        self.seen.append(x.detach().clone())
        return (self.slopes[-1] * x + x**2 / 2).sum(PIXELS)


def _judge_mean(run: _Chance) -> None:
    if not run.slopes:
        raise Mistake("you never call score.")
    if any(not torch.equal(seen, run.clean) for seen in run.seen):
        raise Mistake("you look at different images. All looks are at the same x; the chance is inside score.")
    grads = torch.stack([slope + run.clean for slope in run.slopes])
    expected = grads.mean(0)
    if len(grads) != run.looks:
        few = "you look once, and multiply or repeat it" if len(grads) == 1 else f"you look {len(grads)} times"
        raise Mistake(f"{few}; looks = {run.looks} were asked for, each a new call of score.")
    if same(run.answer, expected):
        return
    for wrong, sentence in (
        (grads[0], "you return the gradient of the first look."),
        (grads[-1], "you return the gradient of the last look. Add them up, and divide."),
        (grads.sum(0), "you return the sum. Divide by the number of looks."),
        (expected / len(run.clean), "you divide by the number of images. Add up the losses of the batch: .sum()."),
        (-expected, "your sign is turned: the gradient has to point uphill."),
        (grads.sign().mean(0), "you average the signs. That throws the sizes away: average the gradients."),
        (expected.sign(), "you return the sign of the mean. The step takes the sign; return the mean itself."),
    ):
        if same(run.answer, wrong):
            raise Mistake(sentence)
    raise Mistake("that is not the mean of the gradients of your looks.")


@marks
def check_tricks(my_tricks: Answer) -> None:
    """Exercise 12.3: the tricks of three defences, read from their diagnoses."""
    answer = ask("12.3", my_tricks)
    if not isinstance(answer, dict) or set(answer) != set(HIDDEN):
        raise Mistake(f"return a dictionary with the keys {', '.join(HIDDEN)}; you return {answer!r}.")
    for letter, guess in answer.items():
        if guess not in TRICKS:
            raise Mistake(f"{letter}: {guess!r} is not on the list. Choose from {', '.join(TRICKS)}.")
    wrong = [letter for letter in HIDDEN if answer[letter] != DEFENCES[HIDDEN[letter]].trick.name]
    if wrong:
        letter = wrong[0]
        raise Mistake(f"{letter} is no case of {answer[letter]!r}: {AGAINST[answer[letter]]}")
    right("12.3", "\n".join(f"{letter}: {DEFENCES[name].trick.remedy}" for letter, name in HIDDEN.items()))


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
        clean = Accuracy.of(_standing(network, data.x, data.y))
        if clean.accuracy < KEPT:
            raise Mistake(f"clean, your network gets {clean} right; a repair must keep at least {KEPT:.0%}.")
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
    with torch.random.fork_rng():  # a network is built with random weights before its own are loaded
        standard, robust = (load(f"{data.name}/{name}")[0] for name in ("standard", "pgd_at"))
    return standard, robust, data.test.sample(N)
