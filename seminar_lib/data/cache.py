"""A cache of tensors on disk. Each file is whole or absent, and checked against the sha256 of its arrays when read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from seminar_lib.files import make_folder, sweep, whole_file


def folder() -> Path:
    """Where data sets are cached: ``$SEMINAR_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("SEMINAR_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("seminar_lib")


def digest(tensors: Mapping[str, Tensor]) -> str:
    """The sha256 of the arrays' names, shapes, dtypes and bytes, in order of name."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].contiguous().numpy()
        sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
        sha.update(array.data)
    return sha.hexdigest()


def remember(name: str, make: Callable[[], dict[str, Tensor]], sha256: str | None = None) -> dict[str, Tensor]:
    """Read ``name`` from the cache; make and store it first when it is not there or is damaged.

    Args:
        name: the file's name in the cache, without its suffix.
        make: returns the tensors.
        sha256: what ``digest`` of the tensors must be, whatever made them; default: what it was when they were stored.

    Raises:
        ValueError: ``make`` returned tensors whose digest is not ``sha256``.
        OSError: the cache cannot be written; the message says what to do.
    """
    path = place(name)
    sweep(path)
    if (cached := recall(name, sha256)) is not None:
        return cached
    make_folder(path.parent)
    made = make()
    found = digest(made)
    if sha256 not in (None, found):
        raise ValueError(f"{name}: the arrays have sha256 {found}, expected {sha256}.")
    with whole_file(path) as part:
        part.write_bytes(save(made, metadata={"sha256": found}))
    return made


def place(name: str) -> Path:
    """The file that keeps ``name``."""
    return folder() / f"{name}.safetensors"


def recall(name: str, sha256: str | None = None) -> dict[str, Tensor] | None:
    """What the cache holds as ``name``; None when that is nothing, or not what it should be (see ``remember``)."""
    path = place(name)
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dictionary)
            expected = sha256 or (file.metadata() or {}).get("sha256")
    except SafetensorError:
        return None
    return tensors if digest(tensors) == expected else None
