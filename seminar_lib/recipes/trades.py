"""TRADES, MART and AWP: adversarial training with another loss, or with the same one at worse weights.

Attack, epochs and all else are those of the adversarial training that they are compared with; the papers' own settings
differ from it and from each other.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.objectives import AWP, MART, TRADES
from seminar_lib.recipes import baselines
from seminar_lib.recipes.variants import with_its_attack
from seminar_lib.train import Recipe


def signs_trades() -> Recipe:
    """TRADES on signs, otherwise as ``signs_pgd_at``."""
    return with_its_attack(baselines.signs_pgd_at(), TRADES)


def signs_mart() -> Recipe:
    """MART on signs, otherwise as ``signs_pgd_at``."""
    return with_its_attack(baselines.signs_pgd_at(), MART)


def signs_awp() -> Recipe:
    """``signs_pgd_at`` at adversarial weights."""
    return _at_worse_weights(baselines.signs_pgd_at())


def cifar10_trades() -> Recipe:
    """TRADES on CIFAR-10, otherwise as ``cifar10_resnet18_pgd_at``."""
    return with_its_attack(baselines.cifar10_resnet18_pgd_at(), TRADES)


def cifar10_mart() -> Recipe:
    """MART on CIFAR-10, otherwise as ``cifar10_resnet18_pgd_at``."""
    return with_its_attack(baselines.cifar10_resnet18_pgd_at(), MART)


def cifar10_awp() -> Recipe:
    """``cifar10_resnet18_pgd_at`` at adversarial weights."""
    return _at_worse_weights(baselines.cifar10_resnet18_pgd_at())


def cifar10_narrow_trades() -> Recipe:
    """TRADES for two CPU cores, otherwise as ``cifar10_narrow_pgd_at``."""
    return with_its_attack(baselines.cifar10_narrow_pgd_at(), TRADES)


def cifar10_narrow_mart() -> Recipe:
    """MART for two CPU cores, otherwise as ``cifar10_narrow_pgd_at``."""
    return with_its_attack(baselines.cifar10_narrow_pgd_at(), MART)


def cifar10_narrow_awp() -> Recipe:
    """``cifar10_narrow_pgd_at`` at adversarial weights."""
    return _at_worse_weights(baselines.cifar10_narrow_pgd_at())


def _at_worse_weights(recipe: Recipe) -> Recipe:
    return replace(recipe, objective=AWP(recipe.objective, gamma=0.01))
