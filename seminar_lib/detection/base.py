"""What every detector is: a score for each image, high where it is suspicious, and the threshold that follows from it.

Carlini & Wagner, "Adversarial Examples Are Not Easily Detected: Bypassing Ten Detection Methods", AISec 2017, took the
detectors of their time apart. What they ask for is what a detector has here: a gradient to the image wherever its idea
permits one, and nothing that is hidden from the adversary.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from seminar_lib.checks import check_images, check_model
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.freeze import in_batches
from seminar_lib.models import Classifier
from seminar_lib.types import Images, PerExample

ROUNDING = 1e-9  # 0.29 * 100 is 28.999...


class Detector(nn.Module, ABC):
    """A score for each image, made when it is fitted: there is no detector that is not.

    ``Kind.fit(model, data)`` makes one from training images, where there is anything to learn. Attack one by its bound
    method: ``StayUnder(detector.score, threshold)``.
    """

    @abstractmethod
    def score(self, x: Images) -> PerExample:
        """How suspicious each image is; differentiable in ``x``. The scale is the detector's own."""

    def opened(self) -> Detector:
        """The same scores with a gradient that an adversary can follow; itself, where it has one anyway."""
        return self

    def scores(self, x: Images) -> PerExample:
        """The scores as one looks at them: checked, in evaluation mode and full precision, without gradients.

        Raises:
            TypeError, ValueError: ``x`` is no batch of images in [0, 1], or a score is not finite.
        """
        check_images(x)
        check_model(self, x)
        found = in_batches(self.score, x)
        if found.shape != x.shape[:1] or not found.isfinite().all():
            raise ValueError(
                f"{type(self).__name__} must give a finite score for each of {len(x)} images; got shape "
                f"{tuple(found.shape)}, {int(found.isfinite().sum())} of them finite."
            )
        return found

    def threshold_at(self, data: Dataset, fpr: float = 0.05) -> float:
        """The threshold above which a share of at most ``fpr`` of the validation images lies: false alarms, all.

        Validation images choose it, because the detector has seen those it was fitted on, and the test images shall say
        how many false alarms there really are.

        Args:
            data: the task of the network.
            fpr: false-positive rate, in (0, 1).

        Raises:
            ValueError: ``fpr`` is out of range, or there are too few images for so rare an alarm.
        """
        return quantile(self.scores(data.validation.to(_device(self)).x), fpr)


def quantile(scores: PerExample, fpr: float) -> float:
    """The smallest of the scores that a share of at most ``fpr`` of them exceeds.

    Raises:
        ValueError: ``fpr`` is not in (0, 1), or so small that not even one of the scores may exceed it.
    """
    if not 0 < fpr < 1:
        hint = f" Did you mean {fpr / 100:g}?" if 1 <= fpr < 100 else ""
        raise ValueError(f"A false-positive rate is a share of the clean images, in (0, 1); got fpr={fpr}.{hint}")
    allowed = int(fpr * len(scores) + ROUNDING)
    if allowed < 1:
        raise ValueError(
            f"Of {len(scores)} validation images none may be rejected at fpr={fpr:g}: the threshold would be a guess. "
            f"Take {math.ceil((1 - ROUNDING) / fpr)} images or more, or a larger fpr."
        )
    return float(scores.sort(descending=True).values[allowed])


def training_images(model: Classifier, data: Dataset, n: int, seed: int) -> Split:
    """Training images for a detector, on the network's device.

    Raises:
        TypeError: ``model`` has no embedding, or ``data`` is not a whole data set.
        ValueError: the network has other classes than the data set.
    """
    if not isinstance(model, Classifier):
        raise TypeError(f"A detector is fitted on a Classifier, which has an embedding; got {type(model).__name__}.")
    if not isinstance(data, Dataset):
        raise TypeError(
            f"A detector is fitted on a data set, of which it takes the training images; got {type(data).__name__}. "
            'Pass load_data("signs") itself.'
        )
    if model.head.out_features != len(data.classes):
        raise ValueError(
            f"The network tells {model.head.out_features} classes and {data.name} has {len(data.classes)}: it was "
            "trained for another task."
        )
    return data.train.sample(n, seed).to(_device(model))


def check_each_class(y: Tensor, classes: int, enough: int, what: str) -> None:
    """Refuse labels among which a class occurs less than ``enough`` times.

    Raises:
        ValueError: it does; the message names the class.
    """
    counts = y.bincount(minlength=classes)
    if (counts < enough).any():
        rarest = int(counts.argmin())
        raise ValueError(
            f"{what} needs {enough} or more training images of each class; class {rarest} has {int(counts[rarest])} of "
            f"{len(y)}. Take more images: fit(..., n=...)."
        )


def _device(module: nn.Module) -> torch.device:
    """Where a module's parameters are; the CPU for one without any."""
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
