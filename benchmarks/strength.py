"""Every attack beside the same attack of other libraries, by what it finds: ``python -m benchmarks.strength``.

Nothing is timed, so each runs once and other work may go on beside it. On a CPU all of it takes hours: what has been
measured is written after every contestant, and the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.command import call
from benchmarks.contestants import check_left_out, chosen, contestants
from benchmarks.measure import Result, observe
from benchmarks.peers import PEERS
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.subject import subject
from seminar_lib import markdown
from seminar_lib.device import best_device
from seminar_lib.evaluation import Accuracy

OURS = ("seminar_lib", "seminar_lib, bf16")  # the variants that a user gets


def compare(
    weights: tuple[str, ...] = ("signs/standard", "signs/pgd_at", "cifar10/standard", "cifar10/pgd_at"),
    attacks: tuple[str, ...] = (),
    n: int = 512,
    batch_size: int = 128,
    seed: int = 0,
    seeds: int = 1,
    without: tuple[str, ...] = (),
    out: Path | None = None,
) -> None:
    """Robust accuracy that each contestant leaves, and how far away its images are.

    Args:
        weights: shipped weights or paths; each is attacked on test images of the data set that its card names.
        attacks: some of those of ``python -m benchmarks``; by default all that it runs.
        n: how many test images.
        batch_size: images at a time.
        seed: of the choice of images and of the random numbers.
        seeds: how many seeds, from that one on, the random numbers have, on the same images: what one seed finds more
            than another is the luck that a comparison of one seed with one seed is blind to.
        without: peers that are left out, by the names of their packages.
        out: the JSON to write, and to go on with; results/benchmarks/strength-DEVICE.json by default.
    """
    titles = chosen(attacks)
    check_left_out(without)
    device = best_device()
    path = out or RESULTS / f"strength-{device.type}.json"
    report = take_up(path, {"n": n, "batch_size": batch_size, "seed": seed})
    for name in weights:
        model, _, batches = subject(name, n, batch_size, seed, device)
        for title, attack in titles.items():
            done = report["models"].setdefault(name, {}).setdefault(title, {"settings": repr(attack), "found": {}})
            if done["settings"] != repr(attack):
                raise ValueError(
                    f"{path} holds {title} with other settings, {done['settings']}. Name another file with --out."
                )
            running, _ = contestants(attack, model, without)
            for number in range(seed, seed + seeds):
                found = done["found"] if number == seed else done.setdefault("more", {}).setdefault(str(number), {})
                for contestant in (*PEERS, *OURS):
                    if contestant in running and contestant not in found:
                        result = observe(contestant, running[contestant], model, batches, attack, number)
                        found[contestant] = as_dict(result) | circumstances(device)
                        write(report, path)
            print(table(name, title, done), flush=True)


def as_dict(result: Result) -> dict[str, Any]:
    """What a contestant found, as plain values."""
    return {
        "robust_accuracy": vars(result.accuracy),
        "median_distance": result.distance,
        "forwards": result.forwards,
        "backwards": result.backwards,
    }


def table(name: str, title: str, done: dict[str, Any]) -> str:
    """One attack on one model, as Markdown; last, how ours compares with the strongest peer."""
    left, rows = accuracies(done["found"]), []
    for contestant, found in done["found"].items():
        distance = found["median_distance"]
        shown = "" if distance is None else f"{distance:.3g}"
        passes = (f"{found['forwards']:.1f}", f"{found['backwards']:.1f}")
        rows.append((contestant, left[contestant], shown, *passes))
    lines = [
        f"\n{title} on {name}: `{done['settings']}`\n",
        markdown.table(("", "robust accuracy", "median distance", "forwards", "backwards"), rows),
    ]
    shares = {contestant: found.accuracy for contestant, found in left.items()}
    if peer := strongest_peer(shares):
        verdicts = [f"{ours} {points(shares, ours, peer)}" for ours in OURS if ours in left]
        lines.append(f"\nPoints above the strongest peer: {', '.join(verdicts)}")
    return "\n".join(lines)


def accuracies(found: Mapping[str, Any]) -> dict[str, Accuracy]:
    """What each contestant leaves."""
    return {name: Accuracy(**result["robust_accuracy"]) for name, result in found.items()}


def by_seed(done: Mapping[str, Any]) -> dict[str, list[float]]:
    """The shares that each contestant leaves, seed after seed; of those only that every seed has seen to its end."""
    runs = [done["found"], *done.get("more", {}).values()]
    return {
        name: [run[name]["robust_accuracy"]["accuracy"] for run in runs]
        for name in runs[0]
        if all(name in run for run in runs)
    }


def strongest_peer(shares: Mapping[str, float]) -> str | None:
    """The peer that leaves the smallest share; None where no peer has run."""
    return min((name for name in shares if name in PEERS), key=lambda name: shares[name], default=None)


def points(shares: Mapping[str, float], ours: str, peer: str) -> str:
    """How many percentage points more ours leaves than a peer: below zero where ours is stronger."""
    return f"{100 * (shares[ours] - shares[peer]):+.1f}"


if __name__ == "__main__":
    call(compare, "python -m benchmarks.strength")
