"""Exact ties of the two largest logits: not won yet, and any step the right way wins."""

import pytest
import torch

from seminar_lib.attacks import CW, FAB, FMN, PGD, DeepFool, Square, hyperplane
from seminar_lib.threat import L1, L2, Linf

SEARCHES = [
    *(DeepFool(threat) for threat in (Linf(8 / 255), L2(0.5))),
    *(FAB(threat, steps=20) for threat in (Linf(8 / 255), L2(0.5), L1(1.0))),
    *(FMN(threat) for threat in (Linf(8 / 255), L2(0.5), L1(1.0))),
    CW(L2(0.5), binary_steps=3, steps=50, initial_const=1.0),
]
every = pytest.mark.parametrize("attack", SEARCHES, ids=repr)


def tied(x):
    """Logits (x_1, x_0, -5) of the first two values of an image: at grey the first two classes tie."""
    values = x.flatten(1)
    return torch.stack([values[:, 1], values[:, 0], torch.full_like(values[:, 0], -5.0)], 1)


@every
def test_a_tie_is_broken_by_a_short_step(attack):
    x, y = torch.full((1, 3, 2, 2), 0.5), torch.tensor([0])
    assert tied(x).tolist() == [[0.5, 0.5, -5.0]]
    near = attack.nearest(tied, x, y)
    assert near.success.all()
    assert 0 < near.distance.item() <= 2 * hyperplane.TIE  # the exact distance is 0 and is not attained
    assert tied(near.x_adv).argmax(1).item() == 1


@pytest.mark.parametrize("attack", [*SEARCHES, PGD(Linf(8 / 255)), Square(Linf(8 / 255), queries=50)], ids=repr)
def test_whoever_attacks_a_tie_wins(attack):
    x, y = torch.full((2, 3, 2, 2), 0.5), torch.tensor([0, 0])
    x[1, 0, 0, 0] = 0.45  # an ordinary image beside it
    x_adv = attack(tied, x, y, generator=torch.Generator().manual_seed(0))
    assert tied(x_adv)[0].argmax().item() == 1


@every
def test_where_nothing_ties_the_step_for_ties_plays_no_part(attack, tiny, x, y, monkeypatch):
    expected = attack.nearest(tiny, x, y)
    monkeypatch.setattr(hyperplane, "TIE", 0.5)
    found = attack.nearest(tiny, x, y)
    assert torch.equal(found.x_adv, expected.x_adv)
    assert torch.equal(found.distance, expected.distance)
