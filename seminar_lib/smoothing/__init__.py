"""Randomized smoothing: a certificate that no perturbation up to a radius changes the answer."""

from seminar_lib.smoothing.average import MisclassifyOnAverage
from seminar_lib.smoothing.looks import EarlyStop
from seminar_lib.smoothing.smoothed import ABSTAIN, Certificates, Smoothed

__all__ = ["ABSTAIN", "Certificates", "EarlyStop", "MisclassifyOnAverage", "Smoothed"]
