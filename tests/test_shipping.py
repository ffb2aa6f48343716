"""A card says of the best and of the last epoch what its weights measure."""

from dataclasses import replace

import pytest
import torch
from toy import toy

from seminar_lib import checkpoints
from seminar_lib.attacks import PGD
from seminar_lib.data.augment import Augment
from seminar_lib.evaluation import evaluate, mean_loss
from seminar_lib.models import Autoencoder, SmallCNN, UNet
from seminar_lib.objectives import ANCHOR, DDPM, CrossEntropy, Denoising
from seminar_lib.shipping import MEASURED, ship
from seminar_lib.train import Recipe, fit

RECIPE = Recipe("toy", model=SmallCNN(4), epochs=8, batch_size=16, augment=Augment(crop=0), bf16=False)
IMAGES = [
    replace(RECIPE, epochs=2, objective=objective, model=model, rate=2e-3, optimiser="adam")
    for objective, model in ((DDPM(), UNet(8)), (Denoising(), Autoencoder(2)))
]


@pytest.mark.parametrize("recipe", IMAGES, ids=lambda recipe: type(recipe.model).__name__)
def test_the_card_of_a_network_that_gives_images_says_its_loss(recipe, tmp_path):
    trained = fit(recipe, toy(), progress=False)
    card = ship(tmp_path / "model", recipe, trained, toy(), "make it", torch.device("cpu"))
    stored, loaded = checkpoints.load(tmp_path / "model")
    assert type(stored) is type(trained.best)
    assert loaded["build"]["channels"] == 3
    assert loaded["test"] == card["test"]
    loss = mean_loss(stored, toy().test, recipe.objective)
    assert card["test"]["best"] == {"loss": pytest.approx(loss, abs=1e-5)}
    assert [row["validation loss"] for row in loaded["history"]] == pytest.approx(
        [row["validation loss"] for row in trained.history], rel=1e-3
    )
    assert repr([row["epoch"] for row in loaded["history"]]) == "[1, 2]"
    assert "seed=0" in loaded["recipe"]
    assert loaded["training"].keys() == {"seconds", "device", "versions"}


def test_what_is_measured_is_what_is_stored_in_few_bits_too(tmp_path):
    trained = fit(RECIPE, toy(), progress=False)
    for bits in (16, 2):
        ship(tmp_path / f"{bits}", RECIPE, trained, toy(), "make it", torch.device("cpu"), bits)
    (full, _), (coarse, card) = (checkpoints.load(tmp_path / f"{bits}") for bits in (16, 2))
    assert not torch.equal(full.head.weight, coarse.head.weight)
    found = evaluate(coarse, toy().test, MEASURED, progress=False, seed=RECIPE.seed).as_dict()
    for report in (found, card["test"]["best"]):
        report.pop("seconds")
    assert card["test"]["best"] == found


WEAK = PGD(steps=1, stop_when_fooled=False)


@pytest.mark.parametrize("objective", [CrossEntropy(), ANCHOR(WEAK), ANCHOR(WEAK, weight=0.0)], ids=repr)
def test_the_projection_head_is_kept_where_it_was_trained(objective, tmp_path):
    recipe = replace(RECIPE, objective=objective, epochs=1)
    trained = fit(recipe, toy(), progress=False)
    ship(tmp_path / "model", recipe, trained, toy(), "make it", torch.device("cpu"))
    stored, head = (net.projector[0].weight for net in (checkpoints.load(tmp_path / "model")[0], trained.best))
    assert torch.equal(stored, head.half().float()) == objective.projects


def test_a_stage_that_leaves_the_projection_head_alone_keeps_what_the_one_before_has_trained(tmp_path):
    first = replace(RECIPE, objective=ANCHOR(WEAK), epochs=1)
    recipe = replace(RECIPE, start=first, trains="head", epochs=1)
    trained = fit(recipe, toy(), progress=False)
    ship(tmp_path / "model", recipe, trained, toy(), "make it", torch.device("cpu"))
    stored, head = (net.projector[0].weight for net in (checkpoints.load(tmp_path / "model")[0], trained.best))
    assert torch.equal(stored, head.half().float())
    assert replace(RECIPE, start="weights/of/others").projects  # nobody knows: keep it
    assert not replace(RECIPE, start=RECIPE).projects


def test_best_and_last_epoch_are_both_reported(tmp_path):
    early = fit(replace(RECIPE, epochs=1), toy(), progress=False).last
    trained = replace(fit(RECIPE, toy(), progress=False), last=early)  # far from the best
    last = replace(trained, best=trained.last)  # measured as what is shipped
    cards = [
        ship(tmp_path / name, RECIPE, shown, toy(), "make it", torch.device("cpu"))
        for name, shown in {"best": trained, "last": last}.items()
    ]
    figures = [cards[0]["test"][epoch]["clean"]["accuracy"] for epoch in ("best", "last")]
    assert figures[0] != figures[1]
    assert cards[0]["chosen"].startswith(f"epoch {trained.best_epoch} of 8, best on the validation images")
    assert cards[0]["test"].keys() == {"best", "last"}
    for epoch, figure in zip(("best", "last"), figures, strict=True):
        stored, _ = checkpoints.load(tmp_path / epoch)
        assert figure == evaluate(stored, toy().test, {}, progress=False)["clean"].accuracy
