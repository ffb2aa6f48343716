"""What has been measured so far, as tables: ``python -m benchmarks.summary`` writes results/README.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import (
    autoattack,
    certified,
    classroom,
    defences,
    detection,
    graybox,
    pairs,
    profile,
    purification,
    smoothing,
    strength,
)
from benchmarks.peers import PEERS
from benchmarks.report import RESULTS
from seminar_lib import markdown
from seminar_lib.files import whole_file

README = RESULTS.parent / "README.md"
Json = Mapping[str, Any]

HEAD = """# Measured

Written by `python -m benchmarks.summary` from the files in `benchmarks/`, which hold all settings and versions.
Networks are those in `seminar_lib/weights`, whose cards say how each was trained and chosen; one under `runs/` is not
shipped, and the recipe of that name trains it. Intervals are 95 % (Wilson). Peers run with the settings of our attack
on the same images.
"""
TIME = """
## How long the attacks take

`python -m benchmarks`: seconds for n images, the median of several rounds in which all contestants take turns. *Times
as fast* compares with the fastest peer. *Bare passes* is how many times as fast as that peer the forward and backward
passes of the attack's settings are by themselves, through the network as it is: who takes all of them in float32 gets
faster by a faster network alone. What is beyond comes from folding BatchNorm, from images that are fooled and drop out,
and from bfloat16. Every attack of ours looks twice more than its settings say, at the clean images and at the result.
*Within eps* is a minimum-norm attack as it is called: an image is left alone once a success lies inside the radius,
where a peer goes on to its nearest. On Linux all contestants profit from `seminar_lib/allocator.py`, which this process
has imported.

"""
USED = (*strength.OURS, "seminar_lib, within eps", "seminar_lib, within eps, bf16")  # as against our other variants
TIMES = (
    *("network", "attack", "fastest peer", "s", "ours", "s", "times as fast", "bare passes", "robust: peer, ours"),
    *("n", "hardware"),
)
PROFILE = """
`python -m benchmarks.profile`, {n} images in one batch: where the time of our attacks goes. *Forward* and *backward*
are passes through the network, *own* is everything else, which is all that better code could still save at as many
looks in the same precision; the last column is how many times as fast that could make an attack at most.

"""
STRENGTH = """
## What the attacks find

`python -m benchmarks.strength`: the accuracy that an attack leaves, lower is stronger. *Points* is how much more ours
leaves than the strongest peer.

"""
FINDS = ("network", "attack", "strongest peer", "leaves", "ours", "leaves", "points", "median distance: peer, ours")
SEEDS = """
Attacks that draw at random, started with several seeds on the same images: the mean, the lowest and the highest.

"""
OVER_SEEDS = ("network", "attack", "seeds", "strongest peer", "leaves", "ours", "leaves", "points")
ENSEMBLE = """
## AutoAttack beside its authors', {n} images

`python -m benchmarks.autoattack`, {threat}, batches of {batch_size}, {precision}: how many images each member fooled
of those that the members before it had left. A network has fewer images while it is being measured.
"""
DEFENCES = """
## Training defences on {dataset}

`python -m benchmarks.defences`: trained by the recipes of these names and measured alike. Clean accuracy and PGD-20
(8/255, steps of 2/255) on all test images, of the *epoch* that the validation images chose and of the last one, which
some recipes ask for in any case; AutoAttack (standard, {precision}) on {n} test images. Each seed with its 95 %
intervals; below several of them their mean, and the lowest and the highest. *Seconds an epoch* come from training steps
of all recipes in turns ({timed}), without validation; of several stages it is the last one. *Of the peak* is the rate
of their convolutions and matrix products beside that of the fastest product of two square matrices there, {peak}.

"""
IMAGE_BY_IMAGE = """
## Image by image

`python -m benchmarks.pairs`: how many of *n* test images only the recipe answers rightly, and how many only what
stands *beside* it, both trained with one seed. *p* is how probable a split as uneven is by chance, if both were equally
good (McNemar): it is about the choice of images, and knows nothing of other trainings.
"""
TRAINED_AGAIN = """
On another kind of CPU, which rounds otherwise, the same recipe and seed end in other weights. So C-LEAD of seed 1 and
adversarial training of seed 2, trained once more on an Intel Xeon, stand here beside networks of the tables above.
"""
GRAYBOX = """
## The gray box beside the white box

`python -m benchmarks.graybox`, {n} test images, 8/255, {precision}: what each network keeps of images that were made on
other networks, trained as well, and of images made on itself. The network of the plain training, and that of the same
defence, have another seed. *Its own in training* is the network that a training attacked where it stood still, as in
the released scripts of C-LEAD. FGSM takes one step, PGD-10 ten of 2/255, AutoAttack is the standard version, whose
members stop at their first success.

"""
CERTIFICATES = """
## Certificates by randomized smoothing

