"""``fit``: the stages of a recipe one after the other, each from where its folder says that it stopped."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from tqdm.auto import tqdm

from seminar_lib.checkpoints import load
from seminar_lib.checks import check_labels
from seminar_lib.data.dataset import Dataset
from seminar_lib.device import device_named
from seminar_lib.evaluation.kept import fingerprint
from seminar_lib.files import make_folder
from seminar_lib.models import Network
from seminar_lib.train.folder import Folder, Snapshot
from seminar_lib.train.processes import check_devices, gather, is_first
from seminar_lib.train.recipe import Recipe
from seminar_lib.train.run import Run, Watch


@dataclass
class Trained:
    """What a run ends with.

    Attributes:
        best: the model of the epoch with the highest validation score; the one to report.
        last: the model after the last epoch. Report it too: the gap is robust overfitting (Rice et al., ICML 2020).
        history: one dictionary an epoch: the mean of each term over the images under its name, ``"clean accuracy"`` and
            ``"robust accuracy"`` on the validation images, or ``"validation loss"`` where the network's answer is an
            image, the ``"score"`` that picks the best, ``"seconds"``.
        earlier: what the stages before ended with, the first stage first. Weights that a recipe starts from are
            a stage without a history.
    """

    best: Network
    last: Network
    history: list[dict[str, float]] = field(default_factory=list)
    earlier: tuple[Trained, ...] = ()

    @property
    def best_epoch(self) -> int:
        """The epoch of ``best``, counted from 1.

        Raises:
            ValueError: these are given weights, which this training has not made.
        """
        if not self.history:
            raise ValueError("Given weights have no history here, and so no best epoch; ask the stages after them.")
        scores = [row["score"] for row in self.history]
        return scores.index(max(scores)) + 1

    @property
    def seconds(self) -> float:
        """How long all stages took together."""
        return sum(row["seconds"] for stage in (*self.earlier, self) for row in stage.history)


@torch.inference_mode(False)
@torch.enable_grad()
def fit(
    recipe: Recipe,
    data: Dataset,
    folder: str | Path | None = None,
    device: torch.device | str = "cpu",
    progress: bool = True,
    *,
    devices: int = 1,
    machines: int = 1,
    compile: bool = False,
    watch: Watch | None = None,
) -> Trained:
    """Train by the recipe.

    Several devices share each batch of ``recipe.batch_size`` images, each in a process of its own, and end with the
    same weights as one but for rounding (``spread.py`` says how). ``processes.py`` says how such a training is started;
    a notebook cannot. All processes return the result, the first alone writes, watches and shows bars.

    Args:
        recipe: what to do. A stage before it is trained first.
        data: the data set that ``recipe.dataset`` names.
        folder: where the state is kept after each epoch, with the history as ``history.jsonl`` and ``curve.png``; that
            of the stage before is in ``start`` inside it. When it holds the state of the same recipe, that run goes on.
        device: where to train.
        progress: show bars.
        devices: how many GPUs, or how many processes on a CPU, of each machine.
        machines: how many machines.
        compile: let ``torch.compile`` translate the backbone, for the training and for the attacks within it. That
            takes minutes once, which PyTorch keeps for the next run; each epoch is then shorter, of ``signs_pgd_at`` on
            one thread of an Intel Xeon by a fifth. One device only. The result is the same but for rounding, so a
            resumed run has other bits.
        watch: called with the history so far, after each epoch and every few seconds within one, for each stage anew.
            Within an epoch the last row has a broken ``"epoch"`` and the means of the terms so far, nothing else.

    Raises:
        TypeError: ``recipe``, ``data`` or ``watch`` is something else.
        ValueError: ``folder`` holds a damaged run, or one of another recipe, on other images or from other weights;
            ``data`` is another data set, has an empty split or labels that its classes do not cover; there is no such
            device, or not so many, or several to compile for.
        OSError: nothing can be written to ``folder``; found out before the first epoch.
        FloatingPointError: loss, gradients or weights are no longer finite; ``folder`` keeps the last good epoch. All
            processes stop.
    """
    _check(recipe, data, watch)
    if compile and devices * machines > 1:
        raise ValueError(f"compile works on one device alone; got devices={devices} on machines={machines}.")
    check_devices(str(device), devices, machines)
    device = device_named(str(device))
    stages = _stages(recipe)
    given, start = _given(stages[0], data)
    homes = _homes(recipe, Path(folder), _seen(data), start) if folder else [None] * len(stages)
    # All that can be refused is refused before further processes are started, so that they do not repeat it.
    kept = [home.read() if home else None for home in homes]
    for home in homes:
        if home:
            make_folder(home.path)  # an empty one is as good as none to whoever goes on later
    processes = gather(device, devices, machines)
    if not is_first():
        homes, progress, watch = [None] * len(homes), False, None
    earlier = tuple(Trained(network.to(processes.device), network) for network in given)
    with torch.autocast(device.type, enabled=False):  # the recipe says what is computed in bfloat16
        for stage, home, found in zip(stages, homes, processes.agree(kept), strict=True):
            run = Run(stage, data, processes, tuple(before.best for before in earlier))
            if compile:
                run.model.backbone.compile()
            trained = Trained(*_finish(run, data, home, found, progress, watch), earlier)
            earlier = (*earlier, trained)
    return trained


def _stages(recipe: Recipe) -> list[Recipe]:
    """All stages, the first one first."""
    return [*(_stages(recipe.start) if isinstance(recipe.start, Recipe) else []), recipe]


def _given(first: Recipe, data: Dataset) -> tuple[tuple[Network, ...], str]:
    """The network with given weights that the first stage starts from, and their digest; none for fresh weights.

    Raises:
        ValueError: it is another network than the recipe's, or its classes or channels are others than those of
            ``data``.
    """
    if not isinstance(first.start, str):
        return (), ""
    network, card = load(first.start)
    build = card["build"]
    channels = build.get("channels") or len(build["mean"])
    found = (build["architecture"], build["settings"], build.get("classes", len(data.classes)), channels)
    if found != (type(first.model).__name__, asdict(first.model), len(data.classes), len(data.mean)):
        raise ValueError(
            f"{first.start} is a {found[0]} with {found[1]} for {found[2]} classes and {channels} channels; the recipe "
            f"trains {first.model} on {len(data.classes)} classes and {len(data.mean)} channels. Given weights start a "
            "training of the same network on the same classes."
        )
    return (network,), card["sha256"]


def _homes(recipe: Recipe, path: Path, images: str, start: str) -> list[Folder | None]:
    """The folder of each stage: that of the stage before is inside."""
    before = _homes(recipe.start, path / "start", images, start) if isinstance(recipe.start, Recipe) else []
    return [*before, Folder(path, recipe, images, start)]


def _seen(data: Dataset) -> str:
    """A fingerprint of all that a training sees of ``data``."""
    splits = (data.train, data.validation)
    return fingerprint(*(part for split in splits for part in (split.images, split.labels)), *data.classes)


def _finish(
    run: Run, data: Dataset, home: Folder | None, kept: Snapshot | None, progress: bool, watch: Watch | None
) -> tuple[Network, Network, list[dict[str, float]]]:
    """One stage, from where ``kept`` says that it stopped; returns the best model, the last one and the history."""
    train, validation = data.train.to(run.device), data.validation.to(run.device)
    if kept:
        run.resume(*kept)
        if home:
            home.follow(run.history)
        if watch:
            watch(run.rows())
    for _ in tqdm(range(len(run.history), run.recipe.epochs), desc="epochs", disable=not progress):
        start = time.perf_counter()
        terms = run.epoch(train, progress, watch)
        row = {"epoch": len(run.history) + 1, **terms, **run.validate(validation)}
        run.close_epoch(run.processes.agree({**row, "seconds": time.perf_counter() - start}))
        if home:
            home.write(Snapshot(run.state(), run.history))
        if watch:
            watch(run.rows())
    return run.with_weights(run.best), run.with_weights(run.average.module.state_dict()), run.history


def _check(recipe: Recipe, data: Dataset, watch: Watch | None) -> None:
    """Refuse what is no training, and data that the recipe cannot be trained on."""
    if not isinstance(recipe, Recipe):
        raise TypeError(
            f"recipe must be a Recipe, such as seminar_lib.recipes.signs_standard() returns; got {recipe!r}."
        )
    if not isinstance(data, Dataset):
        raise TypeError(f'data must be a whole Dataset, such as load_data("signs"); got {type(data).__name__}.')
    if watch is not None and not callable(watch):
        raise TypeError(f"watch must be a function of the history, such as LiveCurve(), or None; got {watch!r}.")
    if data.name != recipe.dataset:
        raise ValueError(f"The recipe trains on {recipe.dataset!r}; got the data set {data.name!r}.")
    for name, split in {"train": data.train, "validation": data.validation}.items():
        if len(split) == 0:
            raise ValueError(f"The {name} split of {data.name!r} holds no images.")
        check_labels(split.labels, split.images, len(data.classes), f"{name}.labels")
