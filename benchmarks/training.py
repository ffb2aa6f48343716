"""Networks that a benchmark needs, trained where they have not been yet, as ``python -m seminar_lib train`` does it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from seminar_lib import cli
from seminar_lib.checkpoints import SHIPPED
from seminar_lib.recipes.variants import with_seed
from seminar_lib.train import Recipe


def dataset_of(names: Iterable[str]) -> str:
    """The data set that these recipes are for.

    Raises:
        ValueError: there is no such recipe, or they are for none or several.
    """
    if len(datasets := {cli.recipe_named(name).dataset for name in names}) != 1:
        raise ValueError(f"One table is about one data set; got recipes for {', '.join(sorted(datasets)) or 'none'}.")
    return datasets.pop()


def trained(name: str, seed: int, runs: Path) -> Path:
    """The weights of a recipe and seed: shipped, trained before, or trained now."""
    recipe = cli.recipe_named(name)
    shipped = SHIPPED / recipe.dataset / name.removeprefix(f"{recipe.dataset}_")
    if seed == recipe.seed and shipped.with_suffix(".json").exists():
        return shipped
    folder = runs / (name if seed == recipe.seed else f"{name}-{seed}")
    if not (folder / "best.json").exists():
        share_stages(with_seed(recipe, seed), folder, runs)
        cli.train(name, folder, seed=None if seed == recipe.seed else seed)
    return folder / "best"


def share_stages(recipe: Recipe, folder: Path, runs: Path) -> None:
    """Begin a run of several stages with the earlier ones as another run has kept them, if there is one."""
    if isinstance(recipe.start, Recipe) and not (folder / "start").exists():
        for note in sorted(runs.rglob("recipe.txt")):
            if note.read_text(encoding="utf-8") == f"{recipe.start!r}\n":
                shutil.copytree(note.parent, folder / "start")
                return
        share_stages(recipe.start, folder / "start", runs)
