"""The check of exercise 4.4: which epoch of a training to report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import whole

# A training with robust overfitting. Each rule that a student may think of leads to another epoch: the clean accuracy,
# the loss, the test images, the last epoch, the last of equals, the first fall.
CLEAN = (0.50, 0.62, 0.70, 0.74, 0.77, 0.79, 0.82, 0.81, 0.80)
ROBUST = (0.30, 0.38, 0.36, 0.48, 0.48, 0.46, 0.43, 0.42, 0.41)
TEST = (0.31, 0.39, 0.37, 0.46, 0.45, 0.49, 0.44, 0.42, 0.40)
LOSS = (2.1, 1.8, 1.6, 1.5, 1.4, 1.2, 0.9, 0.7, 0.8)
EPOCHS = range(1, len(ROBUST) + 1)
HISTORY = [
    {"epoch": n, "adversarial": loss, "clean accuracy": clean, "robust accuracy": robust, "robust test accuracy": test}
    for n, loss, clean, robust, test in zip(EPOCHS, LOSS, CLEAN, ROBUST, TEST, strict=True)
]


@marks
def check_checkpoint(my_choice: Answer) -> None:
    """Exercise 4.4: the epoch with the highest robust accuracy on the validation images, the first of equals."""
    given = [dict(row) for row in HISTORY]
    answer = ask("4.4", my_choice, given)
    if given != HISTORY:
        raise Mistake("you changed the history. Leave it as it is: others want to draw it.")
    if isinstance(answer, Mapping) and answer in HISTORY:
        raise Mistake("you return the whole row. Return its 'epoch'.")
    if isinstance(answer, float) and answer in ROBUST:
        raise Mistake("you return the accuracy. Return the epoch that it belongs to.")
    if (chosen := whole(answer)) is None:
        raise Mistake(f"return the number of an epoch, from 1 on; you return {answer!r}.")
    for epoch, sentence in (
        (_first_best(ROBUST) - 1, "you return a place in the list, counted from 0. Return row['epoch'], which counts "
         "from 1."),
        (len(HISTORY), "you take the last epoch, whose robust accuracy has fallen since. That is robust overfitting."),
        (_first_best(TEST), "you choose by the test images. Then they are no test any more: choose by the validation "
         "images, and look at the test images once, at the end."),
        (LOSS.index(min(LOSS)) + 1, "you choose by the training loss. It goes on falling while the robust accuracy "
         "falls: the network gets better at the images that it knows."),
        (2, "you stop where the accuracy does not rise for the first time. It may rise again: look at all epochs."),
        (_first_best(CLEAN), "you choose by the clean accuracy. It goes on rising while the robust accuracy falls."),
        (len(ROBUST) - _first_best(ROBUST[::-1]) + 1, "you take epoch 5, but epoch 4 has the same robust accuracy. "
         "Take the first of equals, whatever the clean accuracy: the network had less time to overfit."),
        (1, "you take the first epoch, whose robust accuracy is the lowest. The highest counts, and that alone."),
    ):  # fmt: skip
        if chosen == epoch:
            raise Mistake(sentence)
    if chosen != _first_best(ROBUST):
        raise Mistake(
            f"the robust accuracy on the validation images is highest in epoch {_first_best(ROBUST)}; you return "
            f"{chosen}."
        )
    # By accident a constant, too, is the right number of one history, and in a whole one a place is an epoch less one.
    if (again := ask("4.4", my_choice, [dict(row) for row in HISTORY[5:]])) != 6:
        raise Mistake(
            f"of epochs 6 to 9 alone, as of a training that was resumed, the sixth is the best; you return {again!r}. "
            "Return row['epoch']."
        )
    right("4.4", f"Epoch 4 has {max(ROBUST):.0%} robust accuracy, the last {ROBUST[-1]:.0%}: report both.")


def _first_best(values: Sequence[float]) -> int:
    """The epoch of the largest value."""
    return values.index(max(values)) + 1
