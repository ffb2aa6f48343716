"""The data sets of the seminar, by name.

This package imports nothing heavy: the processes that render signs import it too, and need no PyTorch.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seminar_lib.data.dataset import Dataset

NAMES = ("signs", "cifar10", "mnist", "fashion_mnist")


def load_data(name: str | None = None, source: str | Path | None = None) -> Dataset:
    """The data set of that name.

    Nothing is read, rendered or downloaded before a split is asked for: ``load_data("cifar10").test`` is what fetches
    it.

    Args:
        name: one of ``NAMES``; by default what the environment variable SEMINAR_DATASET says, else the signs, which are
            rendered here and need no network.
        source: for the other data sets, a folder or archive to take them from; default: wherever they can be had.
            Only consulted when the data set is not in the cache yet.

    Raises:
        ValueError: there is no such data set, or ``source`` is given for the signs.
    """
    name = name or os.environ.get("SEMINAR_DATASET") or "signs"
    if name == "signs":
        if source is not None:
            raise ValueError(f"The signs are rendered on this machine and take no source; got source={str(source)!r}.")
        from seminar_lib.data.signs import signs

        return signs()
    if name == "cifar10":
        from seminar_lib.data.cifar10 import CIFAR10

        return CIFAR10.dataset(source)
    if name == "mnist":
        from seminar_lib.data.mnist import MNIST

        return MNIST.dataset(source)
    if name == "fashion_mnist":
        from seminar_lib.data.mnist import FASHION_MNIST

        return FASHION_MNIST.dataset(source)
    close = get_close_matches(name.lower().replace("-", "_"), NAMES, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"There is no data set {name!r}; the names are {', '.join(NAMES)}.{hint}")
