"""C&W: exact on a linear model, each part against an independent one, and beside foolbox and torchattacks."""

import re
import warnings
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import nn

from seminar_lib import load, load_data
from seminar_lib.attacks import cw
from seminar_lib.attacks.cw import CW
from seminar_lib.attacks.hyperplane import shortest_way
from seminar_lib.goals import Leave, Misclassify, Recorded
from seminar_lib.losses import cross_entropy, margin
from seminar_lib.threat import L2, Linf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    foolbox = pytest.importorskip("foolbox")
    torchattacks = pytest.importorskip("torchattacks")

BALL = L2(0.5)
QUICK = CW(BALL, binary_steps=6, steps=100, lr=1e-3, initial_const=1e-2)
PLAIN = replace(QUICK, refinements=0)  # as in the paper
targeted = pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])


def slopes(oracle, y):
    first, second, _ = oracle.model[1].weight.detach().view(3, 1, *oracle.x.shape[1:])
    return torch.where(y[:, None, None, None] == 0, second - first, first - second)


@targeted
@pytest.mark.parametrize("attack", [QUICK, PLAIN], ids=repr)
def test_it_finds_the_exact_distance_of_a_linear_model(attack, targeted, oracle):
    near = attack.nearest(oracle.model, oracle.x, oracle.y, 1 - oracle.y if targeted else None)
    ratio = near.distance / oracle.distance(BALL)
    assert (ratio > 0.9999).all()
    assert (ratio < 1.02).all()


@pytest.mark.usefixtures("in_bf16")
@pytest.mark.parametrize("enough", [0.0, 1.5])
def test_a_descent_in_bf16_ends_at_the_same_distance_and_takes_few_looks_in_float32(enough, oracle):
    looks = Counter()

    def model(x):
        logits = oracle.model(x)
        looks[logits.dtype] += len(x)
        return logits

    attack = replace(QUICK, bf16=True)
    goal = Misclassify(model, oracle.y, margin)
    x_adv = attack.approach(
        attack.aim(goal, oracle.x, True), oracle.x, None, enough * oracle.distance(BALL).median().item()
    )
    assert (oracle.model(x_adv).argmax(1) != oracle.y).all()
    ratio = BALL.norm(x_adv - oracle.x) / oracle.distance(BALL)
    assert (ratio > 0.9999).all()
    assert looks[torch.float32] < looks[torch.bfloat16] / 10
    if not enough:
        assert (ratio < 1.02).all()
        assert looks[torch.float32] <= 16 * (2 + 1 + 4)  # the end, a little behind it, and the way to the boundary


def test_black_and_white_pixels_move(oracle):
    """The nearest success inside the box moves every pixel that has room, and nothing but black and white is there."""
    x = oracle.x.round()
    y = oracle.model(x).argmax(1)
    near = replace(QUICK, lr=0.01).nearest(oracle.model, x, y)
    exact = shortest_way(BALL, x, margin(oracle.model(x), y).detach(), slopes(oracle, y))
    ratio = near.distance / BALL.norm(exact)
    assert (ratio > 0.9999).all()
    assert (ratio < 1.03).all()


def test_a_descent_ends_where_distance_and_margin_balance_or_at_the_edge_of_the_box(monkeypatch, oracle):
    """For a linear margin the minimum of each value is a formula, and clipping it is the minimum in the box."""
    monkeypatch.setattr(cw, "PROGRESS", 2.0)  # to the very end
    x = oracle.x.round()
    y = oracle.model(x).argmax(1)
    slope = slopes(oracle, y)
    const = -margin(oracle.model(x), y).detach() / slope.square().flatten(1).sum(1)  # leads about a quarter of the way
    goal = Recorded(Misclassify(oracle.model, y, margin), torch.arange(16))
    CW(BALL, steps=400, lr=2e-3)._descend(goal, x, torch.arange(16), const, cw.Best(x), 0.0)
    expected = (x + const[:, None, None, None] / 2 * slope).clamp(0, 1)
    error = BALL.norm(goal.looks[-1].x - expected)
    assert (error < 0.01 * BALL.norm(expected - x)).all()


