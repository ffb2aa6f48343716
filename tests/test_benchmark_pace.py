"""How long an epoch takes: whose turn it is, what counts, and that real training steps are timed and counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from toy import toy

from benchmarks import pace, peak
from seminar_lib.attacks import PGD
from seminar_lib.data.augment import Augment
from seminar_lib.models import SmallCNN
from seminar_lib.objectives import AdversarialTraining, CLEADEncoder
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe
from seminar_lib.train.processes import gather
from seminar_lib.train.run import Run

PLAIN = Recipe("toy", model=SmallCNN(4), epochs=3, batch_size=8, augment=Augment(crop=0), bf16=False)
CPU = torch.device("cpu")


def test_trainings_take_turns_and_the_median_after_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {8: [3.0, 1.0, 2.0], 20: [0.5, 0.5, 8.0]}
    order = []

    def turn(run, train, steps):
        order.append((run.recipe.batch_size, steps))
        return times[run.recipe.batch_size].pop(0)

    monkeypatch.setattr(pace, "turn", turn)
    monkeypatch.setattr(pace, "work", lambda run, train, steps: order.append("counted") or run.recipe.batch_size)
    found = pace.epochs({"a": PLAIN, "b": replace(PLAIN, batch_size=20)}, toy(), CPU, steps=2)
    assert order == ["counted", "counted", *(3 * [(8, 2), (20, 2)])]
    assert found == {
        "a": {"seconds": 40 / 8 * 2.0, "operations": 40 / 8 * 8},
        "b": {"seconds": 40 / 20 * 0.5, "operations": 40 / 20 * 20},
    }


def test_a_turn_takes_so_many_steps_of_the_training() -> None:
    (run,) = pace.begun(PLAIN, toy(), gather(CPU, 1, 1))
    before = {name: weights.clone() for name, weights in run.model.state_dict().items()}
    assert pace.turn(run, toy().train, steps=3) > 0
    after = run.model.state_dict()
    assert int(run.average.n_averaged) == 3
    assert any(not torch.equal(after[name], weights) for name, weights in before.items())


def arithmetic(run: Run, x: torch.Tensor) -> list[int]:
    """The operations of one forward pass, layer by layer, from the shapes of weights and outputs."""
    found = []

    def note(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d):  # each output is a sum of as many products as a filter has weights
            found.append(2 * output.numel() * layer.weight[0].numel())
        elif isinstance(layer, nn.Linear):
            found.append(2 * output.numel() * layer.in_features)

    hooks = [layer.register_forward_hook(note) for layer in run.model.backbone.modules()]
    hooks.append(run.model.head.register_forward_hook(note))
    run.model(x)
    for hook in hooks:
        hook.remove()
    return found


def test_the_operations_of_a_step_are_those_of_its_passes() -> None:
    train, looks = toy().train, AdversarialTraining(PGD(Linf(8 / 255), steps=3, stop_when_fooled=False))
    plain, three, four = (
        pace.begun(replace(PLAIN, objective=objective), toy(), gather(CPU, 1, 1))[-1]
        for objective in (PLAIN.objective, looks, replace(looks, attack=replace(looks.attack, steps=4)))
    )
    forward = arithmetic(plain, train.images[:8] / 255)
    assert len(forward) > 2
    # Back again, each layer takes as much for its weights and as much for its input, which the first one can spare.
    assert pace.work(plain, train, steps=2) == 3 * sum(forward) - forward[0]
    # One look more of the attack: forward, and back to the image, not to the weights.
    assert pace.work(four, train, steps=2) - pace.work(three, train, steps=2) == 2 * sum(forward)


def test_of_several_stages_the_last_is_begun_with_networks_for_those_before() -> None:
    stages = replace(PLAIN, objective=CLEADEncoder(), start=PLAIN)
    first, last = pace.begun(stages, toy(), gather(CPU, 1, 1))
    assert (first.recipe, last.recipe) == (PLAIN, stages)
    for one, other in zip(first.model.state_dict().values(), last.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert pace.turn(last, toy().train, steps=1) > 0


def test_the_peak_is_the_fastest_product_that_does_not_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {256: 0.002, 512: 0.004, 1024: 0.06}  # the last is slower for its size, and no larger one is tried
    asked = []

    def product(size: int, device: torch.device) -> float:
        asked.append(size)
        return seconds[size] * (1 + len(asked) % 3)  # other programs make some of them slower

    monkeypatch.setattr(peak, "_product", product)
    assert peak.peak(CPU) == pytest.approx(2 * 512**3 / 0.004)
    assert asked == [size for size in seconds for _ in range(peak.TRIES)]


def test_a_product_takes_time() -> None:
    assert peak._product(64, CPU) > 0
