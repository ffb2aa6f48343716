"""Certified accuracy: the share of images that are answered rightly, and certainly so within a radius.

Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019, section 4; the
average certified radius is that of Zhai et al., "MACER", ICLR 2020, where a wrong or missing answer counts as radius 0.

Each certificate may be false with probability alpha, by itself. So of the certified accuracy at any radius a share of
alpha is to be expected too much at most; the interval says how far the images stand for others.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from seminar_lib import markdown
from seminar_lib.data.dataset import Split
from seminar_lib.device import describe
from seminar_lib.evaluation.accuracy import Accuracy
from seminar_lib.evaluation.checks import check_measurement
from seminar_lib.evaluation.kept import Kept, fingerprint, network_fingerprint
from seminar_lib.evaluation.report import versions
from seminar_lib.smoothing import ABSTAIN, Certificates, EarlyStop, Smoothed
from seminar_lib.smoothing.smoothed import draw_seeds
from seminar_lib.types import Flags

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEP = 0.25  # between the radii of a table, as in the papers


@dataclass(frozen=True)
class CertifiedReport(markdown.Tabular):
    """The certificate of every image.

    ``self[radius]`` is the certified accuracy at a radius.

    Attributes:
        certificates: of the N images, in their order, on the CPU.
        labels: the true labels (N,).
        sigma: of the noise.
        settings: all else that decides the certificates, by name.
        target: where images stopped that could be certified; None where each has its largest radius.
        seconds: how long it took.
        device: what it ran on.
    """

    certificates: Certificates
    labels: Tensor
    sigma: float
    settings: Mapping[str, Any]
    target: float | None
    seconds: float
    device: str

    def outcomes(self, radius: float = 0.0) -> Flags:
        """Which images are answered rightly, with a certificate of at least this radius, (N,)."""
        found = self.certificates
        return (found.label == self.labels) & (found.radius >= radius)

    def __getitem__(self, radius: float) -> Accuracy:
        return Accuracy.of(self.outcomes(radius))

    @property
    def abstained(self) -> Accuracy:
        """The share of images without an answer."""
        return Accuracy.of(self.certificates.label == ABSTAIN)

    @property
    def average_radius(self) -> float:
        """The average certified radius, ACR."""
        return float(self._radii().mean())

    @property
    def average_radius_error(self) -> float:
        """Half the width of its 95 % interval, by the normal approximation; NaN for a single image."""
        return float(1.96 * self._radii().std() / math.sqrt(len(self.labels))) if len(self.labels) > 1 else math.nan

    def radii(self) -> list[float]:
        """Where a table shows the certified accuracy: from 0 in steps of 0.25 to the largest radius that was found."""
        return [STEP * k for k in range(int(self._end() / STEP) + 1)]

    def table(self, radii: Sequence[float] | None = None) -> str:
        """A Markdown table: certified accuracy by radius with 95 % intervals, then averages and settings."""
        chosen = self.radii() if radii is None else radii
        rows = []
        for radius in chosen:
            a = self[radius]
            rows.append((f"{radius:g}", f"{a.accuracy:.1%}", f"{a.low:.1%} to {a.high:.1%}", a.n))
        samples = float(self.certificates.samples.double().mean())
        shown = ", ".join(f"{name} = {value}" for name, value in self.settings.items())
        lines = [
            markdown.table(("L2 radius", "certified accuracy", "95 % interval", "n"), rows),
            "",
            f"abstained {self.abstained}; average certified radius {self.average_radius:.3f} "
            f"± {self.average_radius_error:.3f}; {samples:,.0f} samples an image",
            "",
            f"sigma = {self.sigma:g}, {shown}",
        ]
        if self.target is not None:
            lines += [
                "",
                f"Images stopped at the radius {self.target:g}: the average is too small, and so is all beyond it.",
            ]
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, label: str | None = None) -> Axes:
        """Certified accuracy against the radius, with its interval as a band; returns the axes."""
        import matplotlib.pyplot as plt

        ax = plt.gca() if ax is None else ax
        end = self._end()
        # The accuracy falls just beyond the radius of an image: a step after each of them.
        steps = [0.0, *sorted({float(r) for r in self.certificates.radius if 0 < r <= end})]
        points = [self[radius] for radius in steps]
        (line,) = ax.step(steps, [a.accuracy for a in points], where="pre", label=label)
        low, high = [a.low for a in points], [a.high for a in points]
        ax.fill_between(steps, low, high, step="pre", color=line.get_color(), alpha=0.2)
        ax.set(xlabel="L2 radius", ylabel="certified accuracy", ylim=(0, 1.02))
        return ax

    def as_dict(self) -> dict[str, Any]:
        """All figures as plain values, ready for JSON."""
        return {
            "n": len(self.labels),
            "sigma": self.sigma,
            "certified": {f"{radius:g}": vars(self[radius]) for radius in self.radii()},
            "abstained": vars(self.abstained),
            "average_radius": self.average_radius,
            "average_radius_error": self.average_radius_error,
            "samples": float(self.certificates.samples.double().mean()),
            "settings": dict(self.settings),
            "target": self.target,
            "seconds": round(self.seconds, 2),
            "device": self.device,
            "versions": versions(),
        }

    def _end(self) -> float:
        """Up to which radius the report says anything."""
        return float(self.certificates.radius.max()) if self.target is None else self.target

    def _radii(self) -> Tensor:
        return self.certificates.radius.double() * self.outcomes()


def certify_set(
    smoothed: Smoothed,
    data: Split,
    n0: int = 100,
    n: int = 10_000,
    alpha: float = 0.001,
    early: EarlyStop | None = None,
    batch_size: int = 10,
    seed: int = 0,
    path: str | Path | None = None,
    progress: bool = True,
) -> CertifiedReport:
    """Certify all images of ``data``.

    Args:
        smoothed: the network with its noise.
        data: the images, on the network's device.
        n0: noisy copies that choose the answer, as in ``Smoothed.certify``.
        n: those that test it.
        alpha: the probability of a false certificate, for each image.
        early: stop before ``n`` where the case is clear.
        batch_size: images between two looks at the bar, and between two writings of ``path``.
        seed: of the noise. Each image has its own, so batches change nothing.
        path: a JSON file where the certificates are kept after each batch. Where it holds some of the same network,
            images and settings, the work goes on after them. It takes a network that is an ``nn.Module``.
        progress: show a bar.

    Raises:
        TypeError, ValueError: as ``Smoothed.certify``; there are no images; ``path`` holds other certificates, or the
            network is a plain function, which cannot be told from another.
        OSError: ``path`` cannot be written; the message says what to do.
    """
    check_measurement("certify_set", data, batch_size, seed)
    device = data.images.device
    bf16 = smoothed.votes_in_bf16(device)
    settings = {"n0": n0, "n": n, "alpha": alpha, "early": repr(early), "seed": seed, "bf16": bf16}
    home = Path(path) if path else None
    kept = Kept({"sigma": smoothed.sigma, "chunk": smoothed.chunk, **settings})
    if home:
        kept.asked |= {"network": network_fingerprint(smoothed.model), "images": fingerprint(data.images)}
        kept.take_up(home)
    generator = torch.Generator().manual_seed(seed)
    done = len(kept.rows)
    draw_seeds(done, generator)  # those of the images that are done
    with tqdm(total=len(data), initial=done, desc="certify", leave=False, disable=not progress) as bar:
        for x, _ in data[done:].batches(batch_size) if done < len(data) else ():
            start = time.perf_counter()
            found = smoothed.certify(x, n0, n, alpha, early, generator)
            kept.rows += map(list, zip(*(part.tolist() for part in vars(found).values()), strict=True))
            kept.seconds += time.perf_counter() - start
            if home:
                kept.write(home)
            bar.update(len(x))
    certificates = Certificates(*(torch.tensor(part) for part in zip(*kept.rows, strict=True)))
    return CertifiedReport(
        certificates,
        data.labels.cpu(),
        smoothed.sigma,
        settings,
        early.target if early else None,
        kept.seconds,
        describe(device),
    )
