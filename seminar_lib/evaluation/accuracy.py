"""A share of correct answers never goes without the number of images behind it and an interval."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest

from seminar_lib.types import Flags


@dataclass(frozen=True)
class Accuracy:
    """A share of correct answers with its 95 % interval (Wilson, JASA 1927), all in [0, 1]."""

    accuracy: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, correct: Flags) -> Accuracy:
        """Count the outcomes of n images.

        Raises:
            ValueError: there are none.
        """
        k, n = int(correct.sum()), len(correct)
        if n == 0:
            raise ValueError("An accuracy needs at least one image; got none.")
        interval = binomtest(k, n).proportion_ci(method="wilson")
        return cls(k / n, float(interval.low), float(interval.high), n)

    def __str__(self) -> str:
        return f"{self.accuracy:.1%} [{self.low:.1%}, {self.high:.1%}]"
