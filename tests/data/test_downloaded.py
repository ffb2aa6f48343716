"""Fetching a published data set: the order of sources, what is said, what is refused, and the held-out images."""

import json
from dataclasses import replace

import pytest
import torch

from seminar_lib.data import NAMES, load_data
from seminar_lib.data.cache import digest
from seminar_lib.data.downloaded import Published, held_out


def arrays():
    labels = torch.arange(40) % 4
    images = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).expand(40, 3, 2, 2).contiguous()
    return {"train_images": images, "train_labels": labels, "test_images": images[:8] + 100, "test_labels": labels[:8]}


def decode(files):
    """The toy format: the JSON file "order" says how the rows of the arrays are ordered."""
    if "order" not in files:
        raise ValueError("it has no file called order")
    order = json.loads(files["order"])
    return arrays() | {"train_images": arrays()["train_images"][order], "train_labels": arrays()["train_labels"][order]}


class Toy:
    """A source that counts how often it is asked."""

    def __init__(self, name, files=None, error=None):
        self.name, self.files, self.error, self.asked = name, files, error, 0

    def __str__(self):
        return self.name

    def __call__(self, wanted):
        self.asked += 1
        assert wanted == {"order"}
        if self.error:
            raise self.error
        return self.files


GOOD = {"order": json.dumps(list(range(40))).encode()}
ALTERED = {"order": json.dumps(list(range(40))[::-1]).encode()}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SEMINAR_TOY", raising=False)


def published(*sources):
    return Published(
        name="toy",
        title="Toy set",
        classes=("a", "b", "c", "d"),
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
        files=frozenset({"order"}),
        decode=decode,
        sources=sources,
        by_hand="https://example.org/toy.tar.gz",
        sha256=digest(arrays()),
        validation=8,
    )


def test_splits_are_the_published_ones_with_a_held_out_part():
    data = published(Toy("good", GOOD)).dataset()
    assert (data.name, data.classes, data.mean, data.std) == ("toy", ("a", "b", "c", "d"), (0.5,) * 3, (0.2,) * 3)
    assert torch.equal(data.test.images, arrays()["test_images"])
    assert torch.equal(data.test.labels, arrays()["test_labels"])
    assert data.validation.labels.bincount().tolist() == [2, 2, 2, 2]
    train, validation = (split.images[:, 0, 0, 0].tolist() for split in (data.train, data.validation))
    assert sorted(train + validation) == list(range(40))  # the toy's pixels number its images
    assert train == sorted(train)
    for split in (data.train, data.validation):  # labels still belong to their images
        assert torch.equal(split.labels, split.images[:, 0, 0, 0].long() % 4)


def test_is_fetched_only_when_needed_and_only_once():
    source = Toy("good", GOOD)
    data = published(source).dataset()
    assert source.asked == 0
    assert (len(data.train), len(data.validation), len(data.test)) == (32, 8, 8)
    assert torch.equal(published(source).dataset().train.images, data.train.images)
    assert source.asked == 1


def test_the_next_source_is_tried_and_each_failure_said_in_a_line(capsys):
    down = Toy("down.example.org", error=ConnectionError("timed out"))
    absent = Toy("/usr/share/toy", error=FileNotFoundError("there is nothing at /usr/share/toy"))
    altered, empty, good, spare = Toy("altered", ALTERED), Toy("empty", {}), Toy("good", GOOD), Toy("spare", GOOD)
    found = published(down, absent, altered, empty, good, spare).fetch()
    assert torch.equal(found["train_images"], arrays()["train_images"])
    assert spare.asked == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3  # what is merely not installed is no failure
    assert said[0] == "Toy set could not be had from down.example.org: timed out."
    assert "altered: its images and labels have sha256" in said[1]
    assert said[2] == "Toy set could not be had from empty: it has no file called order."