`python -m benchmarks.smoothing`, sigma {sigma}, {samples} samples, alpha {alpha}: what the published recipe and ours
certify, and how long an image takes, the median of {rounds} rounds in which all take turns.
"""
CERTIFIED = """
## Certified accuracy

`python -m benchmarks.certified`: {n} test images, {samples} samples each, alpha {alpha}: the share that is answered
rightly, and certainly so within an L2 radius. The average radius counts 0 for a wrong or missing answer. On CIFAR-10
with sigma 0.25 Cohen et al. (2019) have 75, 60, 43 and 27 % at these radii, with a ResNet-110 of 1.7 million weights,
90 epochs and 100,000 samples.

"""
PURIFIERS = """
## Purifiers

`python -m benchmarks.purification`, PGD with {steps} steps inside Linf(8/255). The blind adversary attacks the network
without its purifier; BPDA goes back through it as if it did nothing; the full gradient is the purifier's own. Against
a random purifier {eot} looks are averaged for each gradient, and {draws} draws judge each result. Right in the worst
case is what is right in every column, so that under *one draw* it is the worst of four.
"""
DETECTION = """
## Detectors

`python -m benchmarks.detection`: `{oblivious}` on the network alone, then the adaptive
`{adaptive}` on the network and the detector, whose threshold
rejects {fpr:.0%} of the validation images. Without a detector the latter is
`{longer}`. *False alarms* are clean test images above it,
*served* those that are right and accepted. *Caught* is the share rejected among the attacked images with a wrong label;
the AUROC compares these with all clean images. *Safe* images are right or rejected; *robust* are those that are served
while clean and safe under the adaptive attack.
"""
CLASS = """
## A class on one machine

`python -m benchmarks.classroom`: so many kernels run the same cells at the same time. *Memory* counts a page that
kernels share once; *more for each* is what a kernel adds to the fewest; *largest resident* is the one kernel that has
most, with all that it shares. CPU seconds are the median over the kernels, from their start to the end of the first
cell, and to the end of the last. *Other programs* is the share of the cores that went elsewhere meanwhile: it makes
wall seconds longer, and CPU seconds hardly. The demo is that of lesson 01, its sliders moved {moves of the demo} times.

