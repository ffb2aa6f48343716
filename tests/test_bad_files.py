"""Damaged weights, folders of other runs and data that does not fit are refused, and nothing on disk is touched."""

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import safetensors.torch
import torch

from seminar_lib.checkpoints import load, save
from seminar_lib.data.augment import Augment
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.models import Classifier, SmallCNN
from seminar_lib.train import Recipe, fit

pytestmark = pytest.mark.usefixtures("as_users_call_it")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def model() -> Classifier:
    return SmallCNN(4).build(5, (0.5,) * 3, (0.2,) * 3)


# --- weights --------------------------------------------------------------------------------------------------------


def edit(change: Callable[[dict], object]) -> Callable[[Path, Path], None]:
    """A change of what the card says."""

    def damage(weights: Path, card: Path) -> None:
        content = json.loads(card.read_text(encoding="utf-8"))
        change(content)
        card.write_text(json.dumps(content), encoding="utf-8")

    return damage


def flip_a_bit(weights: Path, card: Path) -> None:
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


def behead(weights: Path, card: Path) -> None:
    """Well-formed weights, with their hash in the card, of a network without a head."""
    state = safetensors.torch.load(lzma.decompress(weights.read_bytes()))
    blob = safetensors.torch.save({name: t for name, t in state.items() if not name.startswith("head")})
    weights.write_bytes(lzma.compress(blob))
    edit(lambda content: content.update(sha256=sha256(blob).hexdigest()))(weights, card)


def swap(weights: Path, card: Path) -> None:
    """Whole and well-formed, of the same network, and not those that the card was written for."""
    blob = lzma.decompress(weights.read_bytes())
    weights.write_bytes(lzma.compress(blob[:-1] + bytes([blob[-1] ^ 1])))


NO_CARD = "is not a card of this library"
DAMAGES = {
    "weights truncated": (lambda w, c: w.write_bytes(w.read_bytes()[:-9]), "is damaged: Compressed data ended before"),
    "weights empty": (lambda w, c: w.write_bytes(b""), "is damaged: Compressed data ended before"),
    "weights with a bit turned": (flip_a_bit, "is damaged: Corrupt input data. Fetch it again"),
    "weights swapped": (swap, "is not what its card describes: the sha256 of its weights is"),
    "weights not packed": (lambda w, c: w.write_bytes(lzma.decompress(w.read_bytes())), "is damaged: Input format not"),
    "weights gone": (lambda w, c: w.unlink(), "model.safetensors.xz and model.json must both be there"),
    "weights without a head": (behead, "does not fit the network SmallCNN(width=4) that its card names"),
    "card gone": (lambda w, c: c.unlink(), "model.safetensors.xz and model.json must both be there"),
    "card no JSON": (lambda w, c: c.write_text("# model"), NO_CARD),
    "card no text": (lambda w, c: c.write_bytes(b"\xff\xfe\xfa"), NO_CARD),
    "card a list": (lambda w, c: c.write_text("[]"), NO_CARD),
    "card empty": (lambda w, c: c.write_text("{}"), "is not a card of this library: KeyError('build')"),
    "card of another width": (edit(lambda c: c["build"].update(settings={"width": 8})), "does not fit the network"),
    "card of a ViT": (
        edit(lambda c: c["build"].update(architecture="ViT", settings={})),
        "does not fit the network ViT(",
    ),
    "card of what we lack": (edit(lambda c: c["build"].update(architecture="VGG")), NO_CARD),
    "card of no width": (edit(lambda c: c["build"].update(settings={"width": -1})), NO_CARD),
    "card of odd settings": (edit(lambda c: c["build"].update(settings={"depth": 4})), NO_CARD),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_weights_are_refused(damage, words, model, tmp_path):
    save(tmp_path / "model", model, SmallCNN(4), {})
    damage(tmp_path / "model.safetensors.xz", tmp_path / "model.json")
    before = contents(tmp_path)
    with pytest.raises((FileNotFoundError, ValueError)) as caught:
        load(tmp_path / "model")
    assert words in str(caught.value)
    assert contents(tmp_path) == before


def test_unknown_weights_are_answered_with_what_there_is(model, tmp_path, monkeypatch):
    monkeypatch.setattr("seminar_lib.checkpoints.SHIPPED", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No weights called 'toy/pdg'.* Shipped: none"):
        load("toy/pdg")
    save(tmp_path / "toy" / "pgd", model, SmallCNN(4), {})
    with pytest.raises(FileNotFoundError, match="Shipped: toy/pgd"):
        load("toy/pdg")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
def test_weights_that_half_precision_cannot_hold_are_not_saved(value, model, tmp_path):
    model.head.weight.data[0, 0] = value
    with pytest.raises(ValueError, match=r"head\.weight holds NaN, infinity or a value beyond 65504"):
        save(tmp_path / "model", model, SmallCNN(4), {})
    assert contents(tmp_path) == {}


def test_a_card_that_cannot_be_written_leaves_the_old_weights_whole(model, tmp_path):
    save(tmp_path / "model", model, SmallCNN(4), {"version": 1})
    before = contents(tmp_path)
    model.head.weight.data.zero_()
    with pytest.raises(TypeError, match="not JSON serializable"):
        save(tmp_path / "model", model, SmallCNN(4), {"version": torch.rand(1)})
    assert contents(tmp_path) == before


# --- training -------------------------------------------------------------------------------------------------------

RECIPE = Recipe("toy", model=SmallCNN(2), epochs=1, batch_size=8, augment=Augment(crop=0))
SPLIT = Split(torch.arange(16 * 3 * 64).view(16, 3, 8, 8).to(torch.uint8), torch.arange(16) % 2)


def toy(name: str = "toy", **splits: Split) -> Dataset:
    return Dataset(name, ("a", "b"), (0.5,) * 3, (0.3,) * 3, lambda name: splits.get(name, SPLIT))


MISFITS = {
    "another data set": (toy("signs"), "The recipe trains on 'toy'; got the data set 'signs'"),
    "no training images": (toy(train=SPLIT[:0]), "The train split of 'toy' holds no images"),
    "no validation images": (toy(validation=SPLIT[:0]), "The validation split of 'toy' holds no images"),
    "labels too large": (
        toy(train=replace(SPLIT, labels=SPLIT.y + 1)),
        "train.labels[1] is 2, but the model has 2 classes",
    ),
    "grey images": (toy(train=replace(SPLIT, images=SPLIT.images[:, :1])), "takes images with 3 channels"),
}


@pytest.mark.parametrize(("data", "words"), MISFITS.values(), ids=MISFITS)
def test_training_on_data_that_does_not_fit_is_refused(data, words, tmp_path):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the words are looked at below)
        fit(RECIPE, data, tmp_path, progress=False)
    assert words in str(caught.value)
    assert contents(tmp_path) == {}


STATES = {
    "another recipe": (lambda state: None, "holds a run of another recipe. Choose another folder, or delete"),
    "truncated": (lambda state: state.write_bytes(state.read_bytes()[:-9]), "is damaged"),
    "empty": (lambda state: state.write_bytes(b""), "is damaged"),
    "another file": (
        lambda state: safetensors.torch.save_file({"a": torch.zeros(1)}, state),
        "holds a run of another recipe",
    ),
}


@pytest.mark.parametrize(("damage", "words"), STATES.values(), ids=STATES)
def test_a_folder_that_holds_something_else_is_left_alone(damage, words, tmp_path):
    fit(RECIPE, toy(), tmp_path, progress=False)
    damage(tmp_path / "state.safetensors")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=words):
        fit(replace(RECIPE, rate=0.05), toy(), tmp_path, progress=False)
    assert contents(tmp_path) == before