def test_nothing_reachable_is_one_error_that_says_what_to_do():
    down = Toy("down.example.org", error=ConnectionError("timed out"))
    absent = Toy("npm pack toy", error=FileNotFoundError("npm is not installed"))
    with pytest.raises(ConnectionError) as caught:
        published(down, absent).dataset().train  # noqa: B018
    message = str(caught.value)
    for part in (
        "(down.example.org: timed out; npm pack toy: npm is not installed)",
        "download https://example.org/toy.tar.gz",
        "python -m seminar_lib data toy --source PATH",
        "SEMINAR_TOY=PATH",
    ):
        assert part in message


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_the_users_own_copy_comes_first_and_alone(tmp_path, monkeypatch, how):
    web = Toy("web", GOOD)
    folder = tmp_path / "mine"
    folder.mkdir()
    if how == "environment":
        monkeypatch.setenv("SEMINAR_TOY", str(folder))
    source = str(folder) if how == "argument" else None
    with pytest.raises(ValueError, match=r"mine cannot be used as Toy set: it has no file called order\."):
        published(web).fetch(source)
    (folder / "order").write_bytes(ALTERED["order"])
    with pytest.raises(ValueError, match="mine cannot be used as Toy set: its images and labels have sha256"):
        published(web).fetch(source)
    (folder / "order").write_bytes(GOOD["order"])
    assert digest(published(web).fetch(source)) == digest(arrays())
    assert web.asked == 0


def test_a_mistyped_path_is_not_passed_over(tmp_path):
    with pytest.raises(ValueError, match="cannot be used as Toy set: there is nothing at"):
        published(Toy("web", GOOD)).fetch(tmp_path / "typo")


def test_a_source_that_was_passed_over_for_the_cache_is_named(tmp_path, capsys):
    (tmp_path / "order").write_bytes(GOOD["order"])
    published().dataset(tmp_path).train  # noqa: B018
    assert capsys.readouterr().err == ""
    published().dataset(tmp_path / "typo").train  # noqa: B018
    assert f"Toy set is in the cache already, whole and unaltered ({tmp_path / 'cache' / 'toy.safetensors'}); " in (
        said := capsys.readouterr().err
    )
    assert f"{tmp_path / 'typo'} was not looked at." in said
    published().dataset().train  # noqa: B018
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_not_blamed_on_the_source(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in place of a folder")
    monkeypatch.setenv("SEMINAR_CACHE", str(tmp_path / "file"))
    source = Toy("good", GOOD)
    with pytest.raises(OSError, match="Cannot write"):
        published(source).dataset().train  # noqa: B018
    assert source.asked == 0  # nothing is downloaded that could not be kept


def test_held_out_is_balanced_random_and_fixed():
    labels = torch.arange(1000).flip(0) // 250  # sorted by class, so that taking the last rows would not be balanced
    mask = held_out(labels, 40)
    assert labels[mask].bincount().tolist() == [10, 10, 10, 10]
    assert torch.equal(mask, held_out(labels, 40))
    rows = mask.nonzero().flatten()
    assert rows[:5].tolist() == [15, 19, 23, 37, 44]
    gaps = rows.diff()
    assert gaps.max() > 2 * gaps.float().mean()  # neither a block nor every n-th
    state = torch.random.get_rng_state()
    held_out(labels, 40)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("n", [10, 44])
def test_held_out_refuses_what_cannot_be_balanced(n):
    labels = torch.arange(40) % 4
    with pytest.raises(ValueError, match=f"4 classes, the smallest with 10 images, cannot have {n} images"):
        held_out(labels, n)


def test_too_many_validation_images_are_refused():
    with pytest.raises(ValueError, match="class-balanced"):
        replace(published(Toy("good", GOOD)), validation=80).dataset().train  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads_without_reading_anything(name, tmp_path):
    data = load_data(name)
    assert data.name == name
    assert len(data.mean) == len(data.std) == (1 if "mnist" in name else 3)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("typo", "meant"), [("cifar-10", "cifar10"), ("Fashion-MNIST", "fashion_mnist"), ("sign", "signs")]
)
def test_an_unknown_name_gets_a_suggestion(typo, meant):
    with pytest.raises(
        ValueError, match=f"There is no data set '{typo}'; the names are signs, .*Did you mean '{meant}'"
    ):
        load_data(typo)


def test_a_hopeless_name_gets_the_list_alone():
    with pytest.raises(ValueError, match=r"the names are signs, cifar10, mnist, fashion_mnist\.$"):
        load_data("imagenet")


def test_signs_take_no_source():
    with pytest.raises(ValueError, match="rendered on this machine"):
        load_data("signs", source="somewhere")
