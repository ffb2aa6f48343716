"""What a detector is worth: without an attack, under one that does not know it, and under one that does.

Carlini & Wagner, "Adversarial Examples Are Not Easily Detected", AISec 2017: an oblivious (zero-knowledge)
attack fools the classifier and has never heard of the detector; an adaptive (perfect-knowledge) one wants a wrong label
*and* a score below the threshold. Only the second says what a detector is worth.

What counts. An image is rejected where its score exceeds the threshold, and wrong where the classifier's label is, be
it rejected or not. An attack does not get a wrong label from every image, and to reject one that it did not get is a
false alarm of a kind: so rejections and AUROC are given both for all attacked images and for those with a wrong label.
An image is safe where it is right or rejected. A detector that rejects everything makes all images safe; read that
column together with what is right *and* accepted without an attack, or take the share that is both, the robust accuracy
of Tramèr, "Detecting Adversarial Examples Is (Nearly) As Hard As Classifying Them", ICML 2022.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from seminar_lib import markdown
from seminar_lib.attacks import Attack
from seminar_lib.data.dataset import Split
from seminar_lib.detection import Guarded
from seminar_lib.device import describe
from seminar_lib.evaluation.accuracy import Accuracy
from seminar_lib.evaluation.auroc import AUROC
from seminar_lib.evaluation.checks import check_attack, check_measurement
from seminar_lib.evaluation.report import check_inside, versions
from seminar_lib.types import Flags, Labels, PerExample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLEAN, OBLIVIOUS, ADAPTIVE = ROWS = ("clean", "oblivious", "adaptive")
STYLES: dict[str, dict[str, Any]] = {
    CLEAN: {"color": "#009E73", "linestyle": "-"},
    OBLIVIOUS: {"color": "#0072B2", "linestyle": "--"},
    ADAPTIVE: {"color": "#D55E00", "linestyle": "-."},
}
STOPS = "- The adaptive attack stops as soon as it is below the threshold, so its AUROC says little."
BELOW, ABOVE = 30, 15  # bars of a histogram on either side of the threshold
NOTICED = ("", "wrong label", "rejected", "rejected of the wrong", "AUROC", "AUROC of the wrong")
GOT = ("", "right and accepted", "right or rejected", "robust: both, clean and attacked")


@dataclass(frozen=True, repr=False)
class DetectionReport(markdown.Tabular):
    """The score and the label of every image, clean and under both attacks.

    The rows are ``"clean"``, ``"oblivious"`` and ``"adaptive"``.

    Attributes:
        scores: of the detector, by row, (N,).
        answers: labels of the classifier, by row, (N,).
        labels: the true ones (N,).
        threshold: the highest score that is accepted.
        detector: its name.
        attacks: by row, with all their settings.
        seed: of their random starts.
        seconds: how long each row took.
        device: what it ran on.
    """

    scores: Mapping[str, PerExample]
    answers: Mapping[str, Labels]
    labels: Labels
    threshold: float
    detector: str
    attacks: Mapping[str, Attack]
    seed: int
    seconds: Mapping[str, float]
    device: str

    def wrong(self, row: str) -> Flags:
        """Which images get a wrong label, rejected or not, (N,)."""
        return self.answers[row] != self.labels

    def rejected(self, row: str) -> Flags:
        """Which images raise the alarm, (N,)."""
        return self.scores[row] > self.threshold

    def served(self, row: str) -> Flags:
        """Which images are answered, and rightly, (N,)."""
        return ~self.wrong(row) & ~self.rejected(row)

    def safe(self, row: str) -> Flags:
        """Which images do no harm, being right or rejected, (N,)."""
        return ~self.wrong(row) | self.rejected(row)

    def robust(self, row: str) -> Flags:
        """Which images are served while clean and safe under the attack, (N,)."""
        return self.served(CLEAN) & self.safe(row)

    def auroc(self, row: str, wrong_only: bool = False) -> AUROC:
        """How well the scores tell attacked images from all clean ones.

        Args:
            row: of an attack.
            wrong_only: of the attacked images, take those that get a wrong label.

        Raises:
            ValueError: no attacked image gets a wrong label, and these were asked for.
        """
        attacked = self.scores[row]
        return AUROC.of(self.scores[CLEAN], attacked[self.wrong(row)] if wrong_only else attacked)

    def caught(self, row: str) -> Accuracy:
        """The share that is rejected among the images with a wrong label: the true-positive rate.

        Raises:
            ValueError: no image gets a wrong label.
        """
        return Accuracy.of(self.rejected(row)[self.wrong(row)])

    def table(self) -> str:
        """Markdown: what the detector notices, then what the user gets, with 95 % intervals, n and settings."""
        noticed, got = [], []
        for row in ROWS:
            fooled, attacked = bool(self.wrong(row).any()), row != CLEAN
            noticed.append(
                (
                    row,
                    Accuracy.of(self.wrong(row)),
                    Accuracy.of(self.rejected(row)),
                    self.caught(row) if fooled else "none wrong",
                    self.auroc(row) if attacked else "",
                    (self.auroc(row, True) if fooled else "none wrong") if attacked else "",
                )
            )
            robust = Accuracy.of(self.robust(row)) if attacked else ""
            got.append((row, Accuracy.of(self.served(row)), Accuracy.of(self.safe(row)), robust))
        return "\n".join(
            [
                markdown.table(NOTICED, noticed),
                "",
                markdown.table(GOT, got),
                "",
                f"n = {len(self.labels)}, 95 % intervals, seed {self.seed}; {self.detector}, threshold "
                f"{self.threshold:.4g}",
                "",
                *(f"- {row}: `{attack}`" for row, attack in self.attacks.items()),
                *([STOPS] if self.attacks[ADAPTIVE].stop_when_fooled else []),
            ]
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Histograms of the scores with the threshold; scores far beyond it share the last bar. Returns the axes."""
        import matplotlib.pyplot as plt

        ax = plt.gca() if ax is None else ax
        lowest = float(min(scores.min() for scores in self.scores.values()))
        low = min(lowest, self.threshold - 1e-6)
        high = 1.5 * self.threshold - 0.5 * low
        below = torch.linspace(low, self.threshold, BELOW + 1, dtype=torch.float64)
        above = torch.linspace(self.threshold, high, ABOVE + 1, dtype=torch.float64)
        edges = torch.cat([below, above[1:]]).tolist()
        for row in ROWS:
            shown = self.scores[row].double().clamp(low, high).numpy()
            ax.hist(shown, edges, histtype="step", linewidth=2, label=row, **STYLES[row])
        ax.axvline(self.threshold, color="black", linewidth=1, label="threshold")
        ax.set(xlabel="score", ylabel="images", title=f"{self.detector}, n = {len(self.labels)}")
        ax.legend()
        return ax

    def roc(self, ax: Axes | None = None) -> Axes:
        """ROC curves of the attacked images with a wrong label, with a point at the threshold; returns the axes."""
        import matplotlib.pyplot as plt
        from sklearn.metrics import roc_curve

        ax = plt.gca() if ax is None else ax
        ax.plot((0, 1), (0, 1), color="grey", linestyle=":", label="a guess")
        for row in ROWS[1:]:
            if not self.wrong(row).any():
                continue
            scores = torch.cat([self.scores[CLEAN], self.scores[row][self.wrong(row)]])
            attacked = torch.arange(len(scores)) >= len(self.labels)
            false_alarms, caught, _ = roc_curve(attacked.numpy(), scores.numpy(), drop_intermediate=False)
            ax.plot(false_alarms, caught, label=f"{row}: AUROC {self.auroc(row, True).auroc:.3f}", **STYLES[row])
            point = Accuracy.of(self.rejected(CLEAN)).accuracy, self.caught(row).accuracy
            ax.plot(*point, marker="o", **STYLES[row])
        ax.set(xlabel="clean images rejected", ylabel="wrong labels rejected", title=self.detector)
        ax.legend(loc="lower right")
        return ax

    def as_dict(self) -> dict[str, Any]:
        """All figures as plain values, ready for JSON."""
        return {
            "n": len(self.labels),
            "detector": self.detector,
            "threshold": self.threshold,
            "rows": {row: self._figures(row) for row in ROWS},
            "settings": {row: repr(attack) for row, attack in self.attacks.items()},
            "eps": {row: attack.threat.eps for row, attack in self.attacks.items()},
            "seed": self.seed,
            "seconds": {row: round(seconds, 2) for row, seconds in self.seconds.items()},
            "device": self.device,
            "versions": versions(),
        }

    def _figures(self, row: str) -> dict[str, Any]:
        shares = {"rejected": self.rejected, "served": self.served, "safe": self.safe}
        found: dict[str, Any] = {name: vars(Accuracy.of(share(row))) for name, share in shares.items()}
        found["right"] = vars(Accuracy.of(~self.wrong(row)))
        fooled = bool(self.wrong(row).any())
        found["caught"] = vars(self.caught(row)) if fooled else None
        if row != CLEAN:
            found["robust"] = vars(Accuracy.of(self.robust(row)))
            found["auroc"] = vars(self.auroc(row))
            found["auroc of the wrong"] = vars(self.auroc(row, True)) if fooled else None
        return found


