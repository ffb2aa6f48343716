"""AutoAttack: the authors' members and settings, their flags, and no weaker than their package."""

import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

from seminar_lib import load, load_data
from seminar_lib.attacks import APGD, FAB, APGDTargeted, Square, autoattack
from seminar_lib.attacks.autoattack import VERSIONS, AutoAttack, MaskingWarning
from seminar_lib.losses import cross_entropy, dlr
from seminar_lib.threat import L1, L2, Linf

LINF = Linf(8 / 255)


def test_the_standard_version_has_the_members_and_settings_of_its_authors():
    for threat in (LINF, L2(0.5)):
        assert autoattack(threat).members == (
            APGD(threat, steps=100, restarts=1, loss=cross_entropy),
            APGDTargeted(threat, steps=100, targets=9),
            FAB(threat, steps=100, targets=9),
            Square(threat, queries=5000),
        )
    sparse = autoattack(L1(12.0)).members
    assert sparse[:2] == (APGD(L1(12.0), steps=100, restarts=5), APGDTargeted(L1(12.0), steps=100, targets=5))


def test_plus_adds_restarts_and_dlr_and_rand_averages_over_twenty_looks():
    plus, rand = autoattack(LINF, "plus"), autoattack(LINF, "rand")
    assert plus.members[:2] == tuple(APGD(LINF, steps=100, restarts=5, loss=loss) for loss in (cross_entropy, dlr))
    assert {type(member) for member in plus.members} == {APGD, APGDTargeted, FAB, Square}
    assert rand.members == tuple(APGD(LINF, steps=100, loss=loss) for loss in (cross_entropy, dlr))
    assert (plus.samples, rand.samples) == (1, 20)


def test_it_prints_as_the_code_that_makes_it_and_moves_to_another_ball():
    attack = AutoAttack(LINF, "plus", bf16=True)
    assert eval(repr(attack)) == attack
    assert attack.within(L2(0.5)) == AutoAttack(L2(0.5), "plus", bf16=True)
    assert {member.threat for member in attack.within(L2(0.5)).members} == {L2(0.5)}


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match="standard, plus, rand; got 'fast'"):
        autoattack(LINF, "fast")


@pytest.fixture
def short(monkeypatch):
    """Makes the standard version so short that a test can run it; its members keep their order and kind."""

    def shorten(steps: int, queries: int, targets: int = 9) -> AutoAttack:
        changes = {
            APGD: {"steps": steps},
            APGDTargeted: {"steps": steps, "targets": targets},
            FAB: {"steps": steps, "targets": targets},
            Square: {"queries": queries},
        }
        members = tuple(replace(member, **changes[type(member)]) for member in autoattack(LINF).members)
        monkeypatch.setitem(VERSIONS, "standard", lambda threat, bf16: members)
        return autoattack(LINF)

    return shorten


class Shaky(nn.Module):
    """A model that answers at random."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x + 0.1 * torch.rand_like(x))


class Optimising(Shaky):
    """A model that switches gradients on inside its forward pass."""

    def forward(self, x):
        with torch.enable_grad():
            y = x.detach().requires_grad_()
            (grad,) = torch.autograd.grad(self.model(y).square().sum(), y)
        return self.model(x - 1e-3 * grad.sign())


class Saturated(Shaky):
    """A model so certain that the gradient of its cross-entropy rounds to zero."""

    def forward(self, x):
        return 1e4 * self.model(x)


class Stairs(Shaky):
    """A model with steps of 1/64 in its first layer, whose gradient is replaced by a misleading one."""

    def forward(self, x):
        stairs = (64 * x).round() / 64
        return self.model(stairs.detach() + 1e-3 * (x - x.detach()).flip(3))


@pytest.mark.parametrize(
    ("model", "words"),
    [(Shaky, "version='rand'"), (Optimising, "optimises while it answers"), (Saturated, "exactly zero")],
)
def test_a_model_that_hides_its_gradients_is_flagged(model, words, short, tiny, x, y):
    with pytest.warns(MaskingWarning) as caught:
        short(5, 5)(model(tiny), x, y)
    assert any(words in str(warning.message) for warning in caught)


def test_square_in_the_lead_is_a_flag(short):
    model, _ = load("signs/standard")
    data = load_data("signs").test.sample(24)
    with pytest.warns(MaskingWarning, match="Square, which sees no gradients, fooled"):
        short(5, 300)(Stairs(model).eval(), data.x, data.y)


def test_an_honest_model_raises_no_flag(short, tiny, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        short(5, 5)(tiny, x, y)


def test_it_is_as_strong_as_the_authors_with_the_same_members(short):
    """Their own package at a tenth of the steps and queries, member by member on the survivors of those before it."""
    theirs = pytest.importorskip("pyautoattack")
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(64)
    peer = theirs.AutoAttack(model, norm="Linf", eps=LINF.eps, version="standard", device="cpu", seed=0)
    for attack in (peer.apgd, peer.apgd_targeted, peer.fab):
        attack.n_iter, attack.n_target_classes = 10, 3
    peer.square.n_queries = 100
    theirs_adv, _ = peer.run_standard_evaluation(data.x.contiguous(), data.y, batch_size=64)
    ours_adv = short(10, 100, 3)(model, data.x, data.y, generator=torch.Generator().manual_seed(0))
    ours, peers = ((model(images).argmax(1) == data.y).float().mean().item() for images in (ours_adv, theirs_adv))
    assert ours <= peers + 1 / 64  # one image: the random starts differ
