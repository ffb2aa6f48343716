"""The comparison with the authors' AutoAttack: the same verdicts counted twice, and an interrupted run goes on."""

from __future__ import annotations

import pytest
import torch

from benchmarks import autoattack as program
from seminar_lib.models import Classifier


@pytest.fixture
def fragile() -> Classifier:
    """A linear model that falls to the first member."""
    torch.manual_seed(0)
    return Classifier(torch.nn.Flatten(), 48, 10, (0.5,) * 3, (0.25,) * 3).eval()


def test_both_count_each_image_once(fragile: Classifier) -> None:
    pytest.importorskip("pyautoattack")
    x = torch.rand(12, 3, 4, 4)
    y = fragile(x).argmax(1)
    y[0] = (y[0] + 1) % 10
    for run in (program.ours(fragile, x, y, 0, bf16=False), program.authors(fragile, x, y, 0)):
        assert (run["n"], run["clean"]) == (12, 11)
        assert run["robust"] + sum(run["fooled_by"].values()) == 11
        assert run["fooled_by"]["apgd-ce"] > 0


def test_the_table_adds_up_the_batches() -> None:
    run = {"n": 50, "clean": 45, "robust": 20, "seconds": 2.0, "fooled_by": dict.fromkeys(program.MEMBERS, 5)}
    shown = program.table("toy/a", [{"authors": run | {"seconds": 8.0}, "seminar_lib": run}] * 2)
    assert "| authors | 40.0% [30.9%, 49.8%] | 10 | 10 | 10 | 10 | 16 |" in shown
    assert "4.0 times as fast" in shown
