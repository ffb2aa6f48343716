"""The demo of lesson 11: a threshold that can be moved, and an attack that moves with it."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipywidgets import SelectionSlider

from seminar_lib.data.dataset import Split, check_split
from seminar_lib.detection import Detector
from seminar_lib.types import Model
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.demo import Demo, check_named
from seminar_lib.widgets.detection.drawing import draw_scores, draw_share, named
from seminar_lib.widgets.detection.scene import ATTACKS, RADII, RATES, Scored, Watch
from seminar_lib.widgets.images import slider

SIZE = (872, 384)
WORDS = (
    "Without an attack",
    "Under an attack of {eps}/255 that does not know the detector",
    "Under an attack of {eps}/255 that knows it",
)


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        detector: its place among the detectors, from 0.
        attack: its place among ``ATTACKS``.
        eps: the radius of the Linf ball in grey levels, one of ``RADII``.
        rate: the threshold, by its place in ``RATES``.
    """

    detector: int = 0
    attack: int = 1
    eps: int = 8
    rate: int = RATES.index(0.05)


class DetectionDemo(Demo[State]):
    """Move a detector's threshold, and see who is rejected, served and caught.

    An attack is computed when it is first looked at, within a moment or, for a slow detector, some seconds; all
    thresholds share it.

    Args:
        model: the classifier, images in [0, 1] to logits (B, K).
        detectors: by name, fitted detectors for this classifier.
        validation: images that choose the thresholds, 100 or more; a detector must not have been fitted on them.
        data: the images that are attacked, on the device of all.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    lines = 3

    def __init__(self, model: Model, detectors: Mapping[str, Detector], validation: Split, data: Split) -> None:
        takes = 'detectors by name, such as {"learned": LearnedDetector.fit(model, data)}'
        check_named("DetectionDemo", takes, detectors)
        for name, detector in detectors.items():
            if not isinstance(detector, Detector):
                raise TypeError(f"DetectionDemo needs fitted detectors; {name!r} is a {type(detector).__name__}.")
        check_split(validation, "validation")
        check_split(data)
        if not len(data):
            raise ValueError("DetectionDemo needs images to attack; got none.")
        self.watch = Watch(model, detectors, validation, data)
        super().__init__(
            State(),
            self._rows(),
            "Histograms of a detector's scores for clean and for attacked images with the threshold, and the shares of "
            "false alarms, served, caught and safe images; the sentences above say the result.",
        )

    def _rows(self) -> list[dict[str, SelectionSlider]]:
        """Detector and attack, radius and threshold."""
        named = [(name, number) for number, name in enumerate(self.watch.names)]
        return [
            {
                "detector": slider("detector", named, 424),
                "attack": slider("attack", [(name, number) for number, name in enumerate(ATTACKS)], 424),
            },
            {
                "eps": slider("eps", [(f"{eps}/255", eps) for eps in RADII], 424),
                "rate": slider("threshold", [(f"rejects {rate:.0%}", at) for at, rate in enumerate(RATES)], 424),
            },
        ]

    def render(self, state: State) -> Pixels:
        """Both histograms at the left, the four shares at the right."""
        clean, attacked = self._both(state)
        canvas = Canvas(*SIZE)
        under = f"under the {ATTACKS[state.attack]} attack, {state.eps}/255" if state.attack else "without an attack"
        draw_scores(canvas, clean, attacked, ("clean", under), self.watch.ends[state.detector])
        n, wrong = len(clean.scores), int(attacked.wrong.sum())
        alarms = int(clean.rejected.sum())
        draw_share(canvas, 40, "false alarms", alarms, n, "clean and rejected", good=False)
        draw_share(canvas, 110, "served", clean.served, n, "clean, right and accepted", good=True)
        draw_share(canvas, 220, "caught", attacked.caught, wrong, "rejected of the wrong labels", good=True)
        draw_share(canvas, 290, "safe", attacked.safe, n, "right or rejected", good=True)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Threshold and shares in words."""
        clean, attacked = self._both(state)
        n, wrong = len(clean.scores), int(attacked.wrong.sum())
        name, rate, alarms = self.watch.names[state.detector], RATES[state.rate], int(clean.rejected.sum())
        return (
            f"{name}, threshold {named(clean.threshold)}, which rejects {rate:.0%} of the validation images. Of {n} "
            f"clean images {alarms} are rejected (false alarms) and {clean.served} served. "
            f"{WORDS[state.attack].format(eps=state.eps)} {wrong} get a wrong label, {attacked.caught} of these are "
            f"caught; {attacked.safe} of {n} are safe."
        )

    def _both(self, state: State) -> tuple[Scored, Scored]:
        """The images as they are, and as the attack leaves them."""
        clean, attacked = (
            self.watch.scored(state.detector, attack, state.eps, state.rate) for attack in (0, state.attack)
        )
        return clean, attacked
