"""How long an epoch takes: whose turn it is, what counts, and that real training steps are timed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toy import toy

from benchmarks import pace
from seminar_lib.data.augment import Augment
from seminar_lib.models import SmallCNN
from seminar_lib.objectives import CLEADEncoder
from seminar_lib.train import Recipe
from seminar_lib.train.processes import gather

PLAIN = Recipe("toy", model=SmallCNN(4), epochs=3, batch_size=8, augment=Augment(crop=0), bf16=False)
CPU = torch.device("cpu")


def test_trainings_take_turns_and_the_median_after_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {8: [9.0, 3.0, 1.0, 2.0], 20: [9.0, 0.5, 0.5, 8.0]}
    order = []

    def turn(run, train, steps):
        order.append((run.recipe.batch_size, steps))
        return times[run.recipe.batch_size].pop(0)

    monkeypatch.setattr(pace, "turn", turn)
    found = pace.seconds_an_epoch({"a": PLAIN, "b": replace(PLAIN, batch_size=20)}, toy(), CPU, steps=2)
    assert order == 4 * [(8, 2), (20, 2)]
    assert found == {"a": 40 / 8 * 2.0, "b": 40 / 20 * 0.5}


def test_a_turn_takes_so_many_steps_of_the_training() -> None:
    (run,) = pace.begun(PLAIN, toy(), gather(CPU, 1, 1))
    before = {name: weights.clone() for name, weights in run.model.state_dict().items()}
    assert pace.turn(run, toy().train, steps=3) > 0
    after = run.model.state_dict()
    assert int(run.average.n_averaged) == 3
    assert any(not torch.equal(after[name], weights) for name, weights in before.items())


def test_of_several_stages_the_last_is_begun_with_networks_for_those_before() -> None:
    stages = replace(PLAIN, objective=CLEADEncoder(), start=PLAIN)
    first, last = pace.begun(stages, toy(), gather(CPU, 1, 1))
    assert (first.recipe, last.recipe) == (PLAIN, stages)
    for one, other in zip(first.model.state_dict().values(), last.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert pace.turn(last, toy().train, steps=1) > 0
