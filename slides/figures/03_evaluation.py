"""The figures of deck 03: which attack breaks which image, how sure a share is, and two ways to blind an attack."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

import seminar_lib as sl
from seminar_lib.plots import BLUE, GREY, VERMILLION
from slides.parts import bars, network

BALL = sl.Linf(8 / 255)
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    return data.test.sample(100)


class _Round(nn.Module):
    """Pixels to the nearest of 17 levels."""

    def forward(self, x: Tensor) -> Tensor:
        return (16 * x).round() / 16


def outcomes() -> Figure:
    """Six attacks on the same images: which broke which."""
    attacks = {
        "FGSM": sl.FGSM(BALL),
        "PGD-20": sl.PGD(BALL, steps=20),
        "PGD-20, margin": sl.PGD(BALL, steps=20, loss=sl.margin),
        "APGD": sl.APGD(BALL, steps=20),
        "APGD, DLR": sl.APGD(BALL, steps=20, loss=sl.dlr),
        "Square": sl.Square(BALL, queries=200),
    }
    report = sl.evaluate(network("pgd_at"), _test(), attacks, progress=False)
    rows = [*attacks, "worst case"]
    broken = torch.stack([~report.outcomes(name) for name in rows])
    order = broken.sum(0).argsort(descending=True, stable=True)
    figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    ax.imshow(1 - 0.8 * broken[:, order].float(), cmap="gray", vmin=0, vmax=1, aspect="auto")
    names = [f"{name}: {int(one.sum())}" for name, one in zip(rows, broken, strict=True)]
    ax.set_yticks(range(len(rows)), names)
    ax.hlines([row - 0.5 for row in range(1, len(rows))], -0.5, 99.5, color="white", linewidth=4)
    ax.set(xticks=[], xlabel="100 images, those that most attacks broke first", title="dark: broken, and how many")
    return figure


def widths() -> Figure:
    """Intervals around 44 % for 10 to 10,000 images."""
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for n in (10, 30, 100, 300, 1000, 3000, 10000):
        accuracy = sl.Accuracy.of(torch.arange(n) < round(0.44 * n))
        ax.plot([n, n], [accuracy.low, accuracy.high], color=BLUE, linewidth=5)
        ax.plot(n, accuracy.accuracy, "o", color=BLUE)
        width = f"{100 * (accuracy.high - accuracy.low):.0f} points"
        ax.annotate(width, (n, accuracy.high), (0, 5), textcoords="offset points", ha="center")
    ax.set_xscale("log")
    ax.set_xticks([10, 100, 1000, 10000], ["10", "100", "1,000", "10,000"])
    ax.set(xlim=(6, 16000), ylim=(0, 1), yticks=(0, 0.5, 1), xlabel="images", ylabel="accuracy")
    ax.set_title("95 % intervals and their widths")
    return figure


def saturated() -> Figure:
    """The cross-entropy of two classes against the lead of the right one, for logits of two sizes."""
    lead = np.linspace(-2, 6, 161)
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.plot(lead, np.log1p(np.exp(-lead)), color=BLUE, label="logits as they are")
    ax.plot(lead, np.maximum(-lead, 0), "--", color=VERMILLION, label="100 times as large,\nloss / 100")
    ax.axvline(0, color=GREY, linestyle=":")
    ax.set(xlabel="lead of the right logit", ylabel="cross-entropy", ylim=(-0.1, 2.2))
    ax.legend()
    return figure


def staircase() -> Figure:
    """What rounding makes of a pixel."""
    pixel = np.linspace(0, 0.5, 401)
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.plot(pixel, pixel, color=GREY, linestyle=":", label="as it is")
    ax.step(pixel, np.round(16 * pixel) / 16, color=VERMILLION, label="rounded")
    ax.set(xlabel="pixel", ylabel="what the network sees", xticks=(0, 0.25, 0.5), yticks=(0, 0.25, 0.5))
    ax.legend()
    return figure


def without_gradient() -> Figure:
    """PGD beside attacks that need no gradient, on a network that rounds and on one that is robust."""
    rounded = nn.Sequential(_Round(), network("standard")).eval()
    attacks = {
        "PGD-20, margin": sl.PGD(BALL, steps=20, loss=sl.margin),
        "Square": sl.Square(BALL, queries=200),
        "Transfer": sl.Transfer(sl.PGD(BALL, steps=20), network("standard")),
    }
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    judged = {}
    for name, model in {"rounding": rounded, "pgd_at": network("pgd_at")}.items():
        report = sl.evaluate(model, _test(), attacks, progress=False)
        judged[name] = {row: report[row] for row in attacks}
    bars(ax, judged)
    ax.set_title("8/255, n = 100, 95 % intervals")
    ax.legend(loc="upper center", bbox_to_anchor=(0.36, 1))
    return figure


def distance() -> Figure:
    """The distances that two minimum-norm attacks find, a point for each image."""
    few = _test()[:24]
    slow = sl.CW(sl.L2(), binary_steps=4, steps=60, initial_const=1.0)
    found = [attack.nearest(network("pgd_at"), few.x, few.y).distance for attack in (sl.DeepFool(sl.L2()), slow)]
    figure, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
    longest = 1.05 * float(found[0][found[0].isfinite()].max())
    ax.plot([0, longest], [0, longest], color=GREY, linestyle=":", label="equally far")
    ax.plot(*found, "o", color=VERMILLION, label="an image")
    ax.set(xlabel="L2 distance, DeepFool", ylabel="L2 distance, C&W", title=f"n = {len(few)}")
    ax.legend()
    return figure
