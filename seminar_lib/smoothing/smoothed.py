"""Randomized smoothing: the answer that a network gives most often when noise is added, and how far it is certain.

Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019:

    g(x) = argmax_c P[f(x + d) = c],   d ~ N(0, sigma^2)

No image within the radius that ``certify`` returns (``bounds.py``) has another g, whoever attacks and however. It is no
statement about f without noise. ``Smoothed`` holds their algorithms PREDICT and CERTIFY (section 3.2); other than
theirs it works on many images at once, and can stop early (``looks.py``).

**Which network is certified.** The theorem asks nothing of f: any function from images to labels will do. Ours is the
network as it computes here, with the rounding of its precision and of the lean copy that looks at the noise. In
bfloat16 the votes are those of the bfloat16 network, their certificate is about the smoothed bfloat16 network, and
nothing is lost in rigour. But it says nothing about the same weights in float32: that is another f, whose p may be
lower by the share of noise at which the two disagree. Certify in the precision in which you will predict. ``Smoothed``
does both in one.

Two assumptions remain, as in all code for this theorem: the pseudorandom numbers are taken for random ones, and x + d
for exact. Networks can be built that exploit the rounding of this sum (Voracek and Hein, "Sound Randomized Smoothing in
Floating-Point Arithmetic", ICLR 2023); trained ones are not known to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Int
from scipy.stats import binomtest
from torch import Tensor, nn

from seminar_lib.checks import check_images, check_model
from seminar_lib.device import computes_bf16
from seminar_lib.freeze import frozen
from seminar_lib.lean import faster
from seminar_lib.smoothing.average import draw_noise, log_mean_softmax, noisy_logits
from seminar_lib.smoothing.bounds import radius
from seminar_lib.smoothing.looks import Counts, EarlyStop, check_alpha, check_samples, prove
from seminar_lib.smoothing.poll import Poll
from seminar_lib.types import Images, Labels, Logits, Model, PerExample

ABSTAIN = -1  # in the place of a label
Generator = torch.Generator | None
Votes: TypeAlias = Int[Tensor, "B K"]


@dataclass(frozen=True)
class Certificates:
    """What is certain of each image, on the device of the images.

    Attributes:
        label: the class, or ``ABSTAIN``.
        radius: L2 distance in pixels of [0, 1] within which the answer is ``label``; 0 where it abstains.
        p_lower: lower bound of the probability of the most frequent answer.
        samples: how many noisy copies were looked at.
    """

    label: Labels
    radius: PerExample
    p_lower: PerExample
    samples: Labels


class Smoothed(nn.Module):
    """A network smoothed by Gaussian noise.

    ``votes``, ``predict`` and ``certify`` count answers and have no gradient. Called as a model, it gives the
    logarithms of its probabilities averaged over ``samples`` draws (see ``average.py``), new ones at each call and from
    the global stream: every attack applies to it, and ``goals.Expectation`` averages over several calls.

    Args:
        model: images in [0, 1], and beyond it by the noise, to logits. It should have been trained on such noise.
        sigma: standard deviation of the noise, in pixels of [0, 1].
        samples: draws in a call as a model.
        chunk: noisy copies that go through the network at once when votes are counted. More need more memory; on CPUs
            they are slower from some hundreds on, while a GPU has room for thousands.
        bf16: count the votes of the network in bfloat16, where the hardware computes in it, several times faster;
            elsewhere in float32 all the same. Says what is certified: see above.

    Raises:
        TypeError: ``model`` is not callable.
        ValueError: a number is out of range.
    """

    def __init__(self, model: Model, sigma: float, samples: int = 16, chunk: int = 256, bf16: bool = False) -> None:
        super().__init__()
        if not callable(model):
            raise TypeError(f"Smoothed needs a model, images to logits; got {type(model).__name__}.")
        if not 0 < sigma < math.inf:
            raise ValueError(
                f"Smoothed needs a finite sigma > 0, the noise's deviation in pixels of [0, 1]; got {sigma}. Without "
                "noise nothing can be certified: call the model itself."
            )
        if sigma > 10:
            raise ValueError(f"sigma is measured in pixels of [0, 1]; got {sigma}. Did you mean {sigma:g}/255?")
        if samples < 1 or chunk < 1:
            raise ValueError(f"Smoothed needs samples and a chunk of at least one; got {samples=} and {chunk=}.")
        self.model, self.sigma, self.samples, self.chunk, self.bf16 = model, sigma, samples, chunk, bf16

    def extra_repr(self) -> str:
        """The noise, beside the network."""
        return f"sigma={self.sigma:g}, bf16={self.bf16}"

    def votes_in_bf16(self, device: torch.device) -> bool:
        """Whether it is the bfloat16 network whose votes are counted on this device."""
        return self.bf16 and computes_bf16(device.type)

    def forward(self, x: Images, generator: Generator = None) -> Logits:
        """The logarithms of the averaged probabilities, differentiable in ``x``."""
        noise = draw_noise(x, self.sigma, self.samples, generator)
        return log_mean_softmax(noisy_logits(self.model, x, noise))

    def votes(self, x: Images, n: int = 1000, generator: Generator = None) -> Votes:
        """How often each class is the answer to ``n`` noisy copies of each image, int64 (B, K) on the CPU.

        Raises:
            TypeError, ValueError: an input is not as described; the message says what came and how to mend it.
        """
        if n < 1:
            raise ValueError(f"votes are counted of at least one noisy copy; got n={n}.")
        with self._poll(x, generator) as poll:
            return poll.votes(range(len(x)), n)

    def predict(self, x: Images, n: int = 1000, alpha: float = 0.001, generator: Generator = None) -> Labels:
        """The most frequent answer to each image, or ``ABSTAIN`` where the runner-up is too close (PREDICT).

        A label that is returned is not g(x) with probability ``alpha`` at most.

        Args:
            x: images in [0, 1].
            n: noisy copies of each.
            alpha: the probability of an error.
            generator: where each image's stream of random numbers starts; the global stream when omitted.

        Raises:
            TypeError, ValueError: an input is not as described; the message says what came and how to mend it.
        """
        check_alpha(alpha)
        if n < (enough := math.ceil(1 - math.log2(alpha))):
            raise ValueError(
                f"n={n} samples abstain from every prediction at alpha={alpha:g}, even if all of them agree. Take "
                f"n={enough} or more."
            )
        votes, classes = self.votes(x, n, generator).topk(2, dim=1)
        labels = [
            label if binomtest(first, first + second).pvalue <= alpha else ABSTAIN
            for (first, second), (label, _) in zip(votes.tolist(), classes.tolist(), strict=True)
        ]
        return torch.tensor(labels, device=x.device)

    def certify(
        self,
        x: Images,
        n0: int = 100,
        n: int = 10_000,
        alpha: float = 0.001,
        early: EarlyStop | None = None,
        generator: Generator = None,
    ) -> Certificates:
        """The answer to each image with the radius in which it stays, or ``ABSTAIN`` (CERTIFY).

        With probability ``1 - alpha``, for each image by itself, what is returned is true.

        Args:
            x: images in [0, 1].
            n0: noisy copies that choose the answer to be tested.
            n: further ones that test it. The largest radius grows slowly with their number: with the default alpha it
                is 2.46 sigma at 1,000, 3.20 at 10,000 and 3.81 at 100,000, which is the paper's.
            alpha: the probability of a false certificate.
            early: stop before ``n`` where the case is clear.
            generator: as in ``predict``. The same seed, chunk and device give the same certificates.

        Raises:
            TypeError, ValueError: an input is not as described; the message says what came and how to mend it.
        """
        check_samples(n, alpha, self.sigma, early)
        if n0 < 1:
            raise ValueError(f"certify needs at least one sample to choose an answer by; got n0={n0}.")
        with self._poll(x, generator) as poll:
            label = poll.votes(range(len(x)), n0).argmax(1)

            def confirmed(rows: Counts, looks: int) -> Counts:
                chosen = label[rows][:, None]
                return poll.votes(rows.tolist(), looks).gather(1, chosen).squeeze(1).numpy()

            proof = prove(confirmed, len(x), self.sigma, n, alpha, early)
        distances = radius(proof.p_lower, self.sigma)
        labels = np.where(distances > 0, label.numpy(), ABSTAIN)
        return Certificates(
            *(
                torch.tensor(part.tolist(), device=x.device)
                for part in (labels, distances, proof.p_lower, n0 + proof.looks)
            )
        )

    @contextmanager
    def _poll(self, x: Images, generator: Generator) -> Iterator[Poll]:
        """Ask the network about noisy copies of images, without leaving a trace on it."""
        check_images(x)
        check_model(self.model, x)
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            frozen(self.model),
            torch.autocast(x.device.type, torch.bfloat16, enabled=self.votes_in_bf16(x.device)),
        ):
            seeds = draw_seeds(len(x), generator)
            yield Poll(faster(self.model, x), x, self.sigma, self.chunk, seeds)


def draw_seeds(images: int, generator: Generator = None) -> list[int]:
    """A seed for the random stream of each image."""
    device = generator.device if generator else None
    return torch.randint(2**63 - 1, (images,), generator=generator, device=device).tolist()
