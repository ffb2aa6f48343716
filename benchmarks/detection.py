"""Detectors under attacks that know them: ``python -m benchmarks.detection``.

Each detector is fitted on training images of the network's task, its threshold chosen on the validation images, and
both attacks run on the same test images: PGD-20 on the network alone, orthogonal PGD on the network and the detector.
The network without a detector meets PGD with the steps and the walks of the second, so that a detector gets no credit,
and no blame, for what the longer attack does. What has been measured is written after each detector, and the same
command goes on where an interrupted run stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.command import call
from benchmarks.report import RESULTS, take_up, write
from seminar_lib import markdown
from seminar_lib.attacks import PGD, OrthogonalPGD
from seminar_lib.checkpoints import load_classifier
from seminar_lib.data import load_data
from seminar_lib.data.dataset import Dataset
from seminar_lib.detection import Detector, FeatureSqueezing, Guarded, KernelDensity, LearnedDetector, Mahalanobis
from seminar_lib.device import best_device
from seminar_lib.evaluation import AUROC, Accuracy, evaluate, evaluate_detector
from seminar_lib.losses import margin
from seminar_lib.models import Classifier
from seminar_lib.threat import Linf

THREAT = Linf(8 / 255)
STEP = 2 / 255
DETECTORS: dict[str, Callable[[Classifier, Dataset], Detector]] = {
    "Mahalanobis": Mahalanobis.fit,
    "kernel density": KernelDensity.fit,
    "learned": LearnedDetector.fit,
    "feature squeezing": lambda model, data: FeatureSqueezing(model),
}
HEAD = ("false alarms", "served", "PGD-20: AUROC", "caught", "safe", "adaptive: caught", "safe", "robust")
ALONE = "none"
NONE = "none wrong"


def compare(
    weights: tuple[str, ...] = ("signs/standard", "signs/pgd_at"),
    detectors: tuple[str, ...] = tuple(DETECTORS),
    n: int = 256,
    batch_size: int = 128,
    fpr: float = 0.05,
    steps: int = 100,
    restarts: int = 2,
    seed: int = 0,
    out: Path | None = None,
) -> None:
    """What each detector notices and what it is worth, without an attack, under one on the network, and on both.

    Args:
        weights: shipped weights or paths.
        detectors: some of those that there are.
        n: how many test images.
        batch_size: images at a time.
        fpr: the share of the validation images that the threshold may reject.
        steps: of the adaptive attack.
        restarts: of the adaptive attack.
        seed: of the choice of images and of the attacks.
        out: the JSON to write, and to go on with; results/benchmarks/detection-DEVICE.json by default.
    """
    if unknown := [name for name in detectors if name not in DETECTORS]:
        raise ValueError(f"There is no detector {unknown[0]!r}; there are {', '.join(DETECTORS)}.")
    device = best_device()
    path = out or RESULTS / f"detection-{device.type}.json"
    oblivious = PGD(THREAT, steps=20, step_size=STEP)
    adaptive = OrthogonalPGD(THREAT, steps=steps, step_size=STEP, restarts=restarts)
    longer = PGD(THREAT, steps=steps, step_size=STEP, restarts=restarts, loss=margin)
    settings = {"n": n, "batch_size": batch_size, "fpr": fpr, "seed": seed}
    attacks = {"oblivious": oblivious, "adaptive": adaptive, "longer": longer}
    report = take_up(path, settings | {name: repr(attack) for name, attack in attacks.items()})
    for name in weights:
        model, card = load_classifier(name, device)
        data = load_data(card["dataset"])
        images = data.test.sample(n, seed).to(device)
        done = report["models"].setdefault(name, {})
        if ALONE not in done:
            alone = evaluate(model, images, {"oblivious": oblivious, "longer": longer}, batch_size, seed)
            done[ALONE] = alone.as_dict()
            write(report, path)
        for kind in detectors:
            if kind not in done:
                start = time.perf_counter()
                detector = DETECTORS[kind](model, data)
                guarded = Guarded(model, detector, detector.threshold_at(data, fpr))
                seconds = time.perf_counter() - start
                found = evaluate_detector(guarded, images, oblivious, adaptive, batch_size, seed)
                done[kind] = found.as_dict() | {"seconds to fit": round(seconds, 2)}
                write(report, path)
        print(table(name, done), flush=True)


def table(name: str, done: Mapping[str, Any]) -> str:
    """What has been measured for one network, as Markdown."""
    some = next(iter(done.values()))
    return f"\n{markdown.table((name, *HEAD), rows(done))}\n\nn = {some['n']}, on {some['device']}"


def rows(done: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """The network alone, then with each detector."""
    clean, attacks = done[ALONE]["clean"], done[ALONE]["attacks"]
    clean, short, long = (Accuracy(**right) for right in (clean, attacks["oblivious"], attacks["longer"]))
    yield ALONE, "", clean, "", "", short, "", long, long
    for kind, found in ((kind, found) for kind, found in done.items() if kind != ALONE):
        clean, oblivious, adaptive = (found["rows"][row] for row in ("clean", "oblivious", "adaptive"))
        auroc = oblivious["auroc of the wrong"]
        yield (
            *(kind, Accuracy(**clean["rejected"]), Accuracy(**clean["served"])),
            *(AUROC(**auroc) if auroc else NONE, _caught(oblivious), Accuracy(**oblivious["safe"])),
            *(_caught(adaptive), Accuracy(**adaptive["safe"]), Accuracy(**adaptive["robust"])),
        )


def _caught(row: Mapping[str, Any]) -> Accuracy | str:
    return Accuracy(**row["caught"]) if row["caught"] else NONE


if __name__ == "__main__":
    call(compare, "python -m benchmarks.detection")
