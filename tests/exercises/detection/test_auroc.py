"""Exercise 11.2 accepts every right area and says what is wrong with each typical wrong one."""

import torch
from sklearn.metrics import roc_auc_score

from seminar_lib.exercises import detection

from ..conftest import praises, refuses


def pairs(clean, attacked, tie=0.5):
    difference = attacked[:, None] - clean
    return ((difference > 0).float() + tie * (difference == 0).float()).mean()


def by_loops(clean, attacked):
    points = sum((a > c) + (a == c) / 2 for a in attacked.tolist() for c in clean.tolist())
    return points / (len(clean) * len(attacked))


def by_the_curve(clean, attacked):
    labels = [0] * len(clean) + [1] * len(attacked)
    return float(roc_auc_score(labels, torch.cat([clean, attacked]).numpy()))


def in_place(clean, attacked):
    area = pairs(clean, attacked)
    clean.zero_()
    return area


def matched(clean, attacked):
    return ((attacked > clean).float() + 0.5 * (attacked == clean).float()).mean()


test_every_right_area_is_praised = praises(detection.check_auroc, pairs, by_loops, by_the_curve)

test_a_wrong_area_gets_its_sentence = refuses(
    detection.check_auroc,
    (lambda clean, attacked: None, "an AUROC must be a number"),
    (lambda clean, attacked: attacked[:, None] > clean, "an AUROC must be a number"),
    (in_place, "in place"),
    (lambda clean, attacked: pairs(attacked, clean), "your order is turned"),
    (lambda clean, attacked: pairs(clean, attacked, tie=0), "you give nothing for equal scores"),
    (lambda clean, attacked: pairs(clean, attacked, tie=1), "you count equal scores in full"),
    (matched, "with one clean image only"),
    (lambda clean, attacked: pairs(clean, attacked) * len(clean) * len(attacked), "you count pairs"),
    (lambda clean, attacked: 100 * pairs(clean, attacked), "not percent"),
    (lambda clean, attacked: (attacked > clean.mean()).float().mean(), "the mean of the clean scores"),
    (lambda clean, attacked: (attacked > clean.max()).float().mean(), "one point of the curve"),
    (lambda clean, attacked: 0.9, "you return 0.900"),
    (lambda clean, attacked: max(pairs(clean, attacked), 1 - pairs(clean, attacked)), "It is a finding"),
)
