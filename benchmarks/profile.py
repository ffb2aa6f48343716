"""Where the time of our attacks goes: ``python -m benchmarks.profile``.

An attack asks a network for answers and gradients, and does its own arithmetic between. Only the latter could still be
saved by better code at the same number of looks and in the same precision; the table says how much that would be. One
run of each under PyTorch's profiler, which itself slows down small operations more than large ones, so that the share
of the attack's own arithmetic is rather overstated. On a CPU, where what is called has been computed when it returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks.command import call
from benchmarks.contestants import chosen, ours
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.strength import OURS
from benchmarks.subject import subject
from seminar_lib import markdown
from seminar_lib.types import Images, Labels, Model

HEAD = ("network", "attack", "variant", "s", "forward", "backward", "own", "at most so many times as fast", "hardware")
BACKWARD = "autograd::engine::evaluate_function"  # what the profiler calls each step of a backward pass


def compare(
    weights: tuple[str, ...] = ("signs/standard", "signs/pgd_at"),
    attacks: tuple[str, ...] = (),
    n: int = 128,
    seed: int = 0,
    out: Path | None = None,
) -> None:
    """Profile our attacks, each on one batch.

    Args:
        weights: shipped weights or paths; each is attacked on test images of the data set that its card names.
        attacks: some of those of ``python -m benchmarks``; by default all that it runs.
        n: how many test images, in one batch.
        seed: of the choice of images and of the random numbers.
        out: the JSON to write, and to go on with; results/benchmarks/profile-cpu.json by default.
    """
    titles = chosen(attacks)
    device = torch.device("cpu")
    path = out or RESULTS / "profile-cpu.json"
    report = take_up(path, {"n": n, "seed": seed})
    for name in weights:
        model, _, batches = subject(name, n, n, seed, device)
        for title, attack in titles.items():
            done = report["models"].setdefault(name, {}).setdefault(title, {})
            for variant, run in ours(attack, device).items():
                if variant in OURS and variant not in done:
                    torch.manual_seed(seed)
                    done[variant] = shares(run, model, *batches[0]) | circumstances(device)
                    write(report, path)
    print(markdown.table(HEAD, list(rows(report))))


class Watched(nn.Module):
    """A network whose forward passes the profiler can tell from everything else."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """What the network says."""
        with record_function("network"):
            logits: Tensor = self.network(x)
            return logits


def shares(
    attack: Callable[[Model, Images, Labels], Images], model: nn.Module, x: Images, y: Labels
) -> dict[str, float]:
    """The seconds of an attack on one batch, and the shares of them that are spent in passes through the network."""
    watched = Watched(model).eval()
    attack(watched, x[:32], y[:32])  # whatever is set up at a first call is in nobody's account
    # Without acc_events PyTorch 2.11 warns.
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as events:
        start = time.perf_counter()
        attack(watched, x, y)
        seconds = time.perf_counter() - start
    totals = [(event.key, event.cpu_time_total / 1e6) for event in events.key_averages()]
    forward = sum(total for key, total in totals if key == "network")
    backward = sum(total for key, total in totals if key.startswith(BACKWARD))
    return {"seconds": seconds, "forward": forward / seconds, "backward": backward / seconds}


def rows(report: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row for each network, attack and variant of a report."""
    for network, attacks in report["models"].items():
        for attack, variants in attacks.items():
            for variant, done in variants.items():
                inside = done["forward"] + done["backward"]
                parts = (done["forward"], done["backward"], 1 - inside)
                yield (
                    *(network, attack, variant, f"{done['seconds']:.3g}"),
                    *(f"{part:.0%}" for part in parts),
                    *(f"{1 / inside:.2f}", done["device"]),
                )


if __name__ == "__main__":
    call(compare, "python -m benchmarks.profile")
