"""The check of exercise 4.2: in which epoch a network has learned to fool its attack instead of withstanding it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import whole

DROP = 0.2


@dataclass(frozen=True)
class _Training:
    """A history that rules can be tried on.

    Attributes:
        loss: on the training attack, for each epoch.
        clean, robust: accuracies on the validation images.
        collapse: the epoch that is to be found; None where nothing collapsed.
        otherwise: what to say of an answer that is wrong here, before its value.
        drop: how far is too far.
    """

    loss: tuple[float, ...]
    clean: tuple[float, ...]
    robust: tuple[float, ...]
    collapse: int | None
    otherwise: str
    drop: float = DROP

    @property
    def history(self) -> list[dict[str, Any]]:
        """As ``fit`` returns it."""
        columns = zip(self.loss, self.clean, self.robust, strict=True)
        return [
            {"epoch": n, "adversarial": loss, "clean accuracy": clean, "robust accuracy": robust}
            for n, (loss, clean, robust) in enumerate(columns, start=1)
        ]


SUDDEN = _Training(
    loss=(2.0, 1.6, 1.4, 1.3, 0.6, 0.3, 0.2),
    clean=(0.50, 0.60, 0.70, 0.75, 0.85, 0.90, 0.92),
    robust=(0.20, 0.30, 0.38, 0.42, 0.10, 0.01, 0.00),
    collapse=5,
    otherwise="the robust accuracy falls from 42% to 10% in epoch 5, while the training loss halves",
)
CALM = _Training(
    loss=(2.0, 1.7, 1.5, 1.3, 1.1, 0.9),
    clean=(0.50, 0.60, 0.70, 0.75, 0.80, 0.82),
    robust=(0.20, 0.35, 0.45, 0.48, 0.44, 0.40),
    collapse=None,
    otherwise="the robust accuracy falls by 8 points in all. That is robust overfitting, and slow; nothing collapsed: "
    "return None",
)
IN_TWO = _Training(
    loss=(2.0, 1.5, 1.2, 0.9, 0.6, 0.5),
    clean=(0.50, 0.60, 0.70, 0.80, 0.85, 0.87),
    robust=(0.25, 0.40, 0.42, 0.28, 0.15, 0.14),
    collapse=5,
    otherwise="it takes two epochs: 14 points, and 13 more, so that it has fallen far enough in epoch 5. Compare with "
    "the epoch of the best robust accuracy so far, not with the one before, nor with that of the lowest loss",
)
STRICTER = replace(
    IN_TWO,
    drop=0.3,
    collapse=None,
    otherwise="with drop = 0.3 nothing has collapsed: it falls by 28 points at most. How far is too far is an argument",
)
WARMING_UP = _Training(
    loss=(1.2, 0.7, 1.4, 1.6, 1.3, 0.9),
    clean=(0.50, 0.60, 0.68, 0.72, 0.70, 0.75),
    robust=(0.10, 0.25, 0.40, 0.45, 0.12, 0.05),
    collapse=5,
    otherwise="while the radius of the attack grows, the loss rises. In the best epoch so far, the fourth, it was 1.6; "
    "in epoch 5 it is 1.3, with 33 points less of robust accuracy. Compare it with that epoch's: not with the first, "
    "not with the lowest, not with a fixed number, and do not ask the clean accuracy",
)
SHAKY = _Training(
    loss=(2.4, 2.2, 1.9, 1.7, 1.5),
    clean=(0.08, 0.07, 0.20, 0.45, 0.60),
    robust=(0.06, 0.01, 0.08, 0.20, 0.30),
    collapse=None,
    otherwise="6% robust accuracy and then 1% is the beginning of a training, not its collapse: nothing was there that "
    "could fall by 20 points",
)
DIVERGED = _Training(
    loss=(2.8, 1.5, 1.3, 2.6, 2.4),
    clean=(0.50, 0.65, 0.70, 0.10, 0.06),
    robust=(0.25, 0.38, 0.42, 0.05, 0.06),
    collapse=None,
    otherwise="the robust accuracy falls, but the training loss doubles: this training diverged. Catastrophic "
    "overfitting looks like success in the loss. Compare the loss with that of the best epoch so far",
)
UNTIL_LATER = _Training(
    loss=(1.2, 1.3, 1.4, 1.5),  # while the radius grows, so does the loss
    clean=(0.50, 0.60, 0.70, 0.75),
    robust=(0.10, 0.25, 0.40, 0.50),
    collapse=None,
    otherwise="the robust accuracy only rises. Compare each epoch with the best *before* it, not with the best of all",
)


@marks
def check_collapse(my_collapse: Answer) -> None:
    """Exercise 4.2: the first epoch that is far below the best so far, though the training loss is lower than there."""
    for training in (SUDDEN, UNTIL_LATER, CALM, SHAKY, IN_TWO, STRICTER, DIVERGED, WARMING_UP):
        _judge(my_collapse, training)
    right("4.2", "The training loss would never have told: in the epoch of the collapse it was lower than in the best.")


def _judge(my_collapse: Answer, training: _Training) -> None:
    given = training.history
    answer = ask("4.2", my_collapse, given, training.drop)
    if given != training.history:
        raise Mistake("you changed the history. Leave it as it is: others want to draw it.")
    epoch = whole(answer)
    if epoch is None and answer is not None:
        raise Mistake(f"return the number of an epoch, or None where nothing collapsed; you return {answer!r}.")
    if epoch == training.collapse:
        return
    if training is SUDDEN:
        _explain(epoch, training)
    raise Mistake(f"{training.otherwise}. For {_shown(training)} you return {epoch}.")


def _explain(answer: int | None, training: _Training) -> None:
    lowest = training.robust.index(min(training.robust)) + 1
    for wrong, sentence in (
        (None, "you return None, though there is a collapse to be found (a return inside the loop ends it at once)"),
        (4, "you return a place in the list, counted from 0, or the epoch before the collapse. Return the 'epoch' in "
         "which it has happened"),
        (lowest, "you return the epoch with the lowest robust accuracy. Asked for is the first that has fallen"),
        (6, "you come too late"),
    ):  # fmt: skip
        if answer == wrong:
            raise Mistake(f"{sentence}: {training.otherwise}.")


def _shown(training: _Training) -> str:
    return ", ".join(f"{accuracy:.0%}" for accuracy in training.robust)
