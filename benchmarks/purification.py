"""Purifiers in front of classifiers, under who knows how much: ``python -m benchmarks.purification``.

Each purifier stands before each network and is attacked as ``evaluate_purified`` does it. The answers are kept after
every batch, and the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.command import call
from benchmarks.report import RESULTS, kept, take_up, write
from seminar_lib import markdown
from seminar_lib.attacks import PGD
from seminar_lib.checkpoints import load, load_classifier
from seminar_lib.data import load_data
from seminar_lib.device import best_device
from seminar_lib.diffusion import DiffPure
from seminar_lib.evaluation import Accuracy, evaluate_purified
from seminar_lib.purification import JPEG, Quantise, RandomResize, TotalVariation
from seminar_lib.threat import Linf

# To add a row is to add a line, which is told the data set; a purifier that was trained is loaded by it, onto the CPU.
# Settings are those of the papers: 3 bits, quality 75, an image that fills nine tenths of the ground, and half of the
# pixels. DiffPure is lesson 10's: as far towards noise as leaves the signs readable, and back in ten jumps.
PURIFIERS: Mapping[str, Callable[[str], nn.Module]] = {
    "none": lambda data: nn.Identity(),
    "quantise": lambda data: Quantise(3),
    "jpeg": lambda data: JPEG(75),
    "resize": lambda data: RandomResize(0.9),
    "total variation": lambda data: TotalVariation(0.03, 0.5),
    "autoencoder": lambda data: load(f"{data}/denoiser")[0],
    "diffusion": lambda data: DiffPure(load(f"{data}/ddpm")[0], t=50, steps=10),
}
SLOW = {"diffusion"}  # asks a network of its own at each look: only when it is asked for by name
QUICK = tuple(name for name in PURIFIERS if name not in SLOW)
ROWS = ("clean", "blind", "BPDA", "full gradient", "worst case")


def compare(
    weights: tuple[str, ...] = ("signs/standard", "signs/pgd_at"),
    purifiers: tuple[str, ...] = QUICK,
    n: int = 256,
    steps: int = 100,
    eot: int = 10,
    draws: int = 10,
    batch_size: int = 64,
    seed: int = 0,
    runs: Path = Path("runs/purified"),
    out: Path | None = None,
) -> None:
    """What a classifier behind each purifier keeps under an adversary who is blind, takes BPDA, or the full gradient.

    Args:
        weights: shipped weights or paths.
        purifiers: some of none, quantise, jpeg, resize, total variation, autoencoder and diffusion; by default all but
            the last, which takes hours on a CPU.
        n: how many test images.
        steps: of PGD inside Linf(8/255).
        eot: looks for each gradient of a random purifier.
        draws: by which a random purifier is judged.
        batch_size: images at a time.
        seed: of the choice of images and of all random numbers.
        runs: the folder of the answers.
        out: the JSON to write, and to go on with; results/benchmarks/purification-DEVICE.json by default.
    """
    if unknown := [name for name in purifiers if name not in PURIFIERS]:
        raise ValueError(f"There is no purifier {unknown[0]!r}. Purifiers: {', '.join(PURIFIERS)}.")
    device = best_device()
    path = out or RESULTS / f"purification-{device.type}.json"
    settings = {"n": n, "steps": steps, "eot": eot, "draws": draws, "batch_size": batch_size, "seed": seed}
    report = take_up(path, settings)
    attack = PGD(Linf(8 / 255), steps=steps)
    for name in purifiers:
        for network in weights:
            done = report["models"].setdefault(network, {})
            if name in done:
                continue
            model, card = load_classifier(network, device)
            data = load_data(card["dataset"]).test.sample(n, seed).to(device)
            purifier = PURIFIERS[name](card["dataset"]).to(device)
            answers = kept(runs, network, name)
            found = evaluate_purified(purifier, model, data, attack, draws, eot, batch_size, seed, answers)
            done[name] = found.as_dict()
            write(report, path)
            print(table(network, {name: done[name]}), flush=True)


def table(network: str, purifiers: Mapping[str, Any]) -> str:
    """What has been measured for one network, as Markdown."""
    last = [*purifiers.values()][-1]
    shown = markdown.table((network, "judged by", *ROWS), list(rows(purifiers)))
    return f"\n{shown}\n\nn = {last['n']}, on {last['device']}"


def rows(purifiers: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each way to judge each purifier; the cell of a gradient that there is not stays empty."""
    for found in purifiers.values():
        for way in found["rows"]["clean"]:
            cells = [found["rows"][row][way] if row in found["rows"] else None for row in ROWS]
            yield f"`{found['purifier']}`", way, *(str(Accuracy(**cell)) if cell else "" for cell in cells)


if __name__ == "__main__":
    call(compare, "python -m benchmarks.purification")
