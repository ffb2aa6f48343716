"""How a certificate looks: noisy copies with their answers, and two scales, of the probability and of the radius."""

from __future__ import annotations

from collections.abc import Sequence

from seminar_lib.plots import BLUE, GREY, INK, VERMILLION
from seminar_lib.plots.style import PALE, for_letters
from seminar_lib.widgets.canvas import Canvas
from seminar_lib.widgets.images import draw_small
from seminar_lib.widgets.smoothing.scene import ALPHA, Copies, Proof

COPIES_AT, COLUMNS = (8, 176), 4  # upper left corner of the copies
STEP = (74, 92)  # from one to the next
BARS, WIDTH = (330, 40), 534  # upper left corner of the bars, and their width
LEFT, RIGHT_END = 470, 824  # of bars and scales: where 0 and 1 are
P_SCALE, RADIUS_SCALE = 226, 322  # heights


def draw_copies(canvas: Canvas, copies: Copies, true: int, classes: Sequence[str], enlarge: int) -> None:
    """The noisy copies, and below each what the network takes it for, with a tick or a cross."""
    for number, (pixels, answer) in enumerate(zip(copies.pixels, copies.answers, strict=True)):
        row, column = divmod(number, COLUMNS)
        at = (COPIES_AT[0] + STEP[0] * column, COPIES_AT[1] + STEP[1] * row)
        draw_small(canvas, at, pixels, enlarge, classes[answer], answer == true)


def draw_probability(canvas: Canvas, proof: Proof) -> None:
    """From 0 to 1: the share of the votes, one half, and what is proved."""
    share, lower = _place(proof.hits / proof.looks), _place(proof.p_lower)
    certain = proof.radius > 0
    half = _place(0.5)
    canvas.text((BARS[0], P_SCALE + 5), "probability", 13)
    canvas.marker((BARS[0] + 5, P_SCALE + 20), "wedge", GREY, 5)
    canvas.text((BARS[0] + 16, P_SCALE + 24), "share of votes", 11, GREY)
    canvas.marker((BARS[0] + 5, P_SCALE + 38), "triangle", INK, 5)
    canvas.text((BARS[0] + 16, P_SCALE + 42), "lower bound", 11, GREY)
    _axis(canvas, P_SCALE, {LEFT: "0", half: "1/2", RIGHT_END: "1"})
    canvas.line([(half, P_SCALE - 16), (half, P_SCALE + 8)], INK, 1)
    canvas.line([(lower, P_SCALE), (RIGHT_END, P_SCALE)], BLUE if certain else VERMILLION, 6)
    canvas.marker((lower, P_SCALE), "triangle", INK, 7)
    canvas.marker((share, P_SCALE - 12), "wedge", GREY, 5)
    words = f"{proof.hits} of {proof.looks} votes: at least {proof.p_lower:.3f}, but for {ALPHA:.1%} risk"
    canvas.text((LEFT, P_SCALE + 40), words, 13, bold=True)


def draw_radius(canvas: Canvas, proof: Proof, end: float) -> None:
    """From 0 to ``end``: the certified radius, and the largest that so many copies could certify."""

    def place(value: float) -> float:
        return LEFT + (RIGHT_END - LEFT) * value / end

    canvas.text((BARS[0], RADIUS_SCALE + 5), "L2 radius", 13)
    _axis(canvas, RADIUS_SCALE, {place(value): f"{value:g}" for value in (0, 0.25, 0.5, 0.75, 1) if value < end})
    largest = place(proof.largest)
    canvas.line([(largest, RADIUS_SCALE - 10), (largest, RADIUS_SCALE + 8)], GREY, 2)
    canvas.text((largest, RADIUS_SCALE - 14), "if all agreed", 11, GREY, align="middle")
    if proof.radius > 0:
        canvas.line([(LEFT, RADIUS_SCALE), (place(proof.radius), RADIUS_SCALE)], BLUE, 6)
        canvas.marker((place(proof.radius), RADIUS_SCALE), "diamond", INK, 7)


def draw_verdict(canvas: Canvas, proof: Proof, true: int, name: str) -> None:
    """The label with its radius, or no answer."""
    at = (LEFT, RADIUS_SCALE + 44)
    if proof.radius == 0:
        canvas.text(at, "ABSTAIN: no more than a half is certain", 16, for_letters(VERMILLION), bold=True)
        return
    canvas.answer(at, f"{name}, certain up to {proof.radius:.2f}", proof.label == true, 16, bold=True)


def _place(share: float) -> float:
    return LEFT + (RIGHT_END - LEFT) * share


def _axis(canvas: Canvas, height: int, ticks: dict[float, str]) -> None:
    canvas.line([(LEFT, height), (RIGHT_END, height)], PALE, 2)
    for at, words in ticks.items():
        canvas.line([(at, height - 3), (at, height + 4)], GREY, 1)
        canvas.text((at, height + 20), words, 11, GREY, align="middle")
