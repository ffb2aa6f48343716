"""A training run between two epochs: the step, the epoch, the validation.

The random numbers of an epoch depend only on the seed and the epoch, so a run that was killed and resumed ends with the
same bits on a CPU as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from statistics import fmean
from typing import TypeAlias, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from seminar_lib.attacks import Attack
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.device import computes_bf16
from seminar_lib.evaluation import evaluate, mean_loss
from seminar_lib.models import Classifier, ImageArchitecture, Network
from seminar_lib.objectives import Batch
from seminar_lib.train.processes import Processes
from seminar_lib.train.recipe import OPTIMISERS, PARTS, Recipe

Watch: TypeAlias = Callable[[list[dict[str, float]]], object]  # given the history so far

WATCH_SECONDS = 5.0  # between two looks within an epoch


class Run:
    """The network, its average, the optimiser, and what happened so far."""

    def __init__(self, recipe: Recipe, data: Dataset, processes: Processes, earlier: tuple[Network, ...]) -> None:
        self.recipe, self.data, self.processes, self.device = recipe, data, processes, processes.device
        self.bf16 = recipe.bf16 and computes_bf16(self.device.type)
        self.model = self.network()
        if not isinstance(self.model, recipe.objective.network):
            raise ValueError(
                f"{recipe.objective} trains a {recipe.objective.network.__name__}; {recipe.model} is a "
                f"{type(self.model).__name__}."
            )
        if earlier:
            self.model.load_state_dict(earlier[-1].state_dict())
        # An objective may attack an earlier network, which is as much work as attacking this one.
        self.objective = recipe.objective.begin(tuple(processes.spread(deepcopy(model)) for model in earlier))
        self.learning = PARTS[recipe.trains](self.model.requires_grad_(False)).requires_grad_()
        processes.spread(self.model)
        # Without an average, the "average" is the latest weights: decay 0.
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema or 0.0), use_buffers=True)
        self.optimiser = OPTIMISERS[recipe.optimiser](
            self.learning.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
        )
        self.best: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []

    def network(self) -> Network:
        """The network with its initial weights."""
        architecture, data = self.recipe.model, self.data
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.recipe.seed)  # GPUs keep the caller's numbers, too
            model: Network = (
                architecture.build(len(data.mean))
                if isinstance(architecture, ImageArchitecture)
                else architecture.build(len(data.classes), data.mean, data.std)
            )
        return model.to(self.device).to(memory_format=torch.channels_last)

    def epoch(self, train: Split, progress: bool, watch: Watch | None = None) -> dict[str, float]:
        """One pass over the training images; returns the mean of each term over them.

        Raises:
            FloatingPointError: loss or weights are no longer finite.
        """
        recipe, epoch = self.recipe, len(self.history)
        seed = 1_000_003 * recipe.seed + 2 * epoch
        order, noise = torch.Generator().manual_seed(seed), torch.Generator(self.device).manual_seed(seed + 1)
        steps = math.ceil(len(train) / recipe.batch_size)
        seen: dict[str, list[tuple[int, Tensor]]] = {}
        told = time.perf_counter()
        batches = train.batches(recipe.batch_size, order)
        for step, (x, y) in enumerate(
            tqdm(batches, total=steps, desc=f"epoch {epoch + 1}", leave=False, disable=not progress)
        ):
            batch = Batch(recipe.augment(x, noise), y, (epoch + step / steps) / recipe.epochs, noise)
            for name, value in self.step(batch, f"epoch {epoch + 1}, step {step + 1}").items():
                seen.setdefault(name, []).append((len(x), value))
            if watch and step + 1 < steps and time.perf_counter() - told > WATCH_SECONDS:
                watch([*self.rows(), {"epoch": epoch + (step + 1) / steps, **means(seen)}])
                told = time.perf_counter()
        if not all(weights.isfinite().all() for weights in self.model.state_dict().values()):
            raise self.diverged(f"the weights hold NaN or infinity after epoch {epoch + 1}")
        return means(seen)

    def step(self, batch: Batch, where: str) -> dict[str, Tensor]:
        """One step of the optimiser and of the average; returns the terms without their gradients.

        Raises:
            FloatingPointError: the loss is not finite; ``where`` says when that was.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * self.recipe.schedule(batch.progress)
        self.model.eval()
        self.learning.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            terms = self.objective.terms(self.model, self.objective.prepare(self.model, batch))
        torch.clear_autocast_cache()  # within another autocast it would keep the weights of this step for the next one
        loss = torch.stack(list(terms.values())).sum()
        if not loss.isfinite():
            raise self.diverged(f"the loss is {loss.item()} in {where}")
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.average.update_parameters(self.model)
        return {name: value.detach() for name, value in terms.items()}

    def diverged(self, what: str) -> FloatingPointError:
        """The error that ends a run which has left the finite numbers."""
        return FloatingPointError(
            f"Training diverged: {what}. Lower the learning rate (now {self.recipe.rate}) or lengthen the warm-up. "
            "The folder of the run, where there is one, keeps the earlier epochs."
        )

    def validate(self, validation: Split) -> dict[str, float]:
        """Accuracies of the averaged weights, or their loss, and the score that picks the best epoch."""
        model = cast(Network, self.average.module)
        if not isinstance(model, Classifier):
            loss = mean_loss(model, validation, self.objective, self.recipe.seed)
            return {"validation loss": loss, "score": -loss}
        picks = self.recipe.validation
        attacks = {"robust": picks} if isinstance(picks, Attack) else {}
        report = evaluate(model, validation, attacks, batch_size=500, seed=self.recipe.seed, progress=False)
        figures = {f"{name} accuracy": report[name].accuracy for name in report.correct}  # "clean" may be a term's name
        best = figures.get("robust accuracy", figures["clean accuracy"])
        return {**figures, "score": float(len(self.history)) if picks == "last" else best}

    def close_epoch(self, row: dict[str, float]) -> None:
        """Note the epoch, and keep its weights if it is the best so far."""
        if not self.history or row["score"] > max(earlier["score"] for earlier in self.history):
            self.best = deepcopy(self.average.module.state_dict())
        self.history.append(row)

    def rows(self) -> list[dict[str, float]]:
        """The history as a copy, for others to keep."""
        return [dict(row) for row in self.history]

    def state(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on but the history, by ``part/name``, on the CPU."""
        moments = self.optimiser.state_dict()["state"]  # of each parameter, by number: momentum, Adam's averages
        parts = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "best": self.best,
            "optimiser": {f"{i}/{name}": t for i, named in moments.items() for name, t in named.items()},
        }
        tensors = {f"{part}/{name}": t for part, named in parts.items() for name, t in named.items()}
        return {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}

    def resume(self, state: dict[str, Tensor], history: list[dict[str, float]]) -> None:
        """Go on from what ``state`` returned and the history of that moment."""
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "optimiser": {}}
        for key, tensor in state.items():
            part, name = key.split("/", 1)
            parts[part][name] = tensor.to(self.device)
        self.model.load_state_dict(parts["model"])
        self.average.load_state_dict(parts["average"])
        self.best = parts["best"]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in parts["optimiser"].items():
            i, name = key.split("/")
            moments.setdefault(int(i), {})[name] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": moments})
        self.history = history

    def with_weights(self, weights: dict[str, Tensor]) -> Network:
        """A network of its own with these weights, ready for use."""
        model = self.network()
        model.load_state_dict(weights)
        return model.eval()


def means(seen: Mapping[str, list[tuple[int, Tensor]]]) -> dict[str, float]:
    """The mean over the images of each term, from its batches: their sizes and their means.

    The last batch of an epoch may be a single image, which counts as one. A batch that lacks the term does not count.
    """
    found = {}
    for name, batches in seen.items():
        sizes, values = zip(*batches, strict=True)
        found[name] = fmean(torch.stack(values).tolist(), sizes)
    return found
