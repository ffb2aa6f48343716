"""The benchmark of certificates: an interrupted run goes on within a network, and the summary shows the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small import small

from benchmarks import certified as program
from benchmarks.summary import summary
from seminar_lib.checkpoints import load
from seminar_lib.evaluation import certify_set
from seminar_lib.smoothing import Smoothed

SMALL = {"sigmas": (0.25,), "n": 12, "samples": 200, "alpha": 0.01}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights of a small network, whose card names a data set of random images."""
    return small(tmp_path, monkeypatch, program, images=12)


def test_an_interrupted_run_goes_on(weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, runs, looks = tmp_path / "certified-cpu.json", tmp_path / "runs", []
    certify = Smoothed.certify

    def interrupted(self, x, *rest):
        looks.append(len(x))
        if len(looks) == 2:
            raise KeyboardInterrupt
        return certify(self, x, *rest)

    monkeypatch.setattr(Smoothed, "certify", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.compare((weights,), **SMALL, runs=runs, out=out)
    program.compare((weights,), **SMALL, runs=runs, out=out)
    program.compare((weights,), **SMALL, runs=runs, out=out)
    assert looks == [10, 2, 2], "the first ten images are not certified again, nor is a network that is done"
    found = json.loads(out.read_text())["models"][weights]
    model, _ = load(weights)
    data = program.load_data("noise").test.sample(12, 0)
    expected = certify_set(Smoothed(model, 0.25), data, n=200, alpha=0.01, seed=0, progress=False)
    for radius in program.RADII:
        assert found["certified"][radius] == vars(expected[float(radius)])
    text = summary(tmp_path)
    assert f"| {weights} | 0.25 | {expected[0.0]} |" in text
    assert f"| {expected.average_radius:.3f} ± {expected.average_radius_error:.3f} |" in text


def test_each_network_needs_its_sigma(weights: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 1 networks and 2 sigmas"):
        program.compare((weights,), sigmas=(0.1, 0.2), out=tmp_path / "certified-cpu.json")
