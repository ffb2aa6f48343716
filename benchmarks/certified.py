"""Certified accuracy of networks that were trained on noise: ``python -m benchmarks.certified``.

Each image is tested with all its samples, without early stops, so that every radius is as large as it gets. The
certificates are kept after every few images, and the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.command import call
from benchmarks.report import RESULTS, kept, take_up, write
from seminar_lib import markdown
from seminar_lib.checkpoints import load_classifier
from seminar_lib.data import load_data
from seminar_lib.device import best_device
from seminar_lib.evaluation import Accuracy, certify_set
from seminar_lib.smoothing import Smoothed

RADII = ("0", "0.25", "0.5", "0.75")  # of the papers' tables
HEAD = ("network", "sigma", *(f"at {radius}" for radius in RADII), "abstained", "average radius", "s an image")


def compare(
    weights: tuple[str, ...] = ("signs/noise_012", "signs/noise_025", "signs/noise_050"),
    sigmas: tuple[float, ...] = (0.12, 0.25, 0.5),
    n: int = 500,
    samples: int = 10_000,
    alpha: float = 0.001,
    bf16: bool = False,
    seed: int = 0,
    runs: Path = Path("runs/certified"),
    out: Path | None = None,
) -> None:
    """The share of test images that are answered rightly, and certainly so within each radius.

    Args:
        weights: shipped weights or paths.
        sigmas: the deviation of the noise around the images, for each of the networks.
        n: how many test images.
        samples: noisy copies of each that test its answer.
        alpha: the probability of a false certificate, for each image.
        bf16: certify the network as it counts in bfloat16, where the hardware does.
        seed: of the choice of images and of the noise.
        runs: the folder of the certificates.
        out: the JSON to write, and to go on with; results/benchmarks/certified-DEVICE.json by default.
    """
    if len(weights) != len(sigmas):
        raise ValueError(f"Each network needs its sigma; got {len(weights)} networks and {len(sigmas)} sigmas.")
    device = best_device()
    path = out or RESULTS / f"certified-{device.type}.json"
    report = take_up(path, {"n": n, "samples": samples, "alpha": alpha, "bf16": bf16, "seed": seed})
    for name, sigma in zip(weights, sigmas, strict=True):
        if name in report["models"]:
            continue
        model, card = load_classifier(name, device)
        data = load_data(card["dataset"]).test.sample(n, seed).to(device)
        answers = kept(runs, name, f"{sigma:g}")
        found = certify_set(Smoothed(model, sigma, bf16=bf16), data, n=samples, alpha=alpha, seed=seed, path=answers)
        # All radii of the papers, even where the largest that was found is smaller.
        certified = {radius: vars(found[float(radius)]) for radius in RADII}
        report["models"][name] = found.as_dict() | {"certified": certified}
        write(report, path)
        print(markdown.table(HEAD, [row(name, report["models"][name])]), flush=True)


def row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    """What has been certified of one network, as cells of a table."""
    return (
        name,
        f"{found['sigma']:g}",
        *(str(Accuracy(**found["certified"][radius])) for radius in RADII),
        str(Accuracy(**found["abstained"])),
        f"{found['average_radius']:.3f} ± {found['average_radius_error']:.3f}",
        f"{found['seconds'] / found['n']:.2g}",
    )


if __name__ == "__main__":
    call(compare, "python -m benchmarks.certified")
