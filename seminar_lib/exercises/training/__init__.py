"""The checks of lesson 04: a step of adversarial training, TRADES, and two ways to read a training's history."""

from seminar_lib.exercises.training.checkpoint import check_checkpoint
from seminar_lib.exercises.training.collapse import check_collapse
from seminar_lib.exercises.training.step import check_step
from seminar_lib.exercises.training.trades import check_trades

__all__ = ["check_checkpoint", "check_collapse", "check_step", "check_trades"]
