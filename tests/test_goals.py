"""Goals: what counts as success, what is climbed, and that a part of a goal is the goal of a part."""

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.goals import Both, Diverge, Expectation, Goal, Leave, Misclassify, Reach, Recorded
from seminar_lib.losses import margin


@pytest.fixture(params=["misclassify", "margin", "reach", "diverge", "leave", "both", "expectation", "recorded"])
def goal(request, tiny, x, y) -> Goal:
    noise = torch.rand_like(x)
    goals = {
        "misclassify": Misclassify(tiny, y),
        "margin": Misclassify(tiny, y, margin),
        "reach": Reach(tiny, (y + 1) % 5),
        "diverge": Diverge(tiny, tiny(noise).detach()),
        "leave": Leave(tiny.embed, tiny.embed(noise).detach()),
        "both": Both(Misclassify(tiny, y), Diverge(tiny, tiny(noise).detach()), weight=0.5),
        "expectation": Expectation(Misclassify(tiny, y), 3),
        "recorded": Recorded(Misclassify(tiny, y), torch.arange(len(x))),
    }
    return goals[request.param]


@pytest.mark.parametrize("rows", [[5, 1, 1], [True, False] * 4], ids=["indices", "mask"])
def test_some_rows_of_a_goal_score_as_they_do_in_the_whole(goal, rows, x):
    rows = torch.tensor(rows)
    whole, part = goal(x), goal[rows](x[rows])
    torch.testing.assert_close(part.loss, whole.loss[rows])
    assert torch.equal(part.success, whole.success[rows])


def test_a_part_of_a_part_keeps_its_labels(tiny, y):
    part = Misclassify(tiny, y)[torch.tensor([6, 2, 4])][torch.tensor([2, 0])]
    assert torch.equal(part.y, y[[4, 6]])


def test_a_goal_knows_its_models(tiny, x, y):
    inner = Both(Misclassify(tiny, y), Leave(tiny.embed, tiny.embed(x).detach()))
    models = Recorded(Expectation(inner, 2), torch.arange(len(x))).models
    assert tiny in models
    assert tiny.embed in models


def test_misclassify_wins_where_the_label_is_not_the_prediction(tiny, x, y):
    score = Misclassify(tiny, y)(x)
    assert score.success.tolist() == [True] + [False] * 7  # the fixture gets the first image wrong
    torch.testing.assert_close(score.loss, -tiny(x).softmax(1)[torch.arange(8), y].log())


def test_reach_wins_where_the_target_is_the_prediction(tiny, x):
    target = tiny(x).argmax(1)
    target[3] = (target[3] + 1) % 5
    score = Reach(tiny, target)(x)
    assert score.success.tolist() == [True, True, True, False, True, True, True, True]
    torch.testing.assert_close(score.loss, tiny(x).softmax(1)[torch.arange(8), target].log())


def test_diverge_is_the_sum_over_classes(tiny, x):
    noise = torch.rand_like(x)
    p, p_adv = tiny(x).softmax(1).detach(), tiny(noise).softmax(1)
    score = Diverge(tiny, tiny(x).detach())(noise)
    expected = [sum(p[i, k] * (p[i, k] / p_adv[i, k]).log() for k in range(5)) for i in range(8)]
    torch.testing.assert_close(score.loss, torch.stack(expected))
    assert torch.equal(score.success, p.argmax(1) != p_adv.argmax(1))


def test_diverge_is_zero_on_the_clean_image_and_positive_elsewhere(tiny, x):
    goal = Diverge(tiny, tiny(x).detach())
    torch.testing.assert_close(goal(x).loss, torch.zeros(8))
    assert (goal(torch.rand_like(x)).loss > 0).all()


def test_leave_is_one_minus_the_cosine_and_never_won(tiny, x):
    clean = tiny.embed(x).detach()
    a, b = clean, tiny.embed(1 - x)
    score = Leave(tiny.embed, clean)(1 - x)
    torch.testing.assert_close(score.loss, 1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)))
    assert not score.success.any()


def test_both_with_weight_zero_climbs_as_the_first_goal(tiny, x, y):
    first = Misclassify(tiny, y)
    torch.testing.assert_close(Both(first, Leave(tiny.embed, tiny.embed(1 - x).detach()), 0.0)(x).loss, first(x).loss)


def test_both_is_won_where_both_goals_are_and_adds_the_losses(tiny, x, y):
    wrong = Misclassify(tiny, y)
    target = tiny(x).argmax(1)
    target[4:] = (target[4:] + 1) % 5
    reached = Reach(tiny, target)
    score = Both(wrong, reached, weight=3.0)(x)
    assert score.success.tolist() == [True] + [False] * 7
    torch.testing.assert_close(score.loss, wrong(x).loss + 3 * reached(x).loss)


@pytest.mark.parametrize("mirrored", [(False, True, False), (True, True, False), (False, True)])
def test_expectation_averages_the_looks_and_wins_by_majority(mirrored, tiny, x, y):
    todo = iter(mirrored)
    goal = Misclassify(lambda images: tiny(images.flip(3)) if next(todo) else tiny(images), y)
    score = Expectation(goal, len(mirrored))(x)
    looks = [tiny(x.flip(3) if flip else x) for flip in mirrored]
    losses = [F.cross_entropy(logits, y, reduction="none") for logits in looks]
    torch.testing.assert_close(score.loss, sum(losses) / len(losses))
    wins = sum((logits.argmax(1) != y).int() for logits in looks)
    assert torch.equal(score.success, wins > len(mirrored) / 2)


def test_recorded_numbers_its_looks(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    goal[torch.tensor([7, 2])](x[[7, 2]])
    goal[torch.tensor([5, 6, 7])][torch.tensor([True, False, True])](x[[5, 7]])
    assert [look.rows.tolist() for look in goal.looks] == [[7, 2], [5, 7]]
    assert torch.equal(goal.looks[0].x, x[[7, 2]])
    assert goal.forwards == 4
    assert goal.backwards == 0
    assert goal.looks[0].grad_norm is None


def test_two_recordings_share_nothing(tiny, x, y):
    first, second = (Recorded(Misclassify(tiny, y), torch.arange(8)) for _ in range(2))
    first(x)
    assert (first.forwards, second.forwards) == (8, 0)
