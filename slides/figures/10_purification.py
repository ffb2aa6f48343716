"""The figures of deck 10: what purifiers do to signs, and what three adversaries leave behind them."""

from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

import seminar_lib as sl
from seminar_lib.diffusion import reverse
from seminar_lib.diffusion.steps import noised
from seminar_lib.plots import BLUE, INK, VERMILLION, gallery
from slides.parts import bars, legible, network, rounded

BALL = sl.Linf(8 / 255)
PURIFIERS = {
    "nothing": nn.Identity(),
    "quantise": sl.Quantise(3),
    "JPEG": sl.JPEG(75),
    "resize": sl.RandomResize(0.9),
    "smooth": sl.TotalVariation(0.03, 0.5),
}
data = sl.load_data("signs")


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@cache
def _test() -> sl.Split:
    return data.test.sample(48)


@cache
def _attacked(to_the_end: bool) -> Tensor:
    attack = sl.PGD(BALL, steps=20, stop_when_fooled=not to_the_end)
    return attack(network("standard"), _test().x, _test().y, generator=_seeded())


def _pick() -> int:
    """A sign of much contrast."""
    return int(_test().x.std((1, 2, 3)).argsort(descending=True)[11])


def _behind(purifier: nn.Module, images: Tensor) -> sl.Accuracy:
    """The accuracy of ``standard`` on purified images."""
    with torch.no_grad():
        return sl.Accuracy.of(network("standard")(purifier(images)).argmax(1) == _test().y)


def purified() -> Figure:
    """One sign, attacked, and what four purifiers make of it."""
    pick = _pick()
    bad = _attacked(False)[pick][None]
    shown = [_test().x[pick], *(purifier(bad)[0] for purifier in PURIFIERS.values())]
    with torch.no_grad():
        said = network("standard")(torch.stack(shown)).argmax(1)
    names = ["clean", "attacked", *list(PURIFIERS)[1:]]
    captions = [f"{name}:\n{data.classes[k]}" for name, k in zip(names, said, strict=True)]
    return gallery(torch.stack(shown), captions, columns=3)


def to_the_end() -> Figure:
    """Four purifiers against an attack that stops at its success, and against one that goes on."""
    judged: dict[str, dict[str, sl.Accuracy]] = {}
    torch.manual_seed(0)
    for name, purifier in PURIFIERS.items():
        _behind(purifier, _test().x)  # the lesson looks at the clean images first, and so has the same random numbers
        judged[name] = {"stops at a success": _behind(purifier, _attacked(False))}
    torch.manual_seed(0)
    for name, purifier in PURIFIERS.items():
        judged[name]["goes on to the end"] = _behind(purifier, _attacked(True))
    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    bars(ax, judged)
    rounded(ax, 14.5)
    ax.set_title("blind PGD-20, 8/255, n = 48, 95 % intervals")
    ax.legend(loc="upper center")
    return figure


def into_noise() -> Figure:
    """One sign with more and more noise."""
    one, times = _test().x[_pick()][None], [0, 25, 50, 100, 200, 400]
    noise = torch.empty_like(one).normal_(generator=_seeded())
    way = torch.cat([noised(2 * one - 1, t, noise) for t in times])
    return legible(gallery(((way + 1) / 2).clamp(0, 1), [f"t = {t}" for t in times], columns=3), 12)


def and_back() -> Figure:
    """The same sign taken back from four times in five jumps."""
    one, times = _test().x[_pick()][None], [50, 100, 200, 400]
    noise = torch.empty_like(one).normal_(generator=_seeded())
    noisy = [noised(2 * one - 1, t, noise) for t in times]
    with torch.no_grad():
        back = [reverse(network("ddpm"), xt, t, steps=5) for xt, t in zip(noisy, times, strict=True)]
    captions = [f"{kind} {t}" for kind in ("t =", "back from") for t in times]
    return legible(gallery(((torch.cat([*noisy, *back]) + 1) / 2).clamp(0, 1), captions, columns=4), 12)


def how_far() -> Figure:
    """Accuracy behind DiffPure against t: clean, and under two blind attacks."""
    way = [0, 10, 25, 50, 75, 100, 150, 200]
    kinds = {"clean": _test().x, "attack stops": _attacked(False), "attack goes on": _attacked(True)}
    found: dict[str, list[sl.Accuracy]] = {kind: [] for kind in kinds}
    torch.manual_seed(0)
    for t in way:
        purifier = sl.DiffPure(network("ddpm"), t, min(t, 3)) if t else nn.Identity()
        for kind, images in kinds.items():
            found[kind].append(_behind(purifier, images))
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    styles = ((INK, "s-"), (BLUE, "o--"), (VERMILLION, "^-."))
    for (kind, line), (colour, style) in zip(found.items(), styles, strict=True):
        spread = [[a.accuracy - a.low for a in line], [a.high - a.accuracy for a in line]]
        ax.errorbar(way, [a.accuracy for a in line], spread, fmt=style, color=colour, capsize=4, label=kind)
    ax.set(xlabel="t", ylabel="accuracy", ylim=(-0.03, 1.05), xticks=way)
    ax.set_title("n = 48, one draw, 95 % intervals, blind attacks")
    ax.legend(loc="lower right", ncols=3, fontsize=14, bbox_to_anchor=(1, 0.02))
    return figure


@cache
def _diffpure() -> tuple[sl.PurifiedReport, Tensor]:
    """DiffPure before three adversaries, 16 images, and their labels."""
    few = _test()[:16]
    pure = sl.DiffPure(network("ddpm"), t=75, steps=2, recompute=False)
    options = {"eot": 3, "draws": 10, "batch_size": 16, "progress": False}
    return sl.evaluate_purified(pure, network("standard"), few, sl.PGD(BALL, steps=8), **options), few.y


def three_adversaries() -> Figure:
    """DiffPure under each adversary, judged by the majority and by the worst of ten draws."""
    report, _ = _diffpure()
    ways = ("one draw", "majority of 10", "worst of 10")
    rows = ("clean", "blind", "BPDA", "full gradient")
    figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
    bars(ax, {row: {way: report[row][way] for way in ways} for row in rows})
    rounded(ax, 13.5)
    ax.set_title("DiffPure, t = 75, n = 16, 95 % intervals")
    ax.legend(loc="upper right")
    return figure


def draws() -> Figure:
    """What ten draws say of each image, clean and attacked."""
    report, labels = _diffpure()
    figure, axes = plt.subplots(2, 1, figsize=(9, 4.8), layout="constrained", sharex=True)
    for ax, row in zip(axes, ("clean", "full gradient"), strict=True):
        wrong = report.answers[row] != labels[:, None]
        ax.imshow(1 - 0.8 * wrong.T.float(), cmap="gray", vmin=0, vmax=1, aspect="auto", origin="lower")
        ax.vlines([image - 0.5 for image in range(1, 16)], -0.5, 9.5, color="white", linewidth=6)
        ax.set(title=f"{row}: dark where wrong", ylabel="draw", xticks=[], yticks=(0, 9), yticklabels=(1, 10))
    axes[1].set_xlabel("16 images")
    return figure
