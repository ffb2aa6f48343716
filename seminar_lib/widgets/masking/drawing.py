"""How symptoms look: the accuracies as bars with the evidence below, and one image's probability along three ways."""

from __future__ import annotations

from seminar_lib.plots import BLUE, GREY, VERMILLION
from seminar_lib.widgets.canvas import Canvas, Marker
from seminar_lib.widgets.masking.symptoms import LEVELS, LONGEST, Symptoms, Way

BARS = (8, 60)  # upper left corner of the accuracies
FACTS = 216  # the first baseline of the evidence
PLOT = (490, 60, 846, 250)  # left, top, right, bottom

WAYS: dict[Way, str] = {"own": "own gradient", "undefended": "undefended's gradient", "random": "random signs"}


def draw_symptoms(canvas: Canvas, found: Symptoms, n: int) -> None:
    """The right answers of n images under each attack, and the evidence in words."""
    canvas.text((BARS[0], BARS[1] - 12), f"right answers of {n}, Linf 8/255", 13, GREY)
    for row, (attack, right) in enumerate(found.right.items()):
        top = BARS[1] + 26 * row
        canvas.text((BARS[0], top + 15), attack, 14)
        canvas.line([(BARS[0] + 110, top + 10), (BARS[0] + 110 + 140 * right / n, top + 10)], BLUE, 12)
        canvas.text((BARS[0] + 116 + 140 * right / n, top + 15), f"{right}", 14)
    for row, fact in enumerate(found.facts()):
        canvas.text((BARS[0], FACTS + 24 * row), fact, 14)


def draw_ways(canvas: Canvas, found: Symptoms, image: int, true: str) -> None:
    """The probability of one image's true class along the three ways, as curves."""
    left, top, right, bottom = PLOT
    canvas.text((left, top - 12), f"probability of {true}", 14)
    canvas.probability_axes((left, top), (right, bottom), LONGEST, 2)
    styles: dict[Way, tuple[str, Marker, int]] = {
        "random": (GREY, "square", 286),
        "undefended": (BLUE, "square", 124),
        "own": (VERMILLION, "disc", 0),
    }
    for way, (colour, shape, shift) in styles.items():
        path = [
            (left + (right - left) * place / (LEVELS - 1), bottom + (top - bottom) * float(value))
            for place, value in enumerate(found.p[way][image])
        ]
        canvas.line(path, colour, 3 if way == "own" else 2, dashed=way == "random")
        canvas.marker(path[-1], shape, colour)
        canvas.marker((left + shift, bottom + 34), shape, colour)
        canvas.text((left + shift + 10, bottom + 38), WAYS[way], 12)
