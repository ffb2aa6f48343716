"""A published data set that is fetched once, checked, and kept in the cache.

The sha256 is that of the decoded arrays and not of an archive, so the same images count as the same whether they came
as a tar archive, a folder or PNG files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from seminar_lib.data.cache import digest, place, recall, remember
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.data.sources import Files, Local, Source

Arrays = dict[str, Tensor]


@dataclass(frozen=True)
class Published:
    """What has to be known of a published data set to fetch it.

    Attributes:
        name: as given to ``load_data``.
        title: as written in a sentence.
        classes: class names in label order.
        mean, std: channel statistics of all published training images in [0, 1].
        files: names of the files to look for.
        decode: makes ``train_images`` and ``test_images``, uint8 (N, C, H, W), and ``train_labels`` and
            ``test_labels``, int64 (N,), of those files; raises ValueError when some are missing or damaged.
        sources: where the files may be had, tried in this order.
        by_hand: what to download when no source can be reached.
        sha256: digest of the decoded arrays.
        validation: how many training images are held out for validation, equally many of each class.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    files: frozenset[str]
    decode: Callable[[Files], Arrays]
    sources: tuple[Source, ...]
    by_hand: str
    sha256: str
    validation: int = 1000

    def dataset(self, source: str | Path | None = None) -> Dataset:
        """The data set; it is fetched when a split is first asked for and not in the cache.

        Args:
            source: a folder or archive to take it from; default: ``$SEMINAR_<NAME>``, or the first of ``sources``
                that works.
        """

        @cache
        def splits() -> Mapping[str, Split]:
            if (arrays := recall(self.name, self.sha256)) is None:
                arrays = remember(self.name, lambda: self.fetch(source), self.sha256)
            elif source:  # whoever names it expects it to be read
                kept = f"{self.title} is in the cache already, whole and unaltered ({place(self.name)})"
                tqdm.write(f"{kept}; {source} was not looked at.", file=sys.stderr)
            train = Split(arrays["train_images"], arrays["train_labels"])
            chosen = held_out(train.labels, self.validation)
            return {
                "train": train[~chosen],
                "validation": train[chosen],
                "test": Split(arrays["test_images"], arrays["test_labels"]),
            }

        return Dataset(self.name, self.classes, self.mean, self.std, lambda split: splits()[split])

    def fetch(self, source: str | Path | None = None) -> Arrays:
        """The decoded arrays, straight from ``source``, ``$SEMINAR_<NAME>`` or the first of ``sources`` that works.

        Raises:
            ValueError: ``source`` does not hold this data set; no other is tried then.
            ConnectionError: no source works; the message says what to download by hand.
        """
        variable = f"SEMINAR_{self.name.upper()}"
        if chosen := source or os.environ.get(variable):
            try:
                return self._read(Local(Path(chosen).expanduser()))
            except (OSError, ValueError) as error:
                raise ValueError(f"{chosen} cannot be used as {self.title}: {error}.") from error
        failures = []
        for candidate in self.sources:
            try:
                return self._read(candidate)
            except FileNotFoundError as error:  # not on this machine: nothing went wrong
                failures.append(f"{candidate}: {error}")
            except (OSError, ValueError) as error:
                failures.append(f"{candidate}: {error}")
                tqdm.write(f"{self.title} could not be had from {failures[-1]}.", file=sys.stderr)
        raise ConnectionError(
            f"{self.title} could not be fetched ({'; '.join(failures)}). On a machine with a connection download "
            f"{self.by_hand}, then run `python -m seminar_lib data {self.name} --source PATH` here, or set "
            f"{variable}=PATH."
        )

    def _read(self, source: Source) -> Arrays:
        arrays = self.decode(source(self.files))
        if (found := digest(arrays)) != self.sha256:
            raise ValueError(f"its images and labels have sha256 {found}, expected {self.sha256}")
        return arrays


def held_out(labels: Tensor, n: int) -> Tensor:
    """A mask (N,) of ``n`` rows, equally many of each class: a random choice, but the same one on every machine.

    Raises:
        ValueError: ``n`` is no multiple of the number of classes, or a class has too few images.
    """
    classes, counts = labels.unique(return_counts=True)
    each = n // len(classes)
    if n % len(classes) or each > counts.min():
        raise ValueError(
            f"A class-balanced subset of {len(classes)} classes, the smallest with {counts.min()} images, "
            f"cannot have {n} images."
        )
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in classes:
        mask[order[labels[order] == label][:each]] = True
    return mask
