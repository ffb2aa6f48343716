"""Data sets and their splits: images that already sit in memory.

Images are stored as bytes and turned into floats in [0, 1] a batch at a time, on whatever device the split was moved
to: 32x32 images are so small that a data-loading process would cost more than the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from seminar_lib.checks import check_seed


def as_float(images: Tensor) -> Tensor:
    """Bytes (B, C, H, W) to floats in [0, 1], in the channels-last layout that convolutions are fastest on."""
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    Attributes:
        images: uint8 (N, C, H, W), values 0 to 255.
        labels: int64 (N,), class indices.
        extras: further tensors with one row per image, by name (signs: ``"mask"`` and ``"box"``).

    Raises:
        ValueError: images or labels have another type or shape, or there is not one row of everything per image.
    """

    images: Tensor
    labels: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"A split holds uint8 images (N, C, H, W); got {self.images.dtype} {tuple(self.images.shape)}. "
                "Floats in [0, 1] become bytes with (255 * x).round().to(torch.uint8)."
            )
        if self.labels.dtype != torch.int64 or self.labels.ndim != 1:
            raise ValueError(
                f"A split holds int64 labels (N,); got {self.labels.dtype} {tuple(self.labels.shape)}. "
                "Convert: labels.long()."
            )
        for name, rows in {"labels": self.labels, **self.extras}.items():
            if len(rows) != len(self.images):
                raise ValueError(
                    f"A split needs one row of {name!r} per image: {len(self.images)} images, {len(rows)} rows."
                )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | Tensor) -> Split:
        """The chosen rows as a new split; ``rows`` is a slice, an index tensor or a mask."""
        return Split(self.images[rows], self.labels[rows], {name: t[rows] for name, t in self.extras.items()})

    def to(self, device: torch.device | str) -> Split:
        """The same split in the memory of ``device``."""
        moved = {name: t.to(device) for name, t in self.extras.items()}
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), extras=moved)

    @property
    def x(self) -> Tensor:
        """All images as floats in [0, 1], (N, C, H, W)."""
        return as_float(self.images)

    @property
    def y(self) -> Tensor:
        """All labels, int64 (N,)."""
        return self.labels

    def sample(self, n: int, seed: int = 0) -> Split:
        """A random subset of ``n`` images, the same for the same seed; all of them when ``n`` is not smaller.

        Raises:
            TypeError: ``n`` or ``seed`` is no whole number.
            ValueError: ``n`` is below 1, or ``seed`` has more than 64 bits.
        """
        if not hasattr(n, "__index__"):  # as NumPy's integers have, and texts and broken numbers have not
            raise TypeError(f"A sample takes a whole number of images; got n={n!r}.")
        if n < 1:
            raise ValueError(f"A sample needs at least one image; got n={n}.")
        check_seed(seed)
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return self[order[:n].to(self.images.device)]

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs (x in [0, 1], y) of at most ``size`` rows; shuffled when a generator (on the CPU) is given.

        Raises:
            ValueError: ``size`` is below 1; when the first pair is taken.
        """
        if size < 1:
            raise ValueError(f"A batch needs at least one image; got size={size}.")
        order = torch.arange(len(self)) if generator is None else torch.randperm(len(self), generator=generator)
        for rows in torch.split(order.to(self.images.device), size):
            yield as_float(self.images[rows]), self.labels[rows]


@dataclass(frozen=True)
class Dataset:
    """A named data set; each split is read or rendered when it is first asked for.

    Attributes:
        name: as given to ``load_data``.
        classes: class names in label order.
        mean, std: channel statistics of the training images in [0, 1]; models normalise with them.
        read: maps ``"train"``, ``"validation"`` or ``"test"`` to the split.
    """

    name: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    read: Callable[[str], Split] = field(repr=False, compare=False)

    @cached_property
    def train(self) -> Split:
        """Images to learn from."""
        return self.read("train")

    @cached_property
    def validation(self) -> Split:
        """Images that pick checkpoints and settings."""
        return self.read("validation")

    @cached_property
    def test(self) -> Split:
        """Images that only results are measured on."""
        return self.read("test")

    def part(self, classes: Sequence[str], sizes: Mapping[str, int]) -> Dataset:
        """A smaller task, for a training that takes seconds: some of the classes, and fewer images of each split.

        The name stays, and so do the statistics that models normalise with.

        Args:
            classes: some of the class names; their order is that of the new labels.
            sizes: how many images of a split are sampled at most, by its name.

        Raises:
            ValueError: a class is unknown or named twice, or there are fewer than two.
        """
        if unknown := [name for name in classes if name not in self.classes]:
            raise ValueError(f"{self.name} has no class {unknown[0]!r}; its classes are {', '.join(self.classes)}.")
        if len(classes) < 2 or len(set(classes)) < len(classes):
            raise ValueError(f"A task needs two classes or more, each once; got {list(classes)}.")

        def read(name: str) -> Split:
            whole: Split = getattr(self, name)
            relabelled = torch.full((len(self.classes),), -1)
            relabelled[[self.classes.index(each) for each in classes]] = torch.arange(len(classes))
            labels = relabelled[whole.labels]
            return replace(whole, labels=labels)[labels >= 0].sample(sizes[name])

        return replace(self, classes=tuple(classes), read=read)


def check_split(data: object, name: str = "data") -> None:
    """Refuse anything but a split.

    Raises:
        TypeError: it is something else; the message says how to make a split of it.
    """
    if isinstance(data, Dataset):
        raise TypeError(f"{name} must be one split; got the whole data set {data.name!r}. Take its test images: .test.")
    if not isinstance(data, Split):
        raise TypeError(
            f"{name} must be a Split, images with their labels; got {type(data).__name__}. Images x in [0, 1] and "
            "labels y become one with Split((255 * x).round().to(torch.uint8), y)."
        )
