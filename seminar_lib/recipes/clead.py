"""C-LEAD in both readings: jointly as in its abstract, and in three stages as in its released scripts.

``*_clead`` is adversarial training with another objective: same attack, same epochs. Its ablations change one field of
the objective, and have names on signs, where there is time for all of them. ``*_clead_head`` ends the three stages that
start with plain training, whose network is the surrogate; measure it against attacks on itself, and against a
``Transfer`` from the surrogate in a column of its own. Both stages end with their last epoch: the most accurate encoder
is the one that has come least far from plain training, and so from the surrogate.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.data.simclr import SimCLRAugment
from seminar_lib.objectives import CLEAD, CLEADEncoder, CLEADHead
from seminar_lib.recipes import baselines
from seminar_lib.recipes.variants import then_head, with_its_attack
from seminar_lib.schedules import Cosine, Drops
from seminar_lib.train import Recipe


def signs_clead() -> Recipe:
    """The abstract's C-LEAD on signs, otherwise as ``signs_pgd_at``."""
    return with_its_attack(baselines.signs_pgd_at(), CLEAD)


def signs_clead_unheld() -> Recipe:
    """C-LEAD without its contrastive term: cross-entropy on clean and on adversarial images."""
    return with_its_attack(baselines.signs_pgd_at(), CLEAD, weight=0.0)


def signs_clead_labels() -> Recipe:
    """C-LEAD with labels: SupCon in place of NT-Xent."""
    return with_its_attack(baselines.signs_pgd_at(), CLEAD, labels=True)


def signs_clead_attack() -> Recipe:
    """C-LEAD whose attack climbs the contrastive term as well."""
    return with_its_attack(baselines.signs_pgd_at(), CLEAD, attack_contrast=True)


def signs_clead_encoder() -> Recipe:
    """Stages 0 and 1 of the scripts on signs; PGD-5, as the others there, and no flips."""
    recipe = with_its_attack(baselines.signs_pgd_at(), CLEADEncoder, augment=SimCLRAugment())
    return replace(recipe, start=baselines.signs_standard(), validation="last")


def signs_clead_head() -> Recipe:
    """Stage 2 of the scripts on signs."""
    return then_head(signs_clead_encoder(), CLEADHead(), epochs=5)


def cifar10_clead() -> Recipe:
    """The abstract's C-LEAD on CIFAR-10, otherwise as ``cifar10_resnet18_pgd_at``."""
    return with_its_attack(baselines.cifar10_resnet18_pgd_at(), CLEAD)


def cifar10_clead_encoder() -> Recipe:
    """Stages 0 and 1 of the scripts; epochs, batches, rate and decay are those of the code that they are a fork of."""
    standard = baselines.cifar10_resnet18_standard()
    return replace(
        standard,
        objective=CLEADEncoder(),
        start=standard,
        validation="last",
        epochs=500,
        batch_size=512,
        rate=0.4,
        weight_decay=1e-4,
        schedule=Cosine(),
    )


def cifar10_clead_head() -> Recipe:
    """Stage 2 of the scripts: the rate is halved every 15 of 50 epochs."""
    halved = Drops(at=(0.3, 0.6, 0.9), factor=0.5)
    usual = {"batch_size": 128, "rate": 0.1, "weight_decay": 5e-4}
    return then_head(cifar10_clead_encoder(), CLEADHead(), epochs=50, schedule=halved, **usual)


def cifar10_narrow_clead() -> Recipe:
    """The abstract's C-LEAD for two CPU cores, otherwise as ``cifar10_narrow_pgd_at``."""
    return with_its_attack(baselines.cifar10_narrow_pgd_at(), CLEAD)


def cifar10_narrow_clead_encoder() -> Recipe:
    """Stages 0 and 1 of the scripts for two CPU cores."""
    standard = baselines.cifar10_narrow_standard()
    return replace(standard, objective=CLEADEncoder(), start=standard, validation="last")


def cifar10_narrow_clead_head() -> Recipe:
    """Stage 2 of the scripts for two CPU cores."""
    return then_head(cifar10_narrow_clead_encoder(), CLEADHead(), epochs=2)
