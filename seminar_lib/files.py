"""Files that are either whole or absent.

A file is written under a temporary name and renamed once it is complete, so an interruption (Ctrl-C, a full disk, a
power cut) leaves no half-written file behind.
"""

from __future__ import annotations

import glob
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STALE = 3600.0  # seconds after which a temporary file belongs to no living writer


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the place of ``path``, on any failure it is removed.

    A writer that was killed outright leaves its temporary file, which goes when ``path`` is used an hour later.

    Raises:
        OSError: the file cannot be written; the message says what to do.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path)
        # A random name and not the process id, which two containers that share a home folder may have in common.
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())  # or a power cut could leave the final name on an empty file
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what killed writers of ``path`` left."""
    for old in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        with suppress(OSError):  # another process may have removed it, or the folder may be read-only
            if time.time() - old.lstat().st_mtime > STALE:
                old.unlink()


def make_folder(path: Path) -> None:
    """Make a folder and try to write there: it is found out now, rather than after the work whose result goes there.

    Raises:
        OSError: nothing can be written there; the message says what to do.
    """
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of the file system into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        cause, mend = error.strerror or error, "Free some space, make the folder writable, or name another one"
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            file = next((place for place in (path, *path.parents) if place.is_file()), None)
            cause, mend = (f"{file} is a file", "Name a folder") if file else (cause, mend)
        raise OSError(
            f"Cannot write {path}: {cause}. {mend}: on the command line or, for data sets, in the environment variable "
            "SEMINAR_CACHE."
        ) from error
