"""The checks of lesson 09: a radius, a bound from counted votes, a certificate, and what it does not say."""

from seminar_lib.exercises.smoothing.bound import check_bound
from seminar_lib.exercises.smoothing.certificate import check_certificate
from seminar_lib.exercises.smoothing.radius import check_radius
from seminar_lib.exercises.smoothing.reading import check_reading

__all__ = ["check_bound", "check_certificate", "check_radius", "check_reading"]
