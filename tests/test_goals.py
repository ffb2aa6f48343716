"""Goals: what counts as success, what is climbed, and that a part of a goal is the goal of a part."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks.base import LowPrecision
from seminar_lib.goals import (
    Both,
    Contrast,
    Crowd,
    Diverge,
    Expectation,
    Goal,
    Leave,
    Misclassify,
    Reach,
    Recorded,
    StayUnder,
    Towards,
)
from seminar_lib.losses import cross_entropy, margin, rival_margin


@pytest.fixture(
    params=[
        "misclassify",
        "margin",
        "towards",
        "reach",
        "diverge",
        "leave",
        "contrast",
        "both",
        "expectation",
        "recorded",
        "stay under",
    ]
)
def goal(request, tiny, x, y) -> Goal:
    noise = torch.rand_like(x)
    goals = {
        "misclassify": Misclassify(tiny, y),
        "margin": Misclassify(tiny, y, margin),
        "towards": Towards(tiny, y, (y + 2) % 5),
        "reach": Reach(tiny, (y + 1) % 5),
        "diverge": Diverge(tiny, tiny(noise).detach()),
        "leave": Leave(tiny.embed, tiny.embed(noise).detach()),
        "contrast": Contrast(tiny.project, y, Crowd(tiny.project(noise).detach(), y), 0.1),
        "both": Both(Misclassify(tiny, y), Diverge(tiny, tiny(noise).detach()), weight=0.5),
        "expectation": Expectation(Misclassify(tiny, y), 3),
        "recorded": Recorded(Misclassify(tiny, y), torch.arange(len(x))),
        "stay under": StayUnder(lambda x: tiny(x).amax(1), float(tiny(x).detach().amax(1).median())),
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


def test_a_score_is_stayed_under_up_to_the_threshold(x):
    x[:, 0, 0, 0] = torch.arange(8) / 8
    score = StayUnder(lambda x: x[:, 0, 0, 0], 0.5)(x)
    assert score.success.tolist() == [True] * 5 + [False] * 3
    torch.testing.assert_close(score.loss, 0.5 - torch.arange(8) / 8)


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


@pytest.mark.parametrize("alone", [True, False], ids=["each by itself", "classes"])
def test_contrast_is_the_loop_over_its_definition_and_never_won(alone, tiny, x, y):
    kind = torch.arange(8) if alone else y
    crowd = Crowd(tiny.embed(x).detach(), kind)  # of any length
    noise = torch.rand_like(x)
    score = Contrast(tiny.embed, kind, crowd, temperature=0.2)(noise)
    z = tiny.embed(noise)
    for i in range(8):
        share = (F.cosine_similarity(z[i], crowd.z, dim=1) / 0.2).softmax(0)
        own = [p for p in range(8) if kind[p] == kind[i]]
        torch.testing.assert_close(score.loss[i], -sum(share[p].log() for p in own) / len(own), rtol=1e-5, atol=1e-5)
    assert not score.success.any()


def test_contrast_does_not_mind_low_precision(tiny, x, y):
    """Given the same embeddings: only the network is computed in bfloat16."""
    z = tiny.project(x).detach()
    goal = Contrast(lambda _: z, y, Crowd(z, y), temperature=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        low = goal(x).loss
    assert torch.equal(low, goal(x).loss)


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


def wrong_classes(logits, y):
    """By a loop: the wrong classes of each example, the likeliest first."""
    return [sorted(set(range(5)) - {int(label)}, key=lambda j, z=z: -z[j]) for z, label in zip(logits, y, strict=True)]


def test_gaps_are_the_margins_of_the_nearest_wrong_classes(tiny, x, y):
    logits = tiny(x)
    gaps = Misclassify(tiny, y).gaps(x, 2)
    for i, order in enumerate(wrong_classes(logits, y)):
        torch.testing.assert_close(gaps[i], logits[i, order[:2]] - logits[i, y[i]])


def test_a_goal_is_won_where_any_gap_is_positive(tiny, x, y):
    for goal in (Misclassify(tiny, y), Reach(tiny, (y + 1) % 5)):
        noise = torch.rand_like(x)
        assert torch.equal((goal.gaps(noise, 9) > 0).any(1), goal(noise).success)


def test_there_are_no_more_gaps_than_wrong_classes(tiny, x, y):
    assert Misclassify(tiny, y).gaps(x, 9).shape == (8, 4)
    assert Reach(tiny, (y + 1) % 5).gaps(x, 9).shape == (8, 1)


def test_towards_takes_one_wrong_class_after_the_other(tiny, x, y):
    logits = tiny(x)
    order = wrong_classes(logits, y)
    goals = Misclassify(tiny, y).towards(x, 3, rival_margin)
    assert len(goals) == 3
    for rank, goal in enumerate(goals):
        score = goal(x)
        for i in range(8):
            torch.testing.assert_close(score.loss[i], logits[i, order[i][rank]] - logits[i, y[i]])
        assert torch.equal(score.success, Misclassify(tiny, y)(x).success)


def test_the_wrappers_pass_the_rivals_on(tiny, x, y):
    inner = Misclassify(tiny, y)
    expected = [goal(x).loss for goal in inner.towards(x, 2, rival_margin)]
    leave = Leave(tiny.embed, tiny.embed(1 - x).detach())
    wrapped = [Recorded(inner, torch.arange(8)), Expectation(inner, 2), Both(inner, leave, weight=0.0)]
    for goal in wrapped:
        for toward, loss in zip(goal.towards(x, 2, rival_margin), expected, strict=True):
            torch.testing.assert_close(toward(x).loss, loss)


def test_a_target_is_the_only_class_to_choose(tiny, x, y):
    goal = Reach(tiny, (y + 1) % 5)
    assert goal.towards(x, 3, rival_margin) == [goal]


def test_another_loss_reaches_the_goals_inside(tiny, x, y):
    nested = Both(Expectation(Misclassify(tiny, y), 2), Diverge(tiny, tiny(x).detach()), weight=2.0)
    changed = nested.climbing(margin)
    expected = Both(Expectation(Misclassify(tiny, y, margin), 2), Diverge(tiny, tiny(x).detach()), weight=2.0)
    torch.testing.assert_close(changed(x).loss, expected(x).loss)
    torch.testing.assert_close(changed.climbing(cross_entropy)(x).loss, nested(x).loss)


def test_a_goal_is_precise_where_nothing_in_it_is_hasty(tiny, x, y):
    goal = Both(Expectation(Misclassify(tiny, y), 2), Diverge(tiny, tiny(x).detach()), weight=2.0)
    assert goal.precise is goal
    hasty = replace(goal, first=LowPrecision(goal.first, confirm=False))
    precise = hasty.precise
    assert (precise.first, precise.second, precise.weight) == (goal.first, goal.second, 2.0)
    assert torch.equal(precise(x).loss, goal(x).loss)


@pytest.mark.parametrize("ask", [lambda g, x: g.gaps(x, 2), lambda g, x: g.towards(x, 2, rival_margin)])
def test_a_goal_without_classes_says_so(ask, tiny, x):
    with pytest.raises(TypeError, match=r"Leave has no .*Take an attack that climbs its loss"):
        ask(Leave(tiny.embed, tiny.embed(x).detach()), x)


def test_a_record_has_the_gaps_of_its_goal_and_an_expectation_says_why_it_has_none(tiny, x, y):
    for goal in (Misclassify(tiny, y), Reach(tiny, (y + 1) % 5)):
        assert torch.equal(Recorded(goal, torch.arange(8)).gaps(x, 2), goal.gaps(x, 2))
    with pytest.raises(TypeError, match=r"each look .* has a boundary of its own"):
        Expectation(Misclassify(tiny, y), 2).gaps(x, 2)