@pytest.mark.parametrize("kappa", [0.5, 2.0])
def test_a_success_leads_by_kappa_and_by_no_more_than_it_has_to(kappa, oracle):
    near = replace(QUICK, kappa=kappa).nearest(oracle.model, oracle.x, oracle.y)
    lead = margin(oracle.model(near.x_adv), oracle.y)
    assert (lead >= kappa - 1e-4).all()
    exact = (kappa - oracle.margin()) / oracle.slope(BALL)
    assert (near.distance / exact < 1.02).all()


def test_a_descent_is_that_of_torch_on_the_loss_of_the_paper(tiny, x, y):
    tiny, x = tiny.double(), x.double()
    rows, const = torch.arange(1, 8), torch.linspace(0.05, 5, 8).double()
    goal = Recorded(cw.Confident(Misclassify(tiny, y, margin), 0.1), torch.arange(8))
    CW(BALL, steps=9, lr=0.02)._descend(goal, x, rows, const, cw.Best(x), 0.0)
    w = nn.Parameter(torch.atanh((x[rows] - 0.5) / 0.6))
    adam = torch.optim.Adam([w], lr=0.02)
    for look in goal.looks:
        image = 0.5 + 0.6 * w.tanh()
        x_adv = image + (image.clamp(0, 1) - image).detach()  # the slope of the margin passes through the clipping
        torch.testing.assert_close(look.x, x_adv.detach())
        loss = (image - x[rows]).square().sum() + (const[rows] * (0.1 - margin(tiny(x_adv), y[rows])).relu()).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert len(goal.looks) == 9


def test_each_image_searches_its_own_constant(monkeypatch, oracle):
    """Ten times as much until it succeeds, then halves: by hand, for images that succeed from their own constant on."""
    threshold = 10 ** torch.linspace(-3.9, 3.9, 16)
    seen = []

    def descend(self, goal, x, rows, const, best, enough):
        seen.append(const[rows].clone())
        return const >= threshold

    monkeypatch.setattr(CW, "_descend", descend)
    CW(BALL, binary_steps=8, initial_const=0.01).approach(Misclassify(oracle.model, oracle.y, margin), oracle.x)
    for i in range(16):
        const, failed, won = 0.01, 0.0, None
        for tried in seen:
            assert tried[i].item() == pytest.approx(const, rel=1e-5)
            if const >= threshold[i]:
                won = const
            else:
                failed = const
            const = 10 * const if won is None else (failed + won) / 2


def test_an_image_alone_fares_as_in_a_batch(tiny, x, y):
    """Though all leave the batch at different times; in double precision, for Adam makes much of little slopes."""
    tiny, x = tiny.double(), x.double()
    attack = CW(BALL, binary_steps=3, steps=120, initial_const=0.1)
    goal = Recorded(Misclassify(tiny, y, margin), torch.arange(8))
    together = attack.approach(goal, x)
    assert len({len(look.rows) for look in goal.looks}) > 3
    for i in range(8):
        alone = attack.approach(Misclassify(tiny, y[i : i + 1], margin), x[i : i + 1])
        torch.testing.assert_close(alone[0], together[i], rtol=0, atol=1e-6)


def test_an_image_leaves_half_a_descent_after_its_loss_has_stopped_falling(oracle):
    """Where there is no slope there is no progress, after two windows of ten steps; the others walk on."""
    flat = torch.arange(16) < 8
    logits = lambda x: torch.where(flat[: len(x), None], oracle.model(x).detach(), oracle.model(x))  # noqa: E731
    goal = Recorded(Misclassify(logits, oracle.y, margin), torch.arange(16))
    CW(BALL, steps=100)._descend(goal, oracle.x, torch.arange(16), torch.full((16,), 1.0), cw.Best(oracle.x), 0.0)
    assert [len(look.rows) for look in goal.looks[:69]] == [16] * 69
    walk_on = set(goal.looks[69].rows.tolist())
    assert walk_on
    assert walk_on <= set(range(8, 16))


