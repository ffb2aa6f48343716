"""The scores of clean and attacked images, for every threshold at once.

Where orthogonal PGD goes does not depend on the threshold, only where it stops: at the first wrong label with an
accepted score. So one walk to the end, of which every score is kept, tells what the attack finds at any threshold, and
whoever moves the threshold sees the attack adapt without waiting for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from seminar_lib.attacks import PGD, OrthogonalPGD
from seminar_lib.data.dataset import Split
from seminar_lib.detection import Detector
from seminar_lib.detection.base import quantile
from seminar_lib.freeze import frozen, in_batches
from seminar_lib.goals import Both, Misclassify, Recorded, StayUnder
from seminar_lib.losses import margin
from seminar_lib.threat import Linf
from seminar_lib.types import Flags, Model, PerExample

ATTACKS = ("none", "oblivious", "adaptive")
RADII = (1, 2, 4, 8)  # in grey levels
RATES = (0.9, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)  # of validation images that the threshold may reject
STEPS = 40
REACH = 1.8  # how far the axis goes, where 1 is the highest threshold
NEVER = float("inf")  # the score of a wrong label that was not found


@dataclass(frozen=True, eq=False)
class Scored:
    """Some images before a guard.

    Attributes:
        scores: of the detector, (N,).
        wrong: whose label is wrong, rejected or not, (N,).
        threshold: the highest score that is accepted.
    """

    scores: PerExample
    wrong: Flags
    threshold: float

    @property
    def rejected(self) -> Flags:
        """Which raise the alarm."""
        return self.scores > self.threshold

    @property
    def served(self) -> int:
        """How many are right and accepted."""
        return int((~self.wrong & ~self.rejected).sum())

    @property
    def caught(self) -> int:
        """How many are wrong and rejected."""
        return int((self.wrong & self.rejected).sum())

    @property
    def safe(self) -> int:
        """How many are right or rejected."""
        return int((~self.wrong | self.rejected).sum())


class Watch:
    """Detectors before one classifier, with thresholds from validation images.

    Thresholds and clean scores are computed when this is made, each attack when it is first asked for.

    Args:
        model: the classifier, images in [0, 1] to logits.
        detectors: by name, fitted.
        validation: images that choose the thresholds, 100 or more.
        data: the images that are attacked, on the device of all.

    Attributes:
        names: of the detectors.
        thresholds: of each detector, one for each of ``RATES``.
        ends: of each detector, the range of scores that is worth a look.

    Raises:
        TypeError, ValueError: the images do not fit the model or a detector, or are too few.
    """

    def __init__(self, model: Model, detectors: Mapping[str, Detector], validation: Split, data: Split) -> None:
        self.model, self.data = model, data
        self.names, self.detectors = tuple(detectors), tuple(detectors.values())
        known = [detector.scores(validation.x) for detector in self.detectors]
        self.thresholds = [[quantile(scores, rate) for rate in RATES] for scores in known]
        lowest = [float(scores.min()) for scores in known]
        self.ends = [(low, low + REACH * (far[-1] - low)) for low, far in zip(lowest, self.thresholds, strict=True)]
        self.clean = [detector.scores(data.x).cpu() for detector in self.detectors]
        self.misread = self._wrong(data.x)
        self.oblivious = lru_cache(maxsize=None)(self._oblivious)
        self.walk = lru_cache(maxsize=None)(self._walk)

    def scored(self, detector: int, attack: int, eps: int, rate: int) -> Scored:
        """What stands before a guard; ``attack`` and ``rate`` are places in ``ATTACKS`` and ``RATES``."""
        threshold = self.thresholds[detector][rate]
        if ATTACKS[attack] == "adaptive":
            return self._adapted(detector, eps, threshold)
        scores, wrong = self.oblivious(detector, eps) if attack else (self.clean[detector], self.misread)
        return Scored(scores, wrong, threshold)

    def _wrong(self, x: Tensor) -> Flags:
        return (in_batches(self.model, x).argmax(1) != self.data.y).cpu()

    def _oblivious(self, detector: int, eps: int) -> tuple[PerExample, Flags]:
        attack, generator = PGD(Linf(eps / 255), steps=STEPS), torch.Generator(self.data.images.device).manual_seed(0)
        x = attack(self.model, self.data.x, self.data.y, generator=generator)
        return self.detectors[detector].scores(x).cpu(), self._wrong(x)

    def _walk(self, detector: int, eps: int) -> Tensor:
        """The score at every step at which an image has a wrong label, elsewhere ``NEVER``, (steps, N).

        The first row is the clean image, the second the random start.
        """
        n, lowest = len(self.data), self.thresholds[detector][0]
        everyone = torch.arange(n, device=self.data.images.device)
        judge = self.detectors[detector].opened()
        first = Recorded(Misclassify(self.model, self.data.y, margin), everyone)
        second = Recorded(StayUnder(judge.score, lowest), everyone)  # what is accepted there is so everywhere
        attack = OrthogonalPGD(Linf(eps / 255), steps=STEPS, step_size=eps / 255 / 4)
        with frozen(self.model, judge):
            generator = torch.Generator(self.data.images.device).manual_seed(0)
            attack.search(Both(first, second), self.data.x, generator)
        found = [self.clean[detector].masked_fill(~self.misread, NEVER)]
        asked = iter(second.looks)
        for look in first.looks:
            wrong, scores = torch.full((2, n), NEVER, device=everyone.device)
            wrong[look.rows[look.score.success]] = 0
            if look.score.success.any():  # until then nobody asks the detector
                answer = next(asked)
                scores[answer.rows] = lowest - answer.score.loss
            found.append((scores + wrong).cpu())
        return torch.stack(found)

    def _adapted(self, detector: int, eps: int, threshold: float) -> Scored:
        """Each walk up to its first success; without one the wrong label with the lowest score, or the clean image."""
        walk = self.walk(detector, eps)
        accepted = walk <= threshold
        first = walk.gather(0, accepted.int().argmax(0, keepdim=True))[0]
        reached = first.where(accepted.any(0), walk.amin(0))
        wrong = reached < NEVER
        return Scored(reached.where(wrong, self.clean[detector]), wrong, threshold)
