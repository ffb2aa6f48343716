"""The demo of lesson 12: guesses (``quiz``), measurements (``symptoms``), their looks (``drawing``), the controls."""

from seminar_lib.widgets.masking.demo import MaskingDemo

__all__ = ["MaskingDemo"]
