"""The benchmark runs equal attacks, counts what they ask of the model, and reports what happened."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from fresh import in_a_fresh_python
from torch import nn

from benchmarks import __main__ as program
from benchmarks import contestants, measure, peers, subject
from seminar_lib.attacks import APGD, CW, FAB, FGSM, PGD, Attack, AutoAttack, DeepFool, MinimumNorm, Square
from seminar_lib.checkpoints import save
from seminar_lib.data.dataset import Dataset, Split
from seminar_lib.models import Classifier, SmallCNN
from seminar_lib.threat import L2, Linf

CLASSES, MEAN, STD = 10, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
LINF = Linf(8 / 255)
CPU = torch.device("cpu")
TWO = ("FGSM", "PGD-20")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow on networks as small as these where other tests use the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def images(n: int) -> torch.Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def tiny() -> Classifier:
    """Two layers, on random pixels about as sensitive as a trained network on its images."""
    torch.manual_seed(0)
    backbone = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 32), nn.ReLU())
    return Classifier(backbone, 32, CLASSES, MEAN, STD).eval()


@pytest.fixture
def linear() -> Classifier:
    """Every step up the gradient's sign raises the loss of a linear model: the last image of a walk is its best."""
    torch.manual_seed(0)
    return Classifier(nn.Flatten(), 3 * 32 * 32, CLASSES, MEAN, STD).eval()


def peer(name: str, attack: Attack, model: Classifier) -> peers.Contestant:
    found, absent = contestants.contestants(attack, model)
    if name not in found:
        pytest.skip(f"{name} is not installed" if name in absent else f"{name} has no such attack")
    return found[name]


# Equal attacks

# adv_lib judges an image before each step and returns the last one judged: one step fewer than it was asked for.
IN_STEP = [name for name in peers.PEERS if name != "adv_lib"]


