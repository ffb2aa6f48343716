"""The figures of deck 5: where an attack moves an image, and whom a contrastive loss pulls and pushes."""

from functools import cache

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

import seminar_lib as sl
from seminar_lib.embeddings import embed
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery
from slides.parts import legible, network

BALL = sl.Linf(8 / 255)
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    """The images of the lesson."""
    return data.test.sample(120)


@cache
def _directions(name: str) -> tuple[Tensor, Tensor]:
    """The embeddings of the images and of their attacked versions, of length 1."""
    attack = sl.PGD(BALL, steps=10, stop_when_fooled=False)
    x_adv = attack(network(name), _test().x, _test().y, generator=torch.Generator().manual_seed(0))
    clean, attacked = (F.normalize(embed(network(name), images), dim=1) for images in (_test().x, x_adv))
    return clean, attacked


def strangers() -> Figure:
    """Cosines of images with their attacked versions, with their class and with the others, in two networks."""
    kind, itself = _test().y[:, None] == _test().y, torch.eye(len(_test().y), dtype=torch.bool)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
    for ax, name in zip(axes, ("standard", "pgd_at"), strict=True):
        clean, attacked = _directions(name)
        cosines = clean @ clean.T
        groups = {
            "itself, attacked": ((clean * attacked).sum(1), VERMILLION, "-"),
            "same class": (cosines[kind & ~itself], BLUE, "--"),
            "other class": (cosines[~kind], GREY, ":"),
        }
        for label, (values, colour, line) in groups.items():
            style = {"histtype": "step", "color": colour, "linestyle": line, "linewidth": 2.5, "label": label}
            ax.hist(values.numpy(), bins=40, range=(-0.2, 1), density=True, **style)
        ax.set(title=f"{name}, n = {len(_test())}", xlabel="cosine", yticks=[])
    axes[0].legend(loc="upper center")
    return figure


def pairs() -> Figure:
    """The cosines of four signs and their attacked versions, with a frame around what belongs together."""
    first = torch.stack([(_test().y == label).nonzero()[0, 0] for label in _test().y.unique()[:4]])
    both = torch.cat([part[first] for part in _directions("pgd_at")])
    cosines = (both @ both.T).fill_diagonal_(torch.nan)
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    drawn = ax.imshow(cosines, cmap="cividis", vmin=0, vmax=1)
    for row in range(8):
        frame = {"fill": False, "edgecolor": VERMILLION, "linewidth": 3.5}
        ax.add_patch(Rectangle(((row + 4) % 8 - 0.5, row - 0.5), 1, 1, **frame))
    names = ["1", "2", "3", "4", "1'", "2'", "3'", "4'"]
    ax.set(xticks=range(8), xticklabels=names, yticks=range(8), yticklabels=names)
    ax.set(ylabel="anchor", xlabel="4 signs, and their attacked versions")
    figure.colorbar(drawn, label="cosine")
    return figure


def _shares(temperature: float) -> Tensor:
    """How each anchor of ``pgd_at`` divides its attention among the other images, (120, 120)."""
    clean, _ = _directions("pgd_at")
    return ((clean @ clean.T).fill_diagonal_(-torch.inf) / temperature).softmax(1)


def attention() -> Figure:
    """The share that the nearest others get together, for four temperatures."""
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    for temperature, line in {0.05: "-", 0.1: "--", 0.5: "-.", 1.0: ":"}.items():
        shares = _shares(temperature).sort(1, descending=True).values.mean(0)[:-1]
        ax.plot(range(1, len(_test())), shares.cumsum(0), line, color=BLUE, label=f"τ = {temperature:g}")
    ax.axvline(10, color=INK, linewidth=1)
    ax.set(xlabel="nearest others", ylabel="their share together", ylim=(0, 1.02), title="n = 120")
    ax.legend(loc="lower right")
    return figure


def pushed() -> Figure:
    """Three signs, and those four that each pushes away hardest at a low temperature, with their share."""
    shares, images, captions = _shares(0.1), [], []
    for anchor in _test().x.std((1, 2, 3)).argsort(descending=True)[[0, 3, 4]]:
        hardest = shares[anchor].argsort(descending=True)[:4]
        images += [int(anchor), *hardest.tolist()]
        captions += ["anchor", *(f"{100 * share:.0f} %" for share in shares[anchor, hardest])]
    return legible(gallery(_test().x[images], captions, columns=5), 17)
