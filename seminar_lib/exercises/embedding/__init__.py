"""The checks of lesson 08: alignment, a vote of neighbours, a common frame, and what a map can be asked."""

from seminar_lib.exercises.embedding.alignment import check_alignment
from seminar_lib.exercises.embedding.reading import check_reading
from seminar_lib.exercises.embedding.turn import check_turn
from seminar_lib.exercises.embedding.vote import check_vote

__all__ = ["check_alignment", "check_reading", "check_turn", "check_vote"]
