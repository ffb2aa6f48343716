"""Results that are kept while they are found: a file that an interrupted run goes on from.

It is whole or not there at all. A fingerprint of the weights and of the images says which network and data it is about,
so that results of two networks never end up in one report.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seminar_lib.files import whole_file
from seminar_lib.types import Model


@dataclass
class Kept:
    """What has been found so far.

    Attributes:
        asked: all that decides the results, as plain values by name.
        rows: what was found of each image that is done, in order; plain numbers, or lists of them.
        seconds: how long that took.
    """

    asked: dict[str, Any]
    rows: list[list[Any]] = field(default_factory=list)
    seconds: float = 0.0

    def take_up(self, path: Path) -> None:
        """Go on from what ``path`` holds, if it is there.

        Raises:
            ValueError: the file is damaged, or was asked for something else.
        """
        if not path.exists():
            return
        try:
            found = Kept(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} holds no such results ({error}). Delete it, or name another file.") from error
        if found.asked != self.asked:
            names = [name for name in self.asked if found.asked.get(name) != self.asked[name]]
            raise ValueError(
                f"{path} holds results with another {', '.join(names)}. Name another file, or delete it to start "
                f"anew.\n  there: {found.asked}\n  asked: {self.asked}"
            )
        self.rows, self.seconds = found.rows, found.seconds

    def write(self, path: Path) -> None:
        """Keep all of it."""
        with whole_file(path) as part:
            part.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def fingerprint(tensors: Iterable[Tensor]) -> str:
    """A short digest of values, shapes and types."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def weights_of(model: Model) -> list[Tensor]:
    """All that a network has learned; of a plain function nothing is known."""
    return list(model.state_dict().values()) if isinstance(model, nn.Module) else []
