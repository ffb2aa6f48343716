"""Training: a recipe in, the best and the last model out. An interrupted run goes on where it stopped.

The state of the run is written after every epoch, whole or not at all. The random numbers of an epoch depend only on
the seed and the epoch, so a run that was killed and resumed ends with the same bits on a CPU as one that was not.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from seminar_lib.attacks import Attack
from seminar_lib.checks import check_labels
from seminar_lib.data.augment import Augment
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.device import computes_bf16
from seminar_lib.evaluation import evaluate
from seminar_lib.files import whole_file
from seminar_lib.models import Architecture, Classifier, SmallCNN
from seminar_lib.objectives import Batch, CrossEntropy, Objective
from seminar_lib.schedules import OneCycle

PARTS: dict[str, Callable[[Classifier], nn.Module]] = {"all": lambda model: model, "head": lambda model: model.head}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run ends with.

    Attributes:
        dataset: the name of the data set, as ``load_data`` takes it.
        objective: what is minimised.
        model: the network.
        epochs, batch_size: passes over the training images, and images a step.
        rate: the largest learning rate of SGD with Nesterov momentum 0.9.
        schedule: the share of ``rate`` at each point of the training.
        weight_decay: of all parameters.
        augment: how training images are changed.
        ema: decay of the exponential moving average of the weights, per step; the average is what is validated and
            returned. None turns it off.
        validation: the attack that picks the best epoch on the validation images; None picks by clean accuracy.
        seed: of the initial weights, the order of images and the attacks.
        bf16: compute in bfloat16 where autocast finds it safe and the hardware computes in it, in float32 elsewhere.
        start: the stage before: its best weights are where this one starts. None starts from fresh weights.
        trains: ``"all"`` of the network, or the ``"head"`` alone: the rest then stands still, its BatchNorm statistics
            too.

    Raises:
        ValueError: a number is out of range, or the stage before trains another network or on other images.
    """

    dataset: str = "signs"
    objective: Objective = CrossEntropy()
    model: Architecture = SmallCNN()
    epochs: int = 10
    batch_size: int = 128
    rate: float = 0.1
    schedule: Callable[[float], float] = OneCycle()
    weight_decay: float = 5e-4
    augment: Augment = Augment()
    ema: float | None = None
    validation: Attack | None = None
    seed: int = 0
    bf16: bool = True
    start: Recipe | None = None
    trains: str = "all"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"A recipe needs at least one epoch and one image a step; got epochs={self.epochs}, "
                f"batch_size={self.batch_size}."
            )
        if not 0 < self.rate < math.inf:
            raise ValueError(f"A recipe needs a finite learning rate > 0; got rate={self.rate}.")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema is the share of the average that a step keeps, 0 <= ema < 1; got {self.ema}.")
        if self.trains not in PARTS:
            raise ValueError(f"trains is one of {', '.join(map(repr, PARTS))}; got {self.trains!r}.")
        if self.start and (self.start.model, self.start.dataset) != (self.model, self.dataset):
            raise ValueError(
                f"A stage goes on with the network and the images of the one before, {self.start.model} on "
                f"{self.start.dataset!r}; got {self.model} on {self.dataset!r}."
            )


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
) -> Trained:
    """Train by the recipe.

    Args:
        recipe: what to do. A stage before it is trained first.
        data: the data set that ``recipe.dataset`` names.
        folder: where the state is kept after each epoch; that of the stage before is in ``start`` inside it. When it
            holds the state of the same recipe, that run goes on.
        device: where to train.
        progress: show bars.

    Raises:
        ValueError: ``folder`` holds a damaged run or one of another recipe; ``data`` is another data set, has an empty
            split or labels that its classes do not cover.
        FloatingPointError: loss, gradients or weights are no longer finite; ``folder`` keeps the last good epoch.
    """
    if data.name != recipe.dataset:
        raise ValueError(f"The recipe trains on {recipe.dataset!r}; got the data set {data.name!r}.")
    train, validation = data.train.to(device), data.validation.to(device)
    for name, split in {"train": train, "validation": validation}.items():
        if len(split) == 0:
            raise ValueError(f"The {name} split of {data.name!r} holds no images.")
        check_labels(split.labels, split.images, len(data.classes), f"{name}.labels")
    earlier: tuple[Trained, ...] = ()
    if recipe.start:
        before = fit(recipe.start, data, Path(folder) / "start" if folder else None, device, progress)
        earlier = (*before.earlier, before)
    run = _Run(recipe, data, torch.device(device), tuple(stage.best for stage in earlier))
    state = Path(folder) / "state.safetensors" if folder else None
    if state and state.exists():
        try:
            run.restore(state)
        except SafetensorError as error:
            raise ValueError(f"{state} is damaged ({error}). Delete it to start anew.") from error
    for epoch in tqdm(range(len(run.history), recipe.epochs), desc="epochs", disable=not progress):
        start = time.perf_counter()
        terms = run.epoch(epoch, train, progress)
        row = {"epoch": epoch + 1, **terms, **run.validate(validation), "seconds": time.perf_counter() - start}
        run.close_epoch(row)
        if state:
            run.save(state)
    last = run.with_weights(run.average.module.state_dict())
    return Trained(run.with_weights(run.best), last, run.history, earlier)


