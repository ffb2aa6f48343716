"""The attacks of AutoAttack as its authors wrote them (Croce & Hein, ICML 2020), in the package pyautoattack."""

from __future__ import annotations

import logging
from typing import Any

import torch

from benchmarks.peers.seeded import seeded
from seminar_lib.attacks import APGD, FAB, Attack, AutoAttack, Square
from seminar_lib.models import Classifier
from seminar_lib.types import Images, Labels


def make(attack: Attack, model: Classifier) -> Any:
    """The same attack as its authors make it."""
    from pyautoattack.autopgd_base import APGDAttack
    from pyautoattack.fab_pt import FABAttack_PT
    from pyautoattack.square import SquareAttack

    common = {"norm": type(attack.threat).__name__, "eps": attack.threat.eps, "device": model.mean.device}
    match attack:
        case APGD():
            apgd = APGDAttack(model, n_iter=attack.steps, n_restarts=attack.restarts, loss="ce", **common)
            return seeded(apgd, lambda x, y: apgd.perturb(x, y))
        case FAB():
            fab = FABAttack_PT(
                model,
                n_iter=attack.steps,
                n_restarts=attack.restarts,
                n_target_classes=attack.targets,
                targeted=True,
                **common,  # a success within eps ends the search: with a larger one the first target would be the last
            )
            return seeded(fab, lambda x, y: fab.perturb(x, y))
        case Square():
            square = SquareAttack(model, n_queries=attack.queries, p_init=attack.p_init, **common)
            return seeded(square, lambda x, y: square.perturb(x, y))
        case AutoAttack():

            def run(x: Images, y: Labels) -> Images:
                theirs = ensemble(attack, model, torch.initial_seed())
                found: Images = theirs.run_standard_evaluation(x, y, batch_size=len(x))[0]
                return found

            return run
    raise NotImplementedError


def ensemble(attack: AutoAttack, model: Classifier, seed: int) -> Any:
    """The ensemble of the same version."""
    from pyautoattack import AutoAttack as Theirs

    logging.getLogger("pyautoattack").setLevel(logging.WARNING)
    norm, eps = type(attack.threat).__name__, attack.threat.eps
    return Theirs(model, norm=norm, eps=eps, version=attack.version, seed=seed, device=model.mean.device)
