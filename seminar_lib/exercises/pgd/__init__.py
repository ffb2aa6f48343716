"""The checks of lesson 02: projection, PGD, the length of its steps, and one step of DeepFool."""

from seminar_lib.exercises.pgd.boundary import check_step
from seminar_lib.exercises.pgd.projection import check_projection
from seminar_lib.exercises.pgd.stride import check_stride
from seminar_lib.exercises.pgd.walk import check

__all__ = ["check", "check_projection", "check_step", "check_stride"]
