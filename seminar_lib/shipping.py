"""From a trained network to weights with a card: measure on the test images, write what was done beside the weights."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.checkpoints import load, save
from seminar_lib.data.dataset import Dataset
from seminar_lib.device import describe
from seminar_lib.evaluation import evaluate, mean_loss, versions
from seminar_lib.models import Classifier, Network
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe, Trained

MEASURED = {"fgsm": FGSM(Linf(8 / 255)), "pgd20": PGD(Linf(8 / 255), steps=20, step_size=2 / 255)}


def ship(
    path: Path,
    recipe: Recipe,
    trained: Trained,
    data: Dataset,
    command: str,
    device: torch.device,
    bits: int = 16,
) -> dict[str, Any]:
    """Write the best model of a run to ``path`` with its card, and return the card.

    The figures of the card are measured on all test images, for the best and for the last epoch, on the weights as
    they are stored, so that whoever loads them finds the same numbers. They are accuracies, or the loss of a network
    that does not classify.

    Args:
        path: where to write, without suffix.
        recipe: what was run.
        trained: what it ended with.
        data: what it was trained on.
        command: how to do it again.
        device: where to measure.
        bits: of each weight, as ``save`` takes them.
    """
    how = "the last" if recipe.validation == "last" else "best on the validation images"
    card = {
        "dataset": data.name,
        "recipe": repr(recipe),
        "reproduce": command,
        "chosen": f"epoch {trained.best_epoch} of {len(trained.history)}, {how}",
        "training": {
            "seconds": round(trained.seconds),
            "device": describe(device),
            "versions": versions(),
        },
        "test": {
            "best": _measure(trained.best, recipe, data, device, bits),
            "last": _measure(trained.last, recipe, data, device, bits),
        },
        "history": _rounded(trained),
        **({"earlier stages": [_rounded(stage) for stage in trained.earlier]} if trained.earlier else {}),
    }
    save(path, trained.best, recipe.model, card, bits=bits, projector=recipe.projects)
    return card


def _rounded(trained: Trained) -> list[dict[str, float]]:
    """The history in four digits; the number of an epoch is whole and stays so."""
    return [
        {name: value if isinstance(value, int) else float(f"{value:.4g}") for name, value in row.items()}
        for row in trained.history
    ]


def _measure(model: Network, recipe: Recipe, data: Dataset, device: torch.device, bits: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        save(Path(folder) / "model", model, recipe.model, {}, bits=bits)
        stored, _ = load(Path(folder) / "model", device)
    if not isinstance(stored, Classifier):
        return {"loss": round(mean_loss(stored, data.test.to(device), recipe.objective, recipe.seed), 5)}
    return evaluate(stored, data.test.to(device), MEASURED, seed=recipe.seed).as_dict()
