"""Exercise 11.1 accepts every right threshold and says what is wrong with each typical wrong one."""

import numpy as np
import torch

from seminar_lib.exercises import detection

from ..conftest import praises, refuses


def by_sorting(scores, fpr):
    descending = scores["validation"].sort(descending=True).values
    return float(descending[int(fpr * len(descending))])


def by_trying(scores, fpr):
    validation = scores["validation"]
    return min(float(score) for score in validation if (validation > score).sum() <= fpr * len(validation))


def by_numpy(scores, fpr):
    return float(np.quantile(scores["validation"].numpy(), 1 - fpr, method="inverted_cdf"))


def by_kthvalue(scores, fpr):
    n = len(scores["validation"])
    return scores["validation"].kthvalue(n - int(fpr * n)).values


def of(name, choose=by_sorting):
    """The same choice, made on other scores."""
    return lambda scores, fpr: choose({"validation": scores[name]}, fpr)


def place(index, descending=True):
    return lambda scores, fpr: scores["validation"].sort(descending=descending).values[index(int(fpr * 50))]


def in_place(scores, fpr):
    scores["validation"].copy_(scores["validation"].sort(descending=True).values)
    return scores["validation"][int(fpr * len(scores["validation"]))]


def together(scores, fpr):
    return by_sorting({"validation": torch.cat(list(scores.values()))}, fpr)


def not_reached(scores, fpr):
    validation = scores["validation"]
    return min(float(score) for score in validation if (validation >= score).sum() <= fpr * len(validation))


def normal(scores, fpr):
    validation = scores["validation"]
    return validation.mean() + validation.std() * {0.05: 1.644854, 0.2: 0.841621}[fpr]


def distinct(scores, fpr):
    return by_sorting({"validation": scores["validation"].unique()}, fpr)


def between(scores, fpr):
    descending = scores["validation"].sort(descending=True).values
    allowed = int(fpr * len(descending))
    return (descending[allowed] + descending[allowed - 1]) / 2


test_every_right_threshold_is_praised = praises(detection.check_threshold, by_sorting, by_trying, by_numpy, by_kthvalue)

test_a_wrong_threshold_gets_its_sentence = refuses(
    detection.check_threshold,
    (lambda scores, fpr: None, "a threshold must be a number"),
    (lambda scores, fpr: scores["validation"] > 3, "a threshold must be a number"),
    (lambda scores, fpr: scores["val"], "your function raised KeyError"),
    (in_place, "in place"),
    (not_reached, "whose score *is* the threshold"),
    (of("test"), "on the test images"),
    (of("attacked"), "on attacked images. Then it stands only"),
    (of("attacked", place(lambda k: k, descending=False)), "so that most of them are caught"),
    (together, "you put all scores together"),
    (place(lambda k: k, descending=False), "you take the wrong end"),
    (normal, "as if scores were normal"),
    (lambda scores, fpr: scores["validation"].max(), "then nothing is rejected"),
    (
        lambda scores, fpr: scores["validation"].quantile(1 - fpr),
        "rejects 3 of 50 validation images; fpr=0.05 allows 2",
    ),
    (lambda scores, fpr: scores["validation"].quantile(1 - fpr), "torch.quantile puts a value between"),
    (place(lambda k: k + 1), "rejects 3 of 50 validation images; fpr=0.05 allows 2."),
    (place(lambda k: k - 2), "then nothing is rejected"),
    (between, "it is not the smallest"),
)


def right_for_5_percent(wrong):
    return lambda scores, fpr: by_sorting(scores, fpr) if fpr == 0.05 else wrong(scores, fpr)


test_the_second_case_has_equal_scores_and_another_rate = refuses(
    detection.check_threshold,
    (right_for_5_percent(distinct), "you take each value once"),
    (lambda scores, fpr: by_sorting(scores, 0.05), "you take 5 %, whatever fpr is"),
    (right_for_5_percent(not_reached), "whose score *is* the threshold"),
    (right_for_5_percent(lambda scores, fpr: by_sorting(scores, fpr) + 1.5), "A smaller one would reject more"),
)
