"""Attacks on a network that stands still, in the place of attacks on the one that is being trained.

The images that such an attack finds are the same ones throughout the training: the network learns to read them, and
nobody looks for others that fool the network as it has become. This is the difference between resisting a transfer and
resisting an attack; what is trained so has to be measured by both.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace

from seminar_lib.goals import Goal, Misclassify
from seminar_lib.models import Classifier
from seminar_lib.objectives.base import Batch
from seminar_lib.objectives.minmax import MinMax


@dataclass(frozen=True)
class AgainstSurrogate(MinMax):
    """An objective whose attack fools another network, the surrogate.

    Attributes:
        surrogate: the network under attack. Recipes leave it open: ``begin`` then takes a copy of what the first stage
            ended with, which ``Trained.earlier`` holds for the transfer test afterwards. It is no part of how the
            objective prints or compares: a network given here has to be told in words.

    Raises:
        ValueError: as ``MinMax``; at the beginning of a training there is neither a surrogate nor a stage before.
    """

    surrogate: Classifier | None = field(default=None, kw_only=True, repr=False, compare=False)

    def begin(self, earlier: tuple[Classifier, ...]) -> AgainstSurrogate:
        if self.surrogate is None and not earlier:
            raise ValueError(self._missing())
        # Not the latest network: in a third stage that is the one to defend.
        return replace(self, surrogate=deepcopy(self.surrogate or earlier[0]))

    def goal(self, model: Classifier, batch: Batch) -> Goal:
        if self.surrogate is None:
            raise ValueError(self._missing())
        return Misclassify(self.surrogate, batch.y, self.attack.loss)

    def _missing(self) -> str:
        return (
            f"{type(self).__name__} attacks a network that stands still, and there is none: give its recipe a stage "
            "before, Recipe(start=...), or the objective a surrogate."
        )
