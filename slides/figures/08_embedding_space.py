"""The figures of deck 8: how far an attack carries images in the embedding, and what maps of it show and hide."""

from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import Tensor

import seminar_lib as sl
from seminar_lib import embeddings, plots
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery
from slides.parts import LOOKS, legible, network

BALL = sl.Linf(8 / 255)
STEP = 2 / 255
NAMES = ("standard", "pgd_at")
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    """The images of the lesson."""
    return data.test.sample(160)


@cache
def _attacked(name: str) -> Tensor:
    attack = sl.PGD(BALL, steps=20, step_size=STEP, stop_when_fooled=False)
    return attack(network(name), _test().x, _test().y, generator=torch.Generator().manual_seed(0))


@cache
def _pairs() -> dict[str, embeddings.Embedded]:
    return {name: embeddings.embed_pairs(network(name), _test().x, _attacked(name), _test().y) for name in NAMES}


def drifts() -> Figure:
    """How far the attack carries each image in two networks, in ways from class to class."""
    ways = {name: embeddings.drift(pair.z, pair.z_adv, pair.y) for name, pair in _pairs().items()}
    edges = torch.linspace(0, float(max(way.max() for way in ways.values())), 30).numpy()
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for (name, way), line in zip(ways.items(), ("-", "--"), strict=True):
        colour, _ = LOOKS[name]
        ax.hist(way.numpy(), edges, histtype="step", color=colour, linestyle=line, linewidth=2.5, label=name)
    ax.axvline(1, color=GREY, linestyle=":", label="from class to class")
    ax.set(xlabel="drift", ylabel="images", title="PGD-20 at 8/255, n = 160")
    ax.legend(loc="upper center")
    return figure


def on_the_way() -> Figure:
    """Median drift and share still right after each step of the attack."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for name in NAMES:
        way, right, now = [], [], _test().x
        for _ in range(11):
            pair = embeddings.embed_pairs(network(name), _test().x, now, _test().y)
            way.append(float(embeddings.drift(pair.z, pair.z_adv, pair.y).median()))
            right.append(float((pair.predicted_adv == pair.y).float().mean()))
            pixels = now.clone().requires_grad_()
            loss = sl.cross_entropy(network(name)(pixels), _test().y).sum()
            moved = now + STEP * torch.autograd.grad(loss, pixels)[0].sign()
            now = (_test().x + (moved - _test().x).clamp(-BALL.eps, BALL.eps)).clamp(0, 1)
        colour, style = LOOKS[name]
        for ax, line in zip(axes, (way, right), strict=True):
            ax.plot(range(11), line, style, color=colour, label=name)
    axes[0].axhline(1, color=GREY, linestyle=":")
    axes[0].set(xlabel="step of 2/255", ylabel="median drift", ylim=(0, None))
    axes[1].set(xlabel="step of 2/255", ylabel="share still right", ylim=(0, 1.03))
    axes[0].legend()
    return figure


def company() -> Figure:
    """Two attacked signs, and the training images that lie nearest to them in the undefended network."""
    train, pair = data.train.sample(2000), _pairs()["standard"]
    distances = torch.cdist(pair.z_adv, embeddings.embed(network("standard"), train.x))
    images, captions = [], []
    for place in _test().x.std((1, 2, 3)).argsort(descending=True)[[1, 4]]:
        nearest = distances[place].argsort()[:3]
        images += [_attacked("standard")[place], *train.x[nearest]]
        captions += [
            f"{data.classes[_test().y[place]]},\nattacked",
            *(data.classes[label] for label in train.y[nearest]),
        ]
    return legible(gallery(torch.stack(images), captions, columns=4), 13)


def turned() -> Figure:
    """Made-up points as two networks see them that name their features differently, and one turned to the other."""
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[2.0, 0.3], [-0.6, 1.5], [-1.2, -1.4]])
    points = middles.repeat_interleave(12, 0) + 0.35 * torch.randn(36, 2, generator=generator)
    angle = torch.tensor(2.2)
    rotation = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    other = points @ rotation + 0.12 * torch.randn(36, 2, generator=generator)
    u, _, vh = torch.linalg.svd(other.T @ points)
    panels = {"one network": points, "another": other, "another, turned by R": other @ u @ vh}
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.9), layout="constrained")
    for ax, (name, shown) in zip(axes, panels.items(), strict=True):
        for kind, (colour, marker) in enumerate(((BLUE, "o"), (VERMILLION, "s"), (INK, "^"))):
            ax.scatter(*shown[12 * kind : 12 * kind + 12].T, 45, color=colour, marker=marker)
        ax.set(title=name, xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[], yticks=[], aspect="equal")
    return figure


def _map(maps: dict[str, embeddings.Embedded]) -> Figure:
    """Every fifth class of a map of all, in letters that can be read from the last row."""
    chosen = _test().y % 5 == 0
    fields = ("z", "z_adv", "y", "predicted", "predicted_adv")
    few = {
        name: embeddings.Embedded(*(getattr(pair, field)[chosen] for field in fields)) for name, pair in maps.items()
    }
    figure = legible(plots.before_after(few, data.classes), 18)
    figure.draw_without_rendering()  # only then letters have a width
    for text in figure.findobj(Text):
        if text.get_path_effects():  # they would make outlines of the letters, in files of five times the size
            text.set_path_effects([])
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1})
            name, panel = text.get_window_extent(), text.axes.get_window_extent()
            text.set_ha("left" if name.x0 < panel.x0 else "right" if name.x1 > panel.x1 else text.get_ha())
    return figure


def shadow() -> Figure:
    """A PCA map of both networks in one frame."""
    return _map(embeddings.pca(embeddings.in_one_frame(_pairs())))


def islands() -> Figure:
    """A t-SNE map of the same."""
    return _map(embeddings.tsne(embeddings.in_one_frame(_pairs())))


def shorter() -> Figure:
    """Distances of pairs of images on the PCA map against those in the embedding of ``standard``."""
    framed = embeddings.in_one_frame(_pairs())
    flat = embeddings.pca(framed)["standard"]
    true, drawn = (torch.pdist(pair.z) for pair in (framed["standard"], flat))
    counts, *_ = torch.histogramdd(torch.stack([true, drawn], 1), bins=[40, 40], range=[0.0, 1.6, 0.0, 1.6])
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    shade = (counts.T + 1).log()
    ax.imshow(shade, origin="lower", extent=(0, 1.6, 0, 1.6), cmap="Greys", aspect="auto")
    ax.plot((0, 1.6), (0, 1.6), color=VERMILLION, label="the same")
    ax.set(xlabel="distance in the embedding", ylabel="distance on the map", title="pairs of 160 images")
    ax.legend(loc="upper left")
    return figure