@pytest.mark.parametrize("name", IN_STEP)
@pytest.mark.parametrize(
    "attack",
    [
        FGSM(Linf(4 / 255), stop_when_fooled=False),
        PGD(Linf(4 / 255), steps=1, step_size=3 / 255, random_start=False, stop_when_fooled=False),
        PGD(Linf(4 / 255), steps=3, step_size=1 / 255, random_start=False, stop_when_fooled=False),
        PGD(Linf(4 / 255), steps=3, step_size=2 / 255, random_start=False, stop_when_fooled=False),
    ],
    ids=repr,
)
def test_a_peer_walks_the_same_steps(name: str, attack: Attack, linear: Classifier) -> None:
    x = images(16)
    y = linear(x).argmax(1)
    theirs = peer(name, attack, linear)(x, y)
    assert theirs.sub(x).abs().amax() > 0.9 / 255
    torch.testing.assert_close(theirs, attack(linear, x, y), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", IN_STEP)
def test_a_peer_starts_where_we_do_at_random(name: str, linear: Classifier) -> None:
    attack = PGD(LINF, steps=1, step_size=1e-9)  # what is left is the random start
    x = images(64)
    contestant = peer(name, attack, linear)
    first, second = (contestant(x, linear(x).argmax(1)) - x for _ in range(2))
    assert not torch.equal(first, second)
    inside = first[(x > LINF.eps) & (x < 1 - LINF.eps)] / LINF.eps  # uniform in [-1, 1] where nothing is clipped
    assert abs(inside.mean()) < 0.01
    assert inside.square().mean() == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.filterwarnings("ignore")  # of other libraries
@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_draws_by_the_seed_of_the_benchmark(name: str, tiny: Classifier) -> None:
    contestant = peer(name, Square(LINF, queries=5), tiny)
    x = images(8)
    found = []
    for seed in (1, 1, 2):
        measure.seed_all(seed)
        found.append(contestant(x, tiny(x).argmax(1)))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


SHORT = {
    "FGSM": FGSM(Linf(1 / 255)),
    "PGD-20": PGD(Linf(1 / 255), steps=20, step_size=0.25 / 255),
    "APGD-CE": APGD(Linf(1 / 255), steps=10),
    "C&W": CW(L2(0.1), binary_steps=1, steps=30, initial_const=1.0),
    "DeepFool": DeepFool(L2(0.1), steps=20),
    "FAB-T": FAB(Linf(1 / 255), steps=5, targets=2),
    "Square": Square(Linf(1 / 255), queries=50),
}


def test_every_attack_of_the_benchmark_is_tested_here() -> None:
    assert {type(attack) for attack in SHORT.values()} | {AutoAttack} == {
        type(attack) for attack in contestants.ATTACKS.values()
    }


@pytest.mark.filterwarnings("ignore")  # of other libraries
@pytest.mark.parametrize("attack", SHORT.values(), ids=SHORT)
def test_ours_is_no_weaker_than_its_peers(attack: Attack, tiny: Classifier) -> None:
    x = images(200)
    batches = [(x, tiny(x).argmax(1))]
    running, _ = contestants.contestants(attack, tiny)
    results = measure.race(running, tiny, batches, attack, rounds=1, seed=0)
    ours = results["seminar_lib"].accuracy.accuracy
    assert ours < 0.95
    for name in results.keys() & peers.PEERS.keys():
        theirs = results[name].accuracy.accuracy
        assert theirs < 1, f"{name} does nothing"
        assert ours <= theirs + 0.02, name
        if isinstance(attack, FGSM | PGD):
            assert theirs <= ours + 0.02, f"{name} is not the same attack"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attack", [SHORT["DeepFool"], SHORT["C&W"]], ids=repr)
def test_minimum_norm_attacks_are_judged_by_their_distance(attack: MinimumNorm, tiny: Classifier) -> None:
    x = images(60)
    y = tiny(x).argmax(1)
    running, _ = contestants.contestants(attack, tiny)
    result = measure.observe("ours", running["seminar_lib"], tiny, [(x, y)], attack, seed=0)
    found = attack.nearest(tiny, x, y)
    assert result.distance == pytest.approx(found.distance.median().item())
    assert result.accuracy.accuracy == pytest.approx((found.distance > attack.threat.eps).float().mean().item())


# What is counted


def test_passes_are_the_nominal_ones(tiny: Classifier) -> None:
    attack = PGD(LINF, steps=3, step_size=2 / 255)
    x = images(24)
    batches = [(x[:16], tiny(x[:16]).argmax(1)), (x[16:], tiny(x[16:]).argmax(1))]
    results = measure.race(contestants.contestants(attack, tiny)[0], tiny, batches, attack, rounds=1, seed=0)
    passes = {name: (result.forwards, result.backwards) for name, result in results.items()}
    checked = 16 / 24  # our check of the logits takes eight images of each batch
    expected = {
        "floor": (3, 3),
        "torchattacks": (3, 3),
        "foolbox": (4, 3),  # it judges its last image
        "seminar_lib, no stopping": (3 + 3 + checked, 3),  # and we the clean, the last and the best one
        "seminar_lib, no stopping, bf16": (3 + 3 + checked, 3),
    }
    for name in results.keys() & expected.keys():
        assert passes[name] == pytest.approx(expected[name]), name
    for name in {"seminar_lib", "seminar_lib, bf16"} & results.keys():
        assert 0 < passes[name][1] <= 3


@pytest.mark.parametrize("attack", SHORT.values(), ids=SHORT)
def test_the_floor_takes_exactly_the_nominal_passes(attack: Attack, tiny: Classifier) -> None:
    x = images(3)
    counts = Counter[str]()
    with measure.counted(tiny, counts):
        contestants.floor(attack, tiny)(x, tiny(x).argmax(1))
    assert (counts["forward"] / 3 - 1, counts["backward"] / 3) == contestants.passes(attack)  # one look was for y


def test_the_floor_changes_nothing(tiny: Classifier) -> None:
    x = images(8)
    result = contestants.floor(PGD(LINF, steps=2), tiny)(x, tiny(x).argmax(1))
    assert torch.equal(result, images(8))
    assert all(p.grad is None and p.requires_grad for p in tiny.parameters())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory was used at most")
def test_peak_memory_is_what_a_call_holds_at_once() -> None:
    """In a process without a past: a hole in its heap that fits one tensor, but not the next, would count as well."""
    code = """if True:
        import json, torch
        from benchmarks.measure import with_peak_memory
        def use():
            for _ in range(3):
                torch.ones(16_000_000)  # 64 MB, given back before the next
        cpu = torch.device("cpu")
        print(json.dumps([with_peak_memory(call, cpu)[1] for call in (lambda: None, use)]))
    """
    nothing, peak = json.loads(in_a_fresh_python(code))
    if peak is None:
        pytest.skip("this system does not let a process reset its peak")
    assert nothing < 10
    assert 60 < peak < 90


def test_an_attack_outside_the_threat_model_is_refused(tiny: Classifier) -> None:
    x = images(8).clamp(max=0.8)
    running = {"floor": lambda x, y: x, "cheat": lambda x, y: x + 0.1}
    with pytest.raises(ValueError, match=r"cheat returned images outside Linf\(8/255\)"):
        measure.race(running, tiny, [(x, tiny(x).argmax(1))], FGSM(LINF), rounds=1, seed=0)


def test_an_image_that_was_wrong_before_is_not_robust_after(linear: Classifier) -> None:
    x = images(8)
    y = linear(x).argmax(1)
    step = FGSM(LINF)(linear, x, y) - x
    wrong = linear(x + step).argmax(1) != y
    assert wrong.all()
    running = {"floor": lambda x, y: x, "healer": lambda x, y: x - step}
    results = measure.race(running, linear, [(x + step, y)], FGSM(LINF), rounds=1, seed=0)
    assert (linear(x).argmax(1) == y).all()
    assert results["healer"].accuracy.accuracy == 0


def test_rounds_are_needed(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="at least one round; got rounds=0"):
        measure.race({}, tiny, [], FGSM(LINF), rounds=0, seed=0)


# The report


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights of a small network, whose card names a data set of random images."""
    split = Split((255 * images(20)).to(torch.uint8), torch.arange(20) % CLASSES)
    dataset = Dataset("noise", tuple("0123456789"), MEAN, STD, lambda name: split)
    monkeypatch.setattr(subject, "load_data", {"noise": dataset}.__getitem__)
    architecture = SmallCNN(width=2)
    save(tmp_path / "small", architecture.build(CLASSES, MEAN, STD), architecture, {"dataset": "noise"})
    return str(tmp_path / "small")


def test_the_json_has_every_figure(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    program.bench((weights,), TWO, n=8, batch_size=4, rounds=2, seed=3, device="cpu", json=True)
    report = json.loads(capsys.readouterr().out)
    assert report["settings"] == {
        "n": 8, "batch_size": 4, "threads": torch.get_num_threads(), "rounds": 2, "seed": 3, "without": []
    }  # fmt: skip
    assert {"torch", *peers.PEERS} <= report["versions"].keys()
    assert [race["attack"] for race in report["races"]] == list(TWO)
    for race, attack in zip(report["races"], map(contestants.ATTACKS.get, TWO), strict=True):
        assert (race["dataset"], race["n"], race["settings"]) == ("noise", 8, repr(attack))
        rows = {row["name"]: row for row in race["rows"]}
        assert (
            rows.keys() == {"floor", "torchattacks", *contestants.ours(attack, CPU)} | rows.keys() & peers.PEERS.keys()
        )
        for name, row in rows.items():
            if not row["installed"]:
                continue
            seconds = row["seconds"]
            assert 0 < seconds["min"] <= seconds["median"] <= seconds["max"]
            assert row["times_floor"] == pytest.approx(seconds["median"] / rows["floor"]["seconds"]["median"])
            accuracy = row["clean_accuracy" if name == "floor" else "robust_accuracy"]
            assert accuracy["low"] <= accuracy["accuracy"] <= accuracy["high"]
        running = [row for name, row in rows.items() if name in peers.PEERS and row["installed"]]
        assert min(row["times_fastest_peer"] for row in running) == 1


def test_files_and_tables_are_written(weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.bench((weights,), TWO, n=8, rounds=1, device="cpu", out=tmp_path / "sub" / "cpu")
    shown = capsys.readouterr().out
    report = json.loads((tmp_path / "sub" / "cpu.json").read_text())
    assert len(report["races"]) == 2
    for race in report["races"]:
        for row in (row for row in race["rows"] if row["installed"]):
            assert f"| {row['name']} | {row['seconds']['median']:.3g} (" in shown
    assert (tmp_path / "sub" / "cpu.png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path / "sub" / "cpu.json") in shown


def test_a_peer_that_is_not_installed_has_a_row_that_says_so(
    weights: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torchattacks", None)
    program.bench((weights,), TWO, n=8, rounds=1, device="cpu", out=tmp_path / "cpu")
    assert "| torchattacks | not installed |" in capsys.readouterr().out
    races = json.loads((tmp_path / "cpu.json").read_text())["races"]
    assert all({"name": "torchattacks", "installed": False} in race["rows"] for race in races)


def test_an_unknown_attack_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"--attacks are some of FGSM, .*; got PGD-21"):
        program.bench(attacks=("PGD-21",), device="cpu")


def test_peers_can_be_left_out(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    program.bench((weights,), TWO[:1], ("torchattacks",), n=8, rounds=1, device="cpu", json=True)
    report = json.loads(capsys.readouterr().out)
    assert report["settings"]["without"] == ["torchattacks"]
    assert "torchattacks" not in {row["name"] for row in report["races"][0]["rows"] if row["installed"]}
    with pytest.raises(ValueError, match=r"--without names some of torchattacks, foolbox, .*; got 'torchattack'"):
        program.bench(without=("torchattack",), device="cpu")
