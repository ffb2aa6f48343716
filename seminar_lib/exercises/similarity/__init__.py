"""The checks of lesson 07: a prediction about two boxes, a noisy view, and LISArD's correlations."""

from seminar_lib.exercises.similarity.boxes import check_prediction
from seminar_lib.exercises.similarity.correlations import check_correlation
from seminar_lib.exercises.similarity.noise import check_noise

__all__ = ["check_correlation", "check_noise", "check_prediction"]
