"""The figures of deck 11: what detectors see, where they stop, and how an adversary who knows walks past them."""

from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

import seminar_lib as sl
from seminar_lib.attacks.orthogonal import without
from seminar_lib.plots import BLUE, INK, VERMILLION, gallery
from slides.parts import bars, network

BALL = sl.Linf(8 / 255)
STEP = 2 / 255
data = sl.load_data("signs")


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@cache
def _test() -> sl.Split:
    """The images of the lesson."""
    return data.test.sample(32)


@cache
def _attacked() -> Tensor:
    oblivious = sl.PGD(BALL, steps=20, step_size=STEP)
    return oblivious(network("standard"), _test().x, _test().y, generator=_seeded())


@cache
def _guard(name: str) -> sl.Guarded:
    """A detector in front of ``standard``, which rejects 5 % of the validation images."""
    model = network("standard")
    detector = sl.Mahalanobis.fit(model, data) if name == "Mahalanobis" else sl.KernelDensity.fit(model, data)
    return sl.Guarded(model, detector, detector.threshold_at(data, fpr=0.05))


@cache
def _report() -> sl.DetectionReport:
    """Kernel density before both adversaries of the lesson."""
    attacks = sl.PGD(BALL, steps=20, step_size=STEP), sl.OrthogonalPGD(BALL, steps=50, step_size=STEP)
    return sl.evaluate_detector(_guard("kernel density"), _test(), *attacks, progress=False)


def noticed() -> Figure:
    """Three signs, clean and attacked, and what kernel density gives them."""
    guard = _guard("kernel density")
    clearest = _test().x.std((1, 2, 3)).argsort(descending=True)[[2, 5, 11]]
    images = torch.cat([_test().x[clearest], _attacked()[clearest]])
    verdicts = guard.predict(images)
    answers, scores = guard.answers(images), guard.detector.scores(images)
    captions = [
        f"{data.classes[answer]}\n{score:.0f}: {'refused' if verdict < 0 else 'accepted'}"
        for answer, score, verdict in zip(answers, scores, verdicts, strict=True)
    ]
    return gallery(images, captions, columns=3)


def _steps(ax: Axes, groups: dict[str, Tensor], edges: Tensor) -> None:
    """Histograms as steps, told apart by colour and line."""
    looks = ((BLUE, "-"), (VERMILLION, "--"))
    for (label, scores), (colour, line) in zip(groups.items(), looks, strict=False):
        style = {"histtype": "step", "color": colour, "linestyle": line, "linewidth": 2.5, "label": label}
        ax.hist(scores.clamp(float(edges[0]), float(edges[-1])).numpy(), edges.numpy(), **style)
    ax.set(xlabel="score", ylabel="images")


def histograms() -> Figure:
    """The scores of clean and attacked images by three detectors."""
    model = network("standard")
    detectors = {
        "feature squeezing": sl.FeatureSqueezing(model),
        "Mahalanobis": _guard("Mahalanobis").detector,
        "kernel density": _guard("kernel density").detector,
    }
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 4), layout="constrained")
    for ax, (name, detector) in zip(axes, detectors.items(), strict=True):
        groups = {"clean": detector.scores(_test().x), "attacked": detector.scores(_attacked())}
        both = torch.cat(list(groups.values()))
        _steps(ax, groups, torch.linspace(float(both.min()), float(both.max()), 20))
        ax.set(title=name)
    for ax in axes[1:]:
        ax.set_ylabel("")
    axes[0].legend()
    return figure


def threshold() -> Figure:
    """The scores of the validation images, and where five of a hundred lie above."""
    guard = _guard("kernel density")
    scores = guard.detector.scores(data.validation.x)
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    edges = torch.linspace(float(scores.min()), float(scores.max()), 60)
    _steps(ax, {f"{len(scores)} validation images": scores}, edges)
    ax.axvline(guard.threshold, color=INK)
    ax.axvspan(guard.threshold, float(edges[-1]), color=VERMILLION, alpha=0.15)
    top = ax.get_ylim()[1]
    for words, height, colour in (("τ", 0.9, INK), ("rejected: 5 %", 0.55, VERMILLION)):
        at = (guard.threshold, height * top)
        ax.annotate(words, at, (8, 0), textcoords="offset points", color=colour)
    ax.set(title="kernel density")
    ax.legend(loc="center", bbox_to_anchor=(0.75, 0.85))
    return figure


