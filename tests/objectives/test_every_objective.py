"""What every objective promises, whoever wrote it. A new objective is one more line in ``OBJECTIVES``."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from seminar_lib.attacks import PGD
from seminar_lib.data.augment import Augment
from seminar_lib.data.simclr import SimCLRAugment
from seminar_lib.objectives import (
    ANCHOR,
    AWP,
    CLEAD,
    MART,
    TRADES,
    AdversarialTraining,
    Batch,
    CLEADEncoder,
    CLEADHead,
    Consistency,
    CrossEntropy,
    LISArD,
    NoiseTraining,
    SmoothAdv,
)
from seminar_lib.recipes import FAST
from seminar_lib.threat import L2, Linf

ATTACK = PGD(Linf(4 / 255), steps=2, stop_when_fooled=False)
AGAINST_ATTACKS = [
    AdversarialTraining(ATTACK),
    AdversarialTraining(FAST),
    AdversarialTraining(ATTACK, smoothing=0.1),
    TRADES(ATTACK),
    TRADES(PGD(L2(0.3), steps=2, stop_when_fooled=False), beta=1.0),
    MART(ATTACK),
    ANCHOR(ATTACK),
    ANCHOR(ATTACK, beta=5.0, augment=Augment(crop=2)),
    CLEAD(ATTACK),
    CLEAD(ATTACK, labels=True, attack_contrast=True),
    CLEADEncoder(ATTACK, augment=SimCLRAugment()),
    CLEADHead(ATTACK, share=1.0),
    SmoothAdv(samples=3),
    SmoothAdv(ATTACK, sigma=0.12),
]
OBJECTIVES = [
    CrossEntropy(),
    CrossEntropy(smoothing=0.1),
    *AGAINST_ATTACKS,
    AWP(CrossEntropy()),
    AWP(AdversarialTraining(ATTACK)),
    AWP(TRADES(ATTACK)),
    AWP(MART(ATTACK), gamma=0.1),
    AWP(ANCHOR(ATTACK)),
    LISArD(),
    LISArD(weight=0.0),
    NoiseTraining(),
    NoiseTraining(0.12, samples=3),
    Consistency(samples=3),
    AWP(Consistency(0.12)),
]
# Of most, one pass over a batch counts in BatchNorm's statistics, and most do not look at the projection head.
COUNTS = {LISArD: 2, CLEADEncoder: 3}
CONTRASTIVE = (ANCHOR, CLEAD, CLEADEncoder)
every = pytest.mark.parametrize("objective", OBJECTIVES, ids=repr, indirect=True)
against_attacks = pytest.mark.parametrize("objective", AGAINST_ATTACKS, ids=repr, indirect=True)


@pytest.fixture
def objective(request, tiny):
    """As at the beginning of a training in a later stage."""
    return request.param.begin((deepcopy(tiny).eval(),))


@pytest.fixture
def model(tiny):
    return tiny.train()


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def total(terms) -> torch.Tensor:
    return torch.stack(list(terms.values())).sum()


def step(objective, model, batch):
    """The terms, and the gradient of their sum for each parameter, None where there is none."""
    model = deepcopy(model)
    terms = objective(model, batch)
    total(terms).backward()
    return terms, [p.grad for p in model.parameters()]


@every
def test_terms_are_finite_scalars_that_print_as_what_they_are_of(objective, model, x, y):
    terms = objective(model, Batch(x, y, generator=seeded(0)))
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    assert eval(repr(objective)) == objective
    assert hash(objective) == hash(eval(repr(objective)))


@every
def test_a_step_leaves_the_model_as_it_was_but_for_its_statistics(objective, model, x, y):
    before = deepcopy(model.state_dict())
    objective(model, Batch(x, y))
    assert all(module.training for module in model.modules())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    names = ("running_mean", "running_var", "num_batches_tracked")
    assert changed == {f"backbone.{norm}.{name}" for norm in (1, 4) for name in names}
    for norm in (1, 4):
        counted = f"backbone.{norm}.num_batches_tracked"
        assert model.state_dict()[counted] == before[counted] + COUNTS.get(type(objective), 1)


@every
def test_attacks_see_the_model_in_evaluation_mode_and_the_terms_see_it_in_training_mode(objective, model, x, y):
    modes = []
    # The backbone, as not all go through the classifier.
    model.backbone.register_forward_pre_hook(lambda *_: modes.append({part.training for part in model.modules()}))
    batch = objective.prepare(model, Batch(x, y))
    assert all(mode == {False} for mode in modes)
    modes.clear()
    objective.terms(model, batch)
    assert modes
    assert all(mode == {True} for mode in modes)


@every
@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "bfloat16"])
def test_gradients_reach_every_parameter(objective, bf16, model, x, y):
    """All but the projection head, unless the loss is contrastive."""
    contrastive = isinstance(getattr(objective, "objective", objective), CONTRASTIVE)
    assert objective.projects == contrastive
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        terms = objective(model, Batch(x, y))
    total(terms).backward()
    for name, parameter in model.named_parameters():
        if name.startswith("projector") and not contrastive:
            assert parameter.grad is None
        else:
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name


@every
def test_random_numbers_come_from_the_caller(objective, model, x, y):
    state = torch.get_rng_state()
    first, same = (step(objective, model, Batch(x, y, generator=seeded(0))) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first[0].keys() == same[0].keys()
    for ours, theirs in zip([*first[0].values(), *first[1]], [*same[0].values(), *same[1]], strict=True):
        assert ours is theirs is None or torch.equal(ours, theirs)


@against_attacks
def test_another_seed_is_another_attack(objective, model, x, y):
    first, other = (objective.prepare(model, Batch(x, y, generator=seeded(seed))).x_adv for seed in (0, 1))
    assert not torch.equal(first, other)


@every
def test_the_loss_falls_on_a_toy(objective, model):
    """Two dozen steps on images with one brighter channel for each class."""
    y = torch.arange(30) % 3
    x = torch.rand(30, 3, 8, 8) * 0.6
    x[torch.arange(30), y] += 0.3
    optimiser = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    losses = []
    for _ in range(24):
        loss = total(objective(model, Batch(x, y, generator=seeded(0))))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-3:]) < 0.7 * sum(losses[:3])


@against_attacks
def test_what_the_attack_finds_is_inside_the_ball(objective, model, x, y):
    x_adv = objective.prepare(model, Batch(x, y)).x_adv
    assert objective.attack.threat.contains(x_adv, x).all()
    assert not x_adv.requires_grad


@pytest.mark.parametrize("kind", [AdversarialTraining, TRADES, MART, ANCHOR, CLEAD])
@pytest.mark.parametrize(("progress", "share"), [(0.0, 0.001), (0.1, 0.25), (0.4, 1.0), (0.9, 1.0)])
def test_the_ball_grows_during_the_warmup(kind, progress, share, model, x, y):
    attack = PGD(Linf(8 / 255), steps=5, stop_when_fooled=False)
    x_adv = kind(attack, warmup=0.4).prepare(model, Batch(x, y, progress)).x_adv
    assert (x_adv - x).abs().max().item() == pytest.approx(share * 8 / 255, rel=1e-2)


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
@pytest.mark.parametrize(
    ("objective", "name"),
    [
        *((TRADES(), "beta"), (MART(), "beta"), (AWP(CrossEntropy()), "gamma")),
        *((ANCHOR(), "weight"), (CLEAD(), "weight")),
        *((NoiseTraining(), "sigma"), (SmoothAdv(), "sigma")),
        *((Consistency(), "sigma"), (Consistency(), "weight"), (Consistency(), "entropy")),
        *((LISArD(), "sigma"), (LISArD(), "weight"), (LISArD(), "off_diagonal")),
    ],
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_a_weight_out_of_range_is_refused(objective, name, value):
    assert getattr(replace(objective, **{name: 0.0}), name) == 0
    with pytest.raises(ValueError, match=f"^{type(objective).__name__} needs a finite {name} >= 0; got {value}"):
        replace(objective, **{name: value})
