"""CIFAR-10: every published format gives the same arrays, and the cached ones are the published ones."""

import hashlib
import io
import json
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from seminar_lib.data import cache
from seminar_lib.data.cache import digest
from seminar_lib.data.cifar10 import BATCHES, CIFAR10, decode

EACH = 6  # images a batch in these small archives
TRAIN, TEST = BATCHES["train"], BATCHES["test"]


@pytest.fixture(scope="module")
def small():
    """Labels (6,) and images (6, 3, 32, 32) of each batch."""
    random = np.random.default_rng(0)
    labels = np.arange(len(TRAIN + TEST) * EACH).reshape(-1, EACH) % 10
    return {
        batch: (labels[i], random.integers(0, 256, (EACH, 3, 32, 32), dtype=np.uint8))
        for i, batch in enumerate(TRAIN + TEST)
    }


def binary(small):
    """The binary version, pixel by pixel as its description has it."""
    files = {}
    for batch, (labels, images) in small.items():
        content = bytearray()
        for label, image in zip(labels, images, strict=True):
            content.append(label)
            for channel in image:
                for row in channel:
                    content += bytes(row.tolist())
        files[f"{batch}.bin"] = bytes(content)
    return files


class Python2Pickler(pickle._Pickler):
    """Writes byte strings as Python 2 did, with which the Python version was made."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, content):
        short = len(content) < 256
        head = (
            pickle.SHORT_BINSTRING + bytes([len(content)])
            if short
            else pickle.BINSTRING + len(content).to_bytes(4, "little")
        )
        self.write(head + content)
        self.memoize(content)

    dispatch[bytes] = save_bytes


def python(small):
    """The Python version: pickled dictionaries."""
    files = {}
    for batch, (labels, images) in small.items():
        file = io.BytesIO()
        Python2Pickler(file, protocol=2).dump(
            {
                b"batch_label": b"a batch",
                b"labels": labels.tolist(),
                b"data": images.reshape(EACH, -1),
                b"filenames": [b"a_%d.png" % i for i in range(EACH)],
            }
        )
        files[batch] = file.getvalue()
    return files


def npm(small):
    """The npm package: a PNG for a batch, with an image in each row, and one list of labels for a split."""
    files = {}
    for batch, (_, images) in small.items():
        file = io.BytesIO()
        rows = np.stack([[image[:, i // 32, i % 32] for i in range(1024)] for image in images])  # (6, 1024, 3)
        Image.fromarray(rows).save(file, "png")
        files[f"{batch}.png"] = file.getvalue()
    for split, batches in BATCHES.items():
        files[f"{split}_lables.json"] = json.dumps([int(x) for batch in batches for x in small[batch][0]]).encode()
    return files


FORMATS = {"binary": binary, "python": python, "npm": npm}


@pytest.fixture(params=FORMATS)
def files(request, small):
    return FORMATS[request.param](small)


def expected(small):
    arrays = {}
    for split, batches in BATCHES.items():
        arrays[f"{split}_images"] = torch.from_numpy(np.concatenate([small[batch][1] for batch in batches]))
        arrays[f"{split}_labels"] = torch.tensor([int(label) for batch in batches for label in small[batch][0]])
    return arrays


def tiny(small):
    return replace(CIFAR10, sha256=digest(expected(small)), validation=10, sources=())


def pack(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (files | {"readme.html": b"read me"}).items():
            member = tarfile.TarInfo(f"cifar-10/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_python_2_pickler_writes_what_pickle_reads(small):
    """The stand-in for the published file is one: Python's own unpickler, as torchvision calls it, gets the images."""
    for batch, content in python(small).items():
        entry = pickle.loads(content, encoding="latin1")
        assert entry["labels"] == small[batch][0].tolist()
        assert np.array_equal(entry["data"].reshape(-1, 3, 32, 32), small[batch][1])


