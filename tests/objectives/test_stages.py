"""The recipes of the papers, shrunk to a toy: every chain of stages trains, and an interrupted one ends the same."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from toy import toy

from seminar_lib import recipes
from seminar_lib.attacks import PGD, Attack
from seminar_lib.models import SmallCNN
from seminar_lib.objectives import MinMax
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe, Trained, fit

PAPERS = [f"seminar_lib.recipes.{name}" for name in ("anchor", "clead", "lisard")]
CHAINS = [name for name, made in vars(recipes).items() if getattr(made, "__module__", None) in PAPERS]


def shrunk(recipe: Recipe) -> Recipe:
    """The same stages for the toy: two epochs each, a tiny network, attacks of two steps."""
    attack = PGD(Linf(2 / 255), steps=2, stop_when_fooled=False)
    objective = recipe.objective
    return replace(
        recipe,
        dataset="toy",
        model=SmallCNN(2),
        objective=replace(objective, attack=attack) if isinstance(objective, MinMax) else objective,
        epochs=2,
        batch_size=12,
        rate=0.05,
        validation=attack if isinstance(recipe.validation, Attack) else recipe.validation,
        bf16=False,
        start=recipe.start and shrunk(recipe.start),
    )


def run(recipe: Recipe, folder=None) -> Trained:
    return fit(recipe, toy(), folder, progress=False)


@cache
def trained(name: str) -> Trained:
    return run(shrunk(getattr(recipes, name)()))


def same(first, second) -> bool:
    return all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


@pytest.mark.parametrize("name", CHAINS)
def test_every_chain_trains(name):
    recipe, end = getattr(recipes, name)(), trained(name)
    stages = 0
    while recipe.start:
        recipe, stages = recipe.start, stages + 1
    assert len(end.earlier) == stages
    assert len(end.history) == 2
    assert all(value == value for row in end.history for value in row.values())  # no NaN


@pytest.mark.parametrize("name", [name for name in CHAINS if name.endswith("_head")])
def test_a_head_is_trained_on_an_encoder_that_stands_still(name):
    end = trained(name)
    before = end.earlier[-1].best.state_dict()
    for part, weights in end.last.state_dict().items():
        assert torch.equal(weights, before[part]) != part.startswith("head."), part


@pytest.mark.parametrize("name", ["signs_clead_head", "signs_anchor_head", "signs_lisard_at"])
def test_a_chain_that_was_interrupted_in_its_last_stage_ends_with_the_same_bits(name, monkeypatch, tmp_path):
    recipe = shrunk(getattr(recipes, name)())
    kind, calls, terms = type(recipe.objective), [], type(recipe.objective).terms

    def interrupted(objective, model, batch):
        if objective == recipe.objective and batch.progress > 0.8:  # the last step
            calls.append(objective)
            raise KeyboardInterrupt
        return terms(objective, model, batch)

    monkeypatch.setattr(kind, "terms", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path)
    assert calls
    monkeypatch.setattr(kind, "terms", terms)
    resumed, expected = run(recipe, tmp_path), trained(name)
    assert same(resumed.best, expected.best)
    assert same(resumed.last, expected.last)


@pytest.mark.parametrize("name", ["signs_clead_encoder", "signs_clead_head"])
def test_both_stages_of_clead_attack_what_stage_0_ended_with(name, monkeypatch):
    seen = []
    recipe = shrunk(getattr(recipes, name)())
    kind, terms = type(recipe.objective), type(recipe.objective).terms
    monkeypatch.setattr(kind, "terms", lambda self, *given: seen.append(self.surrogate) or terms(self, *given))
    end = run(recipe)
    assert same(seen[0], end.earlier[0].best)
    assert all(surrogate is seen[0] for surrogate in seen)
    assert not same(end.last, end.earlier[0].best)


def test_terms_come_under_their_names():
    assert trained("signs_clead_encoder").history[0].keys() >= {"augmented", "adversarial", "probe"}
    assert trained("signs_lisard").history[0].keys() >= {"clean", "noisy", "correlation"}
    assert "correlation" not in trained("signs_noise").history[0]
