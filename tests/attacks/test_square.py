"""Square: what one proposal may change, the paper's schedule and hills, and the same strength as a peer."""

import warnings
from dataclasses import replace

import pytest
import torch

from seminar_lib.attacks import square
from seminar_lib.attacks.square import Square
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.losses import margin
from seminar_lib.threat import L1, L2, Linf, ThreatModel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torchattacks = pytest.importorskip("torchattacks")

EPS = 8 / 255
seeded = torch.Generator().manual_seed


def extent(changed):
    """Rows and columns from the first to the last change of one image (C, H, W)."""
    rows, columns = changed.any(0).any(1).nonzero(), changed.any(0).any(0).nonzero()
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


@pytest.mark.parametrize(("query", "halvings"), [(1, 0), (10, 0), (11, 1), (51, 2), (201, 3), (501, 4), (8001, 9)])
@pytest.mark.parametrize("queries", [10_000, 100_000])
def test_squares_shrink_by_the_schedule_of_the_paper(query, halvings, queries):
    side = round((0.8 / 2**halvings * 32 * 32) ** 0.5)
    assert Square(queries=queries)._side(query * queries // 10_000, 32, 32) == side


def test_squares_of_l2_have_an_odd_side_that_fits():
    sides = {Square(L2(0.5), queries=10_000)._side(query, 32, 24) for query in (1, 11, 51, 201, 501, 1001, 9999)}
    assert sides == {24, 19, 13, 9, 7, 5, 3}  # 24 in place of 25, which is wider than the image


@pytest.mark.parametrize(("p", "exponent"), [(2, 2), (1, 4)])
@pytest.mark.parametrize(("height", "width"), [(1, 3), (2, 5), (4, 7), (3, 6)])
def test_hills_are_as_the_paper_builds_them(height, width, p, exponent):
    """A stack of ever larger rectangles, each lower than the last (eq. 2)."""
    naive = torch.zeros(height, width)
    for k in range(max(height, width) // 2 + 1):
        for r in range(height):
            for s in range(width):
                if abs(r - height // 2) <= k and abs(s - width // 2) <= k:
                    naive[r, s] += 1 / (k + 1) ** exponent
    torch.testing.assert_close(square._hill(height, width, p), naive)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("side", [1, 3, 7])
def test_a_hill_and_its_valley_have_length_one(side, p):
    both = square._hill_and_valley(side, p)
    assert both.norm(p) == pytest.approx(1)
    assert (both[: side // 2] > 0).all()
    assert (both[side // 2 :] < 0).all()


@pytest.mark.parametrize("side", [1, 3, 8])
def test_linf_paints_one_square_and_always_changes_something(side, x):
    x_adv = (x + square._stripes(x, Linf(EPS), seeded(0))).clamp(0, 1)
    x_new = square._paint(x_adv, x, Linf(EPS), side, seeded(1))
    changed = x_new != x_adv
    assert changed.flatten(1).any(1).all()
    assert all(max(extent(image)) <= side for image in changed)
    at_the_edge = (x_new == (x + EPS).clamp(0, 1)) | (x_new == (x - EPS).clamp(0, 1))
    assert at_the_edge.all()


@pytest.mark.parametrize("side", [3, 5])
def test_l2_fills_one_square_from_two_and_spends_all_of_eps(side):
    x = torch.full((6, 3, 16, 16), 0.5)
    x_adv = L2(0.5).project(x + square._tiles(x, L2(0.5), seeded(0)), x)
    x_new = square._move(x_adv, x, L2(0.5), side, seeded(1))
    for step in (x_adv, x_new):
        torch.testing.assert_close((step - x).flatten(1).norm(dim=1), torch.full((6,), 0.5))
    changed = (x_new - x_adv).abs() > 1e-6
    assert (changed.any(1).flatten(1).sum(1) <= 2 * side**2).all()
    assert (changed.any(1).flatten(1).sum(1) >= side**2 - side).all()


def test_l2_spends_what_clipping_left_unused():
    x = torch.zeros(4, 3, 16, 16)  # every negative change is lost
    x_adv = L2(0.5).project(x + square._tiles(x, L2(0.5), seeded(0)), x)
    x_new = square._move(x_adv, x, L2(0.5), 5, seeded(1))
    before, after = ((step - x).flatten(1).norm(dim=1) for step in (x_adv, x_new))
    assert (before < 0.45).all()
    assert (after > before).all()
    assert (after <= 0.5 + 1e-6).all()


@pytest.mark.parametrize("size", [(3, 3), (4, 9), (17, 8)])
@pytest.mark.parametrize("threat", [Linf(EPS), L2(0.5), L1(2.0)], ids=repr)
def test_images_of_any_size_will_do(threat, size):
    x = torch.rand(3, 2, *size)
    goal = Misclassify(lambda x: x.flatten(1)[:, :5], torch.zeros(3, dtype=torch.int64), margin)
    assert threat.contains(Square(threat, queries=30).run(goal, x), x).all()


def test_each_image_has_a_square_of_its_own():
    corners = square._window(torch.zeros(50, 3, 16, 16), 3, seeded(0)).inside.flatten(1).int().argmax(1)
    assert len(corners.unique()) > 25


@pytest.mark.parametrize("threat", [Linf(EPS), L2(0.5), L1(2.0)], ids=repr)
def test_queries_are_what_the_model_is_asked_and_none_wants_a_gradient(threat, tiny, x, y):
    goal = Recorded(Misclassify(tiny, y, margin), torch.arange(len(x)))
    Square(threat, queries=20, stop_when_fooled=False).search(goal, x, seeded(0))
    assert goal.forwards == 20 * len(x)
    assert not any(look.score.loss.requires_grad for look in goal.looks)


def test_an_image_that_falls_leaves_the_search(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y, margin), torch.arange(len(x)))
    Square(Linf(EPS), queries=50).search(goal, x, seeded(0))
    fallen = torch.zeros(len(x), dtype=torch.bool)
    for look in goal.looks:
        assert not fallen[look.rows].any()
        fallen[look.rows] = look.score.success
    assert fallen.any()


def test_more_queries_never_hurt_and_the_loss_only_rises(oracle):
    """The walk itself is on record: each image judged is one square away from the best so far."""
    goal = Recorded(Misclassify(oracle.model, oracle.y, margin), torch.arange(len(oracle.x)))
    x_adv = Square(Linf(EPS), queries=300, stop_when_fooled=False).search(goal, oracle.x, seeded(0))
    losses = torch.stack([look.score.loss for look in goal.looks])
    torch.testing.assert_close(margin(oracle.model(x_adv), oracle.y), losses.max(0).values)
    raised, best = losses.max(0).values - oracle.margin(), oracle.best_margin(Linf(EPS)) - oracle.margin()
    assert (raised > 0.6 * best).all()


def test_a_model_without_gradients_falls_all_the_same(tiny, x, y):
    """Steps of 1/16 in the first layer: the gradient is zero everywhere."""
    attack = Square(Linf(16 / 255), queries=200)
    x_adv = attack(lambda x: tiny((16 * x).round() / 16), x, y, generator=seeded(0))
    assert (tiny((16 * x_adv).round() / 16).argmax(1) != y).float().mean() > 0.8


def test_acceptance_is_never_in_bfloat16(tiny, x, y):
    attack = Square(queries=5, bf16=True)
    assert attack == Square(queries=5)
    low = []
    tiny.register_forward_pre_hook(lambda *_: low.append(torch.is_autocast_enabled("cpu")))
    replace(attack, bf16=True).run(Misclassify(tiny, y), x)
    assert not any(low)


@pytest.mark.parametrize(("threat", "peer"), [(Linf(4 / 255), "Linf"), (L2(0.15), "L2")])
def test_it_is_as_strong_as_torchattacks(threat, peer, tiny):
    x = torch.rand(96, 3, 8, 8)
    y = tiny(x).argmax(1)

    def robust(x_adv):
        return (tiny(x_adv).argmax(1) == y).float().mean().item()

    ours = robust(Square(threat, queries=100)(tiny, x, y, generator=seeded(0)))
    theirs = robust(torchattacks.Square(tiny, norm=peer, eps=threat.eps, n_queries=100)(x, y))
    assert 0.05 < ours < 0.95
    assert ours <= theirs + 0.05


def test_in_l1_it_is_as_strong_as_the_authors(tiny):
    theirs = pytest.importorskip("pyautoattack.square")
    x = torch.rand(96, 3, 8, 8)
    y = tiny(x).argmax(1)
    peer = theirs.SquareAttack(tiny, norm="L1", eps=1.5, n_queries=100, seed=0, device="cpu", resc_schedule=True)
    images = Square(L1(1.5), queries=100)(tiny, x, y, generator=seeded(0)), peer.perturb(x, y)
    ours, peers = ((tiny(x_adv).argmax(1) == y).float().mean().item() for x_adv in images)
    assert 0.05 < ours < 0.95
    assert ours <= peers + 0.05


class Elsewhere(ThreatModel):
    norm = steepest = shrink = noise = None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"queries": 0}, "at least one query; got queries=0"),
        ({"p_init": 0.0}, r"in \(0, 1\]; got 0.0"),
        ({"p_init": 1.5}, r"in \(0, 1\]; got 1.5"),
    ],
)
def test_hyperparameters_are_checked(wrong, message):
    with pytest.raises(ValueError, match=message):
        Square(**wrong)


def test_another_threat_model_is_refused():
    with pytest.raises(TypeError, match="for Linf, L2 and L1"):
        Square(Elsewhere(0.5))
