"""Weights and cards: what is saved is what is loaded, and the names that there are."""

import json
import lzma
import math

import pytest
import safetensors.torch
import torch

from seminar_lib import checkpoints
from seminar_lib.checkpoints import load, load_classifier, save, shipped
from seminar_lib.models import Autoencoder, Classifier, ResNet18, SmallCNN, UNet, ViT

ARCHITECTURES = [SmallCNN(4), ResNet18(2), ViT(layers=1, heads=2, features=8), UNet(8), Autoencoder(4)]


def build(architecture):
    if isinstance(architecture, UNet | Autoencoder):
        return architecture.build(1)
    model = architecture.build(5, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    model(torch.rand(8, 3, 32, 32))  # BatchNorm has statistics of its own
    return model


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_what_is_saved_is_loaded_in_half_precision(architecture, tmp_path):
    model = build(architecture)
    save(tmp_path / "model", model, architecture, {"dataset": "toy"})
    loaded, card = load(tmp_path / "model")
    assert not loaded.training
    assert card["dataset"] == "toy"
    before = model.state_dict()
    for name, weights in loaded.state_dict().items():
        assert weights.dtype == before[name].dtype
        assert torch.equal(
            weights, before[name].half().to(weights.dtype) if weights.is_floating_point() else before[name]
        )


def test_in_8_bits_each_output_has_255_values_a_power_of_two_apart(tmp_path):
    """No weight moves by more than half a step, and no step is longer than a 63rd of the largest weight."""
    model = build(SmallCNN(4))
    save(tmp_path / "model", model, SmallCNN(4), {}, bits=8)
    loaded, _ = load(tmp_path / "model")
    parameters = dict(model.named_parameters())
    for (name, before), after in zip(model.state_dict().items(), loaded.state_dict().values(), strict=True):
        if before.dim() < 2 or name not in parameters:  # the statistics of the images, for one
            assert torch.equal(after, before.half().to(before.dtype)), name
            continue
        for was, stored in zip(before.flatten(1), after.flatten(1), strict=True):
            step = 2.0 ** math.ceil(math.log2(was.abs().max().item() / 127))
            assert step <= was.abs().max() / 63.5
            assert torch.equal(stored / step, (stored / step).round())
            assert stored.abs().max() <= 127 * step
            assert (stored - was).abs().max() <= step / 2


def test_8_bits_take_little_more_than_half_the_room_of_16(tmp_path):
    model = build(SmallCNN())
    for weights in model.parameters():  # spread as those of a trained network are
        torch.nn.init.normal_(weights)
    for bits in (16, 8):
        save(tmp_path / f"{bits}", model, SmallCNN(), {}, bits=bits)
    small, large = ((tmp_path / f"{bits}.safetensors.xz").stat().st_size for bits in (8, 16))
    assert small < 0.6 * large


def test_an_output_without_weights_stays_without(tmp_path):
    model = build(SmallCNN(4))
    with torch.no_grad():
        model.head.weight[2] = 0
    save(tmp_path / "model", model, SmallCNN(4), {}, bits=8)
    weights = load(tmp_path / "model")[0].head.weight
    assert not weights[2].any()
    assert weights[1].any()


@pytest.mark.parametrize("bits", [1, 13, 32])
def test_other_numbers_of_bits_are_refused(bits, tmp_path):
    with pytest.raises(ValueError, match=f"in 16 bits, or in 2 to 12; got bits={bits}"):
        save(tmp_path / "model", build(SmallCNN(4)), SmallCNN(4), {}, bits=bits)


def test_without_its_projection_head_a_network_gets_a_fresh_one_always_the_same(tmp_path):
    torch.manual_seed(1)
    model = build(SmallCNN(4))
    save(tmp_path / "model", model, SmallCNN(4), {}, projector=False)
    one, other = (load(tmp_path / "model")[0] for _ in range(2))
    x = torch.rand(3, 3, 32, 32)
    assert torch.equal(one.project(x), other.project(x))
    assert not torch.allclose(one.project(x), model.eval().project(x), atol=0.01)
    model.half().float()
    torch.testing.assert_close(one(x), model(x))


def test_saving_leaves_the_model_alone(tmp_path):
    model = build(SmallCNN(4))
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    save(tmp_path / "model", model, SmallCNN(4), {})
    assert model.training
    assert all(torch.equal(weights, before[name]) for name, weights in model.state_dict().items())


def test_loading_leaves_the_callers_random_numbers_alone(tmp_path):
    save(tmp_path / "model", build(SmallCNN(4)), SmallCNN(4), {})
    state = torch.get_rng_state()
    load(tmp_path / "model")
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("suffix", ["", ".json", ".safetensors.xz"])
def test_a_path_may_come_as_text_and_with_a_suffix(suffix, tmp_path):
    save(str(tmp_path / "new" / "model"), build(SmallCNN(4)), SmallCNN(4), {"note": 1})
    assert load(f"{tmp_path}/new/model{suffix}")[1]["note"] == 1
    save(f"{tmp_path}/new/model{suffix}", build(SmallCNN(4)), SmallCNN(4), {"note": 2})
    assert load(tmp_path / "new" / "model")[1]["note"] == 2


def test_what_gives_images_is_no_classifier(tmp_path):
    save(tmp_path / "cnn", build(SmallCNN(4)), SmallCNN(4), {})
    save(tmp_path / "unet", build(UNet(8)), UNet(8), {})
    assert isinstance(load_classifier(tmp_path / "cnn")[0], Classifier)
    with pytest.raises(ValueError, match="unet is a NoisePredictor: it gives images"):
        load_classifier(tmp_path / "unet")


def test_weights_are_a_safetensors_file_that_xz_unpacks(tmp_path):
    model = build(SmallCNN(4))
    save(tmp_path / "model", model, SmallCNN(4), {})
    with lzma.open(tmp_path / "model.safetensors.xz", format=lzma.FORMAT_XZ) as unpacked:
        state = safetensors.torch.load(unpacked.read())
    assert {name: t.shape for name, t in state.items()} == {name: t.shape for name, t in model.state_dict().items()}


def test_names_that_differ_after_a_dot_are_different_weights(tmp_path):
    for eps in ("0.25", "0.5"):
        save(tmp_path / f"eps{eps}", build(SmallCNN(4)), SmallCNN(4), {"eps": eps})
    assert [load(tmp_path / f"eps{eps}")[1]["eps"] for eps in ("0.25", "0.5")] == ["0.25", "0.5"]


def test_a_loaded_card_can_be_passed_on(tmp_path):
    """With other weights and another network it describes these, and keeps the rest."""
    save(tmp_path / "first", build(SmallCNN(4)), SmallCNN(4), {"dataset": "toy"})
    _, card = load(tmp_path / "first")
    save(tmp_path / "second", build(ResNet18(2)), ResNet18(2), card)
    model, passed_on = load(tmp_path / "second")
    assert passed_on["dataset"] == "toy"
    assert model.head.in_features == 16


def test_shipped_weights_are_listed_and_loaded_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
    assert shipped() == []
    save(tmp_path / "toy" / "b", build(SmallCNN(4)), SmallCNN(4), {})
    save(tmp_path / "toy" / "a", build(SmallCNN(4)), SmallCNN(4), {"letter": "a"})
    assert shipped() == ["toy/a", "toy/b"]
    assert load("toy/a")[1]["letter"] == "a"


def test_the_card_holds_what_builds_the_network_and_the_hash(tmp_path):
    save(tmp_path / "model", build(SmallCNN(4)), SmallCNN(4), {})
    card = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert card["build"]["architecture"] == "SmallCNN"
    assert card["build"]["settings"] == {"width": 4}
    assert card["build"]["classes"] == 5
    assert len(card["sha256"]) == 64
