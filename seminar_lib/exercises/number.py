"""A plain number in an answer, whether it comes from Python, numpy or torch."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from torch import Tensor

from seminar_lib.exercises.marking import Mistake


def number(value: Any, what: str) -> float:
    """The number that a student returned, finite; otherwise a sentence that calls it ``what``."""
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise Mistake(f"{what} must be a number; you return {value!r}.")
    return float(value)


def whole(value: Any) -> int | None:
    """The whole number that a student returned; None for everything else."""
    value = _plain(value)
    return None if isinstance(value, bool) or not isinstance(value, Integral) else int(value)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
