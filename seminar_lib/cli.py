"""The verbs of ``python -m seminar_lib`` that need the library: evaluate, attack, train, data, lessons and so on."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import tyro

from seminar_lib import checkpoints, quiz, recipes, shipping
from seminar_lib.data import NAMES, load_data
from seminar_lib.data.dataset import Dataset
from seminar_lib.device import best_device, device_named
from seminar_lib.evaluation import evaluate, gray_box
from seminar_lib.files import make_folder, whole_file
from seminar_lib.lessons import named, table
from seminar_lib.parsing import parse_attack, parse_threat
from seminar_lib.quiz.export import Format, export
from seminar_lib.recipes.variants import with_seed
from seminar_lib.train import Recipe, fit
from seminar_lib.train.processes import is_first


def evaluate_weights(
    weights: str,
    attack: tuple[str, ...] = ("pgd20",),
    surrogates: tuple[str, ...] = (),
    n: int = 2000,
    eps: str = "8/255",
    norm: str = "linf",
    dataset: str | None = None,
    seed: int = 0,
    bf16: bool = False,
    json: bool = False,
) -> None:
    """Accuracy of trained weights on test images, clean and under attack, with 95 % intervals.

    Args:
        weights: shipped weights such as signs/pgd_at, or a path.
        attack: one or more of fgsm, pgdN with N steps, pgdNxR with R restarts (pgd20, pgd50x5), apgdN, apgd-t,
            deepfool, cw, fmn, fab, squareN with N queries, hopskipjump, autoattack, autoattack-plus, autoattack-rand.
        surrogates: other weights for the same task. Images that fool them are tried on these, the gray box, beside the
            attacks on these weights themselves.
        n: how many test images.
        eps: radius in pixels of [0, 1]; fractions such as 8/255 are welcome.
        norm: linf, l2 or l1.
        dataset: what to test on; by default what the weights were trained on.
        seed: of the choice of images and of the attacks' random starts.
        bf16: search in bfloat16; verdicts stay in float32.
        json: print one JSON object instead of a table.
    """
    device = best_device()
    loaded = {name: checkpoints.load_classifier(name, device) for name in (weights, *surrogates)}
    model, card = loaded[weights]
    data = data_for(weights, card, dataset)
    attacks = {name: parse_attack(name, parse_threat(norm, eps), bf16) for name in attack}
    others = {name: loaded[name][0] for name in surrogates}
    images = data.test.sample(n, seed).to(device)
    report = (
        gray_box(model, others, images, attacks, seed=seed) if others else evaluate(model, images, attacks, seed=seed)
    )
    print(_json(report.as_dict()) if json else report.table())


def data_for(weights: str, card: Mapping[str, Any], name: str | None = None) -> Dataset:
    """The data set to measure a classifier on, by default what it was trained on.

    Raises:
        ValueError: its classes or its channels are not those of the classifier.
    """
    own, build = card.get("dataset"), card["build"]
    if not (name or own):
        raise ValueError(f"The card of {weights} names no data set. Name one: `evaluate` takes --dataset.")
    data = load_data(name or own)
    classes, channels = build["classes"], len(build["mean"])
    same = (classes, channels) == (len(data.classes), len(data.mean))
    if not same or (own in NAMES and load_data(own).classes != data.classes):
        raise ValueError(
            f"{weights} was trained on {own} (classes: {classes}, channels: {channels}); {data.name} has others "
            f"(classes: {len(data.classes)}, channels: {len(data.mean)}). Take weights that were trained on "
            f"{data.name}, or the data set that these were trained on."
        )
    return data


def attack_image(
    weights: str = "signs/standard",
    attack: str = "pgd20",
    index: int = 0,
    eps: str = "8/255",
    norm: str = "linf",
    seed: int = 0,
    out: Path = Path("attack.png"),
) -> None:
    """Attack one test image and write a picture: clean, perturbation, adversarial.

    Args:
        weights: shipped weights such as signs/standard, or a path.
        attack: fgsm, pgdN, pgdNxR, or any other that evaluate takes.
        index: which test image.
        eps: radius in pixels of [0, 1].
        norm: linf, l2 or l1.
        seed: of the attack's random start.
        out: the PNG to write.
    """
    from seminar_lib.plots import triptych

    out = picture_at(out)
    device = best_device()
    model, card = checkpoints.load_classifier(weights, device)
    data = data_for(weights, card)
    if not 0 <= index < len(data.test):
        raise ValueError(f"There is no test image {index}: {data.name} has {len(data.test)}, numbered from 0.")
    image = data.test[index : index + 1].to(device)
    generator = torch.Generator(device).manual_seed(seed)
    x_adv = parse_attack(attack, parse_threat(norm, eps))(model, image.x, image.y, generator=generator)
    with torch.no_grad():
        p, p_adv = (model(x).softmax(1) for x in (image.x, x_adv))
    with whole_file(out) as part:
        triptych(image.x, x_adv, p, p_adv, image.y, data.classes).savefig(part, format="png", dpi=150)
    true, before, after = (data.classes[int(label)] for label in (image.y, p.argmax(1), p_adv.argmax(1)))
    print(f"{out}: this {true!r} is taken for {before!r} before and for {after!r} after the attack")


def picture_at(out: Path) -> Path:
    """The file that a picture goes to, in a folder that is there; found out before the work.

    Raises:
        ValueError: ``out`` is a folder, or the name of no PNG.
        OSError: nothing can be written there.
    """
    if out.is_dir():
        raise ValueError(f"--out names a PNG, and {out} is a folder. Did you mean {out / 'attack.png'}?")
    if out.suffix.lower() not in ("", ".png"):
        raise ValueError(f"--out names a PNG; got {out}. Did you mean {out}.png?")
    make_folder(out.parent)
    return out if out.suffix else out.with_suffix(".png")


def train(
    recipe: tyro.conf.Positional[str],
    folder: Path | None = None,
    device: str | None = None,
    devices: int = 1,
    machines: int = 1,
    compile: bool = False,
    seed: int | None = None,
    ship: bool = False,
    bits: int = 16,
) -> None:
    """Train by a recipe of seminar_lib/recipes/, measure the best and the last epoch, save the best one with its card.

    The run is kept in a folder after every epoch, with history.jsonl and curve.png; the same command goes on where an
    interrupted run stopped.

    Args:
        recipe: the name of the recipe, such as signs_pgd_at.
        folder: where to keep the run; runs/RECIPE by default, runs/RECIPE-SEED for another seed.
        device: cpu, cuda or mps; the fastest by default.
        devices: how many GPUs (or processes on a CPU) share each batch; with torchrun, on each machine.
        machines: how many machines, each of which runs this command under torchrun.
        compile: translate the network with torch.compile first, which takes minutes; each epoch is then shorter.
        seed: of all stages, in the place of the recipe's own.
        ship: write the weights into the library, where load finds them as DATASET/NAME.
        bits: of each weight as it is saved: 16, or 2 to 12. With 8 the file is half as large, and every weight a little
            another one; the card's figures are measured on what is saved.
    """
    checkpoints.check_bits(bits)  # before the work
    chosen = recipe_named(recipe)
    command = f"python -m seminar_lib train {recipe}"
    home = Path("runs") / recipe
    if seed is not None:
        chosen, command, home = with_seed(chosen, seed), f"{command} --seed {seed}", Path("runs") / f"{recipe}-{seed}"
    folder = folder or home
    if bits != 16:
        command += f" --bits {bits}"
    where = device_named(device) if device else best_device()
    name = recipe.removeprefix(f"{chosen.dataset}_")
    path = checkpoints.SHIPPED / chosen.dataset / name if ship else folder / "best"
    if ship:  # fit tries the run's own folder
        make_folder(path.parent)
    data = load_data(chosen.dataset)
    trained = fit(chosen, data, folder, where, devices=devices, machines=machines, compile=compile)
    if not is_first():
        return  # one process is enough to measure and to write
    card = shipping.ship(path, chosen, trained, data, command, where, bits)
    print(_json({"chosen": card["chosen"], **card["test"]}))


def recipe_named(name: str) -> Recipe:
    """The recipe that ``train`` knows by this name.

    Raises:
        ValueError: there is none; the message lists them all.
    """
    known = {name: make for name, make in vars(recipes).items() if callable(make) and name[0].islower()}
    if name not in known:
        raise ValueError(f"There is no recipe {name!r}. Recipes: {', '.join(sorted(known))}.")
    recipe: Recipe = known[name]()
    return recipe


def data(name: tyro.conf.Positional[str] = "signs", source: Path | None = None) -> None:
    """Render or download a data set into the cache.

    Args:
        name: signs, cifar10, mnist or fashion_mnist.
        source: a file or folder that you fetched by hand.
    """
    found = load_data(name, source=source)
    for split in ("train", "validation", "test"):
        images = getattr(found, split).images
        print(f"{name} {split}: {len(images)} images of {'x'.join(str(size) for size in images.shape[1:])}")


def list_lessons(build: bool = False, keep: bool = False, check: bool = False, lessons: tuple[str, ...] = ()) -> None:
    """The lessons with their minutes; building them needs what `make test` installs.

    Args:
        build: write the notebooks anew and execute their solutions.
        keep: with build, execute nothing where texts alone have changed; the outputs stay.
        check: say where the committed notebooks are not what their sources build.
        lessons: such as 01_fgsm; all by default.
    """
    if keep and not build:
        raise ValueError("--keep says how to --build; alone it means nothing.")
    found = named(lessons)
    if build or check:
        from seminar_lib.lessons import build as builder

        for lesson in found if build else ():
            seconds = builder.build(lesson, keep)
            print(f"{lesson.name}: {sum(seconds):.0f} s" if seconds else f"{lesson.name}: outputs kept")
        if check and (faults := builder.check(found)):
            raise ValueError("\n".join(faults))
    else:
        print(table(found))


def questions(out: Path, format: Format = "moodle", lessons: tuple[str, ...] = ()) -> None:
    """Write the questions about the lessons to files, one for each lesson.

    Args:
        out: the folder to write to.
        format: moodle for Moodle XML, qti for a QTI 2.1 package, which most other platforms import, sheet for a page to
            print (Markdown), answers for the same with all answers and reasons.
        lessons: such as 01_fgsm; all that have questions by default.
    """
    for path in export(lessons or quiz.lessons(), format, out):
        print(path)


def release_course(folder: tyro.conf.Positional[Path] = Path("course"), lessons: tuple[str, ...] = ()) -> None:
    """Make an nbgrader course of the lessons: what students get, and what grades it; see slides/teacher/grading.md.

    Args:
        folder: of the course; done again, its gradebook and its settings stay.
        lessons: such as 01_fgsm; all that have exercises by default.
    """
    from seminar_lib.lessons import course

    worth = course.release(named(lessons), folder)
    print(course.table(worth))
    print(f"\nFor students: {folder / 'release'}. Not for students: the rest of {folder}.")


def _json(value: Any) -> str:
    return text.dumps(value, indent=1)


def main() -> None:
    """Parse the command line and run its verb; a mistake of the user ends in a sentence, not in a traceback.

    So does Ctrl-C, with the exit status 130 that shells know.
    """
    verbs: dict[str, Callable[..., Any]] = {
        "evaluate": evaluate_weights,
        "attack": attack_image,
        "train": train,
        "data": data,
        "lessons": list_lessons,
        "questions": questions,
        "release": release_course,
    }
    try:
        tyro.extras.subcommand_cli_from_dict(verbs, prog="python -m seminar_lib", description=__doc__)
    except (ValueError, RuntimeError, ImportError, OSError, FloatingPointError) as error:
        # A training that diverges does so in all its processes; the first one says it.
        sys.exit(f"error: {error}" if is_first() or not isinstance(error, FloatingPointError) else 1)
    except KeyboardInterrupt:
        if is_first():
            goes_on = " The same command goes on after the last epoch that was finished."
            print(f"Stopped.{goes_on if sys.argv[1] == 'train' else ''}", file=sys.stderr)
        sys.exit(130)
