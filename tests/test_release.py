"""A release says of the best and of the last epoch what its weights measure."""

from dataclasses import replace

import torch
from toy import toy

from seminar_lib import checkpoints
from seminar_lib.data.augment import Augment
from seminar_lib.evaluation import evaluate
from seminar_lib.models import SmallCNN
from seminar_lib.release import release
from seminar_lib.train import Recipe, fit

RECIPE = Recipe("toy", model=SmallCNN(4), epochs=8, batch_size=16, augment=Augment(crop=0), bf16=False)


def test_best_and_last_epoch_are_both_reported(tmp_path):
    early = fit(replace(RECIPE, epochs=1), toy(), progress=False).last
    trained = replace(fit(RECIPE, toy(), progress=False), last=early)  # far from the best
    last = replace(trained, best=trained.last)  # measured as what is released
    cards = [
        release(tmp_path / name, RECIPE, shown, toy(), "make it", torch.device("cpu"))
        for name, shown in {"best": trained, "last": last}.items()
    ]
    figures = [cards[0]["test"][epoch]["clean"]["accuracy"] for epoch in ("best", "last")]
    assert figures[0] != figures[1]
    assert cards[0]["chosen"].startswith(f"epoch {trained.best_epoch} of 8, best on the validation images")
    assert cards[0]["test"].keys() == {"best", "last"}
    for epoch, figure in zip(("best", "last"), figures, strict=True):
        stored, _ = checkpoints.load(tmp_path / epoch)
        assert figure == evaluate(stored, toy().test, {}, progress=False)["clean"].accuracy
