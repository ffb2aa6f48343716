"""A small network with a card, and the random images that it names: what a benchmark measures in a test."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

from seminar_lib.checkpoints import save
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.models import SmallCNN

MEAN, STD = (0.5,) * 3, (0.25,) * 3


def small(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: ModuleType,
    images: int,
    reads: ModuleType | None = None,
    width: int = 4,
) -> str:
    """The path of weights in ``folder`` that a benchmark takes for those of any network, on the CPU.

    Args:
        folder: where to save them.
        monkeypatch: undoes what is changed.
        program: the benchmark.
        images: how many there are.
        reads: the module that loads the data set, where ``program`` leaves it to another.
        width: of the network.
    """
    split = Split(torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8), torch.arange(images) % 10)
    data = {"noise": Dataset("noise", tuple("0123456789"), MEAN, STD, lambda name: split)}
    monkeypatch.setattr(reads or program, "load_data", data.__getitem__)
    monkeypatch.setattr(program, "best_device", lambda: torch.device("cpu"))
    save(folder / "small", SmallCNN(width).build(10, MEAN, STD), SmallCNN(width), {"dataset": "noise"})
    return str(folder / "small")
