"""The benchmark of detectors: what is measured is kept, an interrupted run goes on, and the table is the report's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small import small

from benchmarks import detection as program
from benchmarks.summary import summary
from seminar_lib.detection import FeatureSqueezing
from seminar_lib.evaluation import AUROC, Accuracy

SMALL = {"n": 4, "batch_size": 4, "fpr": 0.25, "steps": 3, "restarts": 1}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights of a small network, whose card names a data set of random images; two detectors without a fit."""
    monkeypatch.setattr(
        program, "DETECTORS", dict.fromkeys(("one", "two"), lambda model, data: FeatureSqueezing(model))
    )
    return small(tmp_path, monkeypatch, program, images=8)


def test_an_interrupted_run_goes_on(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, seen = tmp_path / "detection-cpu.json", []
    evaluate = program.evaluate_detector

    def interrupted(*arguments):
        seen.append(arguments)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return evaluate(*arguments, progress=False)

    monkeypatch.setattr(program, "evaluate_detector", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.compare((weights,), ("one", "two"), **SMALL, out=out)
    assert list(json.loads(out.read_text())["models"][weights]) == ["none", "one"]
    program.compare((weights,), ("one", "two"), **SMALL, out=out)
    assert len(seen) == 3
    done = json.loads(out.read_text())["models"][weights]
    assert list(done) == ["none", "one", "two"]
    assert done["one"]["rows"] == done["two"]["rows"]
    shown = capsys.readouterr().out
    assert shown.strip() in summary(tmp_path)
    for attack in ("OrthogonalPGD(Linf(8/255), steps=3, step_size=2/255)", "PGD(Linf(8/255), loss=margin, steps=3,"):
        assert f"`{attack}" in summary(tmp_path)
    with pytest.raises(ValueError, match="measured with other settings"):
        program.compare((weights,), ("one",), **SMALL | {"steps": 4}, out=out)


def test_the_table_shows_the_network_alone_and_each_detector() -> None:
    share = {name: vars(Accuracy.of(torch.arange(10) < k)) for name, k in (("a", 9), ("b", 5), ("c", 1))}
    auroc = AUROC.of(torch.zeros(4), torch.ones(4))
    row = {"right": share["a"], "rejected": share["c"], "served": share["b"], "safe": share["b"]}
    found = {
        "clean": row,
        "oblivious": row | {"right": share["c"], "caught": share["a"], "auroc of the wrong": vars(auroc)},
        "adaptive": row | {"caught": None, "robust": share["c"]},
    }
    bare = {"clean": share["a"], "attacks": {"oblivious": share["c"], "longer": share["b"]}}
    alone, guarded = program.rows({"none": bare, "toy": {"rows": found}})
    high, middle, low = (Accuracy(**share[name]) for name in "abc")
    assert alone == ("none", "", high, "", "", low, "", middle, middle)
    assert guarded == ("toy", low, middle, auroc, high, middle, "none wrong", middle, low)
    assert len(alone) == len(guarded) == 1 + len(program.HEAD)


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no detector 'lid'; there are Mahalanobis, kernel density"):
        program.compare(detectors=("lid",))
