"""Training defences beside each other, image by image: ``python -m benchmarks.pairs``.

Two accuracies on the same images say less than the images that only one of two networks answers rightly
(``seminar_lib.evaluation.paired``). Kept is which images each network does, clean and under one attack; that pairs it
with any other. The attack is the PGD-20 of a network's card, or AutoAttack, which takes hours for all images: name
fewer. They are the first of one random order, so a larger number goes on where a smaller one ended, and two networks
are paired on the images that both have met. The attacks on all networks of a seed start at the same points. What has
not been trained yet is trained first, and the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from benchmarks.autoattack import THREAT
from benchmarks.command import call
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.training import dataset_of, trained
from seminar_lib.attacks import Attack, AutoAttack
from seminar_lib.checkpoints import load_classifier
from seminar_lib.data import load_data
from seminar_lib.device import best_device
from seminar_lib.evaluation import Accuracy, Paired, Report, evaluate
from seminar_lib.shipping import MEASURED
from seminar_lib.types import Flags

PAIRS = (  # a defence, and what it is compared with: adversarial training, or itself without a part
    *(("trades", "pgd_at"), ("mart", "pgd_at"), ("awp", "pgd_at"), ("fast_at", "pgd_at"), ("lisard_at", "pgd_at")),
    *(("clead_unheld", "pgd_at"), ("clead", "pgd_at"), ("clead", "clead_unheld")),
    *(("clead_labels", "pgd_at"), ("clead", "clead_labels"), ("clead_attack", "pgd_at"), ("clead", "clead_attack")),
    *(("anchor", "pgd_at"), ("anchor", "anchor_beta0"), ("anchor", "anchor_beta2"), ("anchor", "anchor_beta5")),
    *(("anchor", "anchor_augmented"), ("anchor", "anchor_head"), ("anchor", "anchor_clean_head")),
    ("lisard", "noise"),
)
ATTACKS: dict[str, Attack] = {"pgd20": MEASURED["pgd20"], "autoattack": AutoAttack(THREAT, bf16=True)}
ROWS = ("clean", "attacked")
HEAD = (
    *("recipe", "beside", "seed", "n", "clean: only it, only that", "p"),
    *("attacked", "beside it", "attacked: only it, only that", "p"),
)


def compare(
    names: tuple[str, ...] = ("signs_pgd_at", "signs_trades", "signs_clead", "signs_anchor"),
    seeds: tuple[int, ...] = (0, 1, 2),
    attack: Literal["pgd20", "autoattack"] = "pgd20",
    n: int | None = None,
    block: int | None = None,
    runs: Path = Path("runs"),
    out: Path | None = None,
) -> None:
    """Find out which test images each network answers rightly.

    Args:
        names: recipes, as the train command knows them; all for the same data set.
        seeds: of the trainings, and of the attack on what they end with.
        attack: what the images are attacked with, at 8/255; AutoAttack searches in bfloat16.
        n: how many test images, chosen at random; by default all, as they stand.
        block: images that are attacked before what was found is written; by default all of them. Random starts begin
            anew with each block.
        runs: the folder of trainings.
        out: the JSON to write, and to go on with; results/benchmarks/pairs-DATASET-ATTACK.json by default.
    """
    if block is not None and block < 1:
        raise ValueError(f"A block has at least one image; got block={block}.")
    dataset, device = dataset_of(names), best_device()
    path = out or RESULTS / f"pairs-{dataset}-{attack}.json"
    images = load_data(dataset).test.to(device)
    images = images if n is None else images.sample(n)
    size = block or len(images)
    report = take_up(path, {"attack": repr(ATTACKS[attack]), "sampled": n is not None, "block": size})
    for seed in seeds:
        for name in names:
            seen = report["models"].setdefault(name, {}).setdefault(str(seed), {})
            if seen.get("n", 0) >= len(images):
                continue  # also where the run itself is gone
            model, card = load_classifier(trained(name, seed, runs), device)
            if seen.get("sha256") != card["sha256"]:  # what was attacked so far, if anything, was another network
                seen |= {"sha256": card["sha256"], "n": 0, "right": dict.fromkeys(ROWS, "")}
            while seen["n"] < len(images):
                found = evaluate(model, images[seen["n"] :][:size], {"attacked": ATTACKS[attack]}, seed=seed)
                seen |= longer(seen, found) | circumstances(device)
                write(report, path)
            print(f"{name}, seed {seed}: " + ", ".join(f"{row} {standing(seen, row)}" for row in ROWS), flush=True)


def longer(seen: Mapping[str, Any], found: Report) -> dict[str, Any]:
    """How many images have been seen with those of ``found``, and which of them were answered rightly."""
    right = {row: torch.cat([flags(seen, row), found.outcomes(row)]) for row in ROWS}
    return {"n": len(right["clean"]), "right": {row: packed(one) for row, one in right.items()}}


def flags(seen: Mapping[str, Any], row: str) -> Flags:
    """Which of the images seen so far were answered rightly, (n,)."""
    return unpacked(seen["right"][row], seen["n"])


def standing(seen: Mapping[str, Any], row: str) -> Accuracy:
    """How many of the images seen so far were answered rightly."""
    return Accuracy.of(flags(seen, row))


def packed(right: Flags) -> str:
    """A flag (N,) for each image as hexadecimal digits, the first image first."""
    return np.packbits(right.cpu().numpy()).tobytes().hex()


def unpacked(digits: str, n: int) -> Flags:
    """The ``n`` flags that ``packed`` made digits of."""
    return torch.from_numpy(np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8), count=n)).bool()


def rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row for each of ``PAIRS`` and each seed that both of it were trained with, on the images that both have met."""
    models = report["models"]
    for recipe, other in PAIRS:
        for name in (name for name in models if name.endswith(f"_{recipe}")):
            beside = name.removesuffix(recipe) + other
            for seed, ours in sorted(models[name].items()):
                theirs = models.get(beside, {}).get(seed)
                if theirs and (n := min(ours["n"], theirs["n"])):
                    clean, attacked = ([flags(seen, row)[:n] for seen in (ours, theirs)] for row in ROWS)
                    yield name, beside, seed, f"{n:,}", *split(*clean), *map(Accuracy.of, attacked), *split(*attacked)


def split(ours: Flags, theirs: Flags) -> tuple[str, str]:
    """How many images only one of the two answers rightly, and how probable that is by chance."""
    found = Paired.of(ours, theirs)
    return f"{found.first}, {found.second}", f"{found.p:.2g}"


if __name__ == "__main__":
    call(compare, "python -m benchmarks.pairs")
