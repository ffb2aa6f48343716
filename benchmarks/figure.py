"""The report as a picture: how many times the floor each contestant costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.peers import PEERS
from seminar_lib.plots import BLUE, GREY, VERMILLION


def draw(report: Mapping[str, Any]) -> Figure:
    """A panel of bars for each model (row) and attack (column)."""
    races = report["races"]
    columns = len({race["attack"] for race in races})
    rows = math.ceil(len(races) / columns)  # the last row has gaps while the benchmark is under way
    figure = Figure(figsize=(6.5 * columns, 0.7 + 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax in axes[len(races) :]:
        ax.set_axis_off()
    for ax, race in zip(axes, races, strict=False):
        _bars(ax, race)
    settings = report["settings"]
    figure.suptitle(
        f"n = {races[0]['n']}, batches of {settings['batch_size']}, medians of {settings['rounds']} rounds, "
        f"{report['device']}"
    )
    return figure


def _bars(ax: Axes, race: Mapping[str, Any]) -> None:
    """Bars from the top in the order of the report; whiskers from the fastest to the slowest round."""
    rows = [row for row in race["rows"] if row["installed"]]
    floor = next(row["seconds"]["median"] for row in rows if row["name"] == "floor")
    rows = [row for row in rows if row["name"] != "floor"]
    for place, row in enumerate(rows):
        times, seconds = row["times_floor"], row["seconds"]
        whiskers = [[times - seconds["min"] / floor], [seconds["max"] / floor - times]]
        ax.barh(place, times, xerr=whiskers, color=VERMILLION if row["name"] in PEERS else BLUE, ecolor=GREY, capsize=2)
        text = f"{times:.2f} x, {row['robust_accuracy']['accuracy']:.1%} robust"
        beside: dict[str, Any] = {"textcoords": "offset points", "va": "center", "backgroundcolor": "white"}
        ax.annotate(text, (seconds["max"] / floor, place), (5, 0), **beside)
    ax.axvline(1, color=GREY, linestyle="--")
    ax.set(yticks=range(len(rows)), yticklabels=[row["name"] for row in rows], xlabel="time / floor")
    ax.set_title(f"{race['attack']}, {race['weights']}", fontsize="medium")
    ax.set_xlim(0, 1.7 * max(max(row["seconds"]["max"] / floor for row in rows), 1))  # room for the texts
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
