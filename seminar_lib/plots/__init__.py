"""Still pictures; they draw what they are given and run no model."""

from seminar_lib.plots.images import gallery, probability_bars, triptych
from seminar_lib.plots.maps import before_after, embedding_map, map_by_class
from seminar_lib.plots.style import BLUE, GREY, INK, RIGHT, VERMILLION, WRONG
from seminar_lib.plots.training import training_curve

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "RIGHT",
    "VERMILLION",
    "WRONG",
    "before_after",
    "embedding_map",
    "gallery",
    "map_by_class",
    "probability_bars",
    "training_curve",
    "triptych",
]