def test_every_format_gives_the_same_arrays(files, small):
    arrays = decode(files)
    assert arrays.keys() == expected(small).keys()
    for name, array in expected(small).items():
        assert arrays[name].dtype == array.dtype
        assert torch.equal(arrays[name], array), name


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
def test_every_format_is_read_from_an_archive_and_a_folder(files, small, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path / "cache"))
    path = pack(tmp_path / "cifar.tgz", files) if packed else tmp_path / "extracted"
    if not packed:
        (path / "cifar-10").mkdir(parents=True)
        for name, content in files.items():
            (path / "cifar-10" / name).write_bytes(content)
    data = tiny(small).dataset(path)
    assert torch.equal(data.test.images, expected(small)["test_images"])
    assert (len(data.train), len(data.validation)) == (20, 10)
    path.rename(tmp_path / "gone")
    assert torch.equal(tiny(small).dataset(path).train.images, data.train.images)  # from the cache


def test_one_changed_pixel_is_refused(files, small, tmp_path):
    changed = {batch: (labels, images.copy()) for batch, (labels, images) in small.items()}
    changed["data_batch_3"][1][2, 1, 4, 4] ^= 1
    kind = next(kind for kind, write in FORMATS.items() if write(small).keys() == files.keys())
    with pytest.raises(ValueError, match="its images and labels have sha256"):
        tiny(small).fetch(pack(tmp_path / "cifar.tgz", FORMATS[kind](changed)))


def test_a_cut_file_is_named_as_damaged(files, small):
    for name in files:
        with pytest.raises(ValueError, match=f"its {'test' if 'test' in name else 'train'} files are damaged"):
            decode(files | {name: files[name][: len(files[name]) // 2 + 1]})


def test_missing_files_are_listed(files):
    files = dict(files)
    del files[next(name for name in files if name.startswith("data_batch_4"))]
    with pytest.raises(
        ValueError, match=r"data_batch_1 to data_batch_5 and test_batch are expected.*found data_batch_1"
    ):
        decode(files)
    with pytest.raises(ValueError, match="found none"):
        decode({})


def test_missing_labels_of_the_npm_package_are_named(small):
    files = npm(small)
    del files["train_lables.json"]
    with pytest.raises(ValueError, match=r"its train files are damaged .*train_lables\.json"):
        decode(files)


def test_a_pickle_is_never_executed(small, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    trap = pickle.dumps({"labels": Trap(), "data": b"\0" * 3072}, protocol=2)
    with pytest.raises(ValueError, match=r"sha256|damaged"):
        tiny(small).fetch(pack(tmp_path / "cifar.tgz", python(small) | {"data_batch_1": trap}))
    assert not (tmp_path / "sprung").exists()
    pickle.loads(trap)["labels"].close()
    assert (tmp_path / "sprung").exists()  # the trap was one


@pytest.fixture(scope="module")
def real():
    if not (cache.folder() / "cifar10.safetensors").exists():
        pytest.skip("CIFAR-10 is not in the cache")
    return cache.remember("cifar10", CIFAR10.fetch, CIFAR10.sha256)


def test_the_real_arrays_are_the_published_binary_version(real):
    """MD5 of the six files in cifar-10-binary.tar.gz, as several public build scripts check them."""
    published = {
        "data_batch_1": "5dd7e06a14cb22eb9f671a540d1b7c25",
        "data_batch_2": "5ea93a67294ea407fff1d09f752e9692",
        "data_batch_3": "942cd6a4bcdd0dd3c604fbe906cb4421",
        "data_batch_4": "ae636b3ba5c66a11e91e8cb52e771fcb",
        "data_batch_5": "53f37980c15c3d472c316c40844f3f0d",
        "test_batch": "803d5f7f4d78ea53de84dbe85f74fb6d",
    }
    for split, batches in BATCHES.items():
        rows = torch.cat([real[f"{split}_labels"][:, None].byte(), real[f"{split}_images"].flatten(1)], dim=1)
        for batch, part in zip(batches, rows.split(10_000), strict=True):
            assert hashlib.md5(part.numpy().tobytes()).hexdigest() == published[batch]


def test_the_real_statistics_are_the_ones_given(real):
    images = real["train_images"]
    counts = torch.stack([torch.bincount(images[:, c].flatten().long(), minlength=256) for c in range(3)]).double()
    values = torch.arange(256, dtype=torch.float64) / 255
    mean = counts @ values / counts.sum(1)
    std = (counts @ values**2 / counts.sum(1) - mean**2).sqrt()
    assert [round(x, 4) for x in mean.tolist()] == list(CIFAR10.mean)
    assert std.tolist() == pytest.approx(CIFAR10.std, abs=6e-5)
