"""The built-in data set: 16 road signs, photographed by a program, 32x32 RGB.

It needs no download, its every picture can be made again, and it knows where in the picture the sign is. Left and
right are different classes, so pictures of it must not be mirrored for training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seminar_lib.data.signs.faces import CLASSES
from seminar_lib.data.signs.rendering import photographs
from seminar_lib.data.signs.scene import Conditions

if TYPE_CHECKING:  # torch takes seconds to import, and the processes that render import this package but need no torch
    from torch import Tensor

    from seminar_lib.data.dataset import Dataset, Split

__all__ = ["CLASSES", "Conditions", "render", "signs"]

VERSION = 1  # raise it with any change that changes a picture: caches and checkpoints belong to one version
SIZES = {"train": 12_000, "validation": 960, "test": 2_000}  # multiples of 16: each class equally often
MEAN, STD = (0.388, 0.375, 0.380), (0.189, 0.187, 0.201)
_FRESH = len(SIZES)  # the splits are the series 0, 1, 2; what lessons render is series 3


def signs() -> Dataset:
    """The data set ``signs``: 12,000 training, 960 validation and 2,000 test images, all classes equally often.

    A split is rendered when it is first asked for (seconds, on all cores), then read from the cache. Its extras are
    ``"mask"``, bool (N, 32, 32), true on the sign, and ``"box"``, int64 (N, 4), the columns and rows of the sign as
    x0, y0, x1, y1, so that the sign lies in ``image[:, y0:y1, x0:x1]``.
    """
    from seminar_lib.data.dataset import Dataset

    return Dataset("signs", CLASSES, MEAN, STD, _read)


def render(names: Sequence[str], seed: int = 0, conditions: Conditions | None = None) -> Split:
    """Fresh images, in none of the splits: one of each sign in ``names``, for example ``["stop"] * 8``.

    Args:
        names: a class name, of ``CLASSES``, for each image.
        seed: another seed, other images; not negative.
        conditions: weather, pose and camera; by default those of the data set.

    Raises:
        ValueError: there is no name, or one that is not a class.
    """
    if isinstance(names, str) or not names:
        raise ValueError(f"render takes a list with one class name per image; got {names!r}. For one image: ['stop'].")
    return _split(_tensors(names, (VERSION, _FRESH, seed), conditions or Conditions()))


def _read(split: str) -> Split:
    from seminar_lib.data.cache import remember

    if split not in SIZES:
        raise ValueError(f"A split is one of {', '.join(SIZES)}; got {split!r}.")
    names = [CLASSES[i % len(CLASSES)] for i in range(SIZES[split])]
    key = (VERSION, list(SIZES).index(split))
    return _split(remember(f"signs-{VERSION}-{split}", lambda: _tensors(names, key, Conditions())))


def _tensors(names: Sequence[str], key: tuple[int, ...], conditions: Conditions) -> dict[str, Tensor]:
    import torch

    images, masks = photographs(names, key, conditions)
    arrays = {
        "images": images,
        "labels": np.array([CLASSES.index(name) for name in names]),
        "mask": masks,
        "box": np.stack([_box(mask) for mask in masks]),
    }
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _box(mask: np.ndarray) -> np.ndarray:
    """The smallest box around the true part of ``mask`` (H, W): x0, y0, x1, y1, the last two exclusive."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def _split(tensors: dict[str, Tensor]) -> Split:
    from seminar_lib.data.dataset import Split

    return Split(tensors["images"], tensors["labels"], {name: tensors[name] for name in ("mask", "box")})
