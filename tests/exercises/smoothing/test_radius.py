"""Exercise 9.1 accepts every right radius and says what is wrong with each typical wrong one."""

import math
from statistics import NormalDist

import torch
from scipy.special import erfinv, logit
from scipy.stats import norm

from seminar_lib.exercises import smoothing
from seminar_lib.smoothing.bounds import radius

from ..conftest import praises, refuses


def where_certain(formula):
    """A formula for p above a half, and 0 elsewhere."""
    return lambda p, sigma: formula(p, sigma) if p > 0.5 else 0.0


def quantile(p):
    return float(norm.ppf(p))


test_every_right_radius_is_praised = praises(
    smoothing.check_radius,
    where_certain(lambda p, sigma: sigma * norm.ppf(p)),
    lambda p, sigma: max(0, NormalDist(0, sigma).inv_cdf(p)),
    lambda p, sigma: torch.special.ndtri(torch.tensor(p)).clamp(min=0) * sigma,
    where_certain(lambda p, sigma: sigma / 2 * (norm.ppf(p) - norm.ppf(1 - p))),
    lambda p, sigma: float(radius(p, sigma)),
)

test_a_wrong_radius_gets_its_sentence = refuses(
    smoothing.check_radius,
    (lambda p, sigma: "0.3", "the radius must be a number"),
    (lambda p, sigma: None, "Return a radius"),
    (lambda p, sigma: sigma * quantile(p) if p > 0.5 else None, "for p = 0.5 you return nothing"),
    (where_certain(lambda p, sigma: sigma**2 * quantile(p)), "the variance"),
    (where_certain(lambda p, sigma: math.sqrt(sigma) * quantile(p)), "the root of sigma"),
    (where_certain(lambda p, sigma: quantile(p)), "sigma is missing"),
    (where_certain(lambda p, sigma: quantile(p) / sigma), "you divide by sigma"),
    (where_certain(lambda p, sigma: sigma * norm.cdf(p)), "you use Phi itself"),
    (where_certain(lambda p, sigma: sigma * quantile(1 - p)), "the quantile of 1 - p"),
    (where_certain(lambda p, sigma: sigma / 2 * quantile(p)), "you halve it"),
    (where_certain(lambda p, sigma: sigma * float(erfinv(2 * p - 1))), "multiply by sqrt(2)"),
    (where_certain(lambda p, sigma: sigma * float(logit(p))), "the noise is normal"),
    (where_certain(lambda p, sigma: sigma * (p - 0.5)), "above one half"),
    (where_certain(lambda p, sigma: 255 * sigma * quantile(p)), "grey levels"),
    (lambda p, sigma: sigma * 1.2815515655446004, "for p = 0.6 and sigma = 0.5"),
    (lambda p, sigma: sigma * quantile(p), "Up to a half nothing is certain"),
    (lambda p, sigma: sigma * abs(quantile(p)), "at the image itself"),
)
