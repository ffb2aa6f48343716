"""Two accuracies on the same images, compared image by image.

Whether two intervals overlap is a question for networks that saw different images. On the same ones most images count
for both or for neither, and tell nothing. What tells is how the others are split: if the networks were equally good, a
fair coin could have decided each of them (McNemar, Psychometrika 1947; here with the exact binomial probability).
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest

from seminar_lib.types import Flags


@dataclass(frozen=True)
class Paired:
    """How two sets of answers to the same n images differ.

    Attributes:
        first: images that only the first answered rightly.
        second: images that only the second answered rightly.
        n: all images.
    """

    first: int
    second: int
    n: int

    @classmethod
    def of(cls, first: Flags, second: Flags) -> Paired:
        """Compare which images were answered rightly, such as two reports' ``outcomes("pgd20")``.

        Raises:
            ValueError: there are none, or not as many in both.
        """
        if first.shape != second.shape or first.dim() != 1 or not len(first):
            raise ValueError(
                "Paired compares two networks on the same images, one flag for each image; got the shapes "
                f"{tuple(first.shape)} and {tuple(second.shape)}. Evaluate both on the same data."
            )
        return cls(int((first & ~second).sum()), int((second & ~first).sum()), len(first))

    @property
    def difference(self) -> float:
        """The second accuracy minus the first, in [-1, 1]."""
        return (self.second - self.first) / self.n

    @property
    def p(self) -> float:
        """How probable a split at least as uneven is by chance, in [0, 1], if both were equally good.

        It is about the choice of images. What another seed of the same two trainings would give, it does not know.
        """
        split = self.first + self.second
        return float(binomtest(self.first, split).pvalue) if split else 1.0

    def __str__(self) -> str:
        points = f"{100 * self.difference:+.1f} points"
        return f"{points} ({self.first} right by the first alone, {self.second} by the second, p = {self.p:.2g})"
