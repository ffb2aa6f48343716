"""The figures of deck 02: three balls, a walk inside one of them, and the curves of an attack's effort."""

from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

import seminar_lib as sl
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery
from slides.parts import LOOKS, band, network

BALL = sl.Linf(8 / 255)
data = sl.load_data("signs")


@cache
def _test() -> sl.Split:
    return data.test.sample(100)


def balls() -> Figure:
    """The three unit balls in two dimensions, and the steepest direction in each for the same gradient."""
    circle = torch.linspace(0, 2 * torch.pi, 60)
    shapes = {
        "Linf": (torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]), (1, 1)),
        "L2": (torch.stack([circle.cos(), circle.sin()], 1), (0.894, 0.447)),  # (2, 1) over its length
        "L1": (torch.tensor([[0, -1], [1, 0], [0, 1], [-1, 0], [0, -1]]), (1, 0)),
    }
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
    for ax, (title, (edge, steepest)) in zip(axes, shapes.items(), strict=True):
        ax.fill(*edge.T, facecolor="#EEF5FA", edgecolor=INK, linewidth=2)
        ax.annotate("", (1.4, 0.7), (0, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 2.5})
        ax.plot(*steepest, "*", color=VERMILLION, markersize=22)
        ax.set(title=title, xlim=(-1.3, 1.6), ylim=(-1.3, 1.3), aspect="equal")
        ax.set_axis_off()
    return figure


def in_balls() -> Figure:
    """One sign attacked in each ball, and the perturbations."""
    test, model = _test(), network("pgd_at")
    one = test[test.x.std((1, 2, 3)).argsort(descending=True)[7:8]]
    attacked, captions = [one.x], ["clean"]
    for caption, ball in {"Linf 8/255": BALL, "L2 1": sl.L2(1.0), "L1 12": sl.L1(12.0)}.items():
        attack = sl.APGD(ball, steps=10, stop_when_fooled=False)
        attacked.append(attack(model, one.x, one.y, generator=torch.Generator().manual_seed(0)))
        captions.append(f"{caption}: {data.classes[int(model(attacked[-1]).argmax())]}")
    delta = torch.cat(attacked) - one.x
    size = delta.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-9)
    return gallery(torch.cat([*attacked, 0.5 + 0.5 * delta / size]), captions + ["change"] * 4, columns=4)


def walk() -> Figure:
    """The margin on a plane through a sign, with the step of FGSM and the walk of PGD."""
    test, model = _test(), network("pgd_at")
    fgsm = sl.FGSM(BALL, stop_when_fooled=False)(model, test.x, test.y)
    options = {"step_size": 2 / 255, "random_start": False, "stop_when_fooled": False}
    end = sl.PGD(BALL, steps=20, **options)(model, test.x, test.y)
    stands = model(fgsm).argmax(1) == test.y
    pick = int((stands * sl.margin(model(end), test.y)).argmax())
    one = test[pick : pick + 1]
    path = [sl.PGD(BALL, steps=steps, **options)(model, one.x, one.y) for steps in range(1, 21)]
    along = (fgsm[pick] - one.x[0]).flatten()
    across = (end[pick] - one.x[0]).flatten()
    length = along.norm()
    along = along / length
    across = across - (across @ along) * along
    across = across / across.norm()

    def place(image: Tensor) -> tuple[float, float]:
        delta = (image - one.x).flatten()
        return float(delta @ along / length), float(delta @ across / length)

    grid = torch.linspace(-0.3, 1.2, 31)
    corners = [one.x[0].flatten() + length * (a * along + b * across) for b in grid for a in grid]
    with torch.no_grad():
        images = torch.stack(corners).view(-1, *one.x.shape[1:])
        height = sl.margin(model(images), one.y.expand(len(images))).view(31, 31)
    figure, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
    ax.contourf(grid, grid, height, levels=10, cmap="Greys", alpha=0.6)
    ax.contour(grid, grid, height, levels=[0], colors=[INK], linewidths=4)
    ax.plot([0, 1], [0, 0], "o--", color=BLUE, label="FGSM")
    ax.plot(*zip((0, 0), *map(place, path), strict=True), ".-", color=VERMILLION, label="PGD")
    ax.plot(0, 0, "*", color=INK, markersize=20)
    ax.set(xticks=[], yticks=[], xlabel="the way of FGSM", ylabel="the way that PGD adds")
    ax.set(xlim=(-0.3, 1.2), ylim=(-0.3, 1.2), aspect="equal")
    ax.legend(loc="upper left")
    return figure


def _sweep(label: str, attacks: dict[float, sl.PGD], figure: Figure) -> None:
    """Accuracy of both networks under attacks that differ in one number."""
    ax = figure.gca()
    for name in LOOKS:
        named = {f"{number:g}": attack for number, attack in attacks.items()}
        report = sl.evaluate(network(name), _test(), named, progress=False)
        band(ax, list(attacks), [report[row] for row in named], name)
    ax.set_xscale("log")
    ax.set_xticks(list(attacks), [f"{number:g}" for number in attacks])
    ax.minorticks_off()
    ax.set(xlabel=label, title="8/255, n = 100, bands: 95 % intervals")


def steps() -> Figure:
    """Accuracy against the number of steps."""
    figure = plt.figure(figsize=(9, 4.4), layout="constrained")
    _sweep("steps", {number: sl.PGD(BALL, steps=number) for number in (1, 2, 5, 10, 20)}, figure)
    figure.gca().legend()
    return figure


def step_size() -> Figure:
    """Accuracy against the step size of ten steps."""
    sizes = (0.25, 0.5, 1, 2, 4, 8, 16)
    figure = plt.figure(figsize=(9, 4.4), layout="constrained")
    _sweep("step size in 1/255", {size: sl.PGD(BALL, steps=10, step_size=size / 255) for size in sizes}, figure)
    figure.gca().axvline(2 * 8 / 10, color=GREY, linestyle=":", label="2 eps / steps")
    figure.gca().legend(loc="lower right", bbox_to_anchor=(1, 0.1))
    return figure


def radius() -> Figure:
    """Accuracy against eps, until a ball holds every image."""
    levels = [0, 1, 2, 4, 8, 16, 32, 64, 255]
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    for name in LOOKS:
        radii = [level / 255 for level in levels]
        found = sl.accuracy_against_eps(network(name), _test(), sl.PGD(), radii, progress=False)
        band(ax, levels, found.accuracy, name)
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xticks(levels, levels)
    ax.set(xlim=(-0.1, 300), xlabel="eps in 1/255", title="PGD-10, n = 100, bands: 95 % intervals")
    ax.legend()
    return figure


def nearest() -> Figure:
    """The accuracy at every radius that one run of DeepFool gives, and PGD's at single ones."""
    test, levels = _test(), [0, 2, 4, 8, 16, 32]
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    for name, (colour, style) in LOOKS.items():
        distance = sl.DeepFool(sl.Linf()).nearest(network(name), test.x, test.y).distance
        at = torch.linspace(0, 32 / 255, 65)
        share = (distance[:, None] > at).float().mean(0)
        ax.step(255 * at, share, where="post", color=colour, label=f"{name}: DeepFool, one run")
        radii = [level / 255 for level in levels]
        found = sl.accuracy_against_eps(network(name), test, sl.PGD(), radii, progress=False).accuracy
        ax.plot(levels, [a.accuracy for a in found], style[0], color=colour, label=f"{name}: PGD at each eps")
    ax.set(xlabel="eps in 1/255", ylabel="accuracy", ylim=(0, 1.03), title="n = 100")
    ax.legend()
    return figure
