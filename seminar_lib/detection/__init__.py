"""Detectors: instead of answering rightly under attack, notice the attack and refuse to answer.

    detector = Mahalanobis.fit(model, data)                                   # on training images
    guarded = Guarded(model, detector, detector.threshold_at(data, fpr=0.05))  # on validation images
    evaluate_detector(guarded, data.test, PGD(), OrthogonalPGD(steps=100))

All of them catch attacks that do not know them, and all of them have been broken by attacks that do.
"""

from seminar_lib.detection.base import Detector
from seminar_lib.detection.density import KernelDensity
from seminar_lib.detection.guarded import REJECT, Guarded
from seminar_lib.detection.learned import LearnedDetector
from seminar_lib.detection.mahalanobis import Mahalanobis
from seminar_lib.detection.squeezing import FeatureSqueezing, Median

__all__ = [
    "REJECT",
    "Detector",
    "FeatureSqueezing",
    "Guarded",
    "KernelDensity",
    "LearnedDetector",
    "Mahalanobis",
    "Median",
]
