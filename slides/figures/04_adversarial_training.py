"""The figures of deck 4: what adversarial training changes, how one step is fooled, and what robustness costs."""

from collections.abc import Mapping, Sequence
from functools import cache

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

import seminar_lib as sl
from seminar_lib.losses import divergence
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION, gallery, training_curve
from seminar_lib.types import Model
from slides.parts import bars, legible, network

BOARD = sl.Linf(0.28)
ONE_STEP = sl.FGSM(BOARD, stop_when_fooled=False)
JUDGE = sl.PGD(BOARD, steps=10)
REACH = 0.4
data = sl.load_data("signs")


def gradients() -> Figure:
    """Four signs, and the size of the gradient with respect to each in two networks."""
    test = data.test.sample(200)
    clearest = test.x.std((1, 2, 3)).argsort(descending=True)[:4]
    rows, captions = [test.x[clearest]], [data.classes[label] for label in test.y[clearest]]
    for name in ("standard", "pgd_at"):
        pixels = test.x[clearest].clone().requires_grad_()
        loss = F.cross_entropy(network(name)(pixels), test.y[clearest], reduction="sum")
        slope = torch.autograd.grad(loss, pixels)[0].abs().amax(1, keepdim=True)
        rows.append((slope / slope.amax((1, 2, 3), keepdim=True)).expand(-1, 3, -1, -1))
        captions += [name] * len(clearest)
    return legible(gallery(torch.cat(rows), captions, columns=4))