def test_the_folder_of_another_recipe_that_has_no_state_yet_is_left_alone(tmp_path):
    (tmp_path / "recipe.txt").write_text(f"{replace(RECIPE, rate=0.05)}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"holds a run of another recipe.*\n.*rate=0\.05"):
        fit(RECIPE, toy(), tmp_path, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.txt"]


@pytest.mark.parametrize("name", ["history.jsonl", "curve.png"])
def test_somebody_else_s_files_are_not_overwritten(name, tmp_path):
    (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=f"holds a {name}, but no run. Choose another folder"):
        fit(RECIPE, toy(), tmp_path, progress=False)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("inner", ["", "within", "within/deeper"])
def test_a_file_in_place_of_a_folder_is_reported_before_the_first_epoch(inner, tmp_path, monkeypatch):
    monkeypatch.setattr("seminar_lib.train.driver.Run", lambda *given: pytest.fail("trained"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match=r"Cannot write .*: .*file is a file\. Name a folder"):
        fit(RECIPE, toy(), tmp_path / "file" / inner, progress=False)
    assert contents(tmp_path) == {tmp_path / "file": b"mine"}


def test_a_folder_that_takes_no_files_is_reported_before_the_first_epoch(tmp_path, monkeypatch):
    def deny(**given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("seminar_lib.train.driver.Run", lambda *given: pytest.fail("trained"))
    monkeypatch.setattr("tempfile.TemporaryFile", deny)  # root may write anywhere, so modes would prove nothing
    with pytest.raises(OSError, match=r"Cannot write .*: Permission denied\. .* make the folder writable"):
        fit(RECIPE, toy(), tmp_path / "run", progress=False)
    monkeypatch.undo()
    assert len(fit(RECIPE, toy(), tmp_path / "run", progress=False).history) == 1  # what was left there is no hindrance


def test_a_run_whose_damaged_state_was_deleted_starts_anew(tmp_path):
    first = fit(RECIPE, toy(), tmp_path, progress=False)
    (tmp_path / "state.safetensors").unlink()
    again = fit(RECIPE, toy(), tmp_path, progress=False)
    assert len(again.history) == len((tmp_path / "history.jsonl").read_text().splitlines()) == 1
    assert torch.equal(again.last.head.weight, first.last.head.weight)
