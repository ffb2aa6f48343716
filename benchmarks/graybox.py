"""The gray box beside the white box, for one defence after the other: ``python -m benchmarks.graybox``.

Each network is attacked by itself, and with images that were made on others: plain training with another seed, another
architecture, an adversarially trained network, and the same defence with another seed, for an adversary who has read
the paper. Where a training attacked a network that stood still, that one is tried as well: it is what the training has
prepared for. What has not been trained yet is trained first. What has been measured is written after each attack, and
the same command goes on where an interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.autoattack import THREAT
from benchmarks.command import call
from benchmarks.defences import place
from benchmarks.report import RESULTS, take_up, write
from benchmarks.training import dataset_of, trained
from seminar_lib import cli, markdown
from seminar_lib.attacks import FGSM, PGD, Attack, AutoAttack
from seminar_lib.checkpoints import load_classifier
from seminar_lib.data import load_data
from seminar_lib.data.dataset import Dataset
from seminar_lib.device import best_device
from seminar_lib.evaluation import Accuracy, gray_box
from seminar_lib.evaluation.graybox import WHITE_BOX, WORST_CASE
from seminar_lib.objectives.surrogate import AgainstSurrogate
from seminar_lib.train import Recipe, fit
from seminar_lib.types import Model

NAMES = (
    *("signs_standard", "signs_noise", "signs_lisard", "signs_pgd_at", "signs_lisard_at"),
    *("signs_clead", "signs_clead_head"),
)
SEED, OTHER_SEED = 0, 1  # of the trainings: the network's, and that of an adversary who trains it again
SAME = "the same defence"
OWN = "its own in training"
# By what they stand for: the recipe behind the name of the data set, and the seed.
SURROGATES = {
    "plain training": ("standard", OTHER_SEED),
    "ResNet-18": ("resnet18_standard", SEED),
    "adversarial training": ("pgd_at", SEED),
}
COLUMNS = (OWN, *SURROGATES, SAME)
HEAD = ("network", "clean", "attack", *COLUMNS, "worst of these", "white box")


def compare(
    names: tuple[str, ...] = NAMES,
    attacks: tuple[str, ...] = ("FGSM", "PGD-10", "AutoAttack"),
    n: int = 256,
    batch_size: int = 128,
    bf16: bool = False,
    seed: int = 0,
    runs: Path = Path("runs"),
    out: Path | None = None,
) -> None:
    """What each network keeps under attacks on others, and under attacks on itself.

    Args:
        names: recipes, as the train command knows them; all for the same data set.
        attacks: some of FGSM, PGD-10 and AutoAttack, inside Linf(8/255).
        n: how many test images.
        batch_size: images at a time.
        bf16: search in bfloat16, where the hardware does.
        seed: of the choice of images and of the attacks.
        runs: the folder of trainings.
        out: the JSON to write, and to go on with; results/benchmarks/graybox-DATASET.json by default.
    """
    known: dict[str, Attack] = {
        "FGSM": FGSM(THREAT, bf16=bf16),
        "PGD-10": PGD(THREAT, steps=10, step_size=2 / 255, bf16=bf16),
        "AutoAttack": AutoAttack(THREAT, bf16=bf16),
    }
    if unknown := [name for name in attacks if name not in known]:
        raise ValueError(f"There is no attack {unknown[0]!r} here. Attacks: {', '.join(known)}.")
    dataset, device = dataset_of(names), best_device()
    data = load_data(dataset)
    images = data.test.sample(n, seed).to(device)
    path = out or RESULTS / f"graybox-{dataset}.json"
    report = take_up(path, {"n": n, "batch_size": batch_size, "bf16": bf16, "seed": seed})
    for name in names:
        done = report["models"].setdefault(name, {})
        if all(attack in done for attack in attacks):
            continue  # also where the runs themselves are gone
        victim, _ = load_classifier(str(trained(name, SEED, runs)), device)
        others = attacked_in_training(name, data, runs, device)
        for role, (recipe, number) in surrogates(name, dataset).items():
            others[role], _ = load_classifier(str(trained(recipe, number, runs)), device)
        for attack in attacks:
            if attack not in done:
                found = gray_box(victim, others, images, {attack: known[attack]}, batch_size, seed)
                done[attack] = found.as_dict()
                write(report, path)
        print(markdown.table(HEAD, list(rows({"models": {name: done}}))), flush=True)


def surrogates(name: str, dataset: str) -> dict[str, tuple[str, int]]:
    """The recipe and seed of each surrogate of a network: none is that network, and none comes twice."""
    roles = {role: (f"{dataset}_{recipe}", seed) for role, (recipe, seed) in SURROGATES.items()}
    roles = {role: training for role, training in roles.items() if training != (name, SEED)}
    return roles if (name, OTHER_SEED) in roles.values() else roles | {SAME: (name, OTHER_SEED)}


def attacked_in_training(name: str, data: Dataset, runs: Path, device: torch.device) -> dict[str, Model]:
    """The network that a training attacked in place of its own, by its role; of most trainings none.

    It is what the first stage starts from, if that is given, or ends with. Shipped weights come without that: then this
    stage alone is trained again.
    """
    recipe, folder = cli.recipe_named(name), runs / name
    if not isinstance(recipe.objective, AgainstSurrogate):
        return {}
    while isinstance(recipe.start, Recipe):
        recipe, folder = recipe.start, folder / "start"
    if recipe.start:  # given weights
        return {OWN: load_classifier(recipe.start, device)[0]}
    return {OWN: fit(recipe, data, folder, device).best}


def rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row for each attack on each network of a report, in the order of the table of defences."""
    for name in sorted(report["models"], key=place):
        for attack, found in report["models"][name].items():
            columns = {column: Accuracy(**shares) for column, shares in found["attacks"][attack].items()}
            gray = [columns.get(f"gray-box, {role}", "") for role in COLUMNS]
            yield name, Accuracy(**found["clean"]), attack, *gray, columns[WORST_CASE], columns[WHITE_BOX]


if __name__ == "__main__":
    call(compare, "python -m benchmarks.graybox")
