"""Looks at a model: what a pass or two tell of its answers and of their slopes."""

from __future__ import annotations

from dataclasses import replace

import torch

from seminar_lib.attacks.base import climb, look
from seminar_lib.attacks.flags import answers_at_random, blind_share, differentiates_inside
from seminar_lib.diagnosis.patient import Patient
from seminar_lib.diagnosis.report import ALARM, OK, OPEN, Check, count, surely
from seminar_lib.losses import margin
from seminar_lib.masking import CHANCE, CUT, INNER_LOOP, ROUNDING, SATURATION, SHATTERED
from seminar_lib.threat import PIXELS

NEARBY = 10  # random images within a short way of each image
UNSTABLE = 0.1  # the mean relative change of the loss that the scripts of Pintor et al. count as unstable
SHORT = 1 / 4  # of eps: a way on which a network that is not masked is still almost linear
BROKEN = 1 / 10  # a step that gains less than this share of what its slope promised: an order of magnitude


def gradient(patient: Patient) -> Check:
    """Whether there is a gradient at all."""
    name, source = "gradient", "Pintor et al., unavailable gradients"
    try:
        climb(patient.goal, patient.x)
    except FloatingPointError:
        meaning = "The gradient holds NaN or infinity, and no attack can follow it. Mend that step, or BPDA it."
        return Check(name, "not finite", ALARM, meaning, source, CUT)
    except ValueError:
        return Check(name, "none", ALARM, _why_no_gradient(patient), source, CUT)
    return Check(name, "there is one", OK, "The loss can be differentiated from end to end.", source)


def _why_no_gradient(patient: Patient) -> str:
    """A sentence for each of two cases: the answer depends on the image all the same, or it does not."""
    with torch.no_grad():
        answers = patient.goal.model(torch.cat([patient.x, 1 - patient.x]))
    if torch.equal(answers, answers[:1].expand_as(answers)):
        return (
            "The logits do not depend on the image: all images get the same answer, and there is nothing to attack. "
            "If they should, look for the step that loses the image; where that is a step without a derivative, "
            "attack through it with BPDA."
        )
    return (
        "The forward pass cuts the gradient (detach, no_grad, numpy or integers on the way), so an attack with "
        "gradients cannot start. That is no robustness: attack through the step with BPDA."
    )


def randomness(patient: Patient) -> Check:
    """Whether two looks differ."""
    name, source = "randomness", "AutoAttack"
    if answers_at_random(patient.goal, patient.x):
        meaning = "The same images get other logits each time, so one look is one draw, and its gradient is noise."
        return Check(name, "two looks differ", ALARM, meaning, source, CHANCE)
    return Check(name, "two looks agree", OK, "The model answers the same each time.", source)


def inner_optimisation(patient: Patient) -> Check:
    """Whether the model optimises while it answers."""
    name, source = "inner optimisation", "AutoAttack"
    if differentiates_inside(patient.goal, patient.x):
        meaning = "The forward pass takes gradients of its own; an attack has to differentiate through that, too."
        return Check(name, "yes", ALARM, meaning, source, INNER_LOOP)
    return Check(name, "no", OK, "The model computes no gradients while it answers.", source)


def stability(patient: Patient) -> Check:
    """How much the margin changes at random points nearby, relative to its size.

    The code of Pintor et al. draws from a cube of side 8/255, takes the attack's own loss and the mean of the ratios.
    The cross-entropy of a confident model is next to zero, and so is the margin of an image near the boundary; any
    change is large relative to that. So ours is the ratio of the means, of the margin, and stays so near that a model
    without any robustness is almost linear.
    """
    nearby = replace(patient.attack.threat, eps=SHORT * patient.attack.threat.eps)
    aim, generator = patient.goal.climbing(margin), patient.generator()
    before = look(aim, patient.x).loss
    after = [look(aim, nearby.random_start(patient.x, generator)).loss for _ in range(NEARBY)]
    change = ((torch.stack(after) - before).abs().mean() / before.abs().mean()).item()
    name, value, source = "stability", f"margin changes by {change:.1%}", "Pintor et al., unstable predictions"
    if change > UNSTABLE:
        meaning = "Around an image the margin jumps about, and a search there is led astray by noise."
        return Check(name, value, ALARM, meaning, source)
    return Check(name, value, OK, "Around an image the margin hardly changes.", source)


def zero_gradients(patient: Patient) -> tuple[Check, Check]:
    """Whether the gradient is exactly zero; of the margin, too, or of the cross-entropy alone."""
    _, grad = climb(patient.goal.climbing(margin), patient.x)
    flat = (grad.abs().amax(PIXELS) == 0).float().mean().item()
    blind = blind_share(patient.goal, patient.x)
    return _slope(flat), _saturation(blind, flat)


def _slope(flat: float) -> Check:
    name, value, source = "slope", f"zero for {flat:.0%}", "AutoAttack; Pintor et al., unavailable gradients"
    if flat > 0:
        meaning = (
            "The gradient of the margin is exactly zero, although the answer depends on the image: some step on "
            "the way is flat, as rounding is, and the attack never leaves its start."
        )
        return Check(name, value, ALARM, meaning, source, ROUNDING)
    return Check(name, value, OK, "The margin has a slope at every image.", source)


def _saturation(blind: float, flat: float) -> Check:
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


def promise(patient: Patient, random: bool) -> Check:
    """Whether a short step along the gradient gains what its slope promises.

    For a smooth margin m and a short step d, m(x + d) - m(x) is about <grad m, d>.
    """
    name, source = "kept promise", "Athalye et al., shattered gradients"
    if random:
        meaning = "Between two looks the model changes by itself. Average the looks (EOT) and diagnose again."
        return Check(name, "none", OPEN, meaning, source)
    aim, threat = patient.goal.climbing(margin), patient.attack.threat
    score, grad = climb(aim, patient.x)
    x_adv = (patient.x + SHORT * threat.eps * threat.steepest(grad)).clamp(0, 1)
    gained = look(aim, x_adv).loss - score.loss
    promised = (grad * (x_adv - patient.x)).sum(PIXELS)
    sloped = promised > 0
    if not sloped.any():
        return Check(name, "none", OPEN, "There is no slope that could promise anything.", source)
    broken = (gained < BROKEN * promised) & sloped
    kept = (gained / promised)[sloped].median().item()
    value = f"{count(broken)} break it (median {kept:.2f} kept)"
    if surely(broken):
        meaning = (
            f"A step of {SHORT:g} eps along the gradient does not raise the margin as its slope says: the gradient "
            "belongs to wrinkles in the surface, not to its hills."
        )
        return Check(name, value, ALARM, meaning, source, SHATTERED)
    return Check(name, value, OK, "A short step along the gradient gains about what its slope says.", source)
