"""Maps of embeddings: a mark for each image, and an arrow to where the attack takes it.

A class has a colour, a marker and its name beside its marks. Filled marks are clean images, hollow ones adversarial;
dark arrows fool the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from seminar_lib.embeddings import Embedded
from seminar_lib.embeddings.pairs import check_by_name
from seminar_lib.plots.names import keep_apart
from seminar_lib.plots.style import GREY, INK, PALE, class_look, name_colour
from seminar_lib.types import Flags

MARKERS = "os^DvPX"
MAP, SMALL = 5.6, 2.3  # inches, the width of a map and of one of many
MARGIN = 0.06  # around the points, in shares of the map
ABOVE, BELOW = 6, -14  # points, from the middle of a class to the baseline of its name
WIDE, HIGH = 0.5, 0.25  # inches, room that a name needs on either side of its class, and above it


def embedding_map(mapped: Embedded, classes: Sequence[str], ax: Axes | None = None) -> Axes:
    """One network: clean images, and at the ends of the arrows what the attack made of them.

    Args:
        mapped: places on a map, as ``pca``, ``tsne`` and ``umap`` of ``seminar_lib.embeddings`` give them.
        classes: the K class names.
        ax: where to draw; default: the current axes.

    Raises:
        ValueError: ``mapped`` is no map, or has more classes than there are names.
    """
    _check(mapped, classes)
    ax = plt.gca() if ax is None else ax
    _part(ax.figure.canvas.figure, _draw(ax, mapped, classes, _box([mapped])))
    return ax


def before_after(maps: Mapping[str, Embedded], classes: Sequence[str], columns: int = 2) -> Figure:
    """The same images in several networks, one map beside the other with the same axes.

    Args:
        maps: by the name of the network, found together, so that a place means the same on all of them.
        classes: the K class names.
        columns: maps in a row.

    Raises:
        TypeError: they do not come by name, or one is no ``Embedded``.
        ValueError: there are none, one is no map, or one has more classes than there are names.
    """
    check_by_name(maps)
    for mapped in maps.values():
        _check(mapped, classes)
    box = _box(list(maps.values()))
    figure, axes = _panels(len(maps), columns, MAP, box, "dark: the network is fooled")
    names = []
    for ax, (name, mapped) in zip(axes, maps.items(), strict=True):
        names.append(_draw(ax, mapped, classes, box))
        ax.set_title(f"{name}: {ax.get_title()}", fontsize=12)
    for own in names:  # when all panels are there, and their places no longer change
        _part(figure, own)
    return figure


def map_by_class(mapped: Embedded, classes: Sequence[str], columns: int = 4) -> Figure:
    """A small map for each class that occurs: its own images, and all other clean images pale behind them.

    Its title says how many images the network still reads correctly after the attack, and which wrong answer it gives
    most often, if it gives one twice; the place of that class is named on the map.

    Args:
        mapped: places on a map.
        classes: the K class names.
        columns: maps in a row.

    Raises:
        ValueError: ``mapped`` is no map, or has more classes than there are names.
    """
    _check(mapped, classes)
    labels, box = mapped.y.unique().tolist(), _box([mapped])
    figure, axes = _panels(len(labels), columns, SMALL, box, "the way there")
    for ax, label in zip(axes, labels, strict=True):
        own = mapped.y == label
        _frame(ax, box)
        ax.scatter(mapped.z[~own, 0], mapped.z[~own, 1], s=6, color=PALE, linewidths=0)
        _arrows(ax, mapped, own, GREY)
        _marks(ax, mapped, own, label)
        wrong = mapped.predicted_adv[own & (mapped.predicted_adv != label)].tolist()
        title = f"{classes[label]}: {int(own.sum()) - len(wrong)} of {int(own.sum())} correct"
        for rival, count in Counter(wrong).most_common(1):
            if count > 1:
                title += f"\n{count} said {classes[rival]!r}"
            if count > 1 and rival in labels:
                _name(ax, mapped, rival, classes)
        ax.set_title(title, fontsize=9)
    return figure


def _panels(count: int, columns: int, width: float, box: Bbox, arrow: str) -> tuple[Figure, list[Axes]]:
    """Panels in the shape of a map, and a legend that says what an arrow is; pyplot would show the figure twice."""
    columns = min(columns, count)
    rows = -(-count // columns)
    height = width * box.height / box.width + 0.4  # and the title
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * width, rows * height + 0.4), squeeze=False, layout="constrained"
    )
    plt.close(figure)
    for ax in axes.flat[count:]:
        ax.set_axis_off()
    mark: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": INK, "markersize": 6}
    handles = [
        Line2D([], [], label="clean image", **mark),
        Line2D([], [], label="after the attack", markerfacecolor="white", **mark),
        Line2D([], [], label=arrow, color=GREY),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return figure, list(axes.flat[:count])


def _draw(ax: Axes, mapped: Embedded, classes: Sequence[str], box: Bbox) -> list[Annotation]:
    """The map of one network; returns the names on it."""
    _frame(ax, box)
    _arrows(ax, mapped, ~mapped.fooled, PALE)
    _arrows(ax, mapped, mapped.fooled, GREY)
    labels = mapped.y.unique().tolist()
    for label in labels:
        _marks(ax, mapped, mapped.y == label, label)
    right = int((mapped.predicted_adv == mapped.y).sum())
    ax.set_title(f"{right} of {len(mapped)} correct after the attack", fontsize=12)
    return [_name(ax, mapped, label, classes) for label in labels]


def _marks(ax: Axes, mapped: Embedded, rows: Flags, label: int) -> None:
    colour, number = class_look(label)
    for z, fill, layer in ((mapped.z_adv, "white", 3), (mapped.z, colour, 4)):
        x, y = z[rows].T
        ax.scatter(x, y, 24, marker=MARKERS[number], facecolors=fill, edgecolors=colour, linewidths=0.8, zorder=layer)


def _arrows(ax: Axes, mapped: Embedded, rows: Flags, colour: str) -> None:
    (x, y), (right, up) = mapped.z[rows].T, (mapped.z_adv - mapped.z)[rows].T
    look: dict[str, Any] = {"units": "inches", "width": 0.008, "headwidth": 4, "headlength": 5, "color": colour}
    ax.quiver(x, y, right, up, angles="xy", scale_units="xy", scale=1, **look)


def _name(ax: Axes, mapped: Embedded, label: int, classes: Sequence[str]) -> Annotation:
    """The name of a class above the middle of its clean images, or where it stays inside the map."""
    x, y = mapped.z[mapped.y == label].median(0).values.tolist()
    right, up = ax.transLimits.transform((x, y))  # in shares of the map
    ax.apply_aspect()  # only then the panel has its size
    panel = ax.get_window_extent()
    wide, high = WIDE * ax.figure.dpi / panel.width, HIGH * ax.figure.dpi / panel.height
    offset = (0, BELOW if up > 1 - high else ABOVE)
    name = ax.annotate(classes[label], (x, y), offset, textcoords="offset points", size=9, weight="bold", zorder=5)
    name.set(
        color=name_colour(label),
        ha="left" if right < wide else "right" if right > 1 - wide else "center",
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
        in_layout=False,
    )
    return name


def _part(figure: Figure, names: Sequence[Annotation]) -> None:
    """Move names up and down until none covers another."""
    figure.draw_without_rendering()  # only then they have a place
    shifts = keep_apart([name.get_window_extent().extents for name in names])
    for name, shift in zip(names, shifts, strict=True):
        name.xyann = (0, name.xyann[1] + shift * 72 / figure.dpi)


def _box(maps: Sequence[Embedded]) -> Bbox:
    """What of the plane the maps need, with a margin."""
    places = torch.cat([z for mapped in maps for z in (mapped.z, mapped.z_adv)])
    low, high = places.amin(0), places.amax(0)
    margin = MARGIN * (high - low).max()
    return Bbox([(low - margin).tolist(), (high + margin).tolist()])


def _frame(ax: Axes, box: Bbox) -> None:
    """The same length along both axes, and no ticks: a place on a map has no unit."""
    ax.set(xlim=box.intervalx, ylim=box.intervaly, xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_color(PALE)


def _check(mapped: Embedded, classes: Sequence[str]) -> None:
    if mapped.z.shape[1] != 2:
        raise ValueError(f"A map has two features; got {mapped.z.shape[1]}. Call pca, tsne or umap first.")
    if (last := int(mapped.y.max())) >= len(classes):
        raise ValueError(f"The map shows class {last}, but there are {len(classes)} names, 0 to {len(classes) - 1}.")
