"""Training objectives: named terms whose sum is the loss."""

from seminar_lib.objectives.adversarial import AdversarialTraining
from seminar_lib.objectives.awp import AWP
from seminar_lib.objectives.base import Batch, Objective
from seminar_lib.objectives.cross_entropy import CrossEntropy
from seminar_lib.objectives.mart import MART
from seminar_lib.objectives.minmax import MinMax
from seminar_lib.objectives.trades import TRADES

__all__ = ["AWP", "MART", "TRADES", "AdversarialTraining", "Batch", "CrossEntropy", "MinMax", "Objective"]
