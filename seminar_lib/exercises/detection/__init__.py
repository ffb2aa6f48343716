"""The checks of lesson 11: a threshold, the area under a curve, the goal of who knows the detector, and a table."""

from seminar_lib.exercises.detection.auroc import check_auroc
from seminar_lib.exercises.detection.evasion import check_evasion
from seminar_lib.exercises.detection.reading import check_reading
from seminar_lib.exercises.detection.threshold import check_threshold

__all__ = ["check_auroc", "check_evasion", "check_reading", "check_threshold"]
