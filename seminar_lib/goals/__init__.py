"""Goals: what the adversary wants inside the threat model.

A goal scores images: a loss to climb and whether the adversary has won. An attack sees nothing else, so the same PGD
fools a classifier, hits a target class, or pushes an embedding away. An adaptive attack is a new goal, not a new
attack.

A goal belongs to a batch: example i of ``goal(x)`` is judged against label i. ``goal[rows]`` is the same goal for
some of the examples, so that an attack can stop spending time on images that already fool the model.
"""

from __future__ import annotations

from seminar_lib.goals.base import Goal, Score
from seminar_lib.goals.combined import Both, Expectation
from seminar_lib.goals.embeddings import Contrast, Crowd, Leave
from seminar_lib.goals.labels import Diverge, Misclassify, Reach, Towards
from seminar_lib.goals.recorded import Look, Recorded
from seminar_lib.goals.scores import StayUnder

__all__ = [
    "Both",
    "Contrast",
    "Crowd",
    "Diverge",
    "Expectation",
    "Goal",
    "Leave",
    "Look",
    "Misclassify",
    "Reach",
    "Recorded",
    "Score",
    "StayUnder",
    "Towards",
]
