"""How long a training step takes: all trainings take turns on one machine, so that their times can be compared.

The seconds on a network's card are those of the day when it was trained, with whatever else the machine did. What a
step could take at best is what its arithmetic takes at the rate of ``peak.py``: the convolutions and matrix products of
its attack and its own passes are counted while they run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import islice
from statistics import median
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.measure import wait_for
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.objectives import Batch
from seminar_lib.train import Recipe
from seminar_lib.train.processes import Processes, gather
from seminar_lib.train.run import Run

DONE = 1.0  # of the training: an attack inside has its full radius then


def epochs(
    recipes: Mapping[str, Recipe], data: Dataset, device: torch.device, steps: int = 4, rounds: int = 3
) -> dict[str, dict[str, float]]:
    """What an epoch of each recipe's last stage takes without its validation: ``"seconds"``, and ``"operations"``.

    The latter are floating-point operations; a multiply-add counts as two.

    Args:
        recipes: by name, all for ``data``.
        data: its training images are counted, and ``steps`` batches of them used.
        device: where to train.
        steps: of each training in a turn.
        rounds: turns of each training; the median counts. One more goes before, whose operations are counted.
    """
    processes = gather(device, 1, 1)
    train = data.train.to(device)
    runs = {name: begun(recipe, data, processes)[-1] for name, recipe in recipes.items()}
    operations = {name: work(run, train, steps) for name, run in runs.items()}
    turns: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            turns[name].append(turn(run, train, steps))
    found = {}
    for name, run in runs.items():
        many = len(train) / run.recipe.batch_size
        found[name] = {"seconds": many * median(turns[name]), "operations": many * operations[name]}
    return found


def begun(recipe: Recipe, data: Dataset, processes: Processes) -> list[Run]:
    """The runs of all stages of a recipe at their beginning, with untrained networks."""
    before = begun(recipe.start, data, processes) if isinstance(recipe.start, Recipe) else []
    return [*before, Run(recipe, data, processes, tuple(run.model for run in before))]


def work(run: Run, train: Split, steps: int) -> float:
    """Floating-point operations a step, in convolutions and matrix products, of ``steps`` ones."""
    counter = _Counter()  # type: ignore[no-untyped-call]
    with counter:
        turn(run, train, steps)
    return counter.operations / steps


class _Counter(TorchDispatchMode):
    """PyTorch's formulas for the operations of a layer, summed; its own counter breaks off at a gradient to images."""

    operations = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if formula := flop_registry.get(function.overloadpacket):
            self.operations += formula(*args, **(kwargs or {}), out_val=result)
        return result


def turn(run: Run, train: Split, steps: int) -> float:
    """Seconds a step, of ``steps`` ones."""
    order, noise = torch.Generator().manual_seed(0), torch.Generator(run.device).manual_seed(0)
    batches = list(islice(train.batches(run.recipe.batch_size, order), steps))
    start = time.perf_counter()
    for x, y in batches:
        run.step(Batch(run.recipe.augment(x, noise), y, DONE, noise), "a step that is timed")
    wait_for(run.device)
    return (time.perf_counter() - start) / len(batches)
