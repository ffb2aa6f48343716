"""How long a training step takes: all trainings take turns on one machine, so that their times can be compared.

The seconds on a network's card are those of the day when it was trained, with whatever else the machine did.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import islice
from statistics import median

import torch

from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.objectives import Batch
from seminar_lib.train import Recipe
from seminar_lib.train.processes import Processes, gather
from seminar_lib.train.run import Run

DONE = 1.0  # of the training: an attack inside has its full radius then


def seconds_an_epoch(
    recipes: Mapping[str, Recipe], data: Dataset, device: torch.device, steps: int = 4, rounds: int = 3
) -> dict[str, float]:
    """The seconds that an epoch of each recipe's last stage takes, without its validation.

    Args:
        recipes: by name, all for ``data``.
        data: its training images are counted, and ``steps`` batches of them used.
        device: where to train.
        steps: of each training in a turn.
        rounds: turns of each training; the median counts. One more goes before, which is not timed.
    """
    processes = gather(device, 1, 1)
    train = data.train.to(device)
    runs = {name: begun(recipe, data, processes)[-1] for name, recipe in recipes.items()}
    turns: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + rounds):
        for name, run in runs.items():
            turns[name].append(turn(run, train, steps))
    return {name: len(train) / runs[name].recipe.batch_size * median(times[1:]) for name, times in turns.items()}


def begun(recipe: Recipe, data: Dataset, processes: Processes) -> list[Run]:
    """The runs of all stages of a recipe at their beginning, with untrained networks."""
    before = begun(recipe.start, data, processes) if isinstance(recipe.start, Recipe) else []
    return [*before, Run(recipe, data, processes, tuple(run.model for run in before))]


def turn(run: Run, train: Split, steps: int) -> float:
    """Seconds a step, of ``steps`` ones."""
    order, noise = torch.Generator().manual_seed(0), torch.Generator(run.device).manual_seed(0)
    batches = list(islice(train.batches(run.recipe.batch_size, order), steps))
    start = time.perf_counter()
    for x, y in batches:
        run.step(Batch(run.recipe.augment(x, noise), y, DONE, noise), "a step that is timed")
    return (time.perf_counter() - start) / len(batches)
