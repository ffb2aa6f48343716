"""FAB on a linear model, where the boundary is a formula, and beside the authors' package."""

import math
import re
from types import SimpleNamespace

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks.fab import FAB
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.losses import margin
from seminar_lib.threat import L1, L2, Linf

every = pytest.mark.parametrize("threat", [Linf(0.1), L2(0.5), L1(4.0)], ids=["Linf", "L2", "L1"])


@every
def test_the_boundary_of_a_linear_model_is_found(threat, oracle):
    found = FAB(threat, steps=20).nearest(oracle.model, oracle.x, oracle.y)
    distance = found.distance / oracle.distance(threat)
    assert found.success.all()
    assert (distance >= 0.999).all()
    # L1: the steepest value may reach the edge of the box before the boundary, and the next one is less steep.
    assert (distance <= (1.5 if isinstance(threat, L1) else 1.01)).all()


@every
def test_more_restarts_and_classes_never_lead_farther_away(threat, tiny, x, y):
    few, many = (
        FAB(threat, steps=10, targets=n, restarts=n).nearest(tiny, x, y, generator=torch.Generator().manual_seed(0))
        for n in (1, 3)
    )
    assert (many.distance <= few.distance).all()
    assert (many.distance < few.distance).any()


def test_what_is_near_enough_is_left_alone(tiny, x, y):
    """In a wide ball one or two steps are enough for each image; looking for the nearest success takes them all."""
    runs = SimpleNamespace(wide=Linf(1.0), narrow=Linf(1e-4))
    for name, threat in vars(runs).items():
        goal = Recorded(Misclassify(tiny, y, margin), torch.arange(len(x)))
        FAB(threat, steps=10, targets=1).search(goal, x)
        setattr(runs, name, goal.backwards)
    assert runs.wide <= 3 * 7  # of eight images the fixture gets one wrong
    assert runs.narrow == 10 * 7


@every
def test_a_restart_is_half_as_far_away_as_the_threat_allows_or_the_nearest_success_is(threat):
    x, nearest = torch.full((3, 3, 8, 8), 0.5), torch.tensor([0.3, 5.0, math.inf]) * threat.eps
    start = FAB(threat)._start(x, 1, nearest, torch.Generator().manual_seed(0))
    torch.testing.assert_close(threat.norm(start - x), torch.tensor([0.15, 0.5, 0.5]) * threat.eps)


@every
def test_each_restart_is_told_the_nearest_success_so_far(threat, tiny, x, y, monkeypatch):
    told, start = [], FAB._start

    def spy(self, x, restart, nearest, generator):
        told.append(nearest)
        return start(self, x, restart, nearest, generator)

    monkeypatch.setattr(FAB, "_start", spy)
    attack = FAB(threat, steps=10, targets=1, restarts=2)
    one = FAB(threat, steps=10, targets=1).nearest(tiny, x, y)
    told.clear()
    attack.nearest(tiny, x, y, generator=torch.Generator().manual_seed(0))
    stands = tiny(x).argmax(1) == y
    assert told[0].isinf().all()
    torch.testing.assert_close(told[1], one.distance[stands])


@every
def test_it_is_as_strong_as_the_authors_and_no_farther_away(threat):
    theirs = pytest.importorskip("pyautoattack.fab_pt")
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(32)
    x, y = data.x.contiguous(), data.y
    peer = theirs.FABAttack_PT(
        model, norm=type(threat).__name__, n_iter=10, eps=threat.eps, targeted=True, device="cpu"
    )
    ways = []
    for peer.target_class in (2, 3):  # the likeliest wrong class, and the next; their loop stops at the first success
        x_adv = peer.attack_single_run(x, y, use_rand_start=False, is_targeted=True)
        ways.append(threat.norm(x_adv - x).masked_fill(model(x_adv).argmax(1) == y, math.inf))
    nearest = torch.stack(ways).amin(0)
    ours = FAB(threat, steps=10, targets=2).nearest(model, x, y)
    assert ours.success.float().mean() >= nearest.isfinite().float().mean() - 1 / 32
    both = ours.success & nearest.isfinite()
    assert ours.distance[both].median() <= 1.02 * nearest[both].median()


@pytest.mark.parametrize("setting", [{"steps": 0}, {"targets": 0}, {"restarts": 0}], ids=repr)
def test_a_setting_out_of_range_is_refused(setting):
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=re.escape("FAB needs at least one step") + f".*{name}={value}"):
        FAB(Linf(), **setting)
