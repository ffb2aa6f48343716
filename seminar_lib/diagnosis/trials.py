"""Attacks on a model: the one that is judged, and what others find beside it.

Wherever it is an argument, ``fooled`` says which images the judged attack fooled.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from seminar_lib.attacks import FGSM, PGD, Attack, Square, Transfer
from seminar_lib.attacks.base import look, verdict
from seminar_lib.diagnosis.patient import Patient
from seminar_lib.diagnosis.report import ALARM, OK, OPEN, Check, count, surely
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.types import Flags

NOISE = 50  # random images in the ball for each image
LAST = 10  # the steps that are the end of a walk in the code of Pintor et al.
SETTLED = 0.05  # the rise in these, as a share of the whole rise, that their code takes for unfinished


def walk(patient: Patient) -> tuple[Recorded, Flags, Flags]:
    """The attack itself: its record, which images it fooled, and which successes a second look denies."""
    record = Recorded(patient.goal, torch.arange(len(patient.x), device=patient.x.device))
    fooled = verdict(patient.goal, patient.attack.run(record, patient.x, patient.generator())).success
    seen = torch.zeros_like(fooled)
    for step in record.looks:
        seen[step.rows] |= step.score.success
    return record, fooled, seen & ~fooled


def one_step(patient: Patient, fooled: Flags) -> Check:
    """Whether one step finds what many do not."""
    better = _fools_more(patient, FGSM(patient.attack.threat), fooled)
    return _comparison(
        "one step",
        better,
        "Many steps find all that one step finds.",
        "One step fools images that many steps do not, so the many steps lose their way.",
        "Carlini et al.",
    )


def more_steps(patient: Patient, fooled: Flags) -> Check:
    """Whether the search had converged."""
    better = _fools_more(patient, replace(patient.attack, steps=2 * patient.attack.steps), fooled)
    return _comparison(
        "twice the steps",
        better,
        "Twice the steps find nothing new: the search has converged.",
        "Twice the steps fool many more, so the number says how long the attack ran. Take more steps.",
        "Carlini et al.",
    )


def restarts(patient: Patient, fooled: Flags) -> Check:
    """Whether what was found hangs on the random start."""
    better = _fools_more(patient, patient.attack, fooled, seed=1)
    return _comparison(
        "another start",
        better,
        "Another random start finds nothing new.",
        "Another random start fools many more, so the number says where the attack began. Take more restarts.",
        "Carlini et al.",
    )


def incomplete(record: Recorded, to_the_end: Flags) -> Check:
    """Whether the best loss so far still rises in the last steps of the walks that met no success."""
    name, source = "settled loss", "Pintor et al., incomplete optimisation"
    rows = to_the_end.nonzero().squeeze(1)
    paths = _paths(record, rows)
    if not len(rows) or len(paths) <= LAST:
        return Check(name, "none", OPEN, f"No image was walked for more than {LAST} steps.", source)
    best = paths.cummax(0).values
    whole = (best[-1] - paths.amin(0)).clamp_min(torch.finfo(paths.dtype).tiny)
    # Counted among all images: what matters is how much of the accuracy that is left is an unfinished walk.
    rising = torch.zeros_like(to_the_end)
    rising[rows] = (best[-1] - best[-1 - LAST]) / whole > SETTLED
    value = f"rises to the end for {count(rising)}"
    if surely(rising):
        meaning = "The loss was still rising when the walk ended: the attack gave up too early. Take more steps."
        return Check(name, value, ALARM, meaning, source)
    return Check(name, value, OK, "The loss had settled when the walk ended.", source)


def silent_success(denied: Flags) -> Check:
    """Whether the attack met successes that it did not return."""
    name, value, source = "silent success", count(denied), "Pintor et al., silent success"
    if surely(denied):
        meaning = "The search met successes that the returned images are not: lucky looks, or the wrong step kept."
        return Check(name, value, ALARM, meaning, source)
    return Check(name, value, OK, "Whatever the search met on its way it returned.", source)


def unbounded(patient: Patient) -> Check:
    """Whether every image falls where the adversary may do anything, from the clean image on."""
    threat = patient.attack.threat
    everything = replace(threat, eps=threat.norm(torch.ones_like(patient.x[:1])).item())  # the diameter of [0, 1]^d
    attack = PGD(everything, steps=20, random_start=False)
    standing = ~verdict(patient.goal, attack.run(patient.goal, patient.x)).success
    name, value = "unbounded", f"{count(standing)} stand"
    source = "Carlini et al.; Pintor et al., unconstrained attack failure"
    if surely(standing):
        meaning = f"Even {everything} does not fool all images, and it may turn one into another: the search fails."
        return Check(name, value, ALARM, meaning, source)
    return Check(name, value, OK, "An adversary that may do anything fools the model.", source)


def noise(patient: Patient, fooled: Flags) -> Check:
    """Whether random images of the ball find what the attack does not."""
    generator = patient.generator()
    better = torch.zeros_like(fooled)
    for _ in range(NOISE):
        better |= look(patient.goal, patient.attack.threat.random_start(patient.x, generator)).success
    return _comparison(
        "random noise",
        better & ~fooled,
        "The attack finds all that random noise finds.",
        "Random noise fools images that the attack does not, so its gradients are worse than none.",
        "Carlini et al.",
    )


def black_box(patient: Patient, fooled: Flags) -> Check:
    """Whether an attack without gradients finds what the one with gradients does not."""
    name, source = "black box", "Carlini et al.; AutoAttack"
    try:
        square = Square(patient.attack.threat, queries=patient.queries)
    except TypeError as unknown:  # a ball for which it has no squares
        return Check(name, "none", OPEN, str(unknown), source)
    better = _fools_more(patient, square, fooled)
    return _comparison(
        name,
        better,
        "The attack with gradients finds all that one without them finds.",
        "An attack without gradients fools images that the one with gradients does not: they are masked.",
        source,
    )


def transfer(patient: Patient, fooled: Flags) -> tuple[Check, Check]:
    """Images that fool the surrogate: what they find here that the attack does not, and how many carry over."""
    names = ("transfer", "transfer failure")
    sources = ("Carlini et al.", "Pintor et al., transfer failure")
    if patient.surrogate is None:
        meaning = "Pass surrogate=, a model of the same task, to see whether what fools it fools this one."
        first, second = (Check(n, "none", OPEN, meaning, s) for n, s in zip(names, sources, strict=True))
        return first, second
    attack = Transfer(patient.attack, patient.surrogate)
    x_adv = attack.run(patient.goal, patient.x, patient.generator())
    here = verdict(patient.goal, x_adv).success
    there = verdict(Misclassify(patient.surrogate, patient.goal.y), x_adv).success
    carries = _comparison(
        names[0],
        here & ~fooled,
        "The attack finds all that images made on the surrogate find.",
        "Images made on the surrogate fool this model where its own gradients do not: they are masked.",
        sources[0],
    )
    lost = there & ~here
    value = f"{int(lost.sum())} of {int(there.sum())}"
    if surely(lost):
        meaning = "Much of what fools the surrogate does not carry over, so transfer alone would prove nothing."
        return carries, Check(names[1], value, OPEN, meaning, sources[1])
    return carries, Check(names[1], value, OK, "What fools the surrogate fools this model.", sources[1])


def _fools_more(patient: Patient, attack: Attack, fooled: Flags, seed: int = 0) -> Flags:
    """Which images the attack fools of those that stand, confirmed by a second look."""
    better, rows = torch.zeros_like(fooled), (~fooled).nonzero().squeeze(1)
    if len(rows):
        aim = patient.goal[rows].climbing(attack.loss)
        x_adv = attack.run(aim, patient.x[rows], patient.generator(seed))
        better[rows] = verdict(aim, x_adv).success
    return better


def _comparison(name: str, better: Flags, fine: str, alarm: str, source: str) -> Check:
    """A weaker attack, or another run, beside the attack that is judged: what does it find that is new?"""
    value = f"{count(better)} more"
    return Check(name, value, ALARM, alarm, source) if surely(better) else Check(name, value, OK, fine, source)


def _paths(record: Recorded, rows: Tensor) -> Tensor:
    """The losses along the walks of images that were never left alone, (steps, images)."""
    steps = record.looks[:-1]  # the last look is the verdict on what was found
    return torch.stack([step.score.loss[torch.isin(step.rows, rows)] for step in steps])
