"""The gray-box table: who stands in for whom, each attack measured once, and nothing measured twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from toy import toy

from benchmarks import graybox as program
from seminar_lib import cli, recipes
from seminar_lib.attacks import FGSM
from seminar_lib.checkpoints import load, save
from seminar_lib.data.augment import Augment
from seminar_lib.models import SmallCNN
from seminar_lib.objectives import CLEADHead, LISArD
from seminar_lib.train import Recipe, fit

PLAIN = Recipe("toy", model=SmallCNN(4), epochs=1, batch_size=8, augment=Augment(crop=0), bf16=False)
OTHERS = {"resnet18_standard": replace(PLAIN, model=SmallCNN(6)), "pgd_at": replace(PLAIN, rate=0.05)}


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run the comparison on a toy; returns what it wrote."""
    for name, recipe in {"standard": PLAIN, **OTHERS, "lisard": replace(PLAIN, objective=LISArD())}.items():
        monkeypatch.setattr(recipes, f"toy_{name}", lambda recipe=recipe: recipe, raising=False)
    for module in (cli, program):
        monkeypatch.setattr(module, "load_data", lambda name: toy())
        monkeypatch.setattr(module, "best_device", lambda: torch.device("cpu"))

    def run(*names: str, attacks: tuple[str, ...] = ("FGSM",)) -> dict[str, Any]:
        out = tmp_path / "report.json"
        program.compare(names, attacks, n=12, batch_size=8, runs=tmp_path / "runs", out=out)
        return json.loads(out.read_text())

    return run


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("signs_lisard", {"plain training", "ResNet-18", "adversarial training", "the same defence"}),
        ("signs_pgd_at", {"plain training", "ResNet-18", "the same defence"}),
        ("signs_standard", {"plain training", "ResNet-18", "adversarial training"}),
        ("signs_resnet18_standard", {"plain training", "adversarial training", "the same defence"}),
    ],
)
def test_at_least_three_stand_in_for_a_network_and_none_is_the_network_itself(name, expected):
    found = program.surrogates(name, "signs")
    assert set(found) == expected
    assert (name, program.SEED) not in found.values()
    assert (name, program.OTHER_SEED) in found.values()
    assert len(set(found.values())) == len(found)


def test_a_gray_cell_is_what_the_network_keeps_of_images_made_on_the_surrogate(compare, tmp_path):
    report = compare("toy_lisard")
    shares = report["models"]["toy_lisard"]["FGSM"]["attacks"]["FGSM"]
    victim, surrogate = (load(str(tmp_path / "runs" / name / "best"))[0] for name in ("toy_lisard", "toy_pgd_at"))
    test = toy().test.sample(12, 0)
    made = FGSM(program.THREAT, stop_when_fooled=False)(surrogate, test.x, test.y)
    kept = (victim(test.x).argmax(1) == test.y) & (victim(made).argmax(1) == test.y)
    assert shares["gray-box, adversarial training"]["accuracy"] == int(kept.sum()) / 12


def test_the_network_that_a_training_attacked_stands_in_as_well(compare, monkeypatch, tmp_path):
    recipe = replace(PLAIN, objective=CLEADHead(FGSM(program.THREAT)), start=PLAIN, trains="head")
    monkeypatch.setattr(recipes, "toy_clead_head", lambda: recipe, raising=False)
    found = compare("toy_clead_head")["models"]["toy_clead_head"]["FGSM"]["attacks"]["FGSM"]
    surrogate = fit(PLAIN, toy(), progress=False).best
    victim, _ = load(str(tmp_path / "runs" / "toy_clead_head" / "best"))
    test = toy().test.sample(12, 0)
    made = FGSM(program.THREAT, stop_when_fooled=False)(surrogate, test.x, test.y)
    kept = (victim(test.x).argmax(1) == test.y) & (victim(made).argmax(1) == test.y)
    assert found[f"gray-box, {program.OWN}"]["accuracy"] == int(kept.sum()) / 12


@pytest.mark.parametrize("given", [False, True])
def test_it_is_found_without_the_stages_after_it(compare, monkeypatch, tmp_path, given):
    first = fit(PLAIN, toy(), tmp_path / "first", progress=False).best
    path = tmp_path / "first" / "best"
    save(path, first, PLAIN.model, {})
    recipe = replace(PLAIN, objective=CLEADHead(), start=str(path) if given else PLAIN, trains="head")
    monkeypatch.setattr(recipes, "toy_clead_head", lambda: recipe, raising=False)
    runs = tmp_path / "runs"
    found = program.attacked_in_training("toy_clead_head", toy(), runs, torch.device("cpu"))[program.OWN]
    x = toy().test.x
    torch.testing.assert_close(found(x), load(path)[0](x) if given else first(x))
    assert not (runs / "toy_clead_head" / "history.jsonl").exists()


def test_each_attack_is_measured_once(compare, monkeypatch):
    first = compare("toy_lisard")
    both = compare("toy_lisard", attacks=("FGSM", "PGD-10"))
    assert list(both["models"]["toy_lisard"]) == ["FGSM", "PGD-10"]
    assert both["models"]["toy_lisard"]["FGSM"] == first["models"]["toy_lisard"]["FGSM"]
    for part in ("gray_box", "trained"):
        monkeypatch.setattr(program, part, None)
    assert compare("toy_lisard", attacks=("FGSM", "PGD-10")) == both


def test_a_row_has_a_cell_for_each_heading_and_none_where_nobody_stands_in(compare):
    rows = list(program.rows(compare("toy_lisard", "toy_standard")))
    assert [row[0] for row in rows] == ["toy_standard", "toy_lisard"]
    assert all(len(row) == len(program.HEAD) for row in rows)
    place = program.HEAD.index(program.SAME)
    assert (rows[0][place] == "", rows[1][place] == "") == (True, False)


@pytest.mark.parametrize(
    ("names", "attacks", "sentence"),
    [
        (("signs_magic",), ("FGSM",), "no recipe 'signs_magic'"),
        (("signs_standard", "cifar10_standard"), ("FGSM",), "for cifar10, signs"),
        ((), ("FGSM",), "for none"),
        (("signs_standard",), ("PGD-20",), "no attack 'PGD-20' here. Attacks: FGSM, PGD-10, AutoAttack"),
    ],
)
def test_what_makes_no_table_is_refused(names, attacks, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        program.compare(names, attacks, out=tmp_path / "report.json")
