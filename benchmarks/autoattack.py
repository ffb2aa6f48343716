"""AutoAttack beside its authors' package, member by member: ``python -m benchmarks.autoattack``.

Both ensembles run once over the same images, batch by batch in turns, and each member sees the survivors of those
before it. It takes hours on a CPU, so what has been measured is written after every batch, and the same command goes
on where an interrupted run stopped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.command import call
from benchmarks.peers.authors import ensemble
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.subject import subject
from seminar_lib import markdown
from seminar_lib.attacks import AutoAttack
from seminar_lib.attacks.base import verdict
from seminar_lib.attacks.ensemble import STANDING, WRONG_BEFORE
from seminar_lib.device import best_device
from seminar_lib.evaluation import Accuracy
from seminar_lib.goals import Misclassify
from seminar_lib.models import Classifier
from seminar_lib.threat import Linf
from seminar_lib.types import Flags, Images, Labels

THREAT = Linf(8 / 255)
MEMBERS = ("apgd-ce", "apgd-t", "fab-t", "square")


def compare(
    weights: tuple[str, ...] = ("signs/standard", "signs/pgd_at", "cifar10/standard", "cifar10/pgd_at"),
    n: int = 512,
    batch_size: int = 128,
    seed: int = 0,
    bf16: bool = False,
    out: Path | None = None,
) -> None:
    """Robust accuracy, successes of each member and seconds, of AutoAttack by its authors and by us.

    Args:
        weights: shipped weights or paths; each is attacked on test images of the data set that its card names.
        n: how many test images.
        batch_size: images at a time.
        seed: of the choice of images and of the random starts.
        bf16: let our members that climb gradients search in bfloat16.
        out: the JSON to write, and to go on with; results/benchmarks/autoattack-DEVICE.json by default.
    """
    device = best_device()
    path = out or RESULTS / f"autoattack-{device.type}.json"
    settings = {"threat": repr(THREAT), "n": n, "batch_size": batch_size, "seed": seed, "bf16": bf16}
    report = take_up(path, settings)
    for name in weights:
        model, _, batches = subject(name, n, batch_size, seed, device)
        done = report["models"].setdefault(name, [])
        for number, (x, y) in enumerate(batches[len(done) :], len(done)):
            runs: dict[str, Callable[..., dict[str, Any]]] = {
                "authors": authors,
                "seminar_lib": partial(ours, bf16=bf16),
            }
            # Turns, so that neither always finds the machine warm.
            measured = {run: runs[run](model, x, y, seed) for run in list(runs)[:: 1 - 2 * (number % 2)]}
            done.append(measured | circumstances(device))
            write(report, path)
        print(table(name, done), flush=True)


def ours(model: Classifier, x: Images, y: Labels, seed: int, bf16: bool) -> dict[str, Any]:
    """Our ensemble on one batch."""
    start = time.perf_counter()
    generator = torch.Generator(x.device).manual_seed(seed)
    cascade = AutoAttack(THREAT, bf16=bf16).cascade(model, x, y, generator=generator)
    seconds = time.perf_counter() - start
    members = {name: int((cascade.by == number).sum()) for number, name in enumerate(MEMBERS)}
    clean = int((cascade.by != WRONG_BEFORE).sum())
    return {
        "n": len(x),
        "clean": clean,
        "robust": int((cascade.by == STANDING).sum()),
        "fooled_by": members,
        "seconds": seconds,
    }


def authors(model: Classifier, x: Images, y: Labels, seed: int) -> dict[str, Any]:
    """The authors' ensemble on one batch; our verdict counts the survivors of each member."""
    theirs = ensemble(AutoAttack(THREAT), model, seed)
    standing = _right(model, x, y)
    clean, members, start = int(standing.sum()), {}, time.perf_counter()
    for name in MEMBERS:
        rows, members[name] = standing.nonzero().squeeze(1), 0
        if len(rows):
            theirs.attacks_to_run = [name]
            x_adv, _ = theirs.run_standard_evaluation(x[rows].contiguous(), y[rows], batch_size=len(rows))
            left = _right(model, x_adv, y[rows]) & THREAT.contains(x_adv, x[rows])
            members[name] = int((~left).sum())
            standing[rows] = left
    seconds = time.perf_counter() - start
    return {"n": len(x), "clean": clean, "robust": int(standing.sum()), "fooled_by": members, "seconds": seconds}


def table(name: str, batches: list[dict[str, Any]]) -> str:
    """What has been measured for one model, as Markdown."""
    rows, total = [], Counter[str]()
    for run in ("authors", "seminar_lib"):
        parts = [batch[run] for batch in batches]
        fooled = [sum(part["fooled_by"][member] for part in parts) for member in MEMBERS]
        total[run] = sum(part["seconds"] for part in parts)
        rows.append((run, survivors(parts), *fooled, f"{total[run]:.0f}"))
    counted = markdown.table((name, "robust accuracy", *MEMBERS, "seconds"), rows)
    return f"\n{counted}\n\n{total['authors'] / total['seminar_lib']:.1f} times as fast"


def survivors(batches: Sequence[Mapping[str, Any]]) -> Accuracy:
    """The robust accuracy on all batches together."""
    n, robust = (sum(batch[key] for batch in batches) for key in ("n", "robust"))
    return Accuracy.of(torch.arange(n) < robust)


def _right(model: Classifier, x: Images, y: Labels) -> Flags:
    return ~verdict(Misclassify(model, y), x).success


if __name__ == "__main__":
    call(compare, "python -m benchmarks.autoattack")
