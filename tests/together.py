"""A script that trains in two processes what ``test_together.py`` trains in one."""

import json
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import torch
from safetensors.torch import save_file
from toy import toy

from seminar_lib.attacks import PGD
from seminar_lib.data.augment import Augment
from seminar_lib.models import Autoencoder, SmallCNN, UNet
from seminar_lib.objectives import (
    ANCHOR,
    AWP,
    CLEAD,
    DDPM,
    MART,
    TRADES,
    AdversarialTraining,
    CLEADEncoder,
    Denoising,
    LISArD,
    SmoothAdv,
)
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe, fit
from seminar_lib.train.processes import is_first

ATTACK = PGD(Linf(8 / 255), steps=2, stop_when_fooled=False)
BASE = Recipe(
    "toy",
    model=SmallCNN(2),
    epochs=2,
    batch_size=15,  # shares of 7 and 8 images, and of 5 in the last batch
    rate=0.05,
    augment=Augment(crop=1, flip=True, jitter=0.1),
    ema=0.5,
    validation=PGD(Linf(8 / 255), steps=3),  # goes on with fewer and fewer images, in the end with less than one each
    bf16=False,
)
SLOW = {"rate": 2e-3, "validation": None}
START = replace(BASE, epochs=1, validation=None)
RECIPES = {
    "cross-entropy": BASE,
    "adversarial": replace(BASE, objective=AdversarialTraining(ATTACK)),
    "trades": replace(BASE, objective=TRADES(ATTACK)),
    "mart": replace(BASE, objective=MART(ATTACK)),
    "awp": replace(BASE, objective=AWP(TRADES(ATTACK), gamma=0.05)),
    "anchor": replace(BASE, objective=ANCHOR(ATTACK, augment=Augment(crop=1))),
    "clead": replace(BASE, objective=CLEAD(ATTACK, attack_contrast=True)),
    "clead encoder": replace(START, objective=CLEADEncoder(ATTACK), start=START),
    "lisard": replace(BASE, objective=LISArD(weight=0.01)),
    "smoothadv": replace(BASE, objective=SmoothAdv()),
    "ddpm": replace(BASE, objective=DDPM(), model=UNet(8), **SLOW),
    "denoising": replace(BASE, objective=Denoising(), model=Autoencoder(2), **SLOW),
    "head": replace(START, start=START, trains="head", seed=1),
}
INTERRUPTED = RECIPES["adversarial"]


@dataclass(frozen=True)
class Explode:
    """A harmless epoch, and then the full rate."""

    def __call__(self, progress: float) -> float:
        return 1e-300 if progress < 1 / 2 else 1.0


DIVERGING = replace(BASE, rate=1e200, schedule=Explode(), validation=None)


@contextmanager
def double_precision():
    """Float64 throughout: in float32, rounding turns the signs of some small slopes, and attacks make that large."""
    try:
        torch.set_default_dtype(torch.float64)
        with (
            patch("seminar_lib.data.dataset.as_float", lambda images: images.double() / 255),
            patch.object(torch.Tensor, "float", torch.Tensor.double),
        ):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


def main(folder: Path) -> None:
    """Leave the last weights and the history of each training, and what became of the one that diverges."""
    for name, recipe in {**RECIPES, "resumed": INTERRUPTED}.items():
        seen = []
        home = folder / name if name == "resumed" else None
        trained = fit(recipe, toy(), home, progress=False, devices=2, watch=seen.append)
        rank = "first" if is_first() else "second"
        weights = {key: tensor.contiguous() for key, tensor in trained.last.state_dict().items()}
        save_file(weights, folder / f"{name} {rank}.safetensors")
        (folder / f"{name} {rank}.json").write_text(json.dumps([trained.history, len(seen)]))
    with suppress(FloatingPointError):
        fit(DIVERGING, toy(), folder / "diverging", progress=False, devices=2)
        return
    (folder / f"diverged {rank}").touch()


if __name__ == "__main__":
    with double_precision():
        main(Path(sys.argv[1]))
