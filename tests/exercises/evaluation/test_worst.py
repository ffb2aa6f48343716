"""Exercise 3.1 accepts every right worst case and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.exercises import evaluation

from ..conftest import praises, refuses


def combine(correct):
    broken = ~correct
    return correct.all(0).float().mean(), (broken & (broken.sum(0) == 1)).sum(1)


def combine_in_a_loop(correct):
    stands, alone = 0, [0] * len(correct)
    for image in correct.T.tolist():
        stands += all(image)
        if image.count(False) == 1:
            alone[image.index(False)] += 1
    return stands / correct.shape[1], alone


def share(function):
    """A wrong share with right counts."""
    return lambda correct: (function(correct), combine(correct)[1])


def counts(function):
    return lambda correct: (combine(correct)[0], function(correct))


def in_place(correct):
    answer = combine(correct)
    correct[:] = True
    return answer


test_every_right_worst_case_is_praised = praises(evaluation.check_worst_case, combine, combine_in_a_loop)

test_a_wrong_worst_case_gets_its_sentence = refuses(
    evaluation.check_worst_case,
    (lambda correct: None, "return two things"),
    (lambda correct: combine(correct)[0], "return two things"),
    (share(lambda correct: correct.all(0).mean()), "raised NotImplementedError"),
    (share(lambda correct: "0.444"), "the share must be a number"),
    (share(lambda correct: correct.float().mean(1).min()), "the strongest attack"),
    (share(lambda correct: correct.float().mean(1).max()), "the weakest attack"),
    (share(lambda correct: correct.float().mean()), "average over the attacks"),
    (share(lambda correct: correct.any(0).float().mean()), "stand against all"),
    (share(lambda correct: correct.float().mean(1).prod()), "independently"),
    (share(lambda correct: correct.all(0).sum()), "a number of images"),
    (share(lambda correct: 1 - correct.all(0).float().mean()), "the share of images that fall"),
    (share(lambda correct: correct.all(1).float().mean()), "along the rows"),
    (share(lambda correct: 100 * correct.all(0).float().mean()), "not percent"),
    (share(lambda correct: 0.5), "0.444"),
    (lambda correct: combine(correct)[::-1], "the share must be a number"),
    (counts(lambda correct: combine(correct)[1] / 9), "do not divide"),
    (counts(lambda correct: [int((~row & correct[:i].all(0)).sum()) for i, row in enumerate(correct)]), "the order"),
    (counts(lambda correct: ((~correct).sum(0) == 1).sum().expand(len(correct))), "for each attack"),
    (counts(lambda correct: 4), "one number for each attack"),
    (counts(lambda correct: correct.sum(0)), "one number for each attack"),
    (counts(lambda correct: (~correct).sum(1)), "no other attack broke"),
    (counts(lambda correct: correct.sum(1)), "images that stand"),
    (counts(lambda correct: torch.zeros(3)), "exactly one attack"),
    (in_place, "in place"),
)
