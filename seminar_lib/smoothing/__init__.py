"""Randomized smoothing: a certificate that no perturbation up to a radius changes the answer."""
