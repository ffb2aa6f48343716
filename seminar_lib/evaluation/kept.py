"""Results that are kept while they are found: a file that an interrupted run goes on from.

It is whole or not there at all. Fingerprints of the network and of the images say what it is about, so that results of
two networks never end up in one report.
"""

from __future__ import annotations

import hashlib
import json
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


def fingerprint(*parts: Tensor | str) -> str:
    """A short digest of texts, and of tensors with their values, shapes and types."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f"{part!r}\n".encode())
        else:
            digest.update(f"{part.dtype} {tuple(part.shape)}\n".encode())
            digest.update(part.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def network_fingerprint(model: Model) -> str:
    """A short digest of all that a network says about itself: its parts, their settings, weights and buffers.

    A setting is whatever a part keeps as an attribute. One that prints with its place in memory, as a function does, is
    another in each process: such results cannot be gone on with, rather than be mixed. The modes of ``train`` and
    ``eval`` do not count, as networks are judged in the second. What no attribute tells, such as an edited ``forward``
    of a class of the same name, is not seen.

    Raises:
        TypeError: a plain function, which says nothing about itself.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"Results are kept of an nn.Module alone, which can be told from other networks; got a "
            f"{type(model).__name__}. Leave out path, or pass the network itself."
        )
    common = vars(nn.Module())  # hooks, modes, and where weights and parts are kept
    parts: list[Tensor | str] = [repr(model)]
    for name, module in model.named_modules(remove_duplicate=False):
        parts += [name, f"{type(module).__module__}.{type(module).__qualname__}"]
        for setting, value in vars(module).items():
            if setting not in common:
                parts += [setting, value if isinstance(value, Tensor) else repr(value)]
    for name, tensor in {**model.state_dict(), **dict(model.named_buffers())}.items():
        parts += [name, tensor]
    return fingerprint(*parts)
