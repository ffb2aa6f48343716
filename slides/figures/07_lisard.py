"""The figures of deck 7: three boxes, noise beside an attack, and features that agree about two views."""

import re
from functools import cache

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

import seminar_lib as sl
from seminar_lib.plots import BLUE, INK, VERMILLION, gallery
from slides.parts import SHARE, accuracy, bars, legible, network, printed

BALL = sl.Linf(8 / 255)
SIGMA = (8 / 255) ** 0.5
BOXES = re.compile(rf'"(\w+) \(clean {SHARE}\)[^(]+?worst case: {SHARE}[^(]+?white-box: {SHARE}')
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    """The images of the lesson."""
    return data.test.sample(120)


@cache
def _contrast() -> Tensor:
    return _test().x.std((1, 2, 3))


def handed_over() -> Figure:
    """Three signs that fool the network on which they were made, and what the other one reads."""
    attacked = sl.PGD(BALL)(network("pgd_at"), _test().x, _test().y, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        own, other = (network(name)(attacked).argmax(1) for name in ("pgd_at", "standard"))
    chosen = (_contrast() * (own != _test().y)).argsort(descending=True)[[0, 1, 8]].tolist()
    captions = [f"pgd_at: {data.classes[own[i]]}\nstandard: {data.classes[other[i]]}" for i in chosen]
    return legible(gallery(attacked[chosen], captions, columns=3), 8)


def boxes() -> Figure:
    """Two networks, clean, in the gray box and in the white box."""
    judged = {}
    for name, other in (("standard", "pgd_at"), ("pgd_at", "standard")):
        attacks = {"PGD-10": sl.PGD(BALL)}
        box = sl.gray_box(network(name), {other: network(other)}, _test(), attacks, progress=False)
        columns = box["PGD-10"]
        judged[f"{name},\nsurrogate {other}"] = {
            "clean": box.white_box["clean"],
            "gray box": columns["gray-box, worst case"],
            "white box": columns["white-box"],
        }
    figure, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
    bars(ax, judged)
    ax.set(title="PGD-10 at 8/255, n = 120, 95 % intervals", ylim=(0, 1.5))
    ax.legend(loc="upper center", ncols=3)
    return figure


def levels() -> Figure:
    """How likely each change of a value is under the noise, beside the reach of the attacks."""
    change = torch.linspace(-150, 150, 301)
    sigma = 255 * SIGMA
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    ax.plot(change, (-(change**2) / (2 * sigma**2)).exp(), color=BLUE, label=f"noise: deviation {sigma:.0f}")
    ax.axvspan(-8, 8, color=VERMILLION, alpha=0.6, hatch="//", label="attack: at most 8")
    for end in (-sigma, sigma):
        ax.axvline(end, color=INK, linestyle=":")
    ax.set(xlabel="change of a value in grey levels", ylabel="how often", yticks=[], ylim=(0, 1.05))
    ax.legend(loc="upper right", fontsize=13)
    return figure


def noisy() -> Figure:
    """Two signs, clean, attacked and with noise of variance 8/255."""
    few = _test()[_contrast().argsort(descending=True)[2:4]]
    attacked = sl.PGD(BALL)(network("standard"), few.x, few.y, generator=torch.Generator().manual_seed(0))
    seen = (few.x + SIGMA * torch.randn(few.x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    return gallery(torch.stack([few.x, attacked, seen], 1).flatten(0, 1), ["clean", "attacked", "noisy"] * 2, columns=3)


@cache
def _correlations(name: str) -> Tensor:
    """The correlations of all features of clean with those of noisy images."""
    view = _test().x + SIGMA * torch.randn(_test().x.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        parts = (network(name).embed(images) for images in (_test().x, view))
        clean, seen = (F.batch_norm(part, None, None, training=True) for part in parts)
    return clean.T @ seen / len(view)


def correlations() -> Figure:
    """The correlations of the first forty features in two networks."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
    for ax, name in zip(axes, ("standard", "pgd_at"), strict=True):
        mean = float(_correlations(name).diagonal().mean())
        drawn = ax.imshow(_correlations(name)[:40, :40], cmap="cividis", vmin=-1, vmax=1)
        ax.set(title=f"{name}: diagonal {mean:.2f}", xlabel="noisy", xticks=[], yticks=[])
    axes[0].set_ylabel("clean")
    figure.colorbar(drawn, ax=axes, label="correlation")
    return figure


def live() -> Figure:
    """What the lesson's notebook measured of its three short trainings."""
    judged = {}
    for name, *shares in BOXES.findall(printed("07_lisard")):
        found = [accuracy(shares[i : i + 3], n=160) for i in (0, 3, 6)]
        judged[name] = dict(zip(("clean", "gray box, worst case", "white box"), found, strict=True))
    figure, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
    bars(ax, judged)
    ax.set(title="PGD-10 at 8/255, n = 160, 95 % intervals, one seed", ylim=(0, 1.4))
    ax.legend(loc="upper center", ncols=3, fontsize=14)
    return figure
