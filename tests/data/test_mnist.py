"""MNIST and Fashion-MNIST: the IDX format, the border, and the cached arrays."""

import gzip
import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.datasets.mnist import read_image_file, read_label_file

from seminar_lib.data import cache
from seminar_lib.data.cache import digest
from seminar_lib.data.mnist import FASHION_MNIST, FILES, MNIST, decode, idx

SIZES = {"train": 30, "t10k": 10}


def write_idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def small():
    random = np.random.default_rng(0)
    return {
        prefix: (random.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.arange(n, dtype=np.uint8) % 10)
        for prefix, n in SIZES.items()
    }


@pytest.fixture(scope="module")
def files(small):
    return {
        f"{prefix}-{kind}": write_idx(array)
        for prefix, pair in small.items()
        for kind, array in zip(("images-idx3-ubyte", "labels-idx1-ubyte"), pair, strict=True)
    }


def test_images_stand_inside_a_black_border(files, small):
    arrays = decode(files)
    for split, prefix in {"train": "train", "test": "t10k"}.items():
        images, labels = small[prefix]
        padded = np.zeros((len(images), 1, 32, 32), np.uint8)
        for i, image in enumerate(images):
            for row in range(28):
                for column in range(28):
                    padded[i, 0, row + 2, column + 2] = image[row, column]
        assert torch.equal(arrays[f"{split}_images"], torch.from_numpy(padded))
        assert arrays[f"{split}_labels"].dtype == torch.int64
        assert arrays[f"{split}_labels"].tolist() == labels.tolist()


def test_idx_reads_as_torchvision_does(files, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        images = "images" in name
        theirs = (read_image_file if images else read_label_file)(str(tmp_path / name))
        assert np.array_equal(idx(content, dimensions=3 if images else 1), theirs.numpy())


@pytest.mark.parametrize("published", [MNIST, FASHION_MNIST], ids=lambda published: published.name)
def test_is_read_from_a_folder_as_torchvision_leaves_it(published, files, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path / "cache"))
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in files.items():
        (raw / f"{name}.gz").write_bytes(gzip.compress(content))
        if "train" in name:
            (raw / name).write_bytes(content)
    tiny = replace(published, sha256=digest(decode(files)), validation=10)
    data = tiny.dataset(tmp_path / "data")
    assert (len(data.train), len(data.validation), len(data.test)) == (20, 10, 10)
    assert data.train.images.shape[1:] == (1, 32, 32)
    assert data.validation.labels.bincount().tolist() == [1] * 10


def test_missing_files_are_named(files):
    with pytest.raises(ValueError, match=r"it has no t10k-images-idx3-ubyte \(with or without \.gz\)"):
        decode({name: content for name, content in files.items() if name != "t10k-images-idx3-ubyte"})


def test_damaged_files_are_refused(files):
    for name, content in files.items():
        for cut in (5, 9, len(content) - 1):
            with pytest.raises(ValueError, match="an IDX file has been cut off"):
                decode(files | {name: content[:cut]})
        for other in (b"", b"<html>", content[:3] + b"\7" + content[4:]):
            with pytest.raises(ValueError, match=r"an IDX file should start with 00 00 08 0[13]; one starts with"):
                decode(files | {name: other})


def test_swapped_files_are_refused(files):
    images, labels = FILES[:2]
    with pytest.raises(ValueError, match="should start with 00 00 08 03"):
        decode(files | {images: files[labels], labels: files[images]})


# MD5 of the four files without .gz, as several public projects check them.
MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}


@pytest.fixture(scope="module", params=[MNIST, FASHION_MNIST], ids=lambda published: published.name)
def real(request):
    if not (cache.folder() / f"{request.param.name}.safetensors").exists():
        pytest.skip(f"{request.param.title} is not in the cache")
    return request.param, cache.remember(request.param.name, request.param.fetch, request.param.sha256)


def test_the_real_arrays_are_the_published_files(real):
    published, arrays = real
    for split, prefix in {"train": "train", "test": "t10k"}.items():
        images = arrays[f"{split}_images"][:, 0, 2:-2, 2:-2].contiguous().numpy()
        labels = arrays[f"{split}_labels"].byte().numpy()
        for name, array in {f"{prefix}-images-idx3-ubyte": images, f"{prefix}-labels-idx1-ubyte": labels}.items():
            assert hashlib.md5(write_idx(array)).hexdigest() == MD5[published.name][name]


def test_the_real_statistics_are_the_ones_given(real):
    published, arrays = real
    counts = np.bincount(arrays["train_images"].numpy().ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = np.average(values, weights=counts)
    assert mean == pytest.approx(published.mean[0], abs=6e-5)
    assert np.average((values - mean) ** 2, weights=counts) ** 0.5 == pytest.approx(published.std[0], abs=6e-5)
