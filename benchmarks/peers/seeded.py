"""Peers that bring a seed of their own, the same at each call, take the one that the benchmark has set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from seminar_lib.types import Images, Labels


def seeded(theirs: Any, run: Callable[[Images, Labels], Images]) -> Callable[[Images, Labels], Images]:
    """``run``, with the seed of PyTorch's global stream in the place of that of ``theirs``."""

    def call(x: Images, y: Labels) -> Images:
        theirs.seed = torch.initial_seed()
        return run(x, y)

    return call
