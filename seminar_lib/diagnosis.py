"""Is this model robust, or does it only hide its gradient? Checks that an evaluation has to pass to be believed.

- the sanity checks of Carlini et al., "On Evaluating Adversarial Robustness", arXiv:1902.06705, 2019;
- the six indicators of Pintor et al., "Indicators of Attack Failure: Debugging and Improving Optimization of
  Adversarial Examples", NeurIPS 2022;
- the flags of AutoAttack (Croce & Hein, ICML 2020), which are in ``attacks/flags.py``;
- one of our own, for shattered gradients (Athalye et al., ICML 2018, section 3): does a step along the gradient raise
  the margin as its slope promises?

An alarm does not say that a model is weak; it says that the attack cannot tell. Where the checks recognise a trick
they name it, together with the adaptive attack that undoes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seminar_lib.attacks import APGD, FGSM, PGD, Attack, Square, Transfer
from seminar_lib.attacks.base import care, climb, look, verdict
from seminar_lib.attacks.flags import answers_at_random, blind_share, differentiates_inside
from seminar_lib.evaluation import Accuracy
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.losses import margin
from seminar_lib.masking import CHANCE, CUT, INNER_LOOP, ROUNDING, SATURATION, SHATTERED, Trick
from seminar_lib.threat import L2, PIXELS, Linf, ThreatModel
from seminar_lib.types import Flags, Images, Labels, Model

OK, ALARM, OPEN = "ok", "alarm", "could not tell"

# A count of images raises an alarm when we are 95 % sure (Wilson's interval) that it stands for more than 5 % of all
# images: papers argue about differences of that size, and single images are luck of the random start. The smallest
# such count is 7 of 64.
TOLERANCE = 0.05
NOISE = 50  # random images in the ball for each image
NEARBY = 10  # random images within a short way of each image
UNSTABLE = 0.1  # the mean relative change of the loss that the scripts of Pintor et al. count as unstable
SETTLED = 0.05  # the rise at the end of a walk, as a share of its whole rise, that their code takes for unfinished
LAST = 10  # the steps that are the end of a walk, ibid.
SHORT = 1 / 4  # of eps: a way on which a network that is not masked is still almost linear
BROKEN = 1 / 10  # a step that gains less than this share of what its slope promised: an order of magnitude


@dataclass(frozen=True)
class Check:
    """One question to the model, with its answer.

    Attributes:
        name: what is looked at.
        value: what was measured.
        verdict: ``"ok"``, ``"alarm"`` or ``"could not tell"``.
        meaning: what that says of the evaluation, in a sentence.
        source: where the check is from.
        trick: what the alarm points at, where it points at one.
    """

    name: str
    value: str
    verdict: str
    meaning: str
    source: str
    trick: Trick | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All checks of one model.

    Attributes:
        checks: in the order in which they ran.
        n: how many images they looked at: those that the model gets right.
        attack: the attack with gradients that is being judged.
    """

    checks: tuple[Check, ...]
    n: int
    attack: Attack

    def __getitem__(self, name: str) -> Check:
        """The check of that name.

        Raises:
            KeyError: there is none.
        """
        named = {check.name: check for check in self.checks}
        if name not in named:
            raise KeyError(f"There is no check {name!r}; the checks are {', '.join(named)}.")
        return named[name]

    @property
    def alarms(self) -> tuple[Check, ...]:
        """The checks that found something."""
        return tuple(check for check in self.checks if check.verdict == ALARM)

    @property
    def tricks(self) -> tuple[Trick, ...]:
        """The tricks that the alarms point at, the plainest evidence first."""
        return tuple(dict.fromkeys(check.trick for check in self.alarms if check.trick is not None))

    @property
    def summary(self) -> str:
        """What to believe and what to do next, in a few sentences."""
        if not self.alarms:
            return f"No alarm: {self.attack} does not fail in any way that these checks know of."
        if not self.tricks:
            return (
                "The attack fails, but no known trick was recognised. Start with more steps and another loss; then "
                "compare the gradient with finite differences layer by layer."
            )
        return "\n".join(f"Suspect: {trick.name}. {trick.remedy}" for trick in self.tricks)

    def table(self) -> str:
        """A Markdown table of the checks, with the summary below."""
        lines = ["| check | value | verdict | meaning | source |", "|---|---|---|---|---|"]
        lines += [f"| {c.name} | {c.value} | {_shown(c)} | {c.meaning} | {c.source} |" for c in self.checks]
        return "\n".join([*lines, "", f"n = {self.n}, `{self.attack}`", "", self.summary])

    def _repr_markdown_(self) -> str:
        return self.table()

    def __str__(self) -> str:
        """The checks as plain text: one line each, and a second one that explains it."""
        width = max(len(check.name) for check in self.checks)
        lines = [f"{c.name:<{width}}  {_shown(c):<14}  {c.value}\n    {c.meaning}" for c in self.checks]
        return "\n".join([*lines, f"n = {self.n}, {self.attack}", self.summary])


