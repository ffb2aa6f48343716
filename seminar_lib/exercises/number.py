"""A plain number in an answer."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from seminar_lib.exercises.marking import Mistake


def number(value: Any, what: str) -> float:
    """The number that a student returned, finite; otherwise a sentence that calls it ``what``."""
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Mistake(f"{what} must be a number; you return {value!r}.")
    return float(value)
