"""Exercise 10.3 accepts every right judgement and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.attacks import PGD
from seminar_lib.evaluation import Accuracy
from seminar_lib.evaluation.purified_report import PurifiedReport
from seminar_lib.exercises import purification
from seminar_lib.exercises.purification.draws import TABLE

from ..conftest import praises, refuses


def share(flags):
    return float(flags.float().mean())


def first(table):
    return share(table[:, 0])


def most(table):
    return share(table.float().mean(1) > 0.5)


def every(table):
    return share(table.all(1))


def judge(one=first, majority=most, worst=every):
    """The right one, with one part exchanged at a time."""
    return lambda table: (one(table), majority(table), worst(table))


def best(table):
    return share(table.any(1))


def mean(table):
    return share(table)


def by_loops(table):
    rows = [[bool(right) for right in row] for row in table]
    one = sum(row[0] for row in rows)
    majority = sum(2 * sum(row) > len(row) for row in rows)
    return [one / len(rows), majority / len(rows), sum(map(all, rows)) / len(rows)]


def in_place(table):
    answer = judge()(table)
    table.zero_()
    return answer


test_every_right_judgement_is_praised = praises(
    purification.check_draws, judge(), by_loops, lambda table: torch.tensor(judge()(table))
)

test_a_wrong_judgement_gets_its_sentence = refuses(
    purification.check_draws,
    (lambda table: None, "return three shares"),
    (lambda table: judge()(table)[:2], "return three shares"),
    (lambda table: (table[:, 0], table.float().mean(1) > 0.5, table.all(1)), "a value for each image"),
    (judge(worst=lambda table: "30 %"), "the share by worst must be a number"),
    (in_place, "in place"),
    (lambda table: [100 * part for part in judge()(table)], "not percent"),
    (lambda table: [len(table) * part for part in judge()(table)], "you count images"),
    (lambda table: judge()(table)[::-1], "your order is turned"),
    (lambda table: judge()(table.T), "the wrong axis"),
    (judge(one=mean), "one draw: you average over all draws"),
    (judge(one=lambda table: share(table[:, -1])), "one draw: you take the last draw"),
    (judge(one=best), "one draw: right in *any*"),
    (judge(majority=lambda table: share(table.float().mean(1) >= 0.5)), "majority: you count a tie"),
    (judge(majority=mean), "majority: you average"),
    (judge(majority=best), "majority: right in *any*"),
    (judge(worst=best), "worst: right in *any* draw is the *best*"),
    (judge(worst=lambda table: share(~table.any(1))), "worst: you count the images of which no draw"),
    (judge(worst=lambda table: 1 - every(table)), "worst: you count the images that fall"),
    (judge(worst=lambda table: float(table.float().mean(0).min())), "worst: you take the worst *column*"),
    (judge(worst=lambda table: 0.25), "worst: of 10 images with 4 draws it is 0.30; you return 0.25"),
)


def test_the_library_judges_the_table_as_the_exercise_does():
    """With two labels, where the most frequent answer is the one of more than half of the draws."""
    answers = torch.tensor(TABLE)
    report = PurifiedReport({"clean": answers}, torch.ones(10).long(), "", PGD(), True, 1, 0, 0.0, "")
    expected = [Accuracy.of(right).accuracy for right in report.outcomes("clean").values()]
    torch.testing.assert_close(torch.tensor(judge()(answers.bool())), torch.tensor(expected))
