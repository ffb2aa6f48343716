"""The first demo of lesson 02: what is computed (``scene``), how it looks (``drawing``), its controls (``demo``)."""

from seminar_lib.widgets.trajectory.demo import TrajectoryDemo

__all__ = ["TrajectoryDemo"]
