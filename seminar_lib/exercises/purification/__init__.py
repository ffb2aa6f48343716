"""The checks of lesson 10: the way around a purifier, a step into noise, three ways to judge draws, and a table."""

from seminar_lib.exercises.purification.around import check_around
from seminar_lib.exercises.purification.draws import check_draws
from seminar_lib.exercises.purification.forward import check_forward
from seminar_lib.exercises.purification.reading import check_reading

__all__ = ["check_around", "check_draws", "check_forward", "check_reading"]
