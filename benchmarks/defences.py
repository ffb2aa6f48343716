"""The training defences in one table: ``python -m benchmarks.defences``.

What has not been trained yet is trained first, as ``python -m seminar_lib train`` does it, in a folder of runs; what is
shipped counts as trained. Clean accuracy and PGD-20 are those of each network's card, on all test images. AutoAttack
then runs batch by batch on some of them, the same for all. On a CPU all of it takes days: what has been measured is
written after every batch, one seed of all defences before the next, and the same command goes on where an interrupted
run stopped. Several processes can share the work of one GPU, each with defences and an ``--out`` of its own, such as
defences-signs-2.json: the summary puts them together. What an epoch takes is timed side by side, apart from that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.autoattack import THREAT, ours, survivors
from benchmarks.command import call
from benchmarks.pace import epochs
from benchmarks.peak import peak
from benchmarks.report import RESULTS, circumstances, take_up, write
from benchmarks.subject import subject
from benchmarks.training import dataset_of, trained
from seminar_lib import cli, markdown
from seminar_lib.data import load_data
from seminar_lib.device import best_device
from seminar_lib.evaluation import Accuracy, on_card

ORDER = (  # of the rows, by the name of the recipe behind that of the data set
    *("standard", "noise", "lisard", "fast_at", "pgd_at", "trades", "mart", "awp", "lisard_at"),
    *("clead_unheld", "clead", "clead_labels", "clead_attack", "clead_head"),
    *("anchor", "anchor_beta0", "anchor_beta2", "anchor_beta5", "anchor_augmented", "anchor_head", "anchor_clean_head"),
)
SIGNS = tuple(f"signs_{name}" for name in ORDER)
HEAD = (
    *("recipe", "seed", "epoch", "clean", "PGD-20", "PGD-20, last epoch", "AutoAttack"),
    *("seconds an epoch", "of the peak"),
)


def compare(
    names: tuple[str, ...] = SIGNS,
    seeds: tuple[int, ...] = (0, 1, 2),
    n: int = 512,
    batch_size: int = 128,
    bf16: bool = False,
    pace: bool = True,
    runs: Path = Path("runs"),
    out: Path | None = None,
) -> None:
    """Train each defence with each seed, and measure all of them alike.

    Args:
        names: recipes, as the train command knows them; all for the same data set.
        seeds: of the trainings. AutoAttack's own seed is 0 throughout.
        n: how many test images AutoAttack sees.
        batch_size: images at a time.
        bf16: let AutoAttack's members that climb gradients search in bfloat16.
        pace: time some training steps of all of ``names`` in turns, with those that were timed before, unless that has
            been done. Leave it out where several processes share a device: they would time each other.
        runs: the folder of trainings.
        out: the JSON to write, and to go on with; results/benchmarks/defences-DATASET.json by default.
    """
    dataset, device = dataset_of(names), best_device()
    path = out or RESULTS / f"defences-{dataset}.json"
    report = take_up(path, {"threat": repr(THREAT), "n": n, "batch_size": batch_size, "bf16": bf16})
    if pace and not set(names) <= paces(report).keys():
        recipes = {name: cli.recipe_named(name) for name in (*paces(report), *names)}
        timed = epochs(recipes, load_data(dataset), device)
        report["pace"] = {"epochs": timed, "peak": peak(device)} | circumstances(device)
        write(report, path)
    for seed in seeds:
        for name in names:
            done = report["models"].setdefault(name, {}).setdefault(str(seed), {"autoattack": []})
            if sum(batch["n"] for batch in done["autoattack"]) == n:
                continue  # also where the run itself is gone
            weights = trained(name, seed, runs)
            found = figures(weights)
            if done.get("sha256") != found["sha256"]:
                done["autoattack"] = []  # what was attacked so far, if anything, was another network
            done |= found
            model, _, batches = subject(str(weights), n, batch_size, 0, device)
            for x, y in batches[len(done["autoattack"]) :]:
                done["autoattack"].append(ours(model, x, y, 0, bf16) | circumstances(device))
                write(report, path)
            print(markdown.table(HEAD, rows(report | {"models": {name: {str(seed): done}}})), flush=True)


def figures(weights: Path) -> dict[str, Any]:
    """What the card of a network says that belongs into the table."""
    card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    best, last = on_card(card), on_card(card, "last")
    return {
        **{"clean": vars(best["clean"]), "pgd20": vars(best["pgd20"]), "pgd20 last": vars(last["pgd20"])},
        "chosen": card["chosen"],
        "sha256": card["sha256"],
        "trained on": card["training"]["device"],
    }


def rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row for each network of a report that AutoAttack has seen, in ``ORDER``, and one over the seeds of a recipe."""
    for name in sorted(report["models"], key=place):
        found = []
        for seed, done in report["models"][name].items():
            if done["autoattack"]:
                shares = [Accuracy(**done[column]) for column in ("clean", "pgd20", "pgd20 last")]
                found.append([*shares, survivors(done["autoattack"])])
                chosen = done["chosen"].partition(",")[0].removeprefix("epoch ")
                yield name, seed, chosen, *found[-1], *pace_of(name, report)
        if len(found) > 1:
            columns = (over_seeds(column) for column in zip(*found, strict=True))
            yield name, f"mean of {len(found)}", "", *columns, *pace_of(name, report)


def place(name: str) -> int:
    """Where the row of a recipe stands; what ``ORDER`` does not know comes last."""
    known = [row for row, recipe in enumerate(ORDER) if name.endswith(f"_{recipe}")]
    return known[0] if known else len(ORDER)


def paces(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What an epoch takes by recipe, of those that were timed."""
    return report["pace"]["epochs"] if "pace" in report else {}


def pace_of(name: str, report: Mapping[str, Any]) -> tuple[str, str]:
    """The seconds of an epoch, and its operations a second as a share of the fastest that the device was seen to do."""
    if name not in paces(report):
        return "", ""
    epoch = paces(report)[name]
    return f"{epoch['seconds']:.0f}", f"{epoch['operations'] / epoch['seconds'] / report['pace']['peak']:.0%}"


def over_seeds(found: Sequence[Accuracy]) -> str:
    """The mean of several accuracies, and the lowest and the highest."""
    shares = [one.accuracy for one in found]
    return f"{mean(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"


if __name__ == "__main__":
    call(compare, "python -m benchmarks.defences")
