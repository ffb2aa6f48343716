"""Training objectives: named terms whose sum is the loss."""

from seminar_lib.objectives.adversarial import AdversarialTraining
from seminar_lib.objectives.base import Batch, Objective
from seminar_lib.objectives.cross_entropy import CrossEntropy

__all__ = ["AdversarialTraining", "Batch", "CrossEntropy", "Objective"]