def test_each_image_steps_at_its_own_rate():
    """Where the slope is the same everywhere, a step of Adam is as long as its rate."""
    x, seen = torch.full((2, 3, 8, 8), 0.5), []
    walk = cw._Descent.begin(torch.arange(2), x, torch.ones(2))
    walk.rate = torch.tensor([1.0, 0.25])
    for step in range(1, 4):
        before = walk.w.clone()
        walk.adam(torch.ones_like(x), step, 0.01)
        seen.append((before - walk.w).flatten(1).mean(1))
    torch.testing.assert_close(torch.stack(seen), torch.tensor([[0.01, 0.0025]] * 3))


def test_what_is_near_enough_leaves_at_once(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y, margin), torch.arange(8))
    x_adv = CW(BALL, steps=50, initial_const=1.0).approach(goal, x, enough=100.0)
    assert (tiny(x_adv).argmax(1) != y).all()
    fallen = torch.zeros(8, dtype=torch.bool)
    for look in goal.looks[1:-1]:  # one look before the first descent, and one at the end
        assert not fallen[look.rows].any()
        fallen[look.rows] = look.score.success


def test_what_cannot_be_fooled_is_no_success(tiny, x, y):
    """A peer returns black images and counts those that are misclassified as successes."""
    stubborn = lambda x: tiny(x) * 1e-3 + 1e2 * nn.functional.one_hot(y, 5)  # noqa: E731
    near = CW(BALL, binary_steps=2, steps=10).nearest(stubborn, x, y)
    assert torch.equal(near.x_adv, x)
    assert near.distance.isinf().all()


@pytest.mark.parametrize("name", ["signs/pgd_at", "signs/standard"])
def test_it_is_as_near_as_foolbox_at_equal_steps(name, as_users_call_it):
    model, _ = load(name)
    x, y = sample(12)
    near = CW(BALL, binary_steps=3, steps=30, initial_const=0.1).nearest(model, x, y)
    attack = foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=3, steps=30, initial_const=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, x_adv, _ = attack(foolbox.PyTorchModel(model, bounds=(0, 1)), x, y, epsilons=None)
    distance = BALL.norm(x_adv - x).masked_fill(model(x_adv).argmax(1) == y, torch.inf)
    assert near.success.all()
    assert (near.distance / distance).median() <= 1


def test_one_constant_is_as_good_as_that_of_torchattacks(as_users_call_it):
    model, _ = load("signs/pgd_at")
    x, y = sample(16)
    near = CW(BALL, binary_steps=1, steps=50, initial_const=1.0).nearest(model, x, y)
    x_adv = torchattacks.CW(model, c=1, steps=50)(x, y)
    distance = BALL.norm(x_adv - x).masked_fill(model(x_adv).argmax(1) == y, torch.inf)
    assert near.success.sum() >= distance.isfinite().sum()
    assert (near.distance / distance)[distance.isfinite()].median() <= 1


def sample(n):
    data = load_data("signs").test.sample(n)
    return data.x.contiguous(), data.y


@pytest.mark.parametrize("goal", [lambda f, y: Misclassify(f, y, cross_entropy), lambda f, y: Leave(f, f.clean)])
def test_a_loss_that_does_not_cross_zero_is_refused(goal, tiny, x, y):
    tiny.clean = tiny(x + 0.1).detach()
    with pytest.raises(ValueError, match="loss of this goal is positive everywhere"):
        QUICK.run(goal(tiny, y), x)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: CW(Linf(8 / 255)), TypeError, "its threat model is L2; got Linf(8/255)"),
        (lambda: CW(BALL, binary_steps=0), ValueError, "at least one constant and one step; got binary_steps=0"),
        (lambda: CW(BALL, steps=0), ValueError, "got binary_steps=9, steps=0"),
        (lambda: CW(BALL, lr=0.0), ValueError, "lr > 0 and initial_const > 0; got lr=0.0"),
        (lambda: CW(BALL, initial_const=float("nan")), ValueError, "got lr=0.01, initial_const=nan"),
        (lambda: CW(BALL, kappa=-1.0), ValueError, "kappa >= 0 and refinements >= 0; got kappa=-1.0"),
        (lambda: CW(BALL, refinements=-1), ValueError, "got kappa=0.0, refinements=-1"),
    ],
)
def test_hyperparameters_are_checked(make, error, words):
    with pytest.raises(error, match=re.escape(words)):
        make()
