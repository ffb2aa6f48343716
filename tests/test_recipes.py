"""Recipes: all of them can be called by name, and say what they claim of each other."""

import importlib
import inspect
import pkgutil
from dataclasses import replace

import pytest

from seminar_lib import recipes
from seminar_lib.models import ResNet18, SmallCNN, ViT
from seminar_lib.objectives import Consistency, LISArD, MinMax, NoiseTraining, SmoothAdv
from seminar_lib.recipes.variants import with_seed
from seminar_lib.train import Recipe

NAMES = [name for name, made in vars(recipes).items() if callable(made) and name[0].islower()]  # as the CLI does
BASELINES = {"cifar10": "cifar10_resnet18"}  # whose adversarial training the others are compared with
FILES = [part.name for part in pkgutil.iter_modules(recipes.__path__)]


def stages(recipe: Recipe) -> list[Recipe]:
    return [*(stages(recipe.start) if recipe.start else []), recipe]


def test_every_recipe_of_every_file_is_found_by_its_name():
    written = {
        name: function
        for module in (importlib.import_module(f"seminar_lib.recipes.{name}") for name in FILES)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not inspect.signature(function).parameters
    }
    assert written == {name: getattr(recipes, name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_for_the_data_that_its_name_begins_with(name):
    recipe = getattr(recipes, name)()
    assert name.startswith(f"{recipe.dataset}_")
    assert len({repr(stage) for stage in stages(recipe)}) == len(stages(recipe))
    if "narrow" in name:
        assert recipe.model == ResNet18(16)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_reaches_every_stage_and_changes_nothing_else(name):
    recipe = getattr(recipes, name)()
    other = with_seed(recipe, 7)
    assert [stage.seed for stage in stages(other)] == [7] * len(stages(recipe))
    assert with_seed(other, 0) == recipe


def test_given_weights_stay_when_the_seed_changes():
    given = replace(recipes.signs_standard(), start="signs/standard")
    assert with_seed(given, 7) == replace(given, seed=7)


@pytest.mark.parametrize("name", ["signs", "cifar10", "cifar10_narrow"])
@pytest.mark.parametrize("method", ["anchor", "clead", "mart", "trades"])
def test_joint_training_differs_from_adversarial_training_in_its_objective_alone(name, method):
    recipe, at = getattr(recipes, f"{name}_{method}")(), getattr(recipes, f"{BASELINES.get(name, name)}_pgd_at")()
    assert replace(recipe, objective=at.objective) == at
    assert (recipe.objective.attack, recipe.objective.warmup) == (at.objective.attack, at.objective.warmup)


@pytest.mark.parametrize("name", ["signs", "cifar10", "cifar10_narrow"])
def test_awp_is_adversarial_training_at_other_weights(name):
    awp, at = getattr(recipes, f"{name}_awp")(), getattr(recipes, f"{BASELINES.get(name, name)}_pgd_at")()
    assert awp.objective.objective == at.objective
    assert replace(awp, objective=at.objective) == at


@pytest.mark.parametrize("name", ["signs", "cifar10", "cifar10_narrow"])
def test_noise_differs_from_lisard_in_its_correlations_alone(name):
    lisard, noise = (getattr(recipes, f"{name}_{method}")() for method in ("lisard", "noise"))
    assert lisard.objective == LISArD()
    assert noise == replace(lisard, objective=LISArD(weight=0.0))


@pytest.mark.parametrize(
    ("name", "kind", "sigma"),
    [
        ("signs_noise_012", NoiseTraining, 0.12),
        ("signs_noise_025", NoiseTraining, 0.25),
        ("signs_noise_050", NoiseTraining, 0.5),
        ("cifar10_noise_012", NoiseTraining, 0.12),
        ("cifar10_noise_025", NoiseTraining, 0.25),
        ("cifar10_noise_050", NoiseTraining, 0.5),
        ("signs_smoothadv_025", SmoothAdv, 0.25),
        ("signs_consistency_025", Consistency, 0.25),
    ],
)
def test_the_trainings_for_smoothing_differ_in_their_objective_alone(name, kind, sigma):
    recipe, at = getattr(recipes, name)(), getattr(recipes, f"{name.split('_')[0]}_pgd_at")()
    assert (type(recipe.objective), recipe.objective.sigma) == (kind, sigma)
    assert replace(recipe, objective=at.objective, validation=at.validation) == at


# By recipe, from the papers and the code of their authors: epochs, images a step, the largest rate, weight decay, and
# at which share of that rate the schedule is after so many epochs.
PUBLISHED = {
    "resnet18_pgd_at": (110, 128, 0.1, 5e-4, {99: 1, 100: 0.1, 104: 0.1, 105: 0.01}),  # Pang et al., ICLR 2021
    "clead_encoder": (500, 512, 0.4, 1e-4, {0: 1, 250: 0.5, 500: 0}),
    "clead_head": (50, 128, 0.1, 5e-4, {0: 1, 15: 0.5, 30: 0.25, 45: 0.125}),
    "lisard": (200, 256, 0.02, 5e-4, {5: 0.5, 10: 1, 105: (1 + 0.001) / 2, 200: 0.001}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_for_the_papers_network_has_the_published_settings(name):
    recipe = getattr(recipes, f"cifar10_{name}")()
    *settings, shares = PUBLISHED[name]
    assert [recipe.epochs, recipe.batch_size, recipe.rate, recipe.weight_decay] == settings
    found = {epoch: recipe.schedule(epoch / recipe.epochs) for epoch in shares}
    assert found == pytest.approx(shares, abs=1e-9)
    assert recipe.model == ResNet18(64)
    assert recipes.cifar10_awp().objective.gamma == 0.01  # the authors' choice for adversarial training


def test_what_stands_beside_the_papers_is_larger_and_longer_and_no_more():
    small, narrow = recipes.cifar10_noise_025(), recipes.cifar10_narrow_noise_025()
    assert narrow == replace(small, model=recipes.cifar10_narrow_pgd_at().model, epochs=2 * small.epochs)


def test_on_signs_all_have_the_budget_of_adversarial_training():
    at = recipes.signs_pgd_at()
    for name in ("anchor", "clead", "clead_encoder", "lisard", "noise", "lisard_at", "trades", "mart", "awp"):
        recipe = getattr(recipes, f"signs_{name}")()
        assert (recipe.epochs, recipe.batch_size, recipe.ema) == (at.epochs, at.batch_size, at.ema)
        assert recipe.model == SmallCNN()
        if isinstance(recipe.objective, MinMax):
            assert recipe.objective.attack == at.objective.attack


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("anchor_beta0", {"beta": 0.0}),
        ("anchor_beta2", {"beta": 2.0}),
        ("anchor_beta5", {"beta": 5.0}),
        ("anchor_augmented", {"augment": recipes.signs_pgd_at().augment}),
        ("clead_unheld", {"weight": 0.0}),
        ("clead_labels", {"labels": True}),
        ("clead_attack", {"attack_contrast": True}),
    ],
)
def test_an_ablation_changes_one_field(name, change):
    ablated, whole = (getattr(recipes, f"signs_{recipe}")() for recipe in (name, name.split("_")[0]))
    assert ablated != whole
    assert ablated == replace(whole, objective=replace(whole.objective, **change))


def test_the_transformer_sees_the_images_and_the_attack_of_the_small_network():
    for method in ("standard", "pgd_at"):
        vit, cnn = (getattr(recipes, f"signs_{kind}{method}")() for kind in ("vit_", ""))
        given = ("dataset", "objective", "batch_size", "augment", "validation", "seed")
        assert [getattr(vit, name) for name in given] == [getattr(cnn, name) for name in given]
    assert isinstance(vit.model, ViT)
    assert vit.start == recipes.signs_vit_standard()


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_head")])
def test_a_second_stage_trains_the_head_of_the_first(name):
    *_, encoder, head = stages(getattr(recipes, name)())
    assert head.trains == "head"
    assert encoder.trains == "all"
