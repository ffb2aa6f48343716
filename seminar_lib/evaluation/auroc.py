"""AUROC: how often a detector finds the attacked image of two the more suspicious, with an interval.

Mann & Whitney, Annals of Mathematical Statistics 1947; as the area under the ROC curve Hanley & McNeil, Radiology 1982:

    AUROC = P(score of an attacked image > score of a clean one) + P(equal) / 2

0.5 is a guess, 1 perfect; below 0.5 the attacked images look more innocent than the clean ones. It needs no threshold,
and says nothing about any: an attack that stops just below a threshold is never caught there and leaves a high AUROC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from scipy.optimize import brentq
from torch import Tensor

Z = 1.959964  # 95 % of a normal variable lie within so many deviations
EDGE = 1e-12


@dataclass(frozen=True)
class AUROC:
    """An area under the ROC curve with its 95 % interval, all in [0, 1].

    The interval is the score interval of Newcombe, Statistics in Medicine 2006, 25:559 (method 5), the relative of
    Wilson's: it has a width even where the classes do not overlap. It takes clean and attacked images for drawn apart.
    Where one is made of the other their scores mostly rise together, and it is wider than it need be.

    Attributes:
        auroc, low, high: the area and its interval.
        clean, attacked: how many images of each kind stand behind it.
    """

    auroc: float
    low: float
    high: float
    clean: int
    attacked: int

    @classmethod
    def of(cls, clean: Float[Tensor, " M"], attacked: Float[Tensor, " N"]) -> AUROC:
        """Compare the scores of all pairs.

        Raises:
            ValueError: one of the two kinds is missing.
        """
        m, n = len(clean), len(attacked)
        if not m or not n:
            raise ValueError(f"An AUROC compares clean with attacked images; got {m} clean and {n} attacked.")
        higher = attacked[:, None] > clean
        equal = attacked[:, None] == clean
        area = float(higher.double().mean() + equal.double().mean() / 2)
        return cls(area, _lower(area, m, n), 1 - _lower(1 - area, m, n), m, n)

    def __str__(self) -> str:
        return f"{self.auroc:.3f} [{self.low:.3f}, {self.high:.3f}]"


def _lower(area: float, m: int, n: int) -> float:
    """The smallest area whose own deviation reaches up to ``area``; the upper end is its mirror image."""

    def beyond(true: float) -> float:
        more = (m + n) / 2 - 1
        variance = true * (1 - true) * (1 + more * ((1 - true) / (2 - true) + true / (1 + true))) / (m * n)
        return area - true - Z * math.sqrt(variance)

    return float(brentq(beyond, EDGE, 1 - EDGE)) if beyond(EDGE) > 0 else 0.0
