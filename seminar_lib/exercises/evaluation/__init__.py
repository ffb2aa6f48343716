"""The checks of lesson 03: the worst case, an interval, a loss without a scale, and random search."""

from seminar_lib.exercises.evaluation.interval import check_interval
from seminar_lib.exercises.evaluation.scale import check_loss
from seminar_lib.exercises.evaluation.search import check_search
from seminar_lib.exercises.evaluation.worst import check_worst_case

__all__ = ["check_interval", "check_loss", "check_search", "check_worst_case"]
