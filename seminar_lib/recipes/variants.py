"""How a recipe is made from another, so that two defences that are compared differ in nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seminar_lib.objectives import MinMax, Objective
from seminar_lib.train import Recipe


def with_its_attack(recipe: Recipe, kind: type[MinMax], **settings: Any) -> Recipe:
    """The same training for another objective, whose attack has the same radius, steps and warm-up.

    Raises:
        TypeError: the recipe has no attack to pass on.
    """
    given = recipe.objective
    if not isinstance(given, MinMax):
        raise TypeError(f"Only a recipe with an attack has one to pass on; got the objective {given}.")
    return replace(recipe, objective=kind(given.attack, warmup=given.warmup, **settings))


def then_head(recipe: Recipe, objective: Objective, epochs: int, **changes: Any) -> Recipe:
    """A stage more: the classifier alone, on the encoder that ``recipe`` ends with."""
    return replace(recipe, objective=objective, epochs=epochs, start=recipe, trains="head", **changes)


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """The same training, from its first stage on, with other random numbers."""
    start = recipe.start
    return replace(recipe, seed=seed, start=with_seed(start, seed) if isinstance(start, Recipe) else start)
