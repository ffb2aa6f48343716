"""The cache is whole or absent: round trips, damage, interruption, full and unwritable disks."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from seminar_lib import files
from seminar_lib.data import cache
from seminar_lib.data.cache import digest, remember
from seminar_lib.files import whole_file


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tensors(seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (5, 3, 4, 4), generator=generator, dtype=torch.uint8)
    return {"images": images, "labels": torch.arange(5)}


def equal(a, b):
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a)


def never():
    raise AssertionError("the cached file should have been used")


def test_folder_follows_the_environment(folder, monkeypatch):
    assert cache.folder() == folder
    monkeypatch.setenv("SEMINAR_CACHE", "~/somewhere")
    assert cache.folder() == cache.Path.home() / "somewhere"
    monkeypatch.delenv("SEMINAR_CACHE")
    assert cache.folder().name == "seminar_lib"


def test_makes_once_and_reads_afterwards(folder):
    made = remember("toy", tensors)
    assert equal(made, tensors())
    assert equal(remember("toy", never), tensors())
    assert [path.name for path in folder.iterdir()] == ["toy.safetensors"]


def test_digest_is_the_sha256_of_a_plain_description():
    labels = torch.tensor([1, 2], dtype=torch.int64)
    expected = hashlib.sha256(b"labels <i8 (2,)" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little"))
    assert digest({"labels": labels}) == expected.hexdigest()


def test_digest_ignores_order_and_memory_layout():
    a, b = tensors()["images"], tensors()["labels"]
    assert digest({"a": a, "b": b}) == digest({"b": b, "a": a.to(memory_format=torch.channels_last)})


@pytest.mark.parametrize(
    "change",
    [
        lambda t: {"pictures": t["images"], "labels": t["labels"]},
        lambda t: t | {"images": t["images"].reshape(5, 4, 3, 4)},
        lambda t: t | {"images": t["images"].view(torch.int8)},
        lambda t: t | {"images": t["images"].flip(0)},
        lambda t: {"images": t["images"]},
    ],
    ids=["name", "shape", "dtype", "order of rows", "missing array"],
)
def test_digest_notices(change):
    assert digest(change(tensors())) != digest(tensors())


def test_every_kind_of_damage_is_noticed_and_mended(folder):
    remember("toy", tensors)
    path = folder / "toy.safetensors"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    for damaged in [b"", whole[:7], whole[:50], whole[:-1], bytes(flipped), whole + b"more", b"<html>not found</html>"]:
        path.write_bytes(damaged)
        calls = []
        assert equal(remember("toy", lambda calls=calls: calls.append(1) or tensors()), tensors())
        assert len(calls) == 1, f"not noticed: {damaged[:20]!r} of {len(damaged)} bytes"
        assert path.read_bytes() == whole


def test_another_file_in_its_place_is_not_taken_for_it(folder):
    remember("toy", lambda: tensors(seed=1))  # whole, but not what is expected below
    assert equal(remember("toy", tensors, digest(tensors())), tensors())
    assert equal(remember("toy", never, digest(tensors())), tensors())


def test_wrong_checksum_is_refused_and_not_stored(folder):
    with pytest.raises(ValueError, match=f"sha256 {digest(tensors())}, expected 0123"):
        remember("toy", tensors, "0123")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_a_failed_writer_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "result"
    path.write_text("old")

    def write():
        with whole_file(path) as part:
            part.write_text("half of the new")
            raise failure

    with pytest.raises(failure):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_whole_file_keeps_the_usual_permissions(tmp_path):
    with whole_file(tmp_path / "new" / "result") as part:
        part.write_text("content")
    (tmp_path / "plain").write_text("content")
    assert (tmp_path / "new" / "result").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_killed_writer_loses_nothing_and_its_debris_goes(folder):
    remember("toy", tensors)
    killed = """
import sys, time
from seminar_lib import files
from seminar_lib.data import cache
from seminar_lib.files import whole_file
with whole_file(cache.folder() / "toy.safetensors") as part:
    part.write_bytes(b"half")
    print("half", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", killed], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "half\n"
        writer.send_signal(signal.SIGKILL)
    (debris,) = folder.glob("*.part")
    assert equal(remember("toy", never), tensors())

    assert debris.exists(), "a young temporary file may belong to a writer at work"
    other = folder / "other.safetensors.1234.part"
    other.write_text("of another file")
    long_ago = time.time() - 2 * files.STALE
    for old in (debris, other):
        os.utime(old, (long_ago, long_ago))
    assert equal(remember("toy", never), tensors())
    assert sorted(path.name for path in folder.iterdir()) == [other.name, "toy.safetensors"]
    with whole_file(folder / "other.safetensors") as part:
        part.write_text("content")
    assert sorted(path.name for path in folder.iterdir()) == ["other.safetensors", "toy.safetensors"]


def test_two_writers_at_once_do_not_meet(tmp_path):
    path = tmp_path / "result"
    with whole_file(path) as first:
        first.write_text("first")
        with whole_file(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_place_of_the_folder_is_reported_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path / "taken"))
    with pytest.raises(OSError, match=r"taken is a file\. Name a folder: .* in the environment variable SEMINAR_CACHE"):
        remember("toy", never)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_full_disk_is_reported_and_nothing_is_left(folder, monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: "full")
    folder.mkdir()
    (folder / "toy.safetensors.full.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"Cannot write .*toy\.safetensors: No space left on device\. Free some space"):
        remember("toy", tensors)
    assert list(folder.iterdir()) == []
