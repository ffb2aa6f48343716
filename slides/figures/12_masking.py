"""The figures of deck 12: gradients that break their promise, and what an adversary who knows leaves of each trick."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

import seminar_lib as sl
from seminar_lib.losses import Loss
from seminar_lib.masking import DEFENCES
from seminar_lib.plots import BLUE, GREY, VERMILLION
from seminar_lib.types import Model
from slides.parts import bars, network, rounded

BALL = sl.Linf(8 / 255)
LEVELS = torch.linspace(0, 8, 41)
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    return data.test.sample(48)


def _defended(name: str) -> Model:
    return DEFENCES[name].build(network("standard")).eval()


def too_good() -> Figure:
    """PGD on three networks, and Square, which sees less, on two of them."""
    attacks = {"PGD-20": sl.PGD(BALL, steps=20), "Square": sl.Square(BALL, queries=200)}
    models = {
        "no defence": network("standard"),
        "adversarial training": network("pgd_at"),
        "rounding": _defended("quantise"),
    }
    judged = {}
    for name, model in models.items():
        report = sl.evaluate(model, _test(), attacks, progress=False)
        judged[name] = {row: report[row] for row in attacks}
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    bars(ax, judged)
    ax.set_title("8/255, n = 48, 95 % intervals")
    ax.legend(loc="upper left")
    return figure


def _slope(model: Model, loss: Loss) -> Tensor:
    pixels = _test().x[:1].clone().requires_grad_()
    return torch.autograd.grad(loss(model(pixels), _test().y[:1]).sum(), pixels)[0]


def _promise(ax: Axes, model: Model, loss: Loss, looks: int = 1) -> None:
    """What the gradient promises, what comes, and what there is along the undefended network's gradient."""
    image, label = _test().x[:1], _test().y[:1]
    other = _slope(network("standard"), sl.margin).sign()

    def along(direction: Tensor) -> Tensor:
        walk = (image + LEVELS[:, None, None, None] / 255 * direction).clamp(0, 1)
        with torch.no_grad():
            return loss(model(walk), label.expand(len(LEVELS)))

    for _ in range(looks):
        slope = _slope(model, loss)
        way = slope.sign() if slope.any() else other
        curve = along(way)
        ax.plot(LEVELS, curve, color=BLUE, label="along its own gradient")
        promise = curve[0] + (slope * way).sum() * LEVELS / 255
        ax.plot(LEVELS, promise, color=VERMILLION, linestyle="--", label="what it promised")
    there = along(other)
    ax.plot(LEVELS, there, color=GREY, linestyle=":", label="along standard's gradient")
    seen = torch.cat([curve, there])
    room = 0.2 * (seen.max() - seen.min())
    ax.set(ylim=(float(seen.min() - room), float(seen.max() + room)), yticks=[])


def honest() -> Figure:
    """Two networks whose gradients keep their promise."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for ax, name in zip(axes, ("pgd_at", "standard"), strict=True):
        _promise(ax, network(name), sl.margin)
        ax.set(title=name, xlabel="way in grey levels", ylabel="margin")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=14, frameon=False)
    return figure


def broken_promises() -> Figure:
    """Four networks whose gradients do not."""
    figure, axes = plt.subplots(1, 4, figsize=(10.5, 4), layout="constrained")
    tricks = {"rounding": "quantise", "ripples": "ripple", "noise, 3 looks": "noise", "temperature": "temperature"}
    for ax, (title, name) in zip(axes, tricks.items(), strict=True):
        loss = sl.cross_entropy if name == "temperature" else sl.margin
        _promise(ax, _defended(name), loss, looks=3 if name == "noise" else 1)
        ax.set(title=title, xlabel="grey levels")
    axes[0].set_ylabel("loss")
    figure.legend(*axes[3].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=15, frameon=False)
    return figure


def stand_in() -> Figure:
    """A staircase, and the straight line that takes its place on the way back."""
    pixel = np.linspace(0, 0.49, 401)
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.step(pixel, np.round(15 * pixel) / 15, color=BLUE, label="forwards")
    ax.plot(pixel, pixel, "--", color=VERMILLION, label="backwards")
    ax.set(xlabel="pixel", ylabel="what comes out", xticks=(0, 0.25, 0.5), yticks=(0, 0.25, 0.5))
    ax.legend()
    return figure


def looks() -> Figure:
    """How well the mean gradient of some looks agrees with that of 64 others."""
    few, counts = _test()[:16], [1, 2, 4, 8, 16]
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    for name, style, colour in (("noise", "o-", BLUE), ("random resize", "s-", VERMILLION)):
        goal = sl.Misclassify(_defended(name), few.y, sl.margin)
        slopes = {}
        for count in (*counts, 64):
            pixels = few.x.clone().requires_grad_()
            mean = sl.Expectation(goal, count)(pixels).loss
            slopes[count] = torch.autograd.grad(mean.sum(), pixels)[0].flatten(1)
        agree = [float(torch.cosine_similarity(slopes[count], slopes[64]).mean()) for count in counts]
        ax.plot(counts, agree, style, color=colour, label=name)
    ax.set_xscale("log")
    ax.set_xticks(counts, counts)
    ax.minorticks_off()
    ax.set(ylim=(0, 1), xlabel="looks", ylabel="cosine with 64 looks", title="n = 16")
    ax.legend(loc="lower right")
    return figure


def _standing(model: Model, x_adv: Tensor, looks: int) -> sl.Accuracy:
    """The share that a network reads rightly in most of several looks."""
    with torch.no_grad():
        votes = [(model(x_adv).argmax(1) == _test().y).float() for _ in range(looks)]
    return sl.Accuracy.of(torch.stack(votes).mean(0) > 0.5)


def adaptive() -> Figure:
    """Seven planted defences under plain PGD and under the attack that knows them."""
    judged = {}
    for name in ("quantise", "jpeg", "k winners", "ripple", "noise", "random resize", "temperature"):
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        model, many = _defended(name), 9 if name in ("noise", "random resize") else 1
        plain = sl.PGD(BALL, steps=20)(model, _test().x, _test().y, generator=generator)
        patient = sl.PGD(BALL, steps=10, stop_when_fooled=False)
        knowing = patient.run(DEFENCES[name].adaptive(model, _test().y), _test().x, generator)
        images = {
            "clean": _test().x,
            "plain PGD-20": plain,
            "adaptive PGD-10": knowing,
        }  # as the lesson draws its looks
        found = {row: _standing(model, x_adv, many) for row, x_adv in images.items()}
        judged[name.replace(" ", "\n")] = {row: found[row] for row in ("plain PGD-20", "adaptive PGD-10")}
    figure, ax = plt.subplots(figsize=(9, 3.7), layout="constrained")
    bars(ax, judged)
    rounded(ax, 13)
    ax.set(title="8/255, n = 48, 95 % intervals", ylim=(0, 1.4))
    ax.tick_params(axis="x", labelsize=13)
    ax.legend(loc="upper center", ncols=2)
    return figure
