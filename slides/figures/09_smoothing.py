"""The figures of deck 09: votes under noise, the half-space, the bound of a poll, and what is certified."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.stats import norm

import seminar_lib as sl
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery
from seminar_lib.smoothing import MisclassifyOnAverage
from seminar_lib.smoothing.average import draw_noise
from seminar_lib.smoothing.bounds import lower_bound
from slides.parts import network

SIGMAS = {0.12: "noise_012", 0.25: "noise_025", 0.5: "noise_050"}
data = sl.load_data("signs")


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def _test() -> sl.Split:
    return data.test.sample(40)


@cache
def _certified(sigma: float) -> sl.CertifiedReport:
    """Certificates of 200 votes for 40 images."""
    smoothed = sl.Smoothed(network(SIGMAS[sigma]), sigma)
    return sl.certify_set(smoothed, _test(), n0=20, n=200, progress=False)


def _one() -> int:
    """A sign of much contrast."""
    return int(_test().x.std((1, 2, 3)).argsort(descending=True)[11])


def copies() -> Figure:
    """A sign and seven noisy copies, with what a network that was trained on noise says of each."""
    one = _test().x[_one()][None]
    noisy = one + draw_noise(one, 0.25, 7, _seeded())[0]
    with torch.no_grad():
        answers = network("noise_025")(noisy).argmax(1)
    titles = ["clean", *(data.classes[label] for label in answers)]
    return gallery(torch.cat([one, noisy.clamp(0, 1)]), titles, columns=4)


def votes() -> Figure:
    """The votes of 500 copies, for a network that never saw noise and for one that was trained on it."""
    place = _one()
    one, label = _test().x[place][None], int(_test().y[place])
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    for ax, name in zip(axes, ("standard", "noise_025"), strict=True):
        counts = sl.Smoothed(network(name), 0.25).votes(one, 500, _seeded())[0]
        top = counts.argsort(descending=True)[:4].tolist()
        ax.barh(range(4), counts[top], color=[BLUE if k == label else VERMILLION for k in top])
        ax.axvline(250, color=GREY, linestyle=":")
        ax.set_yticks(range(4), [f"{'✓ ' if k == label else ''}{data.classes[k]}" for k in top])
        ax.invert_yaxis()
        ax.set(title=name, xlabel="votes of 500 copies", xlim=(0, 510))
    return figure


def half_space() -> Figure:
    """Noisy copies of a point beside a straight border, and the circle that follows from their votes."""
    r, sigma = 0.3, 0.25
    cloud = sigma * np.random.default_rng(3).standard_normal((120, 2))
    inside = cloud[:, 0] < r
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.plot(*cloud[inside].T, "o", color=BLUE, markersize=4, label="A")
    ax.plot(*cloud[~inside].T, "x", color=VERMILLION, label="B")
    ax.axvline(r, color=INK)
    found = sigma * norm.ppf(inside.mean())
    ax.add_patch(plt.Circle((0, 0), found, fill=False, color=INK, linestyle="--", linewidth=2.5))
    ax.plot(0, 0, "s", color=INK, markersize=10)
    ax.set(aspect="equal", xlim=(-0.8, 0.8), ylim=(-0.7, 0.7), xticks=[], yticks=[])
    ax.set_title(f"share {inside.mean():.2f}: radius {found:.2f}")
    ax.legend(loc="lower left")
    return figure


def worst_set() -> Figure:
    """The probabilities of four sets while the image moves."""
    shapes = {
        "half-space": lambda z: -z[..., 0],
        "disc": lambda z: -(z**2).sum(-1),
        "all but a disc": lambda z: (z**2).sum(-1),
        "stripes": lambda z: np.sin(4 * z[..., 0] + z[..., 1]),
    }
    p, cloud, shifts = 0.8, np.random.default_rng(3).standard_normal((200_000, 2)), np.linspace(0, 1.6, 17)
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    styles = ((INK, "-"), (BLUE, "--"), (VERMILLION, "-."), (GREY, ":"))
    for (name, shape), (colour, style) in zip(shapes.items(), styles, strict=True):
        edge = np.quantile(shape(cloud), 1 - p)  # a set is where the function is large, as far as p reaches
        kept = [(shape(cloud + shift * np.array([1, 0])) >= edge).mean() for shift in shifts]
        ax.plot(shifts, kept, style, color=colour, label=name)
    ax.axhline(0.5, color=GREY, linewidth=1)
    ax.axvline(norm.ppf(p), color=GREY, linewidth=1)
    ax.text(norm.ppf(p) - 0.02, 0.24, "radius", ha="right", color=GREY)
    ax.set(xlabel="the image moves, in units of sigma", ylabel="probability of the set")
    ax.legend()
    return figure


def polls() -> Figure:
    """Forty polls of 100 copies, and the lower bound of each."""
    found = np.random.default_rng(1).binomial(100, 0.8, size=40)
    bounds = lower_bound(found, 100, 0.05)
    high, turn = bounds > 0.8, np.arange(40)
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    ax.axhline(0.8, color=INK, label="p")
    ax.vlines(turn, bounds, found / 100, color=GREY, linewidth=1)
    ax.plot(turn, found / 100, "o", color=GREY, label="share of the votes")
    ax.plot(turn[~high], bounds[~high], "^", color=BLUE, label="lower bound")
    ax.plot(turn[high], bounds[high], "X", color=VERMILLION, markersize=11, label="bound too high")
    ax.set(xlabel="forty polls of 100 copies, alpha = 0.05", xticks=[], ylabel="probability", ylim=(0.5, 1))
    ax.legend(loc="upper center", ncols=4, fontsize=13)
    return figure


def certified() -> Figure:
    """The certified accuracy at every radius, for three sigmas."""
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    ax.set_prop_cycle(color=[BLUE, VERMILLION, INK], linestyle=["-", "--", "-."])
    for sigma in SIGMAS:
        _certified(sigma).plot(ax, label=f"sigma = {sigma:g}")
    ax.set_title("40 images, 200 votes each, alpha = 0.001; bands: 95 % intervals")
    ax.legend()
    return figure


def between() -> Figure:
    """Certified accuracy, accuracy under attack, and what nobody knows between them."""
    sigma, few = 0.25, _test()[:20]
    found = _certified(sigma).certificates
    certain = found.radius[:20] * (found.label[:20] == few.y)
    smoothed, radii = sl.Smoothed(network("noise_025"), sigma), [0.0, 0.25, 0.5, 1.0]
    upper = []
    for eps in radii:
        images = few.x
        if eps:
            torch.manual_seed(0)
            goal = MisclassifyOnAverage(network("noise_025"), few.y, draw_noise(few.x, sigma, 8, _seeded()))
            attack = sl.PGD(sl.L2(eps), steps=10, stop_when_fooled=False)
            images = attack.run(goal, few.x, _seeded())
        upper.append(sl.Accuracy.of(smoothed.votes(images, 100, _seeded(1)).argmax(1) == few.y))
    grid = np.linspace(0, 1, 101)
    proved = [float((certain > r).float().mean()) for r in grid]
    height = [a.accuracy for a in upper]
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    hatch = {"facecolor": "none", "edgecolor": GREY, "hatch": "//", "linewidth": 0}
    ax.fill_between(grid, proved, np.interp(grid, radii, height), **hatch, label="nobody knows")
    spread = [[a.accuracy - a.low for a in upper], [a.high - a.accuracy for a in upper]]
    ax.errorbar(radii, height, spread, fmt="o--", color=VERMILLION, capsize=5, label="under attack: at most")
    ax.step(grid, proved, color=BLUE, label="certified: at least")
    ax.set(xlabel="L2 radius", ylabel="accuracy", ylim=(0, 1.05), title="sigma = 0.25, n = 20, 95 % intervals")
    ax.legend(loc="upper right")
    return figure


def how_far() -> Figure:
    """A sign, changed by 8/255 everywhere and by a sticker, with the L2 distances."""
    start = _test().x[_one()]
    signs = torch.randint(2, start.shape, generator=_seeded()) * 2 - 1
    sticker = start.clone()
    sticker[:, 18:23, 13:18] = 1
    shown = {"clean": start, "8/255 everywhere": (start + 8 / 255 * signs).clamp(0, 1), "a sticker": sticker}
    names = [f"{name}\nL2 {float((image - start).norm()):.2f}" for name, image in shown.items()]
    return gallery(torch.stack(list(shown.values())), names, columns=3)