def roc() -> Figure:
    """The ROC curve of kernel density under the oblivious attack, its area shaded."""
    report = _report()
    clean, attacked = report.scores["clean"], report.scores["oblivious"]
    levels = torch.cat([clean, attacked]).unique().flip(0)
    alarms = [0.0, *((clean >= level).double().mean().item() for level in levels)]
    caught = [0.0, *((attacked >= level).double().mean().item() for level in levels)]
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.plot(alarms, caught, color=VERMILLION, clip_on=False)
    ax.fill_between(alarms, caught, color=VERMILLION, alpha=0.15)
    ax.plot((0, 1), (0, 1), ":", color=INK)
    ax.text(0.57, 0.47, "a coin: 0.5")
    ax.text(0.3, 0.75, f"area {report.auroc('oblivious').auroc:.3f}", color=VERMILLION)
    ax.set(xlabel="false alarms", ylabel="attacked, rejected", title="n = 32", xlim=(0, 1), ylim=(0, 1.02))
    return figure


def weights() -> Figure:
    """How many images win against Mahalanobis, for four weights of a sum, and in turns."""
    guard, judged = _guard("Mahalanobis"), {}
    for weight in (0.001, 0.01, 0.1, 1):
        goal = guard.evade(_test().y, weight=weight)
        found = sl.PGD(BALL, steps=40, step_size=STEP).run(goal, _test().x, _seeded())
        judged[f"sum,\n{weight}"] = {"": sl.Accuracy.of(goal(found).success)}
    goal = guard.evade(_test().y)
    found = sl.OrthogonalPGD(BALL, steps=40, step_size=STEP).run(goal, _test().x, _seeded())
    judged["in turns"] = {"": sl.Accuracy.of(goal(found).success)}
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    bars(ax, judged)
    ax.set(title="Mahalanobis, 40 steps, 8/255, n = 32, 95 % intervals", ylabel="wrong and accepted")
    return figure


def _walk(way: Callable[[Tensor, Tensor, Tensor], Tensor], steps: int = 5) -> Tensor:
    """Margin and score less the threshold at each step; ``way`` makes a direction of margin and both gradients."""
    guard, path = _guard("Mahalanobis"), []
    image, label = _test().x[11:12], _test().y[11:12]
    now = image.clone()
    for _ in range(steps):
        pixels = now.clone().requires_grad_()
        margin = sl.margin(guard.model(pixels), label)
        score = guard.detector.score(pixels) - guard.threshold
        path.append(torch.stack([margin.detach(), score.detach()], 1)[0])
        slopes = [torch.autograd.grad(value.sum(), pixels)[0] for value in (margin, -score)]
        moved = now + STEP * way(margin, *slopes).sign()
        now = (image + (moved - image).clamp(-BALL.eps, BALL.eps)).clamp(0, 1)
    return torch.stack(path)


def turns() -> Figure:
    """The ways of two searches for one image: margin against score."""
    ways = {
        "classifier alone": (VERMILLION, "s--", lambda _, f, __: f),
        "in turns": (BLUE, "o-", lambda margin, f, g: f if margin < 0 else without(g, f)),
    }
    figure, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
    for name, (colour, style, way) in ways.items():
        ax.plot(*_walk(way).T, style, color=colour, label=name)
    ax.axhline(0, color=INK, linewidth=1)
    ax.axvline(0, color=INK, linewidth=1)
    right, bottom = ax.get_xlim()[1], ax.get_ylim()[0]
    ax.axvspan(0, right, 0, -bottom / (ax.get_ylim()[1] - bottom), color=BLUE, alpha=0.15)
    ax.text(0.97 * right, bottom / 2, "wrong and accepted", color=BLUE, ha="right", va="center")
    ax.set(
        xlabel="margin: wrong label from 0 on", ylabel="score - τ", xlim=(ax.get_xlim()[0], right), ylim=(bottom, None)
    )
    ax.legend(loc="upper left")
    return figure


def adaptive() -> Figure:
    """The scores of kernel density, clean and under both attacks."""
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    _report().plot(ax)
    ax.set_title("kernel density, n = 32")
    return figure


def both_curves() -> Figure:
    """The ROC curves of both attacks, with the points at the threshold."""
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    _report().roc(ax)
    ax.set_title("kernel density, n = 32")
    ax.legend(loc="lower right", fontsize=14.5)
    return figure
