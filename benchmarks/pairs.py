"""Training defences beside each other, image by image: ``python -m benchmarks.pairs``.

Two accuracies on the same images say less than the images that only one of two networks answers rightly
(``seminar_lib.evaluation.paired``). Kept is which of all test images each network does, clean and under the PGD-20 of
its card, in float32; that pairs it with any other. The attacks on all networks of a seed start at the same points. What
has not been trained yet is trained first, and the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.command import call
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.training import dataset_of, trained
from seminar_lib.checkpoints import load_classifier
from seminar_lib.data import load_data
from seminar_lib.device import best_device
from seminar_lib.evaluation import Paired, evaluate
from seminar_lib.shipping import MEASURED
from seminar_lib.types import Flags

PAIRS = (  # a defence, and what it is compared with: adversarial training, or itself without a part
    *(("trades", "pgd_at"), ("mart", "pgd_at"), ("awp", "pgd_at"), ("fast_at", "pgd_at"), ("lisard_at", "pgd_at")),
    *(("clead_unheld", "pgd_at"), ("clead", "pgd_at"), ("clead", "clead_unheld")),
    *(("clead", "clead_labels"), ("clead", "clead_attack")),
    *(("anchor", "pgd_at"), ("anchor", "anchor_beta0"), ("anchor", "anchor_beta2"), ("anchor", "anchor_beta5")),
    *(("anchor", "anchor_augmented"), ("anchor", "anchor_head"), ("anchor", "anchor_clean_head")),
    ("lisard", "noise"),
)
ROWS = ("clean", "pgd20")
HEAD = ("recipe", "beside", "seed", "clean: only it, only that", "p", "PGD-20: only it, only that", "p")


def compare(
    names: tuple[str, ...] = ("signs_pgd_at", "signs_trades", "signs_clead", "signs_anchor"),
    seeds: tuple[int, ...] = (0, 1, 2),
    threads: int | None = None,
    runs: Path = Path("runs"),
    out: Path | None = None,
) -> None:
    """Find out which test images each network answers rightly.

    Args:
        names: recipes, as the train command knows them; all for the same data set.
        seeds: of the trainings, and of the attack on what they end with.
        threads: of the CPU; by default PyTorch's choice.
        runs: the folder of trainings.
        out: the JSON to write, and to go on with; results/benchmarks/pairs-DATASET.json by default.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    dataset, device = dataset_of(names), best_device()
    path = out or RESULTS / f"pairs-{dataset}.json"
    images = load_data(dataset).test.to(device)
    report = take_up(path, {"attack": repr(MEASURED["pgd20"]), "n": len(images)})
    for seed in seeds:
        for name in names:
            measured = report["models"].setdefault(name, {})
            if str(seed) in measured:
                continue  # also where the run itself is gone
            model, card = load_classifier(trained(name, seed, runs), device)
            found = evaluate(model, images, {"pgd20": MEASURED["pgd20"]}, seed=seed)
            right = {row: packed(found.outcomes(row)) for row in ROWS}
            measured[str(seed)] = {"sha256": card["sha256"], "right": right} | circumstances(device)
            write(report, path)
            print(f"{name}, seed {seed}: clean {found['clean']}, PGD-20 {found['pgd20']}", flush=True)


def packed(flags: Flags) -> str:
    """A flag (N,) for each image as hexadecimal digits, the first image first."""
    return np.packbits(flags.cpu().numpy()).tobytes().hex()


def unpacked(digits: str, n: int) -> Flags:
    """The ``n`` flags that ``packed`` made digits of."""
    return torch.from_numpy(np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8), count=n)).bool()


def rows(report: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each of ``PAIRS`` and each seed that both of it were trained with."""
    models, n = report["models"], report["settings"]["n"]
    for recipe, other in PAIRS:
        for name in (name for name in models if name.endswith(f"_{recipe}")):
            beside = name.removesuffix(recipe) + other
            for seed, measured in models[name].items():
                if theirs := models.get(beside, {}).get(seed):
                    yield name, beside, seed, *counts(measured["right"], theirs["right"], n)


def counts(ours: Mapping[str, str], theirs: Mapping[str, str], n: int) -> Iterator[str]:
    """For each of ``ROWS``: how many images only one of the two answers rightly, and how probable that is by chance."""
    for row in ROWS:
        split = Paired.of(unpacked(ours[row], n), unpacked(theirs[row], n))
        yield from (f"{split.first}, {split.second}", f"{split.p:.2g}")


if __name__ == "__main__":
    call(compare, "python -m benchmarks.pairs")
