"""Splits keep images, labels and extras together; data sets read a split when it is asked for."""

import pytest
import torch

from seminar_lib.data.dataset import Dataset, Split


@pytest.fixture
def split() -> Split:
    """Ten images: the first pixel is their number, the label that number modulo 3, the mask its square."""
    images = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(10)
    return Split(images, torch.arange(10) % 3, {"mask": torch.arange(10) ** 2})


def numbers(split: Split) -> list[int]:
    """Which images these are, after a check that all their rows belong together."""
    number = split.images[:, 0, 0, 0].long()
    assert torch.equal(split.labels, number % 3)
    assert torch.equal(split.extras["mask"], number**2)
    return number.tolist()


def test_bytes_become_floats_in_the_unit_interval():
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    x = Split(images, torch.zeros(1, dtype=torch.long)).x
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.flatten(), torch.linspace(0, 1, 256))
    assert torch.equal((255 * x).round().to(torch.uint8), images)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (slice(2, 5), [2, 3, 4]),
        (torch.tensor([7, 0, 7]), [7, 0, 7]),
        (torch.arange(10) > 7, [8, 9]),
    ],
    ids=["slice", "indices", "mask"],
)
def test_rows_stay_together(rows, expected, split):
    assert numbers(split[rows]) == expected


def test_a_sample_is_random_and_the_same_for_the_same_seed(split):
    sample = numbers(split.sample(6))
    assert len(set(sample)) == 6
    assert sample != sorted(sample)
    assert numbers(split.sample(6)) == sample
    assert numbers(split.sample(6, seed=1)) != sample
    assert sorted(numbers(split.sample(99))) == list(range(10))


def test_batches_cover_every_image_once_in_order(split):
    batches = list(split.batches(4))
    assert [len(y) for _, y in batches] == [4, 4, 2]
    torch.testing.assert_close(torch.cat([x for x, _ in batches]), split.x)
    assert torch.equal(torch.cat([y for _, y in batches]), split.y)


def test_batches_are_shuffled_by_a_generator(split):
    def order(seed: int) -> list[int]:
        batches = split.batches(4, torch.Generator().manual_seed(seed))
        pairs = [(round(255 * x[0, 0, 0].item()), y.item()) for xs, ys in batches for x, y in zip(xs, ys, strict=True)]
        assert all(y == number % 3 for number, y in pairs)
        return [number for number, _ in pairs]

    assert sorted(order(1)) == list(range(10))
    assert order(1) == order(1)
    assert order(1) != order(2)


def test_to_moves_everything(split):
    moved = split.to("meta")
    assert {moved.images.device.type, moved.labels.device.type, moved.extras["mask"].device.type} == {"meta"}
    assert split.images.device.type == "cpu"


def test_a_dataset_reads_a_split_once_and_when_asked(split):
    asked = []
    data = Dataset("toy", ("a", "b", "c"), (0.5,) * 3, (0.25,) * 3, lambda name: asked.append(name) or split)
    assert asked == []
    assert data.test is data.test
    assert data.train is not None
    assert asked == ["test", "train"]
    assert "lambda" not in repr(data)


def test_a_part_has_its_classes_relabelled_and_its_splits_smaller(split):
    data = Dataset("toy", ("a", "b", "c"), (0.5,) * 3, (0.25,) * 3, lambda name: split)
    part = data.part(("c", "a"), {"train": 99, "test": 5})
    assert (part.name, part.classes, part.mean, part.std) == ("toy", ("c", "a"), data.mean, data.std)
    pairs = zip(part.train.images[:, 0, 0, 0].tolist(), part.train.labels.tolist(), strict=True)
    assert sorted(pairs) == [(0, 1), (2, 0), (3, 1), (5, 0), (6, 1), (8, 0), (9, 1)]
    assert torch.equal(part.train.extras["mask"], part.train.images[:, 0, 0, 0].long() ** 2)
    assert len(part.test) == 5
    assert torch.equal(split.labels, torch.arange(10) % 3)  # the whole stays as it is


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [(("a", "d"), "has no class 'd'"), (("a",), "two classes or more"), (("a", "b", "a"), "each once")],
)
def test_a_part_of_other_classes_is_refused(classes, sentence, split):
    data = Dataset("toy", ("a", "b", "c"), (0.5,) * 3, (0.25,) * 3, lambda name: split)
    with pytest.raises(ValueError, match=sentence):
        data.part(classes, {"train": 5})
