"""``fit``: the stages of a recipe one after the other, each from where its folder says that it stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm.auto import tqdm

from seminar_lib.checks import check_labels
from seminar_lib.data.dataset import Dataset
from seminar_lib.models import Classifier
from seminar_lib.train.folder import Folder, Kept
from seminar_lib.train.recipe import Recipe
from seminar_lib.train.run import Run, Watch


@dataclass
class Trained:
    """What a run ends with.

    Attributes:
        best: the model of the epoch with the highest validation score; the one to report.
        last: the model after the last epoch. Report it too: the gap is robust overfitting (Rice et al., ICML 2020).
        history: one dictionary an epoch: the mean of each term under its name, ``"clean accuracy"`` and
            ``"robust accuracy"`` on the validation images, the ``"score"`` that picks the best, ``"seconds"``.
        earlier: what the stages before ended with, the first stage first.
    """

    best: Classifier
    last: Classifier
    history: list[dict[str, float]] = field(default_factory=list)
    earlier: tuple[Trained, ...] = ()

    @property
    def best_epoch(self) -> int:
        """The epoch of ``best``, counted from 1."""
        scores = [row["score"] for row in self.history]
        return scores.index(max(scores)) + 1

    @property
    def seconds(self) -> float:
        """How long all stages took together."""
        return sum(row["seconds"] for stage in (*self.earlier, self) for row in stage.history)


def fit(
    recipe: Recipe,
    data: Dataset,
    folder: str | Path | None = None,
    device: torch.device | str = "cpu",
    progress: bool = True,
    *,
    watch: Watch | None = None,
) -> Trained:
    """Train by the recipe.

    Args:
        recipe: what to do. A stage before it is trained first.
        data: the data set that ``recipe.dataset`` names.
        folder: where the state is kept after each epoch, with the history as ``history.jsonl`` and ``curve.png``; that
            of the stage before is in ``start`` inside it. When it holds the state of the same recipe, that run goes on.
        device: where to train.
        progress: show bars.
        watch: called with the history so far, after each epoch and every few seconds within one, for each stage anew.
            Within an epoch the last row has a broken ``"epoch"`` and the means of the terms so far, nothing else.

    Raises:
        ValueError: ``folder`` holds a damaged run or one of another recipe; ``data`` is another data set, has an empty
            split or labels that its classes do not cover.
        FloatingPointError: loss, gradients or weights are no longer finite; ``folder`` keeps the last good epoch.
    """
    _check(recipe, data)
    earlier: tuple[Trained, ...] = ()
    if recipe.start:
        before = fit(recipe.start, data, Path(folder) / "start" if folder else None, device, progress, watch=watch)
        earlier = (*before.earlier, before)
    train, validation = data.train.to(device), data.validation.to(device)
    run = Run(recipe, data, torch.device(device), tuple(stage.best for stage in earlier))
    home = Folder(Path(folder), recipe) if folder else None
    if home and (kept := home.read()):
        run.resume(*kept)
        home.follow(run.history)
        if watch:
            watch(run.rows())
    for _ in tqdm(range(len(run.history), recipe.epochs), desc="epochs", disable=not progress):
        start = time.perf_counter()
        terms = run.epoch(train, progress, watch)
        figures = run.validate(validation)
        run.close_epoch({"epoch": len(run.history) + 1, **terms, **figures, "seconds": time.perf_counter() - start})
        if home:
            home.write(Kept(run.state(), run.history))
        if watch:
            watch(run.rows())
    last = run.with_weights(run.average.module.state_dict())
    return Trained(run.with_weights(run.best), last, run.history, earlier)


def _check(recipe: Recipe, data: Dataset) -> None:
    """Refuse data that the recipe cannot be trained on."""
    if data.name != recipe.dataset:
        raise ValueError(f"The recipe trains on {recipe.dataset!r}; got the data set {data.name!r}.")
    for name, split in {"train": data.train, "validation": data.validation}.items():
        if len(split) == 0:
            raise ValueError(f"The {name} split of {data.name!r} holds no images.")
        check_labels(split.labels, split.images, len(data.classes), f"{name}.labels")
