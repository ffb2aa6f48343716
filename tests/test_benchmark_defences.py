"""The table of training defences: trained once, measured once, and what runs share is not trained again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toy import toy

from benchmarks import defences as program
from benchmarks import subject
from seminar_lib import cli, recipes
from seminar_lib.checkpoints import SHIPPED
from seminar_lib.data.augment import Augment
from seminar_lib.evaluation import Accuracy
from seminar_lib.models import SmallCNN
from seminar_lib.train import Recipe

FIRST = Recipe("toy", model=SmallCNN(4), epochs=1, augment=Augment(crop=0), bf16=False)
THEN = replace(FIRST, start=FIRST, epochs=2)


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run the comparison on a toy, with another attack in AutoAttack's place; returns what it wrote."""
    monkeypatch.setattr(recipes, "toy_first", lambda: FIRST, raising=False)
    monkeypatch.setattr(recipes, "toy_then", lambda: THEN, raising=False)
    for module in (cli, subject, program):
        monkeypatch.setattr(module, "load_data", lambda name: toy())
    for module in (cli, program):
        monkeypatch.setattr(module, "best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(program, "ours", attacked)

    def run(*names: str, seeds: tuple[int, ...] = (0,)) -> dict:
        out = tmp_path / "report.json"
        program.compare(names, seeds, n=6, batch_size=4, runs=tmp_path / "runs", out=out)
        return json.loads(out.read_text())

    return run


def attacked(model, x, y, seed, bf16):
    return {"n": len(x), "clean": len(x), "robust": len(x) - 1, "fooled_by": {}, "seconds": 1.0}


def test_each_defence_is_trained_and_measured_once(compare, tmp_path, monkeypatch):
    first = compare("toy_first")
    done = first["models"]["toy_first"]["0"]
    assert [batch["n"] for batch in done["autoattack"]] == [4, 2]
    card = json.loads((tmp_path / "runs" / "toy_first" / "best.json").read_text())
    assert done["clean"] == card["test"]["best"]["clean"]
    assert done["pgd20 last"] == card["test"]["last"]["attacks"]["pgd20"]
    monkeypatch.setattr(cli, "train", None)
    monkeypatch.setattr(program, "ours", None)
    assert compare("toy_first") == first


def test_all_are_timed_side_by_side_and_again_where_one_is_new(compare, monkeypatch):
    asked = []
    monkeypatch.setattr(
        program,
        "epochs",
        lambda recipes, data, device: (
            asked.append([*recipes]) or {name: {"seconds": 2.0, "operations": 6e9} for name in recipes}
        ),
    )
    monkeypatch.setattr(program, "peak", lambda device: 4e9)
    compare("toy_first")
    report = compare("toy_then")
    assert [*report["pace"]["epochs"]] == ["toy_first", "toy_then"]
    compare("toy_first")
    assert asked == [["toy_first"], ["toy_first", "toy_then"]]
    assert [row[-2:] for row in program.rows(report)] == 2 * [("2", "75%")]


def test_rows_stand_in_one_order_whatever_was_measured_first(compare):
    (measured,) = compare("toy_first")["models"].values()
    names = ["toy_first", "toy_anchor_head", "toy_lisard_at", "toy_anchor", "toy_pgd_at", "toy_clead_unheld"]
    rows = program.rows({"models": dict.fromkeys(names, measured)})
    order = ["toy_pgd_at", "toy_lisard_at", "toy_clead_unheld", "toy_anchor", "toy_anchor_head", "toy_first"]
    assert [name for name, *_ in rows] == order


def test_what_is_whole_needs_no_run(compare, tmp_path, monkeypatch):
    first = compare("toy_first")
    shutil.rmtree(tmp_path / "runs")
    monkeypatch.setattr(cli, "train", None)
    assert compare("toy_first") == first


def test_a_network_that_was_trained_anew_is_attacked_anew(compare, tmp_path):
    first = compare("toy_first")
    done = first["models"]["toy_first"]["0"]
    done["autoattack"] = [done["autoattack"][0] | {"robust": 0}]
    for sha256, robust in ((done["sha256"], 0), ("of another network", 3)):
        done["sha256"] = sha256
        (tmp_path / "report.json").write_text(json.dumps(first))
        batches = compare("toy_first")["models"]["toy_first"]["0"]["autoattack"]
        assert [batch["robust"] for batch in batches] == [robust, 1]


def test_the_committed_table_is_about_the_weights_that_are_shipped():
    for path in program.RESULTS.glob("defences-*.json"):
        for name, seeds in json.loads(path.read_text())["models"].items():
            shipped = SHIPPED / path.stem.split("-")[1] / name.split("_", 1)[1]
            if shipped.with_suffix(".json").exists() and "0" in seeds:
                assert seeds["0"]["sha256"] == json.loads(shipped.with_suffix(".json").read_text())["sha256"]


def test_seeds_have_folders_of_their_own(compare, tmp_path):
    report = compare("toy_first", seeds=(0, 1))
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"toy_first", "toy_first-1"}
    zero, one = report["models"]["toy_first"].values()
    assert zero["sha256"] != one["sha256"]
    *each, (name, seeds, chosen, *accuracies, _, _) = program.rows(report)
    assert [row[:3] for row in each] == [("toy_first", seed, "1 of 1") for seed in ("0", "1")]
    assert (name, seeds, chosen) == ("toy_first", "mean of 2", "")
    assert all(" to " in accuracy for accuracy in accuracies)


def test_a_stage_that_another_run_has_finished_is_not_trained_again(compare, tmp_path):
    compare("toy_first")
    state = (tmp_path / "runs" / "toy_first" / "state.safetensors").read_bytes()
    compare("toy_first", "toy_then")
    start = tmp_path / "runs" / "toy_then" / "start"
    assert (start / "state.safetensors").read_bytes() == state
    assert (start / "curve.png").read_bytes() == (tmp_path / "runs" / "toy_first" / "curve.png").read_bytes()


def test_several_seeds_are_shown_by_their_mean_and_range():
    one, other = (Accuracy(share, share - 0.1, share + 0.1, 100) for share in (0.5, 0.6))
    assert program.over_seeds([one, other]) == "55.0% (50.0% to 60.0%)"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [(("signs_magic",), "no recipe 'signs_magic'"), (("signs_standard", "cifar10_standard"), "for cifar10, signs")],
)
def test_what_makes_no_table_is_refused(names, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        program.compare(names, out=tmp_path / "report.json")
