"""The demo of detection: what is computed (``scene``), how it looks (``drawing``), its controls (``demo``)."""

from seminar_lib.widgets.detection.demo import DetectionDemo

__all__ = ["DetectionDemo"]
