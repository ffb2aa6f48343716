"""Denoised smoothing with a diffusion model: a certificate for a classifier that never saw noise.

Carlini, Tramer, Dvijotham, Rice, Sun and Kolter, "(Certified!!) Adversarial Robustness for Free!", ICLR 2023, algorithm
1; the idea is Salman, Sun, Yang, Kapoor and Kolter, "Denoised Smoothing", NeurIPS 2020. What randomized smoothing asks
of a network, a right answer to x + d with d ~ N(0, sigma^2), the network need not give itself: a denoiser in front of
it takes the noise out. A diffusion model is a denoiser for noise of every size, if it is asked at the right step:

    sqrt(abar_t) (2 (x + d) - 1)  is an x_t,  if  (1 - abar_t) / abar_t = (2 sigma)^2

One look at it, no way back in many steps: those would invent details, and each costs as much as the certificate.

    model = nn.Sequential(DiffusionDenoiser(load("signs/ddpm")[0], sigma=0.25), classifier)
    Smoothed(model, sigma=0.25).certify(x)
"""

from __future__ import annotations

from torch import nn

from seminar_lib.diffusion.schedule import ALPHA_BAR, at, step_for
from seminar_lib.diffusion.steps import NoiseModel, guess
from seminar_lib.types import Images


class DiffusionDenoiser(nn.Module):
    """Images with Gaussian noise of deviation ``sigma``, which leads them beyond [0, 1], to images in [0, 1].

    Args:
        network: what finds the noise in x_t, such as ``load("signs/ddpm")`` returns.
        sigma: standard deviation of the noise, in pixels of [0, 1]; that of ``Smoothed``.

    Attributes:
        t: the step of the diffusion whose noise is nearest to ``sigma``.

    Raises:
        TypeError: ``network`` cannot be called.
        ValueError: no step has so little or so much noise.
    """

    def __init__(self, network: NoiseModel, sigma: float) -> None:
        super().__init__()
        if not callable(network):
            raise TypeError(f"DiffusionDenoiser needs a network, x_t and t to noise; got {type(network).__name__}.")
        self.network, self.sigma, self.t = network, sigma, step_for(sigma)

    def extra_repr(self) -> str:
        """The noise, and where the diffusion has it."""
        return f"sigma={self.sigma:g}, t={self.t}"

    def forward(self, x: Images) -> Images:
        """The network's one guess at the images without their noise, differentiable in ``x``."""
        xt = at(self.t, ALPHA_BAR, x).sqrt() * (2 * x - 1)
        return (guess(self.network, xt, self.t) + 1) / 2
