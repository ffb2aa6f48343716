"""Many photographs at once, on all cores; each depends on its own number alone, so any part can be rendered by itself.

The processes that render import this module and what it needs, which is why none of it imports torch.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from types import ModuleType

import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from numpy.typing import NDArray
from tqdm.auto import tqdm

from seminar_lib.data.signs.scene import Conditions, photograph

_CHUNK = 40  # photographs per errand: about 0.1 s
_WORTH_PROCESSES = 400  # fewer photographs than this are done before new processes have started

Arrays = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def photographs(
    names: Sequence[str], key: tuple[int, ...], conditions: Conditions, start: int = 0, workers: int | None = None
) -> Arrays:
    """Photographs of the signs ``names``.

    Photograph ``start + i`` shows ``names[i]`` and depends on ``key``, its number and the conditions, on nothing else:
    not on how many are made, nor by how many workers.

    Args:
        names: a class name for each photograph.
        key: numbers that tell this series of photographs from others.
        conditions: what to draw pose, weather and camera from.
        start: the number of the first photograph.
        workers: processes; by default one per core, and none besides this one when there are few photographs.

    Returns:
        Images, uint8 (N, 3, 32, 32), and masks, bool (N, 32, 32).
    """
    if workers is None:
        workers = min(os.cpu_count() or 1, 16) if len(names) >= _WORTH_PROCESSES else 1
    chunks = [(start + first, names[first : first + _CHUNK]) for first in range(0, len(names), _CHUNK)]
    make = partial(_chunk, key=key, conditions=conditions)
    parts = []
    with tqdm(total=len(names), desc="rendering signs", unit="image", leave=False) as bar:
        for part in map(make, chunks) if workers == 1 else _in_parallel(make, chunks, workers):
            parts.append(part)
            bar.update(len(part[0]))
    images, masks = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), masks


def _chunk(errand: tuple[int, Sequence[str]], key: tuple[int, ...], conditions: Conditions) -> Arrays:
    """The photographs of one errand (the number of the first, and the signs): images (n, 32, 32, 3) and masks."""
    first, names = errand
    made = [
        photograph(Generator(Philox(SeedSequence((*key, first + i)))), name, conditions) for i, name in enumerate(names)
    ]
    return np.stack([p.image for p in made]), np.stack([p.mask for p in made])


def _in_parallel(make: partial[Arrays], chunks: list[tuple[int, Sequence[str]]], workers: int) -> Iterator[Arrays]:
    """``map(make, chunks)`` in new processes, which leave Ctrl-C to this one."""
    initialise = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=initialise) as pool:
        with _main_hidden():
            results = pool.map(make, chunks)
        yield from results


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Hide the running script from the processes started meanwhile.

    A new process imports the script that started it, and so would run a lesson's script, training and all, once more
    unless everything in it stands under ``if __name__ == "__main__"``. Rendering needs nothing of the script.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