def evaluate_detector(
    guarded: Guarded,
    data: Split,
    oblivious: Attack,
    adaptive: Attack,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = True,
) -> DetectionReport:
    """Score the images of ``data`` as they are, after an attack on the classifier, and after one on both.

    The oblivious attack is a call of ``oblivious``, the adaptive one a run of ``adaptive`` with the goal
    ``guarded.evade(y)``. Labels and scores are taken here, of the classifier and the detector as they are, in float32
    and in evaluation mode, after a check that the images obey the threat model.

    An adaptive attack with ``stop_when_fooled`` leaves an image alone once it is wrong and accepted, just below the
    threshold: its AUROC then says little. Set it to False for scores as low as they get, at the price of all steps.

    Args:
        guarded: the classifier with its detector and threshold.
        data: the images to measure on, on the network's device. The detector must not have been fitted on them, nor the
            threshold chosen.
        oblivious: on the classifier alone.
        adaptive: on both.
        batch_size: images at a time.
        seed: of the attacks' random numbers.
        progress: show a bar.

    Raises:
        TypeError, ValueError: there are no images, an attack left its threat model, or an input is not as described;
            the message says what came and how to mend it.
    """
    if not isinstance(guarded, Guarded):
        raise TypeError(
            f"evaluate_detector needs a Guarded, a classifier with a detector and a threshold; got "
            f"{type(guarded).__name__}."
        )
    check_measurement("evaluate_detector", data, batch_size, seed)
    for attack in (oblivious, adaptive):
        check_attack(attack, "evaluate_detector")
    attacks = {OBLIVIOUS: oblivious, ADAPTIVE: adaptive}
    # As in ``evaluate``: a stream of random numbers for each attack.
    generators = {row: torch.Generator(data.images.device).manual_seed(seed) for row in attacks}
    scores: dict[str, list[Tensor]] = {row: [] for row in ROWS}
    answers: dict[str, list[Tensor]] = {row: [] for row in ROWS}
    seconds = dict.fromkeys(ROWS, 0.0)
    batches, total = data.batches(batch_size), -(-len(data) // batch_size)
    for x, y in tqdm(batches, total=total, desc="detect", leave=False, disable=not progress):
        for row in ROWS:
            start = time.perf_counter()
            match row:
                case "oblivious":
                    x_row = oblivious(guarded.model, x, y, generator=generators[row])
                case "adaptive":
                    x_row = adaptive.run(guarded.evade(y), x, generators[row])
                case _:
                    x_row = x
            if row in attacks:
                check_inside(row, attacks[row], x_row, x)
            answers[row].append(guarded.answers(x_row).cpu())
            scores[row].append(guarded.detector.scores(x_row).cpu())
            seconds[row] += time.perf_counter() - start
    return DetectionReport(
        {row: torch.cat(parts) for row, parts in scores.items()},
        {row: torch.cat(parts) for row, parts in answers.items()},
        data.labels.cpu(),
        guarded.threshold,
        type(guarded.detector).__name__,
        attacks,
        seed,
        seconds,
        describe(data.images.device),
    )