def diagnose(
    model: Model,
    x: Images,
    y: Labels,
    threat: ThreatModel = Linf(8 / 255),
    steps: int = 50,
    queries: int = 200,
    surrogate: Model | None = None,
    seed: int = 0,
) -> Diagnosis:
    """Look for signs that attacks with gradients fail at ``model`` for another reason than its robustness.

    Judged is APGD on the cross-entropy, with a generator of its own. Models that draw from the global random numbers
    find them seeded with ``seed``; the caller's are left alone. Some 64 images are enough: a check that counts images
    then raises an alarm from seven on.

    Args:
        model: images in [0, 1] to logits; any callable. It comes back as it was.
        x: clean images.
        y: their labels. Only images that the model gets right are looked at.
        threat: where the images may go.
        steps: of APGD.
        queries: of Square, the attack without gradients, for images that APGD leaves standing. A black box that gets
            more of them finds more: a few hundred tell of a mask, robustness is reported with 5,000.
        surrogate: another model of the same task, whose adversarial images are tried on this one: an undefended twin,
            or this model with its suspicious layer opened by ``BPDA``. Without it transfer cannot be judged.
        seed: of all random numbers.

    Raises:
        TypeError, ValueError: an input or a model is not as described, such as one that returns probabilities; or the
            model gets none of the images right.
    """
    attack = APGD(threat, steps=steps)
    with torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
        torch.manual_seed(seed)
        goal = attack.goal(model, x, y)  # refuses what is no model, no images or no labels
        with care(goal):
            right = (~verdict(goal, x).success).nonzero().squeeze(1)
            if not len(right):
                raise ValueError(
                    f"The model gets none of the {len(x)} images right, so there is nothing to attack. Do the labels "
                    "fit the images?"
                )
            x, y = x[right].detach().clamp(0, 1), y[right]
            checks = _Patient(Misclassify(model, y), x, attack, queries, surrogate, seed).examine()
    return Diagnosis(tuple(checks), len(right), attack)


