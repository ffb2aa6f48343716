"""Exercise 4.4 accepts every right choice of an epoch and says what is wrong with each typical wrong one."""

from itertools import pairwise

import numpy as np
import torch

from seminar_lib.exercises import training

from ..conftest import praises, refuses


def best(name, choose=max):
    return lambda history: choose(history, key=lambda row: row[name])["epoch"]


def place(history):
    scores = [row["robust accuracy"] for row in history]
    return scores.index(max(scores))


def by_index(history):
    return history[place(history)]["epoch"]


def in_a_loop(history):
    chosen = history[0]
    for row in history[1:]:
        if row["robust accuracy"] > chosen["robust accuracy"]:
            chosen = row
    return chosen["epoch"]


def first_fall(history):
    for row, then in pairwise(history):
        if then["robust accuracy"] <= row["robust accuracy"]:
            return row["epoch"]


def last_of_equals(history):
    return best("robust accuracy")(history[::-1])


def sorting(history):
    history.sort(key=lambda row: -row["robust accuracy"])
    return history[0]["epoch"]


test_every_right_choice_is_praised = praises(
    training.check_checkpoint,
    best("robust accuracy"),
    by_index,
    in_a_loop,
    lambda history: np.int64(by_index(history)),
    lambda history: torch.tensor(by_index(history)),
)

test_a_wrong_choice_gets_its_sentence = refuses(
    training.check_checkpoint,
    (lambda history: None, "the number of an epoch"),
    (lambda history: max(history, key=lambda row: row["robust accuracy"]), "the whole row"),
    (lambda history: max(row["robust accuracy"] for row in history), "you return the accuracy"),
    (place, "counted from 0"),
    (lambda history: place(history) + 1, "as of a training that was resumed"),
    (first_fall, "It may rise again"),
    (lambda history: max(history, key=lambda row: row["robust accuracy"] + row["robust test accuracy"])["epoch"],
     "no test any more"),
    (lambda history: history[-1]["epoch"], "the last epoch"),
    (best("adversarial", min), "by the training loss"),
    (best("robust test accuracy"), "no test any more"),
    (best("clean accuracy"), "by the clean accuracy"),
    (lambda history: max(history, key=lambda row: row["clean accuracy"] + row["robust accuracy"])["epoch"],
     "whatever the clean accuracy"),
    (last_of_equals, "the first of equals"),
    (best("robust accuracy", min), "the lowest"),
    (lambda history: 10, "is highest in epoch 4"),
    (lambda history: 4, "of epochs 6 to 9 alone"),
    (sorting, "changed the history"),
)  # fmt: skip
