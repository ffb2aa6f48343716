"""Who is examined: a model with images that it gets right, and the attack that is to be judged on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from seminar_lib.attacks import APGD
from seminar_lib.goals import Misclassify
from seminar_lib.types import Images, Model


@dataclass(frozen=True)
class Patient:
    """What every check is given.

    Attributes:
        goal: any wrong label of the model.
        x: images that the model gets right.
        attack: the attack with gradients that is to be judged.
        queries: of the attack without gradients that is compared with it.
        surrogate: another model of the same task, where there is one.
        seed: of all random numbers.
    """

    goal: Misclassify
    x: Images
    attack: APGD
    queries: int
    surrogate: Model | None
    seed: int

    def generator(self, seed: int = 0) -> torch.Generator:
        """A stream of random numbers; another ``seed``, another stream."""
        return torch.Generator(self.x.device).manual_seed(self.seed + seed)
