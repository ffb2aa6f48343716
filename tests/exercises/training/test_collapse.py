"""Exercise 4.2 accepts every right rule for a collapse and says what is wrong with each typical wrong one."""

import numpy as np

from seminar_lib.exercises import training

from ..conftest import praises, refuses


def collapse(
    watched="robust accuracy",
    fallen=lambda row, best, before, drop: row["robust accuracy"] < best["robust accuracy"] - drop,
    cheaper=lambda row, best, before: row["adversarial"] < best["adversarial"],
    shown=lambda row: row["epoch"],
):
    """The rule with one part exchanged at a time."""

    def my_collapse(history, drop):
        best = before = history[0]
        for row in history:
            if fallen(row, best, before, drop) and cheaper(row, best, before):
                return shown(row)
            best, before = max(best, row, key=lambda one: one[watched]), row
        return None

    return my_collapse


def by_slices(history, drop):
    for n in range(1, len(history)):
        top = max(history[:n], key=lambda row: row["robust accuracy"])
        fall = top["robust accuracy"] - history[n]["robust accuracy"]
        if fall >= drop and top["adversarial"] > history[n]["adversarial"]:
            return n + 1


def below_the_best_of_all(history, drop):
    top = max(history, key=lambda row: row["robust accuracy"])
    return next(
        (row["epoch"] for row in history if row["robust accuracy"] < top["robust accuracy"] - drop
         and (row["adversarial"] < top["adversarial"])), None
    )  # fmt: skip


def tidying(history, drop):
    answer = collapse()(history, drop)
    history.clear()
    return answer


def than_before(row, best, before, drop):
    return row["robust accuracy"] < before["robust accuracy"] - drop


def clean(row, best, before, drop):
    return row["clean accuracy"] < best["clean accuracy"] - drop


def halved(row, best, before, drop):
    return row["robust accuracy"] < 0.5 * best["robust accuracy"]


def cheaper_than(first):
    return lambda row, best, before: row["adversarial"] < first["adversarial"]


def lowest(history, drop):
    """Compares the loss with the lowest so far."""
    best, least = history[0], history[0]["adversarial"]
    for row in history:
        if row["robust accuracy"] < best["robust accuracy"] - drop and row["adversarial"] < least:
            return row["epoch"]
        best, least = max(best, row, key=lambda one: one["robust accuracy"]), min(least, row["adversarial"])


def since_the_lowest_loss(history, drop):
    best = history[0]
    for row in history:
        if row["robust accuracy"] < best["robust accuracy"] - drop:
            return row["epoch"]
        best = min(best, row, key=lambda one: one["adversarial"])


test_every_right_rule_is_praised = praises(
    training.check_collapse, collapse(), by_slices, collapse(shown=lambda row: np.int64(row["epoch"]))
)

test_a_wrong_rule_gets_its_sentence = refuses(
    training.check_collapse,
    (lambda history, drop: "epoch 5", "the number of an epoch, or None"),
    (lambda history, drop: True, "the number of an epoch, or None"),
    (lambda history, drop: None, "you return None, though"),
    (collapse(fallen=clean), "you return None, though"),
    (collapse(shown=lambda row: row["epoch"] - 1), "counted from 0"),
    (lambda history, drop: min(history, key=lambda row: row["robust accuracy"])["epoch"], "the lowest robust accuracy"),
    (lambda history, drop: collapse()(history, 2 * drop), "you come too late"),
    (lambda history, drop: 2, "you return 2"),
    (below_the_best_of_all, "the best *before* it"),
    (collapse(fallen=lambda row, best, before, drop: row["robust accuracy"] < best["robust accuracy"]), "and slow"),
    (collapse(fallen=halved), "not its collapse"),
    (collapse(fallen=than_before), "not with the one before"),
    (since_the_lowest_loss, "nor with that of the lowest loss"),
    (collapse(cheaper=lambda row, best, before: True), "this training diverged"),
    (collapse(cheaper=lambda row, best, before: row["adversarial"] < before["adversarial"]), "this training diverged"),
    (lambda history, drop: collapse()(history, 0.2), "How far is too far is an argument"),
    (lambda history, drop: collapse(cheaper=cheaper_than(history[0]))(history, drop), "this training diverged"),
    (collapse(cheaper=lambda row, best, before: row["adversarial"] < 1), "not with a fixed number"),
    (lambda history, drop: lowest(history, drop), "not with the lowest"),
    (collapse(cheaper=lambda row, best, before: row["clean accuracy"] > best["clean accuracy"]), "the clean accuracy"),
    (tidying, "changed the history"),
)