"""


def summary(folder: Path = RESULTS) -> str:
    """All reports of a folder as one Markdown text."""
    reports = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    parts = [HEAD]
    if timed := [report for report in reports.values() if "races" in report]:
        parts += [TIME, markdown.table(TIMES, [row for report in timed for row in times(report)]), "\n"]
        if drawn := [path.stem for path in sorted(folder.glob("*.png")) if path.stem in reports]:
            links = ", ".join(f"[{name}](benchmarks/{name}.png)" for name in drawn)
            parts.append(f"\nAll contestants, drawn as bars: {links}.\n")
    for report in (report for name, report in reports.items() if name.startswith("profile")):
        parts.append(PROFILE.format(**report["settings"]))
        parts += [markdown.table(profile.HEAD, list(profile.rows(report))), "\n"]
    if compared := [report for name, report in reports.items() if name.startswith("strength")]:
        parts += [STRENGTH, markdown.table(FINDS, [row for report in compared for row in finds(report)]), "\n"]
        if rows := [row for report in compared for row in finds_by_seed(report)]:
            parts += [SEEDS, markdown.table(OVER_SEEDS, rows), "\n"]
    for report in (report for name, report in reports.items() if name.startswith("autoattack")):
        parts.append(ENSEMBLE.format(**report["settings"], precision=_precision(report)))
        for name, done in report["models"].items():
            parts.append(f"{autoattack.table(name, done)}, on {done[0]['device']}.\n")
    for dataset, report in by_dataset(reports).items():
        pace = report.get("pace", {"device": "not measured yet", "peak": 0.0})
        told = {"dataset": dataset, "timed": pace["device"], "peak": f"{pace['peak'] / 1e12:.3g} TFLOP/s"}
        parts.append(DEFENCES.format(**told, precision=_precision(report), **report["settings"]))
        parts += [markdown.table(defences.HEAD, list(defences.rows(report))), "\n"]
    paired = [(name.endswith("again"), report) for name, report in reports.items() if name.startswith("pairs")]
    for title, again in ((IMAGE_BY_IMAGE, False), (TRAINED_AGAIN, True)):
        part = [report for later, report in paired if later == again]
        parts += [title] if part else []
        for report in part:
            parts.append("\nAttacked by `{attack}`:\n\n".format(**report["settings"]))
            parts += [markdown.table(pairs.HEAD, list(pairs.rows(report))), "\n"]
    for report in (report for name, report in reports.items() if name.startswith("graybox")):
        parts.append(GRAYBOX.format(**report["settings"], precision=_precision(report)))
        parts += [markdown.table(graybox.HEAD, list(graybox.rows(report))), "\n"]
    for report in (report for name, report in reports.items() if name.startswith("smoothing")):
        parts.append(CERTIFICATES.format(**report["settings"]))
        parts += [f"{smoothing.table(name, done)}\n" for name, done in report["models"].items()]
    for report in (report for name, report in reports.items() if name.startswith("certified")):
        parts.append(CERTIFIED.format(**report["settings"]))
        parts += [markdown.table(certified.HEAD, [certified.row(*done) for done in report["models"].items()]), "\n"]
    for report in (report for name, report in reports.items() if name.startswith("purification")):
        parts.append(PURIFIERS.format(**report["settings"]))
        parts += [f"{purification.table(name, done)}\n" for name, done in report["models"].items()]
    for report in (report for name, report in reports.items() if name.startswith("detection")):
        parts.append(DETECTION.format(**report["settings"]))
        parts += [f"{detection.table(name, done)}\n" for name, done in report["models"].items()]
    for report in (report for name, report in reports.items() if name.startswith("classroom")):
        parts.append(CLASS.format(**report["settings"]))
        parts += [markdown.table(classroom.HEAD, list(classroom.rows(report))), "\n"]
    return "".join(parts)


def by_dataset(reports: Mapping[str, Json]) -> dict[str, dict[str, Any]]:
    """One report of defences for each data set: several processes may share the work, each with a file of its own.

    Files are named ``defences-DATASET.json``, or ``defences-DATASET-ANYTHING.json``.

    Raises:
        ValueError: files of one data set were measured with different settings.
    """
    whole: dict[str, dict[str, Any]] = {}
    for name, report in reports.items():
        kind, _, rest = name.partition("-")
        if kind == "defences":
            dataset = rest.partition("-")[0]
            one = whole.setdefault(dataset, {"settings": report["settings"], "models": {}})
            if one["settings"] != report["settings"]:
                raise ValueError(f"{name}.json has other settings, {report['settings']}, than {one['settings']}.")
            for recipe, seeds in report["models"].items():
                one["models"].setdefault(recipe, {}).update(seeds)
            one |= {"pace": report["pace"]} if "pace" in report else {}
    return whole


def _precision(report: Json) -> str:
    return "search in bfloat16" if report["settings"]["bf16"] else "float32"


def times(report: Json) -> Iterator[tuple[str, ...]]:
    """A row for each race and each of our variants in it that a user gets."""
    for race in report["races"]:
        rows = {row["name"]: row for row in race["rows"] if row["installed"]}
        peers = {name: row for name, row in rows.items() if name in PEERS}
        if not peers:
            continue
        fastest = min(peers, key=lambda name: float(peers[name]["seconds"]["median"]))
        theirs = peers[fastest]["seconds"]["median"]
        for name in USED:
            if name in rows:
                ours = rows[name]["seconds"]["median"]
                left = [f"{rows[who]['robust_accuracy']['accuracy']:.1%}" for who in (fastest, name)]
                bare = rows["floor"]["seconds"]["median"]
                yield (
                    *(race["weights"], race["attack"], fastest, f"{theirs:.3g}", name, f"{ours:.3g}"),
                    *(f"{theirs / ours:.1f}", f"{theirs / bare:.1f}", ", ".join(left)),
                    *(str(race["n"]), report["device"]),
                )


def finds(report: Json) -> Iterator[tuple[str, ...]]:
    """A row for each attack on each network and each of our variants."""
    for network, attacks in report["models"].items():
        for attack, done in attacks.items():
            found = done["found"]
            left = strength.accuracies(found)
            shares = {name: accuracy.accuracy for name, accuracy in left.items()}
            peer = strength.strongest_peer(shares)
            if peer is None:
                continue
            for name in strength.OURS:
                if name in left:
                    near = [found[who]["median_distance"] for who in (peer, name)]
                    distances = "" if None in near else ", ".join(f"{distance:.3g}" for distance in near)
                    more = strength.points(shares, name, peer)
                    yield network, attack, peer, str(left[peer]), name, str(left[name]), more, distances


def finds_by_seed(report: Json) -> Iterator[tuple[str, ...]]:
    """A row for each attack on each network that ran with several seeds, and each of our variants."""
    for network, attacks in report["models"].items():
        for attack, done in attacks.items():
            left = strength.by_seed(done)
            shares = {name: fmean(seeds) for name, seeds in left.items()}
            peer = strength.strongest_peer(shares)
            if "more" not in done or peer is None:
                continue
            for name in strength.OURS:
                if name in left:
                    more = strength.points(shares, name, peer)
                    seeds = str(len(left[name]))
                    yield network, attack, seeds, peer, _range(left[peer]), name, _range(left[name]), more


def _range(shares: Sequence[float]) -> str:
    return f"{fmean(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"


if __name__ == "__main__":
    with whole_file(README) as part:
        part.write_text(summary(), encoding="utf-8")
    print(f"Written: {README}")
