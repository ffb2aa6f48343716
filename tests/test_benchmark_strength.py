"""The comparison of strength: what each contestant found, measured once, and an interrupted run that goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small import small
from torch import Tensor

from benchmarks import strength as program
from benchmarks import subject
from benchmarks.contestants import ATTACKS
from benchmarks.peers import PEERS
from benchmarks.report import take_up
from seminar_lib.attacks import FGSM
from seminar_lib.threat import Linf


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights of a small network, whose card names a data set of random images."""
    monkeypatch.setitem(ATTACKS, "FGSM", FGSM(Linf(1 / 255)))
    return small(tmp_path, monkeypatch, program, images=12, reads=subject, width=8)


def test_what_was_measured_is_not_measured_again(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, observed = tmp_path / "report.json", []
    observe = program.observe

    def interrupted(name: str, *rest: object) -> object:
        observed.append(name)
        if len(observed) == 2:
            raise KeyboardInterrupt
        return observe(name, *rest)

    monkeypatch.setattr(program, "observe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.compare((weights,), ("FGSM",), n=12, batch_size=6, out=out)
    program.compare((weights,), ("FGSM",), n=12, batch_size=6, out=out)
    assert observed[1:].count(observed[0]) == 0
    found = json.loads(out.read_text())["models"][weights]["FGSM"]["found"]
    assert list(found) == [observed[0], *observed[2:]]
    assert "seminar_lib" in found
    assert all(run["robust_accuracy"]["n"] == 12 and run["device"] for run in found.values())
    if found.keys() & PEERS.keys():
        assert "Points above the strongest peer: seminar_lib +0.0" in capsys.readouterr().out


def test_more_seeds_are_further_runs_on_the_same_images(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, looks = tmp_path / "report.json", []
    observe = program.observe

    def noted(name: str, run: object, model: object, batches: list[tuple[Tensor, Tensor]], *rest: object) -> object:
        looks.append((name, rest[-1], torch.cat([x for x, _ in batches]).sum().item()))
        return observe(name, run, model, batches, *rest)

    monkeypatch.setattr(program, "observe", noted)
    program.compare((weights,), ("FGSM",), n=6, batch_size=6, seed=3, out=out)
    program.compare((weights,), ("FGSM",), n=6, batch_size=6, seed=3, seeds=3, out=out)
    done = json.loads(out.read_text())["models"][weights]["FGSM"]
    assert list(done["more"]) == ["4", "5"]
    assert done["more"]["4"].keys() == done["found"].keys()
    assert {seed for _, seed, _ in looks} == {3, 4, 5}
    assert len({images for *_, images in looks}) == 1
    assert len(looks) == 3 * len(done["found"])
    assert all(len(shares) == 3 for shares in program.by_seed(done).values())


def test_an_attack_that_has_changed_since_is_not_mixed_in(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report.json"
    program.compare((weights,), ("FGSM",), n=12, batch_size=6, out=out)
    monkeypatch.setitem(ATTACKS, "FGSM", FGSM(Linf(2 / 255)))
    with pytest.raises(ValueError, match=r"holds FGSM with other settings, FGSM\(Linf\(1/255\)\).*--out"):
        program.compare((weights,), ("FGSM",), n=12, batch_size=6, out=out)


def test_an_attack_that_is_not_there_is_refused(weights: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--attacks are some of FGSM, PGD-20.*; got FSGM"):
        program.compare((weights,), ("FSGM",), out=tmp_path / "report.json")


def test_other_settings_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"settings": {"n": 5}, "models": {"toy/a": [1]}}))
    assert take_up(path, {"n": 5}) == {"settings": {"n": 5}, "models": {"toy/a": [1]}}
    with pytest.raises(ValueError, match=r"other settings.*--out"):
        take_up(path, {"n": 6})
    assert take_up(tmp_path / "none.json", {"n": 6}) == {"settings": {"n": 6}, "models": {}}
