"""The summary of what was measured: its figures against those worked out by hand, and the committed one is current."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch

from benchmarks import summary as program
from seminar_lib.evaluation import Accuracy

ACCURACY = {"accuracy": 0.5, "low": 0.25, "high": 0.75, "n": 8}


def timed(name: str, seconds: float) -> dict[str, object]:
    return {"name": name, "installed": True, "seconds": {"median": seconds}, "robust_accuracy": ACCURACY}


def found(accuracy: float, distance: float | None) -> dict[str, object]:
    return {"robust_accuracy": ACCURACY | {"accuracy": accuracy}, "median_distance": distance}


def test_times_are_compared_with_the_fastest_peer() -> None:
    absent = {"name": "adv_lib", "installed": False}
    rows = [timed("floor", 2.0), timed("foolbox", 9.0), timed("torchattacks", 6.0), absent]
    ours = [timed("seminar_lib", 3.0), timed("seminar_lib, no stopping", 1.0), timed("seminar_lib, bf16", 1.5)]
    ours.append(timed("seminar_lib, within eps", 2.0))
    race = {"weights": "toy/a", "attack": "PGD-20", "n": 8, "rows": rows + ours}
    first, second, third = program.times({"races": [race, race | {"rows": ours}], "device": "a CPU"})
    names = ("toy/a", "PGD-20", "torchattacks", "6")
    assert first == (*names, "seminar_lib", "3", "2.0", "3.0", "50.0%, 50.0%", "8", "a CPU")
    assert second == (*names, "seminar_lib, bf16", "1.5", "4.0", "3.0", "50.0%, 50.0%", "8", "a CPU")
    assert third == (*names, "seminar_lib, within eps", "2", "3.0", "3.0", "50.0%, 50.0%", "8", "a CPU")


def test_bars_are_linked_where_they_were_drawn(tmp_path: Path) -> None:
    for name in ("cpu", "cuda"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"races": [], "device": "a CPU"}))
    assert "bars" not in program.summary(tmp_path)
    (tmp_path / "cuda.png").touch()
    assert "drawn as bars: [cuda](benchmarks/cuda.png)." in program.summary(tmp_path)


def test_networks_that_were_trained_again_stand_below_the_others(tmp_path: Path) -> None:
    for name in ("a-again", "a", "b"):
        report = {"settings": {"attack": name}, "models": {}}
        (tmp_path / f"pairs-{name}.json").write_text(json.dumps(report))
    text = program.summary(tmp_path)
    words = ("## Image by image", "`a`", "`b`", "in other weights", "`a-again`")
    assert [text.count(word) for word in words] == [1] * len(words)
    assert sorted(words, key=text.index) == list(words)


def test_no_committed_picture_lacks_its_link() -> None:
    text = program.README.read_text(encoding="utf-8")
    drawn = sorted(path.relative_to(program.README.parent).as_posix() for path in program.RESULTS.glob("*.png"))
    assert drawn
    assert all(f"({picture})" in text for picture in drawn)


def test_what_is_found_is_compared_with_the_strongest_peer() -> None:
    peers = {"foolbox": found(0.5, 0.3), "adv_lib": found(0.25, 0.2)}
    done = {"C&W": {"found": {**peers, "seminar_lib": found(0.375, 0.25)}}, "PGD-20": {"found": {**peers}}}
    (row,) = program.finds({"models": {"toy/a": done}})
    theirs, ours = (str(Accuracy(**ACCURACY | {"accuracy": accuracy})) for accuracy in (0.25, 0.375))
    assert row == ("toy/a", "C&W", "adv_lib", theirs, "seminar_lib", ours, "+12.5", "0.2, 0.25")


def test_seeds_are_averaged_and_compared_with_the_peer_that_is_strongest_on_average() -> None:
    lucky = {"foolbox": found(0.25, None), "torchattacks": found(0.375, None), "seminar_lib": found(0.5, None)}
    second = {"foolbox": found(0.75, None), "torchattacks": found(0.375, None), "seminar_lib": found(0.25, None)}
    once = {"adversarial-robustness-toolbox": found(0.125, None)}
    attacks = {"Square": {"found": lucky | once, "more": {"1": second}}, "FGSM": {"found": lucky}}
    (row,) = program.finds_by_seed({"models": {"toy/a": attacks}})
    theirs, ours = "37.5% (37.5% to 37.5%)", "37.5% (25.0% to 50.0%)"
    assert row == ("toy/a", "Square", "2", "torchattacks", theirs, "seminar_lib", ours, "+0.0")


def test_an_attack_without_distances_leaves_the_column_empty() -> None:
    done = {"FGSM": {"found": {"foolbox": found(0.5, None), "seminar_lib": found(0.5, None)}}}
    (row,) = program.finds({"models": {"toy/a": done}})
    assert row[-2:] == ("+0.0", "")


def test_only_what_was_measured_has_a_section(tmp_path: Path) -> None:
    (tmp_path / "strength-cpu.json").write_text(json.dumps({"models": {}}))
    text = program.summary(tmp_path)
    assert "## What the attacks find" in text
    assert "## How long" not in text
    assert "## AutoAttack" not in text


def test_defences_are_shown_with_what_they_were_measured_on(tmp_path: Path) -> None:
    batch = {"n": 8, "robust": 4}
    done = {"clean": ACCURACY, "pgd20": ACCURACY, "pgd20 last": ACCURACY, "chosen": "epoch 3 of 5, best on some images"}
    models = {"toy_a": {"0": done | {"autoattack": [batch]}, "1": done | {"autoattack": []}}}
    report = {"settings": {"n": 8, "bf16": False}, "models": models}
    report["pace"] = {
        "epochs": {"toy_a": {"seconds": 3.2, "operations": 2.4e12}},
        "peak": 1.5e12,
        "device": "a CPU",
    }
    (tmp_path / "defences-toy.json").write_text(json.dumps(report))
    text = program.summary(tmp_path)
    prose = " ".join(text.split())  # wherever its lines end
    assert "## Training defences on toy" in prose
    assert "AutoAttack (standard, float32) on 8 test images" in prose
    assert "steps of all recipes in turns (a CPU)" in prose
    assert "two square matrices there, 1.5 TFLOP/s." in prose
    cell, counted = Accuracy(**ACCURACY), Accuracy.of(torch.arange(8) < 4)
    assert f"| toy_a | 0 | 3 of 5 | {cell} | {cell} | {cell} | {counted} | 3 | 50% |" in text
    del report["pace"]
    (tmp_path / "defences-toy.json").write_text(json.dumps(report))
    assert f"| {counted} |  |  |" in program.summary(tmp_path)


def test_files_of_one_data_set_make_one_table_unless_they_were_measured_differently() -> None:
    settings = {"n": 8, "bf16": False}
    first = {"settings": settings, "models": {"toy_a": {"0": "a0"}, "toy_b": {"0": "b0"}}}
    second = {"settings": settings, "models": {"toy_a": {"1": "a1"}}, "pace": "timed there"}
    reports = {"defences-toy": first, "defences-toy-2": second, "defences-other": second, "strength-cpu": {}}
    whole = program.by_dataset(reports)
    assert whole.keys() == {"toy", "other"}
    models = {"toy_a": {"0": "a0", "1": "a1"}, "toy_b": {"0": "b0"}}
    assert whole["toy"] == {"settings": settings, "models": models, "pace": "timed there"}
    assert first["models"]["toy_a"] == {"0": "a0"}
    with pytest.raises(ValueError, match=r"defences-toy-2\.json has other settings, \{'n': 9\}"):
        program.by_dataset({"defences-toy": first, "defences-toy-2": {"settings": {"n": 9}, "models": {}}})


def test_the_committed_summary_is_current() -> None:
    assert program.README.read_text(encoding="utf-8") == program.summary()


def test_no_table_swallows_the_line_below_it() -> None:
    lines = program.README.read_text(encoding="utf-8").splitlines()
    below = [line for row, line in itertools.pairwise(lines) if row.startswith("|") and not line.startswith("|")]
    assert len(below) > 10
    assert not any(below)  # GitHub takes every other line for one more row
