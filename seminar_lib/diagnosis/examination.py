"""The examination: all checks of one model, first looks at it, then attacks on it."""

from __future__ import annotations

import torch

from seminar_lib.attacks import APGD
from seminar_lib.attacks.base import care, verdict
from seminar_lib.diagnosis import looks, trials
from seminar_lib.diagnosis.patient import Patient
from seminar_lib.diagnosis.report import ALARM, Check, Diagnosis
from seminar_lib.goals import Misclassify
from seminar_lib.threat import Linf, ThreatModel
from seminar_lib.types import Flags, Images, Labels, Model


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
        with care(goal, x):
            right = (~verdict(goal, x).success).nonzero().squeeze(1)
            if not len(right):
                raise ValueError(
                    f"The model gets none of the {len(x)} images right, so there is nothing to attack. Do the labels "
                    "fit the images?"
                )
            x, y = x[right].detach().clamp(0, 1), y[right]
            checks = _examined(Patient(Misclassify(model, y), x, attack, queries, surrogate, seed))
    return Diagnosis(tuple(checks), len(right), attack)


def _examined(patient: Patient) -> list[Check]:
    """All checks, in the order in which they are told."""
    gradient, random = looks.gradient(patient), looks.randomness(patient)
    seen = [gradient, random, looks.inner_optimisation(patient), looks.stability(patient)]
    if gradient.verdict == ALARM:
        fooled = torch.zeros(len(patient.x), dtype=torch.bool, device=patient.x.device)
        return [*seen, *_beside(patient, fooled)]
    walk, fooled, denied = trials.walk(patient)
    return [
        *seen,
        *looks.zero_gradients(patient),
        looks.promise(patient, random.verdict == ALARM),
        trials.one_step(patient, fooled),
        trials.more_steps(patient, fooled),
        trials.restarts(patient, fooled),
        trials.incomplete(walk, ~(fooled | denied)),
        trials.silent_success(denied),
        trials.unbounded(patient),
        *_beside(patient, fooled),
    ]


def _beside(patient: Patient, fooled: Flags) -> list[Check]:
    """The attacks that need no gradient of the model: what do they find beside ``fooled``?"""
    return [trials.noise(patient, fooled), trials.black_box(patient, fooled), *trials.transfer(patient, fooled)]
