"""The figures of deck 6: the positives of an image, how hard they are, and what they weigh."""

import re
from functools import cache

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

import seminar_lib as sl
from seminar_lib.contrastive import positive_weights
from seminar_lib.embeddings import embed
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery
from slides.parts import SHARE, accuracy, legible, network, printed

SAID = re.compile(rf"(weight 0|beta [^:]+): clean [^P]+PGD-10 {SHARE}")
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    """The images of the lesson."""
    return data.test.sample(400)


@cache
def _cosines() -> tuple[Tensor, Tensor]:
    """The cosines of all pairs in ``pgd_at``, and which are positives, (400, 400) both."""
    u = F.normalize(embed(network("pgd_at"), _test().x), dim=1)
    positive = (_test().y[:, None] == _test().y) & ~torch.eye(len(u), dtype=torch.bool)
    return u @ u.T, positive


def _anchor() -> int:
    """The first image of the last class."""
    return int((_test().y == len(data.classes) - 1).nonzero()[0])


def two_masks() -> Figure:
    """Which pairs NT-Xent and SupCon pull together, in a batch of six images with two views each."""
    y = torch.tensor([0, 1, 0, 2, 1, 0]).repeat(2)
    itself = torch.eye(12, dtype=torch.bool)
    masks = {"NT-Xent": itself.roll(6, 1), "SupCon": (y[:, None] == y) & ~itself}
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
    for ax, (name, pulled) in zip(axes, masks.items(), strict=True):
        shade = pulled.float().masked_fill(itself, torch.nan)
        ax.imshow(shade, cmap="cividis", vmin=0, vmax=1)
        ax.set(xticks=range(12), yticks=range(12), title=f"{name}: yellow is pulled")
        letters = ["ABC"[label] for label in y]
        ax.set_xticklabels(letters)
        ax.set_yticklabels(letters)
    return figure


def one_is_enough() -> Figure:
    """Loss of an anchor with two positives, one near, as the other comes nearer: mean of logarithms and its rival."""
    far = torch.linspace(-0.5, 0.9, 100)
    near, other, temperature = torch.full_like(far, 0.9), torch.full_like(far, 0.3), 0.1
    scores = torch.stack([near, far, *[other] * 5]) / temperature
    logs = scores.log_softmax(0)
    inside, outside = -logs[:2].mean(0), -(logs[:2].logsumexp(0) - torch.tensor(2.0).log())
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    ax.plot(far, inside, "-", color=BLUE, label="mean of logarithms")
    ax.plot(far, outside, "--", color=VERMILLION, label="logarithm of the mean")
    ax.set(xlabel="cosine of the far positive", ylabel="loss of the anchor", title="the other positive: 0.9, τ = 0.1")
    ax.legend()
    return figure


def positives() -> Figure:
    """Three signs, and of the others in their classes the two nearest and the two farthest."""
    cosine, positive = _cosines()
    images, captions = [], []
    for label in _test().y.unique()[[1, len(data.classes) // 2, -1]]:
        anchor = int((_test().y == label).nonzero()[0])
        order = cosine[anchor].masked_fill(~positive[anchor], -torch.inf).argsort(descending=True)
        order = order[: int(positive[anchor].sum())]
        chosen = torch.cat([order[:2], order[-2:]])
        images += [anchor, *chosen.tolist()]
        captions += [data.classes[int(label)], *(f"{value:.2f}" for value in cosine[anchor, chosen])]
    return legible(gallery(_test().x[images], captions, columns=5))


def spread() -> Figure:
    """The cosines of each image with its nearest and farthest positive, and with its nearest negative."""
    cosine, positive = _cosines()
    negative = _test().y[:, None] != _test().y
    groups = {
        "nearest positive": (cosine.masked_fill(~positive, -2).amax(1), BLUE, "-"),
        "farthest positive": (cosine.masked_fill(~positive, 2).amin(1), VERMILLION, "--"),
        "nearest of another class": (cosine.masked_fill(~negative, -2).amax(1), GREY, ":"),
    }
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for label, (values, colour, line) in groups.items():
        style = {"histtype": "step", "color": colour, "linestyle": line, "linewidth": 2.5, "label": label}
        ax.hist(values.numpy(), bins=50, range=(0, 1), **style)
    ax.set(xlabel="cosine", ylabel="images", title=f"pgd_at, clean, n = {len(_test())}")
    ax.legend(loc="upper left")
    return figure


def weights() -> Figure:
    """What each positive of one sign weighs, for four values of beta."""
    cosine, positive = _cosines()
    mine = positive[_anchor()]
    order = cosine[_anchor(), mine].argsort()
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    for beta, line in {0: ":", 1: "-.", 2: "--", 5: "-"}.items():
        weight = positive_weights(cosine, positive, beta)[_anchor(), mine][order] * mine.sum()
        ax.plot(cosine[_anchor(), mine][order], weight, line, color=BLUE, marker=".", label=f"β = {beta}")
    ax.set(xlabel="cosine with the anchor", ylabel="weight (mean 1)", ylim=(0, None))
    ax.legend()
    return figure


def ablation() -> Figure:
    """What PGD-10 left of the four networks that the lesson trains, as its notebook says."""
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    names = []
    for place, (name, *share) in enumerate(SAID.findall(printed("06_anchor"))):
        colour, hatch = ((GREY, ""), (VERMILLION, "//"), (BLUE, ""), (BLUE, "\\\\"))[place]
        accuracy(share, n=120).bar(ax, place, color=colour, hatch=hatch, edgecolor=INK)
        names.append(name.replace("beta", "β").replace(", ", "\n"))
    ax.set(xticks=range(len(names)), xticklabels=names, ylim=(0, 1), yticks=(0, 0.5, 1), ylabel="accuracy")
    ax.set_title("PGD-10 at 8/255, n = 120, 95 % intervals, one seed")
    return figure
