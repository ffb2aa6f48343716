"""The command line: ``make bench``, or ``python -m benchmarks``."""

from __future__ import annotations

import json as text
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks.command import call
from benchmarks.contestants import check_left_out, chosen, contestants
from benchmarks.figure import draw
from benchmarks.measure import as_rows, race
from benchmarks.peers import PEERS
from benchmarks.report import RESULTS, write
from benchmarks.subject import subject
from seminar_lib import markdown
from seminar_lib.attacks import Attack
from seminar_lib.device import best_device, describe
from seminar_lib.evaluation import versions
from seminar_lib.files import whole_file

HEAD = (
    *("", "seconds (min to max)", "x floor", "x fastest peer", "robust accuracy", "median distance"),
    *("forwards", "backwards", "memory"),
)


def bench(
    weights: tuple[str, ...] = ("signs/standard", "signs/pgd_at"),
    attacks: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    n: int = 512,
    batch_size: int = 128,
    rounds: int = 5,
    seed: int = 0,
    device: str | None = None,
    out: Path | None = None,
    json: bool = False,
) -> None:
    """Time our attacks against those of other libraries and against the bare passes through the model.

    Args:
        weights: shipped weights or paths; each is attacked on test images of the data set that its card names. By
            default two for signs, which needs no download.
        attacks: some of FGSM, PGD-20, APGD-CE, C&W, DeepFool, FAB-T, Square and AutoAttack; by default all but the
            last, which takes hours.
        without: peers to leave out, where one takes minutes and the others seconds.
        n: how many test images.
        batch_size: images at a time.
        rounds: how often each contestant is timed.
        seed: of the choice of images and of the random starts.
        device: cpu, cuda or mps; the fastest by default.
        out: where the JSON goes, and the figure beside it as .png; results/benchmarks/DEVICE.json by default.
        json: print the JSON and write no files.
    """
    where = torch.device(device) if device else best_device()
    titles = chosen(attacks)
    check_left_out(without)
    settings = {
        "n": n,
        "batch_size": batch_size,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "seed": seed,
        "without": without,
    }
    report: dict[str, Any] = {
        "settings": settings,
        "device": describe(where),
        "versions": versions() | {peer: _version(peer) for peer in PEERS},
        "races": [],
    }
    path = (out or RESULTS / where.type).with_suffix(".json")
    for finished in races(weights, titles, without, n, batch_size, rounds, seed, where):
        report["races"].append(finished)
        if not json:
            print(table(finished), flush=True)
            write(report, path)
            paint(report, path.with_suffix(".png"))
    print(text.dumps(report, indent=1) if json else f"Written: {path} and {path.with_suffix('.png').name}")


def races(
    names: tuple[str, ...],
    attacks: Mapping[str, Attack],
    without: tuple[str, ...],
    n: int,
    batch_size: int,
    rounds: int,
    seed: int,
    device: torch.device,
) -> Iterator[dict[str, Any]]:
    """Each attack on each of the models, as plain values."""
    for name in names:
        model, dataset, batches = subject(name, n, batch_size, seed, device)
        for title, attack in attacks.items():
            running, absent = contestants(attack, model, without)
            results = race(running, model, batches, attack, rounds, seed)
            yield {
                "weights": name,
                "dataset": dataset,
                "attack": title,
                "settings": repr(attack),
                "n": sum(len(y) for _, y in batches),
                "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
                "rows": as_rows(results, absent),
            }


def table(race: Mapping[str, Any]) -> str:
    """One race as a Markdown table under its heading."""
    clean = race["rows"][0]["clean_accuracy"]
    rows = []
    for row in race["rows"]:
        if not row["installed"]:
            rows.append((row["name"], "not installed", *[""] * 7))
            continue
        seconds, memory, peer = row["seconds"], row["peak_memory_mb"], row["times_fastest_peer"]
        distance = row["median_distance"]
        rows.append(
            (
                row["name"],
                f"{seconds['median']:.3g} ({seconds['min']:.3g} to {seconds['max']:.3g})",
                f"{row['times_floor']:.2f}",
                "" if peer is None else f"{peer:.2f}",
                _percent(row["robust_accuracy"]) if "robust_accuracy" in row else "",
                "" if distance is None else f"{distance:.3g}",
                f"{row['forwards']:.1f}",
                f"{row['backwards']:.1f}",
                "" if memory is None else f"{memory:.0f} MB",
            )
        )
    return (
        f"\n{race['attack']} on {race['weights']}: `{race['settings']}`, n = {race['n']}, "
        f"clean accuracy {_percent(clean)}\n\n{markdown.table(HEAD, rows)}"
    )


def paint(report: Mapping[str, Any], path: Path) -> None:
    """The report's picture, whole or not at all."""
    with whole_file(path) as part:
        draw(report).savefig(part, format="png", dpi=120)


def _percent(accuracy: Mapping[str, float]) -> str:
    return f"{accuracy['accuracy']:.1%} [{accuracy['low']:.1%}, {accuracy['high']:.1%}]"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    call(bench, "python -m benchmarks")
