"""The demo of a certificate: what is counted (``scene``), how it looks (``drawing``), its controls (``demo``)."""

from seminar_lib.widgets.smoothing.demo import SmoothingDemo

__all__ = ["SmoothingDemo"]
