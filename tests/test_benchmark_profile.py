"""The profile of our attacks: shares that add up, and a network that is told from what an attack does by itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks import profile as program
from seminar_lib.types import Model


class Sleepy(nn.Module):
    """The identity, which takes its time in both directions and notes how long that was."""

    def __init__(self, forward: float, backward: float) -> None:
        super().__init__()
        slept = self.slept = {}

        class Identity(torch.autograd.Function):
            @staticmethod
            def forward(ctx: object, x: Tensor) -> Tensor:
                slept["forward"] = sleep(forward)
                return x.clone()

            @staticmethod
            def backward(ctx: object, grad: Tensor) -> Tensor:
                slept["backward"] = sleep(backward)
                return grad

        self.identity = Identity

    def forward(self, x: Tensor) -> Tensor:
        return self.identity.apply(x.flatten(1))


def sleep(seconds: float) -> float:
    """For at least so many seconds; returns how long it was, which on a busy machine is longer."""
    start = time.perf_counter()
    time.sleep(seconds)
    return time.perf_counter() - start


@pytest.mark.parametrize(("forward", "backward", "own"), [(0.3, 0.1, 0.2), (0.05, 0.4, 0.05)])
def test_time_is_counted_where_it_was_spent(forward: float, backward: float, own: float) -> None:
    model = Sleepy(forward, backward)

    def attack(watched: Model, x: Tensor, y: Tensor) -> Tensor:
        image = x.clone().requires_grad_()
        watched(image).sum().backward()
        model.slept["own"] = sleep(own)
        return x

    found = program.shares(attack, model, torch.rand(4, 3, 2, 2), torch.arange(4))
    total = sum(model.slept.values())
    for part in ("forward", "backward"):
        counted, elsewhere = found[part] * found["seconds"], total - model.slept[part]
        assert model.slept[part] <= counted <= found["seconds"] - elsewhere


def test_what_is_left_is_shown_with_the_most_that_could_be_gained() -> None:
    done = {"seconds": 2.0, "forward": 0.5, "backward": 0.3, "device": "a CPU"}
    (row,) = program.rows({"models": {"toy/a": {"PGD-20": {"seminar_lib": done}}}})
    assert row == ("toy/a", "PGD-20", "seminar_lib", "2", "50%", "30%", "20%", "1.25", "a CPU")


def test_attacks_are_profiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report.json"
    program.compare(("signs/standard",), ("FGSM",), n=4, out=out)
    first = json.loads(out.read_text())
    found = first["models"]["signs/standard"]["FGSM"]["seminar_lib"]
    assert 0 < found["backward"] < found["forward"] < found["forward"] + found["backward"] < 1
    monkeypatch.setattr(program, "shares", None)
    program.compare(("signs/standard",), ("FGSM",), n=4, out=out)
    assert json.loads(out.read_text()) == first
