"""A goal about a detector's score: below the threshold where it raises the alarm."""

from __future__ import annotations

from dataclasses import dataclass

from seminar_lib.goals.base import Goal, Score
from seminar_lib.types import Images, Model


@dataclass(frozen=True, eq=False)
class StayUnder(Goal):
    """A score that raises no alarm: won where it is at most the threshold, and the loss is how far below it is.

    Together with ``Misclassify`` it is the adaptive attack on a classifier with a detector; ``Both`` adds their losses.

    Attributes:
        score: images to one number each, (B,), high where they are suspicious, such as ``detector.score``.
        threshold: the highest score without an alarm.
    """

    score: Model
    threshold: float

    def __call__(self, x: Images) -> Score:
        room = self.threshold - self.score(x)
        return Score(room, room >= 0)
