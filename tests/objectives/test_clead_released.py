"""C-LEAD as in its scripts: the loop over the three views, the surrogate that stands still, the tossed coin."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD
from seminar_lib.data.augment import Augment
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.objectives import AWP, Batch, CLEADEncoder, CLEADHead
from seminar_lib.threat import Linf

ATTACK = PGD(Linf(4 / 255), steps=2, stop_when_fooled=False)


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def surrogate(tiny):
    """Another network than ``tiny``."""
    other = deepcopy(tiny)
    for parameter in other.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return other


def naive(first, second, temperature):
    """Anchors are the first views alone; all other embeddings of the pair are among the others."""
    z, count = torch.cat([first, second]), len(first)
    losses = []
    for i in range(count):
        everyone = sum((z[i] @ z[a] / temperature).exp() for a in range(len(z)) if a != i)
        losses.append(-((z[i] @ z[count + i] / temperature).exp() / everyone).log())
    return sum(losses) / count


def test_the_encoder_is_trained_by_the_loop_over_its_definition(tiny, surrogate, x, y):
    objective = CLEADEncoder(ATTACK, temperature=0.2, augment=Augment(crop=1), surrogate=surrogate)
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    terms = objective.terms(tiny, batch)
    z0, z1, z2 = (tiny.project(view) for view in (x, batch.view, batch.x_adv))
    expected = (naive(z0, z1, 0.2) + naive(z0, z2, 0.2)) / 2
    loss = terms["augmented"] + terms["adversarial"]
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    parts = [*tiny.backbone.parameters(), *tiny.projector.parameters()]
    for ours, theirs in zip(*(torch.autograd.grad(one, parts) for one in (loss, expected)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(terms["probe"], F.cross_entropy(tiny(x), y))


def test_the_encoder_never_hears_of_labels(tiny, surrogate, x, y):
    """The probe teaches the classifier alone, the contrastive terms the rest."""
    terms = CLEADEncoder(ATTACK, surrogate=surrogate)(tiny.train(), Batch(x, y))
    terms["probe"].backward(retain_graph=True)
    assert all(p.grad is None for part in (tiny.backbone, tiny.projector) for p in part.parameters())
    assert all(p.grad.any() for p in tiny.head.parameters())
    tiny.zero_grad()
    (terms["augmented"] + terms["adversarial"]).backward()
    assert all(p.grad is None for p in tiny.head.parameters())
    assert all(p.grad.any() for part in (tiny.backbone, tiny.projector) for p in part.parameters())


def test_three_views_move_the_statistics(tiny, surrogate, x, y):
    tiny.train()
    twin = deepcopy(tiny)
    objective = CLEADEncoder(ATTACK, surrogate=surrogate)
    batch = objective.prepare(tiny, Batch(x, y))
    objective.terms(tiny, batch)
    for view in (x, batch.view, batch.x_adv):
        twin.embed(view)
    assert all(map(torch.equal, tiny.buffers(), twin.buffers()))


@pytest.mark.parametrize("objective", [CLEADEncoder(ATTACK), CLEADHead(ATTACK, share=1.0)], ids=["encoder", "head"])
def test_the_attack_is_on_the_surrogate_which_stays_as_it_was(objective, tiny, surrogate, x, y):
    surrogate.train()  # as its owner may have left it
    before = deepcopy(surrogate.state_dict())
    generator = seeded()
    if isinstance(objective, CLEADHead):
        torch.rand((), generator=generator)  # the coin
    with frozen(surrogate):
        x_adv = ATTACK.search(Misclassify(surrogate, y), x, generator)
    objective = replace(objective, surrogate=surrogate)
    found = objective.prepare(tiny.train(), Batch(x, y, generator=seeded())).x_adv
    assert torch.equal(found, x_adv)
    assert all(module.training for module in surrogate.modules())
    assert all(p.requires_grad and p.grad is None for p in surrogate.parameters())
    assert all(torch.equal(value, before[name]) for name, value in surrogate.state_dict().items())


def test_the_surrogate_is_a_copy_of_the_first_stages_network(tiny, surrogate, x, y):
    objective = CLEADHead(ATTACK, share=1.0).begin((surrogate, tiny))
    assert objective == CLEADHead(ATTACK, share=1.0)
    assert repr(objective) == repr(CLEADHead(ATTACK, share=1.0))
    expected = objective.prepare(tiny, Batch(x, y, generator=seeded())).x_adv
    surrogate.head.weight.data.zero_()
    tiny.head.weight.data.zero_()
    assert torch.equal(objective.prepare(tiny, Batch(x, y, generator=seeded())).x_adv, expected)


def test_a_surrogate_that_was_given_is_kept(tiny, surrogate):
    kept = CLEADHead(surrogate=surrogate).begin((tiny,)).surrogate
    assert all(map(torch.equal, kept.state_dict().values(), surrogate.state_dict().values()))
    wrapped = AWP(CLEADHead()).begin((surrogate, tiny)).objective.surrogate
    assert all(map(torch.equal, wrapped.state_dict().values(), surrogate.state_dict().values()))


@pytest.mark.parametrize("objective", [CLEADEncoder(), CLEADHead(share=1.0)], ids=["encoder", "head"])
def test_without_a_surrogate_there_is_nothing_to_attack(objective, tiny, x, y):
    words = "attacks a network that stands still, and there is none: give its recipe a stage before"
    with pytest.raises(ValueError, match=words):
        objective.begin(())
    with pytest.raises(ValueError, match=words):
        objective.prepare(tiny, Batch(x, y))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_batches_is_adversarial_as_a_whole(share, tiny, surrogate, x, y):
    objective = CLEADHead(ATTACK, share=share, surrogate=surrogate)
    changed = []
    for seed in range(60):
        batch = objective.prepare(tiny, Batch(x, y, generator=seeded(seed)))
        different = (batch.x_adv != x).flatten(1).any(1)
        assert different.all() or not different.any()
        changed.append(bool(different.all()))
        if seed == 0:
            torch.testing.assert_close(objective.terms(tiny, batch)["mixed"], F.cross_entropy(tiny(batch.x_adv), y))
    assert abs(sum(changed) / 60 - share) < 0.2
    assert share == 0.5 or len(set(changed)) == 1
