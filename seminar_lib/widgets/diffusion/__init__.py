"""The demo of purification: what is computed (``scene``), how it looks (``drawing``), its controls (``demo``)."""

from seminar_lib.widgets.diffusion.demo import DiffusionDemo

__all__ = ["DiffusionDemo"]