class _Run:
    """A training run between two epochs: the network, its average, the optimiser, and what happened so far."""

    def __init__(self, recipe: Recipe, data: Dataset, device: torch.device, earlier: tuple[Classifier, ...]) -> None:
        self.recipe, self.device = recipe, device
        self.bf16 = recipe.bf16 and computes_bf16(device.type)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.model = recipe.model.build(len(data.classes), data.mean, data.std).to(device)
        if earlier:
            self.model.load_state_dict(earlier[-1].state_dict())
        self.objective = recipe.objective.begin(earlier)
        self.learning = PARTS[recipe.trains](self.model.requires_grad_(False)).requires_grad_()
        self.model.to(memory_format=torch.channels_last)
        # Without an average, the "average" is the latest weights: decay 0.
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema or 0.0), use_buffers=True)
        self.optimiser = torch.optim.SGD(
            self.learning.parameters(), recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
        )
        self.best: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []

    def epoch(self, epoch: int, train: Split, progress: bool) -> dict[str, float]:
        """One pass over the training images; returns the mean of each term."""
        recipe = self.recipe
        seed = 1_000_003 * recipe.seed + 2 * epoch
        order, noise = torch.Generator().manual_seed(seed), torch.Generator(self.device).manual_seed(seed + 1)
        steps = math.ceil(len(train) / recipe.batch_size)
        totals: dict[str, Tensor] = {}
        batches = train.batches(recipe.batch_size, order)
        for step, (x, y) in enumerate(
            tqdm(batches, total=steps, desc=f"epoch {epoch + 1}", leave=False, disable=not progress)
        ):
            done = (epoch + step / steps) / recipe.epochs
            for group in self.optimiser.param_groups:
                group["lr"] = recipe.rate * recipe.schedule(done)
            self.model.eval()
            self.learning.train()
            with torch.autocast(
                self.device.type, torch.bfloat16, enabled=recipe.bf16 and computes_bf16(self.device.type)
            ):
                terms = self.objective(self.model, Batch(recipe.augment(x, noise), y, done, noise))
            loss = torch.stack(list(terms.values())).sum()
            if not loss.isfinite():
                raise self.diverged(f"the loss is {loss.item()} in epoch {epoch + 1}, step {step + 1}")
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.average.update_parameters(self.model)
            for name, value in terms.items():
                totals[name] = totals.get(name, torch.zeros_like(value)) + value.detach() / steps
        if not all(weights.isfinite().all() for weights in self.model.state_dict().values()):
            raise self.diverged(f"the weights hold NaN or infinity after epoch {epoch + 1}")
        return {name: float(total) for name, total in totals.items()}

    def diverged(self, what: str) -> FloatingPointError:
        """The error that ends a run which has left the finite numbers."""
        return FloatingPointError(
            f"Training diverged: {what}. Lower the learning rate (now {self.recipe.rate}) or lengthen the warm-up. "
            "The folder of the run, where there is one, keeps the earlier epochs."
        )

    def validate(self, validation: Split) -> dict[str, float]:
        """Accuracies of the averaged weights, and the score that picks the best epoch."""
        attacks = {} if self.recipe.validation is None else {"robust": self.recipe.validation}
        report = evaluate(
            self.average.module, validation, attacks, batch_size=500, seed=self.recipe.seed, progress=False
        )
        figures = {f"{name} accuracy": report[name].accuracy for name in report.correct}  # "clean" may be a term's name
        return {**figures, "score": figures.get("robust accuracy", figures["clean accuracy"])}

    def close_epoch(self, row: dict[str, float]) -> None:
        """Note the epoch, and keep its weights if it is the best so far."""
        if not self.history or row["score"] > max(earlier["score"] for earlier in self.history):
            self.best = deepcopy(self.average.module.state_dict())
        self.history.append(row)

    def save(self, path: Path) -> None:
        """Write everything that the next epoch depends on."""
        parameters = dict(self.model.named_parameters())
        momentum = {
            n: self.optimiser.state[p]["momentum_buffer"] for n, p in parameters.items() if p in self.optimiser.state
        }
        parts = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "best": self.best,
            "momentum": momentum,
        }
        tensors = {f"{part}/{name}": t for part, named in parts.items() for name, t in named.items()}
        tensors = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
        with whole_file(path) as part:
            save_file(tensors, part, {"recipe": repr(self.recipe), "history": json.dumps(self.history)})

    def restore(self, path: Path) -> None:
        """Take up the run that ``path`` holds."""
        with safe_open(path, framework="pt", device=str(self.device)) as file:
            notes: dict[str, Any] = file.metadata() or {}
            if notes.get("recipe") != repr(self.recipe):
                raise ValueError(
                    f"{path.parent} holds a run of another recipe. Choose another folder, or delete it to start anew.\n"
                    f"  there: {notes.get('recipe')}\n  asked: {self.recipe}"
                )
            parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "momentum": {}}
            for key in file.keys():  # noqa: SIM118  (a safetensors file is no dictionary)
                part, name = key.split("/", 1)
                parts[part][name] = file.get_tensor(key)
        self.model.load_state_dict(parts["model"])
        self.average.load_state_dict(parts["average"])
        self.best = parts["best"]
        parameters = dict(self.model.named_parameters())
        for name, momentum in parts["momentum"].items():
            self.optimiser.state[parameters[name]]["momentum_buffer"] = momentum
        self.history = json.loads(notes["history"])

    def with_weights(self, weights: dict[str, Tensor]) -> Classifier:
        """A copy of the network with these weights, ready for use."""
        model = deepcopy(self.model)
        model.load_state_dict(weights)
        return model.requires_grad_().eval()
