"""How a guard looks: the scores of clean and attacked images on one axis, the threshold, and what follows from it."""

from __future__ import annotations

from math import ceil
from typing import TypeAlias

from seminar_lib.plots import BLUE, GREY, INK, VERMILLION
from seminar_lib.plots.style import PALE
from seminar_lib.widgets.canvas import Canvas, Point
from seminar_lib.widgets.detection.scene import Scored

Ends: TypeAlias = tuple[float, float]  # the lowest and the highest score of an axis

LEFT, RIGHT_END = 12, 560  # of the axis
CLEAN, ATTACKED = 160, 322  # heights of the axes of both histograms
HEIGHT = 108  # of the highest bar
TALLEST = 9  # for one image
BAR = 12  # from one bar to the next
SHARES, FULL = 600, 200  # left edge of the shares, and the length of all images


def place(score: float, ends: Ends) -> float:
    """Where a score lies on the axis; those beyond an end share it."""
    low, high = ends
    return LEFT + (RIGHT_END - LEFT) * min(1.0, max(0.0, (score - low) / (high - low)))


def heaps(scored: Scored, ends: Ends) -> dict[int, list[int]]:
    """How many images stand in each bar: by its number, wrong and right ones.

    Bars are counted from the threshold, so that what is accepted lies at its left: below 0.
    """
    low, high = ends
    width = BAR * (high - low) / (RIGHT_END - LEFT)
    first, last = (ceil((end - scored.threshold) / width) for end in (low, high))
    found: dict[int, list[int]] = {}
    for score, wrong in zip(scored.scores.tolist(), scored.wrong.tolist(), strict=True):
        number = ceil((score - scored.threshold) / width) - 1
        # What lies beyond an end goes into the outermost bar, but never over the threshold.
        number = min(max(number, min(first, -1)), -1) if score <= scored.threshold else min(number, max(last - 1, 0))
        found.setdefault(number, [0, 0])[0 if wrong else 1] += 1
    return found


def draw_scores(canvas: Canvas, clean: Scored, attacked: Scored, names: tuple[str, str], ends: Ends) -> None:
    """Both histograms above each other, with the threshold through both."""
    low, high = ends
    bars = [heaps(scored, ends) for scored in (clean, attacked)]
    unit = min(TALLEST, HEIGHT / max(sum(bar) for heap in bars for bar in heap.values()))
    at = place(clean.threshold, ends)
    for height in (CLEAN, ATTACKED):
        canvas.line([(at, height - HEIGHT), (at, height)], INK, 2)
    canvas.text(
        (max(at, LEFT + 60), ATTACKED + 34), f"threshold {named(clean.threshold)}", 13, bold=True, align="middle"
    )
    for height, name, heap in zip((CLEAN, ATTACKED), names, bars, strict=True):
        canvas.line([(LEFT, height), (RIGHT_END, height)], GREY, 1)
        canvas.text((LEFT, height - HEIGHT - 4), name, 13, bold=True)
        for number, (wrong, right) in heap.items():
            left = at + BAR * number + 1
            accepted = number < 0
            is_clean = height == CLEAN
            _stack(canvas, (left, height - 1), unit * wrong, VERMILLION if accepted else BLUE, filled=True)
            fine = accepted or not is_clean
            _stack(canvas, (left, height - 1 - unit * wrong), unit * right, BLUE if fine else VERMILLION, filled=False)
    for value in (low, (low + high) / 2, high):
        tick = place(value, ends)
        canvas.line([(tick, ATTACKED), (tick, ATTACKED + 5)], GREY, 1)
        words = named(value) + (" and more" if value == high else "")
        canvas.text((tick, ATTACKED + 18), words, 11, GREY, align="right" if value == high else "left")
    canvas.text(
        (LEFT, ATTACKED + 54),
        "score, high is suspicious; left of the line accepted; filled: wrong label, outline: right label",
        12,
        GREY,
    )


def named(score: float) -> str:
    """A score as it is written, to three digits."""
    return f"{score:.3g}" if abs(score) >= 0.001 else "0"


def draw_share(canvas: Canvas, top: float, name: str, count: int, total: int, meaning: str, good: bool) -> None:
    """A name, a bar for the share, and below it what was counted."""
    canvas.text((SHARES, top), name, 14, bold=True)
    words = f"{count} of {total}" if total else "none wrong"
    canvas.text((SHARES + FULL + 60, top), words, 14, align="right")
    _stack(canvas, (SHARES, top + 20), 12, PALE, filled=True, width=FULL + 60)
    if count:
        colour = BLUE if good else VERMILLION
        _stack(canvas, (SHARES, top + 20), 12, colour, filled=True, width=(FULL + 60) * count / total)
    canvas.text((SHARES, top + 36), meaning, 11, GREY)


def _stack(canvas: Canvas, foot: Point, height: float, colour: str, filled: bool, width: float = BAR - 2) -> None:
    """A rectangle that stands on ``foot``, its lower left corner."""
    if height <= 0:
        return
    left, bottom = foot
    if filled:
        middle = bottom - height / 2
        canvas.line([(left, middle), (left + width, middle)], colour, max(1, round(height)))
    else:
        canvas.box((left, bottom - height + 1), (left + width - 1, bottom), colour)
