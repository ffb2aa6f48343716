"""The figures of deck 01: signs and their attacked versions, what the gradient sees, and how far it can be believed."""

from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

import seminar_lib as sl
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery, probability_bars, triptych
from slides.parts import LOOKS, band, bars, network

EPS = 8 / 255
data = sl.load_data("signs")


@cache
def _scene() -> tuple[sl.Split, torch.Tensor]:
    """500 test images, and which of them ``standard`` reads rightly, those of most contrast first."""
    test = data.test.sample(500)
    right = (network("standard")(test.x).argmax(1) == test.y).nonzero().squeeze(1)
    return test, right[test.x[right].std((1, 2, 3)).argsort(descending=True)]


def signs() -> Figure:
    """One photograph of each class, one of the clearest."""
    test = data.test
    contrast = test.x.std((1, 2, 3))
    some = [int((contrast * (test.y == label)).argsort()[-5]) for label in range(len(data.classes))]
    return gallery(test.x[some], [""] * len(some), columns=8)


def attacked() -> Figure:
    """A sign, the perturbation and the attacked sign."""
    test, right = _scene()
    model = network("standard")
    x_adv = sl.FGSM(sl.Linf(EPS))(model, test.x, test.y)
    one = right[model(x_adv[right]).argmax(1) != test.y[right]][:1]
    p, p_adv = (model(images[one]).softmax(1).detach() for images in (test.x, x_adv))
    return triptych(test.x[one], x_adv[one], p, p_adv, test.y[one], data.classes)


def random_or_gradient() -> Figure:
    """Accuracy on clean images, under random signs and under FGSM."""
    test, _ = _scene()
    model = network("standard")
    coins = torch.randint(2, test.x.shape, generator=torch.Generator().manual_seed(0))
    images = {
        "clean": test.x,
        "random signs": (test.x + EPS * (2 * coins - 1)).clamp(0, 1),
        "gradient's signs": sl.FGSM(sl.Linf(EPS))(model, test.x, test.y),
    }
    figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    for place, (shown, colour) in enumerate(zip(images.values(), (GREY, BLUE, VERMILLION), strict=True)):
        sl.Accuracy.of(model(shown).argmax(1) == test.y).bar(ax, place, 0.6, color=colour)
    ax.set(xticks=range(3), xticklabels=images, ylim=(0, 1.15), yticks=(0, 0.5, 1), ylabel="accuracy")
    ax.set_title("each pixel changed by 8/255, n = 500, 95 % intervals")
    return figure


def slope() -> Figure:
    """Four signs above the size of their gradients."""
    test, right = _scene()
    some = right[:4]
    pixels = test.x[some].clone().requires_grad_()
    loss = sl.cross_entropy(network("standard")(pixels), test.y[some]).sum()
    size = torch.autograd.grad(loss, pixels)[0].abs().amax(1, keepdim=True)
    size = (size / size.amax((1, 2, 3), keepdim=True)).expand(-1, 3, -1, -1)
    return gallery(torch.cat([test.x[some], size]), ["sign"] * 4 + ["gradient"] * 4, columns=4)


def corner() -> Figure:
    """The Linf ball of two pixels, with the gradient and the corner to which FGSM goes."""
    figure, ax = plt.subplots(figsize=(5, 5), layout="constrained")
    ax.fill([-1, 1, 1, -1], [-1, -1, 1, 1], facecolor="#EEF5FA", edgecolor=INK, linewidth=2)
    ax.annotate("", (0.95, 0.35), (0, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 3})
    ax.text(0.3, -0.1, "gradient", color=BLUE)
    ax.plot(0, 0, "o", color=INK)
    ax.text(-0.12, 0, "x", ha="right", va="center", fontsize=20, style="italic")
    ax.plot(1, 1, "*", color=VERMILLION, markersize=24, clip_on=False)
    ax.text(0.7, 1.08, "x\N{PRIME}", fontsize=20, color=VERMILLION, style="italic")
    ax.set(xlim=(-1.2, 1.3), ylim=(-1.2, 1.3), aspect="equal", xlabel="pixel 1", ylabel="pixel 2")
    ax.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticklabels(["\N{MINUS SIGN}eps", "0", "+eps"])
    return figure


def linear() -> Figure:
    """The mean margin against eps, measured and as the gradient at the clean image predicts it."""
    test, right = _scene()
    one = right[:200]
    x, goal = test.x[one], sl.Misclassify(network("standard"), test.y[one], loss=sl.margin)
    pixels = x.clone().requires_grad_()
    grad = torch.autograd.grad(goal(pixels).loss.sum(), pixels)[0]
    levels = torch.arange(0, 17)
    with torch.no_grad():
        measured = torch.stack([goal((x + e / 255 * grad.sign()).clamp(0, 1)).loss.mean() for e in levels])
    predicted = measured[0] + levels / 255 * grad.abs().sum((1, 2, 3)).mean()
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.axhline(0, color=GREY, linestyle=":")
    ax.text(16, 0.3, "misread", ha="right", color=GREY)
    ax.plot(levels, measured, "o-", color=BLUE, label="measured")
    ax.plot(levels, predicted, "--", color=VERMILLION, label="if it were linear")
    ax.set(xlabel="eps in 1/255", ylabel="mean margin", ylim=(-9, 12), title="n = 200")
    ax.legend()
    return figure


def curve() -> Figure:
    """Accuracy against eps for two networks."""
    test, _ = _scene()
    radii = [level / 255 for level in (0, 1, 2, 4, 6, 8, 12, 16)]
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    for name in LOOKS:
        found = sl.accuracy_against_eps(network(name), test, sl.FGSM(), radii, progress=False)
        band(ax, [255 * radius for radius in radii], found.accuracy, name)
    ax.axhline(1 / len(data.classes), color=GREY, linestyle=":", label="guessing")
    ax.set_xlabel("eps in 1/255")
    ax.set_title("FGSM, n = 500, bands: 95 % intervals")
    ax.legend()
    return figure


def target() -> Figure:
    """The probabilities of one sign before and after a step towards another class."""
    test, right = _scene()
    model, wanted = network("standard"), data.classes.index("limit 120")
    others = right[test.y[right] != wanted]
    x, y = test.x[others], test.y[others]
    x_adv = sl.FGSM(sl.Linf(EPS))(model, x, y, target=torch.full_like(y, wanted))
    best = int(model(x_adv).softmax(1)[:, wanted].argmax())
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for ax, (title, images) in zip(axes, {"clean": x, "towards limit 120": x_adv}.items(), strict=True):
        p = model(images[best : best + 1]).softmax(1)[0].detach()
        probability_bars(p, data.classes, int(y[best]), ax, top=4).set_title(title)
    return figure


def judges() -> Figure:
    """Two networks under one large step and under twenty small ones."""
    test, _ = _scene()
    attacks = {"FGSM": sl.FGSM(sl.Linf(EPS)), "PGD-20": sl.PGD(sl.Linf(EPS), steps=20, step_size=2 / 255)}
    figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    reports = {name: sl.evaluate(network(name), test, attacks, progress=False) for name in LOOKS}
    bars(ax, {name: {row: report[row] for row in attacks} for name, report in reports.items()})
    ax.set_title("8/255, n = 500, 95 % intervals")
    ax.legend(loc="upper left")
    return figure
