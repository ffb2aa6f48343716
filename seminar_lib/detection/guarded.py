"""A classifier with a detector at its side: it answers, or refuses to."""

from __future__ import annotations

from dataclasses import dataclass

from seminar_lib.checks import check_images, check_logits, check_model
from seminar_lib.detection.base import Detector
from seminar_lib.freeze import in_batches
from seminar_lib.goals import Both, Misclassify, StayUnder
from seminar_lib.losses import Loss, margin
from seminar_lib.types import Images, Labels, Model

REJECT = -1  # in the place of a label


@dataclass(frozen=True, eq=False)
class Guarded:
    """A classifier that rejects what its detector finds too suspicious.

    Attributes:
        model: images to logits.
        detector: images to scores.
        threshold: the highest score that is still accepted, such as ``detector.threshold_at(data, fpr=0.05)``.

    Raises:
        TypeError: ``detector`` is none.
        ValueError: the threshold is not finite.
    """

    model: Model
    detector: Detector
    threshold: float

    def __post_init__(self) -> None:
        if not isinstance(self.detector, Detector):
            raise TypeError(
                f"Guarded needs a fitted detector, such as Mahalanobis.fit(model, data); got {self.detector!r}."
            )
        if not -float("inf") < self.threshold < float("inf"):
            raise ValueError(
                f"Guarded needs a finite threshold; got {self.threshold}. Take detector.threshold_at(data, fpr=0.05)."
            )

    def answers(self, x: Images) -> Labels:
        """What the classifier says, whatever the detector thinks of it.

        Raises:
            TypeError, ValueError: ``x`` is no batch of images in [0, 1], or the model gives no logits.
        """
        check_images(x)
        check_model(self.model, x)
        logits = in_batches(self.model, x)
        check_logits(logits, x)
        return logits.argmax(1)

    def predict(self, x: Images) -> Labels:
        """The label of each image, or ``REJECT``.

        Raises:
            TypeError, ValueError: as ``answers`` and ``Detector.scores``.
        """
        return self.answers(x).masked_fill(self.detector.scores(x) > self.threshold, REJECT)

    def evade(self, y: Labels, loss: Loss = margin, weight: float = 1.0) -> Both:
        """The goal of an adversary who knows everything: a wrong label, and a score that is accepted.

        ``OrthogonalPGD(steps=100).run(guarded.evade(y), x)`` climbs them in turns, any other search their weighted
        sum. The detector is ``opened``.

        Args:
            y: true labels.
            loss: towards a wrong label.
            weight: of a unit of the score against a unit of the loss, for a search that climbs their sum.
        """
        return Both(Misclassify(self.model, y, loss), StayUnder(self.detector.opened().score, self.threshold), weight)
