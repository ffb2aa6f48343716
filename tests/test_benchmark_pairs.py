"""Which images a network answers rightly: measured once, kept whole, and compared with what anybody can count."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from toy import toy

from benchmarks import pairs as program
from seminar_lib import checkpoints, cli, recipes
from seminar_lib.data.augment import Augment
from seminar_lib.models import SmallCNN
from seminar_lib.train import Recipe

FIRST = Recipe("toy", model=SmallCNN(4), epochs=1, augment=Augment(crop=0), bf16=False)


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run the comparison on a toy; returns what it wrote."""
    monkeypatch.setattr(recipes, "toy_pgd_at", lambda: FIRST, raising=False)
    monkeypatch.setattr(recipes, "toy_trades", lambda: replace(FIRST, rate=0.01), raising=False)
    for module in (cli, program):
        monkeypatch.setattr(module, "load_data", lambda name: toy())
        monkeypatch.setattr(module, "best_device", lambda: torch.device("cpu"))

    def run(*names: str, seeds: tuple[int, ...] = (0,), out: str = "report.json", **how) -> dict:
        program.compare(names, seeds, runs=tmp_path / "runs", out=tmp_path / out, **how)
        return json.loads((tmp_path / out).read_text())

    return run


def test_flags_survive_being_packed():
    flags = torch.rand(2_003, generator=torch.Generator().manual_seed(0)) < 0.3
    assert torch.equal(program.unpacked(program.packed(flags), 2_003), flags)


def test_what_is_kept_is_what_the_network_answers(compare, tmp_path):
    done = compare("toy_pgd_at")["models"]["toy_pgd_at"]["0"]
    model, _ = checkpoints.load(tmp_path / "runs" / "toy_pgd_at" / "best")
    images = toy().test
    right = model(images.x).argmax(1) == images.y
    assert 0 < right.sum() < len(right)
    assert torch.equal(program.flags(done, "clean"), right)


def test_what_was_interrupted_goes_on_after_the_last_block(compare, monkeypatch):
    def interrupted(model, images, attacks, seed):
        sizes.append(len(images))
        if len(sizes) == 2:
            raise KeyboardInterrupt
        return evaluate(model, images, attacks, seed=seed, progress=False)

    how, sizes, evaluate = {"n": 25, "block": 10}, [], program.evaluate
    whole = compare("toy_pgd_at", out="whole.json", **how)
    monkeypatch.setattr(program, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare("toy_pgd_at", **how)
    assert compare("toy_pgd_at", **how) == whole
    assert sizes == [10, 10, 10, 5]


def test_more_images_go_on_where_fewer_ended(compare):
    whole = compare("toy_pgd_at", out="whole.json", n=25, block=10)
    compare("toy_pgd_at", n=20, block=10)
    assert compare("toy_pgd_at", n=25, block=10) == whole
    assert compare("toy_pgd_at", n=20, block=10) == whole


def test_a_sample_does_not_go_on_with_all_images_in_their_order(compare):
    compare("toy_pgd_at", block=10)
    with pytest.raises(ValueError, match="other settings"):
        compare("toy_pgd_at", n=len(toy().test), block=10)


def test_a_block_of_nothing_is_refused(compare):
    with pytest.raises(ValueError, match="at least one image; got block=0"):
        compare("toy_pgd_at", block=0)


def test_another_network_is_measured_anew(compare, tmp_path):
    first = compare("toy_pgd_at")
    first["models"]["toy_pgd_at"]["0"] |= {"sha256": "another", "n": 8}
    (tmp_path / "report.json").write_text(json.dumps(first))
    assert compare("toy_pgd_at")["models"] == compare("toy_pgd_at", out="anew.json")["models"]


def test_each_network_is_measured_once(compare, monkeypatch):
    first = compare("toy_pgd_at", seeds=(0, 1))
    monkeypatch.setattr(program, "evaluate", None)
    monkeypatch.setattr(program, "trained", None)
    assert compare("toy_pgd_at", seeds=(0, 1)) == first


def test_a_row_counts_the_images_of_two_networks_of_one_seed():
    models = {
        "toy_pgd_at": {"0": answers("1111000000", "1000000000"), "2": answers("1111111111", "1111111111")},
        "toy_trades": {"0": answers("1011111111", "1000000011"), "3": answers("1111111111", "1111111111")},
    }
    # One right by the first alone, six by the other: 2 (1 + 7) of 2^7 coins fall so; and two of two 2 of 2^2.
    (row,) = program.rows({"models": models})
    name, beside, seed, n, clean, p, ours, theirs, attacked, q = row
    assert (name, beside, seed, n) == ("toy_trades", "toy_pgd_at", "0", "10")
    assert (clean, p, attacked, q) == ("6, 1", "0.12", "2, 0", "0.5")
    assert (ours.accuracy, theirs.accuracy, ours.n) == (0.3, 0.1, 10)


def test_networks_are_paired_on_the_images_that_both_have_met():
    seen, more = answers("1100", "1000"), answers("01111111", "01111111")
    for models in ({"toy_pgd_at": seen, "toy_trades": more}, {"toy_pgd_at": more, "toy_trades": seen}):
        (row,) = program.rows({"models": {name: {"0": found} for name, found in models.items()}})
        assert row[3] == "4"
        assert sorted(map(int, row[4].split(", "))) == [1, 2]
        assert {row[6].accuracy, row[7].accuracy} == {0.25, 0.75}


def test_rows_of_a_pair_stand_in_the_order_of_their_seeds():
    seeds = {seed: answers("1", "1") for seed in ("2", "0", "1")}
    assert [row[2] for row in program.rows({"models": dict.fromkeys(("toy_pgd_at", "toy_trades"), seeds)})] == [*"012"]


def answers(clean: str, attacked: str) -> dict[str, Any]:
    """What is kept of a network with these answers, a digit for each image."""
    texts = {"clean": clean, "attacked": attacked}
    flags = {row: torch.tensor([digit == "1" for digit in digits]) for row, digits in texts.items()}
    return {"n": len(clean), "right": {row: program.packed(right) for row, right in flags.items()}}


def test_what_is_compared_has_recipes():
    for pair in program.PAIRS:
        for name in pair:
            assert cli.recipe_named(f"signs_{name}").dataset == "signs"


def test_the_committed_answers_are_those_of_the_weights_that_are_shipped():
    for path in program.RESULTS.glob("pairs-*.json"):
        for name, seeds in json.loads(path.read_text())["models"].items():
            card = checkpoints.SHIPPED / path.stem.split("-")[1] / f"{name.split('_', 1)[1]}.json"
            if card.exists() and "0" in seeds:
                shipped = json.loads(card.read_text())
                assert seeds["0"]["sha256"] == shipped["sha256"]
                if seeds["0"]["n"] == shipped["test"]["best"]["n"]:
                    measured = program.standing(seeds["0"], "clean").accuracy
                    assert measured == pytest.approx(shipped["test"]["best"]["clean"]["accuracy"])
