"""Certificates beside the published recipe, image by image: ``python -m benchmarks.smoothing``.

The recipe is the loop of the authors of randomized smoothing (Cohen et al., ICML 2019): one image at a time, the
network as it is, in float32, noise in a tensor of its own for each batch of 400. All take turns at every image and each
time in another order, so that whatever else keeps the machine busy slows all of them alike. What has been measured is
written after each image, and the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch

from benchmarks.command import call
from benchmarks.measure import clock
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.subject import subject
from seminar_lib import markdown
from seminar_lib.device import best_device, computes_bf16
from seminar_lib.models import Classifier
from seminar_lib.smoothing import ABSTAIN, EarlyStop, Smoothed
from seminar_lib.smoothing.bounds import lower_bound, radius
from seminar_lib.types import Images, Labels

N0, BATCH = 100, 400  # of the authors' script
# An image to its label, radius and number of noisy copies.
Certifier = Callable[[Images], tuple[int, float, int]]


def compare(
    weights: tuple[str, ...] = ("signs/pgd_at",),
    images: int = 20,
    samples: int = 10_000,
    sigma: float = 0.12,
    alpha: float = 0.001,
    target: float = 0.1,
    rounds: int = 3,
    seed: int = 0,
    out: Path | None = None,
) -> None:
    """Seconds for an image and what is certified, by the published recipe and by us: all samples, and early stops.

    Args:
        weights: shipped weights or paths; those that were trained on noise of deviation sigma tell most.
        images: how many test images.
        samples: noisy copies of each that test its answer.
        sigma: of the noise.
        alpha: the probability of a false certificate.
        target: the radius at which the last contestants stop.
        rounds: how often each is timed on each image.
        seed: of the choice of images and of the noise.
        out: the JSON to write, and to go on with; results/benchmarks/smoothing-DEVICE.json by default.
    """
    if rounds < 1:
        raise ValueError(f"A benchmark needs at least one round; got rounds={rounds}.")
    device = best_device()
    path = out or RESULTS / f"smoothing-{device.type}.json"
    settings = {"images": images, "samples": samples, "sigma": sigma, "alpha": alpha, "target": target}
    report = take_up(path, {**settings, "rounds": rounds, "seed": seed, "threads": torch.get_num_threads()})
    for name in weights:
        model, _, batches = subject(name, images, 1, seed, device)
        running = contestants(model, sigma, samples, alpha, target, device)
        done = report["models"].setdefault(name, [])
        for number, (x, y) in enumerate(batches[len(done) :], len(done)):
            found = {who: measure(certify, x, y, seed + number) for who, certify in running.items()}
            for turn in range(rounds):
                order = list(running)
                shift = (number + turn) % len(order)
                for who in order[shift:] + order[:shift]:
                    torch.manual_seed(seed + number)
                    found[who]["seconds"].append(clock(without_labels(running[who]), x, y))
            done.append({"found": found} | circumstances(device))
            write(report, path)
        print(table(name, done), flush=True)


def without_labels(certify: Certifier) -> Callable[[Images, Labels], object]:
    """What certifies, as ``clock`` calls it."""
    return lambda x, y: certify(x)


def contestants(
    model: Classifier, sigma: float, n: int, alpha: float, target: float, device: torch.device
) -> dict[str, Certifier]:
    """The recipe, and ours in each precision that the hardware computes in, with and without early stops."""
    running: dict[str, Certifier] = {"recipe": partial(recipe, model, sigma=sigma, n=n, alpha=alpha)}
    stops = {"": None, ", hopeless stop": EarlyStop(), f", stop at {target:g}": EarlyStop(target)}
    for precision in ("", ", bf16")[: 1 + computes_bf16(device.type)]:
        smoothed = Smoothed(model, sigma, bf16=bool(precision))
        for title, early in stops.items():
            running[f"seminar_lib{precision}{title}"] = certifier(smoothed, n, alpha, early)
    return running


def certifier(smoothed: Smoothed, n: int, alpha: float, early: EarlyStop | None) -> Certifier:
    """Ours, for a single image."""

    def certify(x: Images) -> tuple[int, float, int]:
        found = smoothed.certify(x, N0, n, alpha, early)
        return int(found.label), float(found.radius), int(found.samples)

    return certify


@torch.no_grad()
def recipe(model: Classifier, x: Images, sigma: float, n: int, alpha: float) -> tuple[int, float, int]:
    """CERTIFY as published, but that the votes are counted by PyTorch, where the authors count in Python."""

    def votes(number: int) -> torch.Tensor:
        counts: torch.Tensor | int = 0
        for done in range(0, number, BATCH):
            batch = x.repeat(min(BATCH, number - done), 1, 1, 1)
            noise = torch.randn_like(batch) * sigma
            logits = model(batch + noise)
            counts = counts + torch.bincount(logits.argmax(1), minlength=logits.shape[1])
        return torch.as_tensor(counts)

    label = int(votes(N0).argmax())
    p_lower = lower_bound(int(votes(n)[label]), n, alpha)
    return (label, float(radius(p_lower, sigma)), N0 + n) if p_lower > 0.5 else (ABSTAIN, 0.0, N0 + n)


def measure(certify: Certifier, x: Images, y: Labels, seed: int) -> dict[str, Any]:
    """What is certified of an image; whatever is set up at a first call is in nobody's account."""
    torch.manual_seed(seed)
    label, found, samples = certify(x)
    return {"right": label == int(y), "radius": found, "samples": samples, "seconds": []}


def table(name: str, images: list[dict[str, Any]]) -> str:
    """What has been measured for one network, as Markdown."""
    against = sum(median(image["found"]["recipe"]["seconds"]) for image in images)
    rows = []
    for who in images[0]["found"]:
        parts = [image["found"][who] for image in images]
        times = [median(part["seconds"]) for part in parts]
        rows.append(
            (
                who,
                f"{mean(times):.3g}",
                f"{against / sum(times):.2f}",
                f"{mean(part['samples'] for part in parts):,.0f}",
                f"{mean(part['right'] for part in parts):.1%}",
                f"{mean(part['right'] * part['radius'] for part in parts):.4f}",
            )
        )
    head = (name, "seconds an image", "times as fast", "samples an image", "certified", "average radius")
    return f"\n{markdown.table(head, rows)}\n\nn = {len(images)}, on {images[0]['device']}"


if __name__ == "__main__":
    call(compare, "python -m benchmarks.smoothing")
