"""The benchmark of purifiers: an interrupted run goes on after the row that it finished, and the summary shows all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small import small
from torch import nn

from benchmarks import purification as program
from benchmarks.summary import summary
from seminar_lib.evaluation import Accuracy
from seminar_lib.purification import Quantise

SMALL = {"purifiers": ("none", "resize"), "n": 4, "steps": 2, "eot": 2, "draws": 3}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights of a small network, whose card names a data set of random images."""
    return small(tmp_path, monkeypatch, program, images=4)


def test_an_interrupted_run_goes_on(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, seen = tmp_path / "purification-cpu.json", []
    evaluate = program.evaluate_purified

    def interrupted(purifier, *rest):
        seen.append(type(purifier).__name__)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return evaluate(purifier, *rest)

    monkeypatch.setattr(program, "evaluate_purified", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.compare((weights,), **SMALL, runs=tmp_path / "runs", out=out)
    assert [*json.loads(out.read_text())["models"][weights]] == ["none"]
    (kept,) = (tmp_path / "runs").iterdir()
    assert len(json.loads(kept.read_text())["rows"]) == 4
    program.compare((weights,), **SMALL, runs=tmp_path / "runs", out=out)
    assert seen == ["Identity", "RandomResize", "RandomResize"]
    found = json.loads(out.read_text())["models"][weights]
    assert found["resize"]["draws"] == 3
    text = summary(tmp_path)
    assert "PGD with 2 steps" in text
    assert text.count("| `RandomResize(smallest=0.9)` |") == 3  # one draw, majority, worst
    cell = Accuracy(**found["resize"]["rows"]["BPDA"]["worst of 3"])
    assert str(cell) in text
    assert "| `Identity()` | accuracy |" in capsys.readouterr().out


def test_a_purifier_without_a_gradient_leaves_the_cell_empty() -> None:
    cell = vars(Accuracy(0.5, 0.25, 0.75, 8))
    found = {"purifier": "P()", "rows": {row: {"accuracy": cell} for row in program.ROWS if row != "full gradient"}}
    (row,) = program.rows({"p": found})
    assert row == ("`P()`", "accuracy", *[str(Accuracy(**cell))] * 3, "", str(Accuracy(**cell)))


def test_an_unknown_purifier_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no purifier 'wash'\. Purifiers: none, quantise, jpeg, resize, total"):
        program.compare(purifiers=("wash",))


def test_every_line_makes_a_purifier() -> None:
    made = {name: make("signs") for name, make in program.PURIFIERS.items()}
    assert all(isinstance(purifier, nn.Module) for purifier in made.values())
    assert repr(made["quantise"]) == repr(Quantise(3))
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert all(purifier(images).shape == images.shape for purifier in made.values())
