"""The checks of lesson 12: a stand-in, the mean of several looks, a diagnosis, and the capstone."""

from seminar_lib.exercises.masking.capstone import check_break, check_repair, fortress
from seminar_lib.exercises.masking.mean import check_mean_gradient
from seminar_lib.exercises.masking.stand_in import check_straight_through
from seminar_lib.exercises.masking.tricks import check_tricks, unlabelled

__all__ = [
    "check_break",
    "check_mean_gradient",
    "check_repair",
    "check_straight_through",
    "check_tricks",
    "fortress",
    "unlabelled",
]
