"""The benchmark of certificates: the recipe is the paper's, all certify the same, and an interrupted run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small import small

from benchmarks import smoothing as program
from benchmarks import subject
from benchmarks.summary import summary
from seminar_lib.smoothing import ABSTAIN
from seminar_lib.smoothing.bounds import largest_radius

SMALL = {"images": 2, "samples": 40, "sigma": 0.25, "alpha": 0.01, "target": 0.1, "rounds": 2}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights of a small network, whose card names a data set of random images."""
    return small(tmp_path, monkeypatch, program, images=4, reads=subject)


def test_all_certify_a_clear_case_alike() -> None:
    """A network that always gives one answer: the largest radius, but where stopping early is the point."""
    model = lambda x: torch.eye(3)[torch.ones(len(x), dtype=torch.long)] * 9 - 1  # noqa: E731
    for name, certify in program.contestants(model, 0.25, 400, 0.01, 0.1, torch.device("cpu")).items():
        label, radius, samples = certify(torch.rand(1, 3, 8, 8))
        assert label == 1
        if "stop at" in name:
            assert 0.1 <= radius < largest_radius(400, 0.01, 0.25)
            assert samples == 200
        else:
            assert radius == pytest.approx(largest_radius(400, 0.01, 0.25))
            assert samples == 500


def test_the_recipe_abstains_where_the_votes_are_even() -> None:
    model = lambda x: torch.eye(2)[(x.mean((1, 2, 3)) > 0.5).long()]  # noqa: E731
    torch.manual_seed(0)
    assert program.recipe(model, torch.full((1, 3, 8, 8), 0.5), 0.25, 900, 0.001) == (ABSTAIN, 0.0, 1000)


def test_an_interrupted_run_goes_on(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, seen = tmp_path / "smoothing-cpu.json", []
    measure = program.measure

    def interrupted(certify, x, y, seed):
        seen.append(seed)
        if seen.count(1) == 1:  # at the second image, once
            raise KeyboardInterrupt
        return measure(certify, x, y, seed)

    monkeypatch.setattr(program, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.compare((weights,), **SMALL, out=out)
    assert len(json.loads(out.read_text())["models"][weights]) == 1
    program.compare((weights,), **SMALL, out=out)
    images = json.loads(out.read_text())["models"][weights]
    assert len(images) == 2
    assert seen.count(0) == len(images[0]["found"])
    assert all(len(part["seconds"]) == 2 and min(part["seconds"]) > 0 for part in images[1]["found"].values())
    shown = capsys.readouterr().out
    assert "| recipe |" in shown
    assert shown.strip() in summary(tmp_path)


def test_no_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one round; got rounds=0"):
        program.compare(rounds=0)