@dataclass(frozen=True)
class _Patient:
    """A model with images that it gets right, and the attack that is to be judged on them."""

    goal: Misclassify
    x: Images
    attack: APGD
    queries: int
    surrogate: Model | None
    seed: int

    def examine(self) -> list[Check]:
        """All checks: first looks at the model, then attacks on it."""
        gradient = self.gradient()
        random = self.randomness()
        looks = [gradient, random, self.inner_optimisation(), self.stability()]
        if gradient.verdict == ALARM:
            fooled = torch.zeros(len(self.x), dtype=torch.bool, device=self.x.device)
            return [*looks, self.noise(fooled), self.black_box(fooled), *self.transfer(fooled)]
        walk, fooled, denied = self.walk()
        return [
            *looks,
            *self.zero_gradients(),
            self.promise(random.verdict == ALARM),
            self.one_step(fooled),
            self.more_steps(fooled),
            self.restarts(fooled),
            self.incomplete(walk, ~(fooled | denied)),
            self.silent_success(denied),
            self.unbounded(),
            self.noise(fooled),
            self.black_box(fooled),
            *self.transfer(fooled),
        ]

    # Looks at the model: a pass or two each.

    def gradient(self) -> Check:
        """Whether there is a gradient at all."""
        name, source = "gradient", "Pintor et al., unavailable gradients"
        try:
            climb(self.goal, self.x)
        except FloatingPointError:
            meaning = "The gradient holds NaN or infinity, and no attack can follow it. Mend that step, or BPDA it."
            return Check(name, "not finite", ALARM, meaning, source, CUT)
        except ValueError:
            return Check(name, "none", ALARM, self.why_no_gradient(), source, CUT)
        return Check(name, "there is one", OK, "The loss can be differentiated from end to end.", source)

    def why_no_gradient(self) -> str:
        """A sentence for each of two cases: the answer depends on the image all the same, or it does not."""
        with torch.no_grad():
            answers = self.goal.model(torch.cat([self.x, 1 - self.x]))
        if torch.equal(answers, answers[:1].expand_as(answers)):
            return (
                "The logits do not depend on the image: all images get the same answer, and there is nothing to "
                "attack. If they should, look for the step that loses the image; where that is a step without a "
                "derivative, attack through it with BPDA."
            )
        return (
            "The forward pass cuts the gradient (detach, no_grad, numpy or integers on the way), so an attack with "
            "gradients cannot start. That is no robustness: attack through the step with BPDA."
        )

    def randomness(self) -> Check:
        """Whether two looks differ."""
        name, source = "randomness", "AutoAttack"
        if answers_at_random(self.goal, self.x):
            meaning = "The same images get other logits each time, so one look is one draw, and its gradient is noise."
            return Check(name, "two looks differ", ALARM, meaning, source, CHANCE)
        return Check(name, "two looks agree", OK, "The model answers the same each time.", source)

    def inner_optimisation(self) -> Check:
        """Whether the model optimises while it answers."""
        name, source = "inner optimisation", "AutoAttack"
        if differentiates_inside(self.goal, self.x):
            meaning = "The forward pass takes gradients of its own; an attack has to differentiate through that, too."
            return Check(name, "yes", ALARM, meaning, source, INNER_LOOP)
        return Check(name, "no", OK, "The model computes no gradients while it answers.", source)

    def stability(self) -> Check:
        """How much the margin changes at random points nearby, relative to its size.

        Their code draws from a cube of side 8/255, takes the attack's own loss and the mean of the ratios. The
        cross-entropy of a confident model is next to zero, and so is the margin of an image near the boundary; any
        change is large relative to that. So ours is the ratio of the means, of the margin, and stays so near that a
        model without any robustness is almost linear.
        """
        nearby = replace(self.attack.threat, eps=SHORT * self.attack.threat.eps)
        aim, generator = self.goal.climbing(margin), self.generator()
        before = look(aim, self.x).loss
        after = [look(aim, nearby.random_start(self.x, generator)).loss for _ in range(NEARBY)]
        change = ((torch.stack(after) - before).abs().mean() / before.abs().mean()).item()
        name, value, source = "stability", f"margin changes by {change:.1%}", "Pintor et al., unstable predictions"
        if change > UNSTABLE:
            meaning = "Around an image the margin jumps about, and a search there is led astray by noise."
            return Check(name, value, ALARM, meaning, source)
        return Check(name, value, OK, "Around an image the margin hardly changes.", source)

    def zero_gradients(self) -> tuple[Check, Check]:
        """Whether the gradient is exactly zero; of the margin, too, or of the cross-entropy alone."""
        _, grad = climb(self.goal.climbing(margin), self.x)
        flat = (grad.abs().amax(PIXELS) == 0).float().mean().item()
        blind = blind_share(self.goal, self.x)
        return self.slope(flat), self.saturation(blind, flat)

    def slope(self, flat: float) -> Check:
        name, value, source = "slope", f"zero for {flat:.0%}", "AutoAttack; Pintor et al., unavailable gradients"
        if flat > 0:
            meaning = (
                "The gradient of the margin is exactly zero, although the answer depends on the image: some step on "
                "the way is flat, as rounding is, and the attack never leaves its start."
            )
            return Check(name, value, ALARM, meaning, source, ROUNDING)
        return Check(name, value, OK, "The margin has a slope at every image.", source)

    def saturation(self, blind: float, flat: float) -> Check:
        name, value, source = "saturation", f"zero for {blind:.0%}", "AutoAttack; Carlini et al."
        if blind > flat:
            meaning = (
                "The cross-entropy is flat where the margin is not: the softmax is so certain that it rounds to 0 and "
                "1, and an attack on the cross-entropy is blind."
            )
            return Check(name, value, ALARM, meaning, source, SATURATION)
        if flat > 0:
            return Check(name, value, OPEN, "The margin has no slope either, so this may not be the softmax.", source)
        return Check(name, value, OK, "The cross-entropy has a slope at every image.", source)

    def promise(self, random: bool) -> Check:
        """Whether a short step along the gradient gains what its slope promises.

        For a smooth margin m and a short step d, m(x + d) - m(x) is about <grad m, d>.
        """
        name, source = "kept promise", "Athalye et al., shattered gradients"
        if random:
            meaning = "Between two looks the model changes by itself. Average the looks (EOT) and diagnose again."
            return Check(name, "none", OPEN, meaning, source)
        aim, threat = self.goal.climbing(margin), self.attack.threat
        score, grad = climb(aim, self.x)
        x_adv = (self.x + SHORT * threat.eps * threat.steepest(grad)).clamp(0, 1)
        gained = look(aim, x_adv).loss - score.loss
        promised = (grad * (x_adv - self.x)).sum(PIXELS)
        sloped = promised > 0
        if not sloped.any():
            return Check(name, "none", OPEN, "There is no slope that could promise anything.", source)
        broken = (gained < BROKEN * promised) & sloped
        kept = (gained / promised)[sloped].median().item()
        value = f"{_count(broken)} break it (median {kept:.2f} kept)"
        if _surely(broken):
            meaning = (
                f"A step of {SHORT:g} eps along the gradient does not raise the margin as its slope says: the gradient "
                "belongs to wrinkles in the surface, not to its hills."
            )
            return Check(name, value, ALARM, meaning, source, SHATTERED)
        return Check(name, value, OK, "A short step along the gradient gains about what its slope says.", source)

    # Attacks on the model.

    def walk(self) -> tuple[Recorded, Flags, Flags]:
        """The attack itself: its record, which images it fooled, and which successes a second look denies."""
        record = Recorded(self.goal, torch.arange(len(self.x), device=self.x.device))
        fooled = verdict(self.goal, self.attack.run(record, self.x, self.generator())).success
        seen = torch.zeros_like(fooled)
        for step in record.looks:
            seen[step.rows] |= step.score.success
        return record, fooled, seen & ~fooled

    def one_step(self, fooled: Flags) -> Check:
        better = self.fools_more(FGSM(self.attack.threat), fooled)
        return _comparison(
            "one step",
            better,
            "Many steps find all that one step finds.",
            "One step fools images that many steps do not, so the many steps lose their way.",
            "Carlini et al.",
        )

    def more_steps(self, fooled: Flags) -> Check:
        better = self.fools_more(replace(self.attack, steps=2 * self.attack.steps), fooled)
        return _comparison(
            "twice the steps",
            better,
            "Twice the steps find nothing new: the search has converged.",
            "Twice the steps fool many more, so the number says how long the attack ran. Take more steps.",
            "Carlini et al.",
        )

    def restarts(self, fooled: Flags) -> Check:
        better = self.fools_more(self.attack, fooled, seed=1)
        return _comparison(
            "another start",
            better,
            "Another random start finds nothing new.",
            "Another random start fools many more, so the number says where the attack began. Take more restarts.",
            "Carlini et al.",
        )

    def incomplete(self, walk: Recorded, to_the_end: Flags) -> Check:
        """Whether the best loss so far still rises in the last steps of the walks that met no success."""
        name, source = "settled loss", "Pintor et al., incomplete optimisation"
        rows = to_the_end.nonzero().squeeze(1)
        paths = _paths(walk, rows)
        if not len(rows) or len(paths) <= LAST:
            return Check(name, "none", OPEN, f"No image was walked for more than {LAST} steps.", source)
        best = paths.cummax(0).values
        whole = (best[-1] - paths.amin(0)).clamp_min(torch.finfo(paths.dtype).tiny)
        # Counted among all images: what matters is how much of the accuracy that is left is an unfinished walk.
        rising = torch.zeros_like(to_the_end)
        rising[rows] = (best[-1] - best[-1 - LAST]) / whole > SETTLED
        value = f"rises to the end for {_count(rising)}"
        if _surely(rising):
            meaning = "The loss was still rising when the walk ended: the attack gave up too early. Take more steps."
            return Check(name, value, ALARM, meaning, source)
        return Check(name, value, OK, "The loss had settled when the walk ended.", source)

    def silent_success(self, denied: Flags) -> Check:
        name, value, source = "silent success", _count(denied), "Pintor et al., silent success"
        if _surely(denied):
            meaning = "The search met successes that the returned images are not: lucky looks, or the wrong step kept."
            return Check(name, value, ALARM, meaning, source)
        return Check(name, value, OK, "Whatever the search met on its way it returned.", source)

    def unbounded(self) -> Check:
        """Whether every image falls where the adversary may do anything, from the clean image on."""
        threat = self.attack.threat
        everything = replace(threat, eps=threat.norm(torch.ones_like(self.x[:1])).item())  # the diameter of [0, 1]^d
        attack = PGD(everything, steps=20, random_start=False)
        standing = ~verdict(self.goal, attack.run(self.goal, self.x)).success
        name, value = "unbounded", f"{_count(standing)} stand"
        source = "Carlini et al.; Pintor et al., unconstrained attack failure"
        if _surely(standing):
            meaning = f"Even {everything} does not fool all images, and it may turn one into another: the search fails."
            return Check(name, value, ALARM, meaning, source)
        return Check(name, value, OK, "An adversary that may do anything fools the model.", source)

    def noise(self, fooled: Flags) -> Check:
        generator = self.generator()
        better = torch.zeros_like(fooled)
        for _ in range(NOISE):
            better |= look(self.goal, self.attack.threat.random_start(self.x, generator)).success
        return _comparison(
            "random noise",
            better & ~fooled,
            "The attack finds all that random noise finds.",
            "Random noise fools images that the attack does not, so its gradients are worse than none.",
            "Carlini et al.",
        )

    def black_box(self, fooled: Flags) -> Check:
        threat = self.attack.threat
        name, source = "black box", "Carlini et al.; AutoAttack"
        if not isinstance(threat, Linf | L2):
            return Check(name, "none", OPEN, f"Square does not know {threat}; compare within Linf or L2.", source)
        better = self.fools_more(Square(threat, queries=self.queries), fooled)
        return _comparison(
            name,
            better,
            "The attack with gradients finds all that one without them finds.",
            "An attack without gradients fools images that the one with gradients does not: they are masked.",
            source,
        )

    def transfer(self, fooled: Flags) -> tuple[Check, Check]:
        """Images that fool the surrogate: what they find here that the attack does not, and how many carry over."""
        names = ("transfer", "transfer failure")
        sources = ("Carlini et al.", "Pintor et al., transfer failure")
        if self.surrogate is None:
            meaning = "Pass surrogate=, a model of the same task, to see whether what fools it fools this one."
            first, second = (Check(n, "none", OPEN, meaning, s) for n, s in zip(names, sources, strict=True))
            return first, second
        attack = Transfer(self.attack, self.surrogate)
        x_adv = attack.run(self.goal, self.x, self.generator())
        here = verdict(self.goal, x_adv).success
        there = verdict(Misclassify(self.surrogate, self.goal.y), x_adv).success
        carries = _comparison(
            names[0],
            here & ~fooled,
            "The attack finds all that images made on the surrogate find.",
            "Images made on the surrogate fool this model where its own gradients do not: they are masked.",
            sources[0],
        )
        lost = there & ~here
        value = f"{int(lost.sum())} of {int(there.sum())}"
        if _surely(lost):
            meaning = "Much of what fools the surrogate does not carry over, so transfer alone would prove nothing."
            return carries, Check(names[1], value, OPEN, meaning, sources[1])
        return carries, Check(names[1], value, OK, "What fools the surrogate fools this model.", sources[1])

    def fools_more(self, attack: Attack, fooled: Flags, seed: int = 0) -> Flags:
        """Which images the attack fools of those that stand, confirmed by a second look."""
        better, rows = torch.zeros_like(fooled), (~fooled).nonzero().squeeze(1)
        if len(rows):
            aim = self.goal[rows].climbing(attack.loss)
            x_adv = attack.run(aim, self.x[rows], self.generator(seed))
            better[rows] = verdict(aim, x_adv).success
        return better

    def generator(self, seed: int = 0) -> torch.Generator:
        return torch.Generator(self.x.device).manual_seed(self.seed + seed)


def _comparison(name: str, better: Flags, fine: str, alarm: str, source: str) -> Check:
    """A weaker attack, or another run, beside the attack that is judged: what does it find that is new?"""
    value = f"{_count(better)} more"
    return Check(name, value, ALARM, alarm, source) if _surely(better) else Check(name, value, OK, fine, source)


def _surely(affected: Flags) -> bool:
    return Accuracy.of(affected).low > TOLERANCE


def _count(affected: Flags) -> str:
    return f"{int(affected.sum())} of {len(affected)}"


def _paths(walk: Recorded, rows: Tensor) -> Tensor:
    """The losses along the walks of images that were never left alone, (steps, images)."""
    steps = walk.looks[:-1]  # the last look is the verdict on what was found
    return torch.stack([step.score.loss[torch.isin(step.rows, rows)] for step in steps])


def _shown(check: Check) -> str:
    return check.verdict.upper() if check.verdict == ALARM else check.verdict