def _chessboard(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images (n, 2, 1, 1) of two pixels, near the middles of nine fields, and the colours of the fields."""
    generator = torch.Generator().manual_seed(seed)
    field = torch.randint(3, (n, 2), generator=generator)
    inside = 0.4 + 0.2 * torch.rand(n, 2, generator=generator)
    return ((field + inside) / 3)[:, :, None, None], field.sum(1) % 2


@cache
def _trained(name: str) -> tuple[nn.Module, list[dict[str, float]]]:
    """A small network that the lesson trains on the board, against one step or five, and the history."""
    attack, rounds = (ONE_STEP, 12) if name == "FGSM" else (sl.PGD(BOARD, steps=5, stop_when_fooled=False), 6)
    torch.manual_seed(0)
    layers = [nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)]
    model = nn.Sequential(nn.Flatten(), *layers)
    optimiser = torch.optim.Adam(model.parameters(), 0.005)
    (points, colours), (fresh, truth) = _chessboard(100, seed=0), _chessboard(300, seed=1)
    history: list[dict[str, float]] = []
    for epoch in range(1, rounds + 1):
        for _ in range(50):
            loss = F.cross_entropy(model(attack(model, points, colours)), colours)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        right = {
            f"{kind} accuracy": (model(images).argmax(1) == truth).float().mean().item()
            for kind, images in {"clean": fresh, "robust": JUDGE(model, fresh, truth)}.items()
        }
        history.append({"epoch": epoch, "adversarial": loss.item(), **right, "score": right["robust accuracy"]})
    return model, history


def collapse() -> Figure:
    """The training on the board against one step."""
    return _curve(_trained("FGSM")[1])


def _curve(history: Sequence[Mapping[str, float]]) -> Figure:
    """A history in letters that can be read from the last row."""
    figure, ax = plt.subplots(figsize=(10, 5), layout="constrained")
    training_curve(history, ax)
    return legible(figure)


def _lead(model: Model) -> Tensor:
    """The probability of the second colour on a grid of the unit square, for ``imshow``."""
    side = torch.linspace(0, 1, 60)
    with torch.no_grad():
        return model(torch.cartesian_prod(side, side)[:, :, None, None]).softmax(1)[:, 1].view(60, 60).T


def board() -> Figure:
    """The board as two networks see it, and where one step leads in the first."""
    points, colours = _chessboard(300, seed=1)
    field = (3 * points.flatten(1)).long() @ torch.tensor([3, 1])
    one_each = torch.stack([(field == number).nonzero()[0, 0] for number in range(9)])
    starts, labels = points[one_each], colours[one_each]
    figure, axes = plt.subplots(1, 2, figsize=(9, 5.2), layout="constrained")
    for ax, name in zip(axes, ("FGSM", "PGD-5"), strict=True):
        image = _lead(_trained(name)[0])
        ax.imshow(image, origin="lower", extent=(0, 1, 0, 1), cmap="cividis", vmin=0, vmax=1)
        for colour, marker, face in ((0, "o", INK), (1, "s", "white")):
            ax.scatter(*starts[labels == colour].flatten(1).T, 70, marker=marker, color=face, edgecolors=GREY, zorder=3)
        ax.set(title=f"trained with {name}", xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    fooling = _trained("FGSM")[0]
    ends = ONE_STEP.search(ONE_STEP.goal(fooling, starts, labels), starts)
    for start, end in zip(starts.flatten(1), ends.flatten(1), strict=True):
        arrow = {"arrowstyle": "->", "color": VERMILLION, "linewidth": 2}
        axes[0].annotate("", end, start, arrowprops=arrow).set_in_layout(False)
    found = JUDGE(fooling, starts, labels).flatten(1)
    for start, end in zip(starts.flatten(1), found, strict=True):
        axes[0].plot(*torch.stack([start, end]).T, "--", color=VERMILLION, linewidth=1.5)
    axes[0].scatter(*found.T, 110, marker="x", color=VERMILLION, linewidths=3, zorder=4)
    return legible(figure, 18)


def cost() -> Figure:
    """Clean and robust accuracy of four shipped networks on all their test images, from their cards."""
    judged = {}
    for name in ("signs/standard", "signs/pgd_at", "cifar10/standard", "cifar10/pgd_at"):
        shares = sl.on_card(sl.load(name)[1])
        judged[name.replace("/", "\n")] = {"clean": shares["clean"], "PGD-20": shares["pgd20"]}
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    bars(ax, judged)
    ax.set_title("8/255, all test images, 95 % intervals")
    ax.legend(loc="upper right")
    return figure


@cache
def _world() -> tuple[Tensor, Tensor]:
    """A thousand examples of a strong feature and the mean of a hundred faint ones, (1000, 2), and their labels."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (1000,), generator=rng)
    sign = 2.0 * labels - 1
    strong = torch.where(torch.rand(1000, generator=rng) < 0.9, sign, -sign)
    faint = (0.2 * sign[:, None] + torch.randn(1000, 100, generator=rng)).mean(1)
    return torch.stack([strong, faint], 1), labels


def faint() -> Figure:
    """How far both kinds of features point to the right label, clean and attacked."""
    features, labels = _world()
    towards = features * (2.0 * labels - 1)[:, None]
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained", sharey=True)
    for ax, name, values in zip(axes, ("strong", "mean of 100 faint ones"), towards.T, strict=True):
        edges = torch.linspace(-1.5, 1.5, 61) if name == "strong" else torch.linspace(-0.8, 0.8, 41)
        for label, shift, colour, line in (("clean", 0, BLUE, "-"), ("attacked", REACH, VERMILLION, "--")):
            style = {"histtype": "step", "color": colour, "linestyle": line, "linewidth": 2.5, "label": label}
            ax.hist((values - shift).numpy(), edges.numpy(), **style)
        ax.axvline(0, color=INK, linewidth=1)
        ax.set(title=name, xlabel="towards the right label", yticks=[])
    axes[0].legend(loc="upper left")
    return figure


def _two_logits(score: Tensor) -> Tensor:
    return torch.stack([-score, score], 1) / 2


def _trades(beta: float) -> tuple[float, float]:
    """The shares right, clean and attacked, after training two weights with TRADES in the small world."""
    features, labels = _world()
    weights = torch.full((2,), 0.1, requires_grad=True)
    optimiser = torch.optim.Adam([weights], 0.3)
    for _ in range(250):
        score, shift = features @ weights, REACH * weights.abs().sum()
        clean = _two_logits(score)
        ends = [divergence(clean, _two_logits(score + s)) for s in (shift, -shift)]
        loss = F.cross_entropy(clean, labels) + beta * torch.maximum(*ends).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    towards = (features @ weights * (2.0 * labels - 1)).detach()
    shift = REACH * weights.detach().abs().sum()
    return (towards > 0).float().mean().item(), (towards > shift).float().mean().item()


def knob() -> Figure:
    """Robust against clean accuracy in the small world, for seven values of beta."""
    betas = (0, 0.03, 0.1, 0.15, 0.2, 0.3, 1)
    points = [_trades(beta) for beta in betas]
    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ax.plot(*zip(*points, strict=True), "o-", color=BLUE, clip_on=False)
    for beta, point in zip(betas, points, strict=True):
        up = -7 if beta in (0, 0.3) else 7  # their neighbours are so near that the numbers would touch
        ax.annotate(f"{beta}", point, (9, up), textcoords="offset points", va="center")
    ax.set(xlabel="clean accuracy", ylabel="robust accuracy", xlim=(0.87, 1.01), ylim=(0, 1), title="β, n = 1000")
    return figure


def history() -> Figure:
    """The training of the shipped ``pgd_at``."""
    return _curve(sl.load("signs/pgd_at")[1]["history"])
