"""What every attack promises, whoever wrote it. A new attack is one more line in ``ATTACKS``."""

from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from seminar_lib.attacks import (
    APGD,
    CW,
    FAB,
    FGSM,
    FMN,
    PGD,
    APGDTargeted,
    Attack,
    DeepFool,
    HopSkipJump,
    Square,
    Transfer,
    TransferPGD,
    worst_case,
)
from seminar_lib.attacks.base import Best
from seminar_lib.goals import Misclassify, Reach, Recorded, Score
from seminar_lib.losses import dlr, margin, rival_margin
from seminar_lib.threat import L1, L2, Linf

pytestmark = pytest.mark.usefixtures("in_bf16")

LINF, BALL, DIAMOND = Linf(3 / 255), L2(0.2), L1(2.0)


def surrogate(x: Tensor) -> Tensor:
    """A network of nobody's, for images that are made elsewhere."""
    weight = torch.linspace(-1, 1, 60, dtype=x.dtype).sin().mul(40).sin().view(5, 12)
    return nn.functional.adaptive_avg_pool2d(x, 2).flatten(1) @ weight.T


EXACT = [  # those that find the optimum of a linear model
    FGSM(LINF),
    FGSM(BALL),
    PGD(LINF),
    PGD(BALL),
    PGD(LINF, loss=margin, stop_when_fooled=False),
    PGD(LINF, loss=dlr),
    PGD(LINF, momentum=1.0),
    PGD(LINF, steps=3, restarts=3),
    PGD(BALL, steps=5, restarts=2, stop_when_fooled=False),
    PGD(LINF, random_start=False),
    PGD(LINF, momentum=1.0, random_start=False),
    PGD(BALL, random_start=False, stop_when_fooled=False),
    PGD(LINF, bf16=True),
    TransferPGD(LINF, diversity=0.0, kernel=1),
    APGD(LINF, steps=20),
    APGD(BALL, steps=20, loss=dlr, stop_when_fooled=False),
    APGDTargeted(LINF, steps=10, restarts=2, rival_loss=rival_margin),
]
TO_THE_BOUNDARY = [  # those that stop at the nearest boundary, however much worse the rest of the ball is
    CW(BALL, binary_steps=2, steps=20, initial_const=1.0),
    CW(BALL, binary_steps=1, steps=10, initial_const=1.0, kappa=0.1, refinements=0, stop_when_fooled=False),
    DeepFool(LINF),
    DeepFool(BALL, steps=3, classes=2, refinements=0),
    FAB(LINF, steps=10),
    FAB(BALL, steps=10, targets=2),
    FAB(DIAMOND, steps=10),
    FMN(LINF, steps=20),
    FMN(BALL, steps=20, stop_when_fooled=False),
    FMN(DIAMOND, steps=20),
]
DRAWING = [  # those that draw random numbers on the way
    Square(LINF, queries=60),
    Square(BALL, queries=60),
    Square(DIAMOND, queries=60),
    Square(LINF, queries=20, stop_when_fooled=False),
    HopSkipJump(LINF, steps=3, samples=20),
    HopSkipJump(BALL, steps=3, samples=20),
    TransferPGD(LINF, steps=5),
    APGD(DIAMOND, steps=20),
    APGDTargeted(DIAMOND, steps=10, stop_when_fooled=False),
    *(attack for attack in EXACT if isinstance(attack, APGD) or getattr(attack, "random_start", False)),
]
BUILT_ON_OTHERS = [
    Transfer(PGD(LINF, random_start=False), surrogate),
    worst_case((FGSM(LINF), PGD(LINF, random_start=False, loss=margin))),
]
ATTACKS = [*EXACT, *TO_THE_BOUNDARY, *(attack for attack in DRAWING if attack not in EXACT), *BUILT_ON_OTHERS]
WITHOUT_CHANCE = [attack for attack in ATTACKS if attack not in DRAWING]


@dataclass
class Call:
    """An attack with all that it is called with."""

    attack: Attack
    model: nn.Module
    x: Tensor
    y: Tensor
    target: Tensor | None

    def __call__(self, seed: int = 0) -> Tensor:
        return self.attack(self.model, self.x, self.y, self.target, torch.Generator().manual_seed(seed))

    def score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and success, written out here."""
        with torch.no_grad():
            logits = self.model(x)
        if self.target is None:
            return self.attack.loss(logits, self.y), logits.argmax(1) != self.y
        return -self.attack.loss(logits, self.target), logits.argmax(1) == self.target


@pytest.fixture(params=[False, True], ids=["", "targeted"])
def call(request, attack, tiny, x, y) -> Call:
    return Call(attack, tiny, x, y, (y + 1) % 5 if request.param else None)


every = pytest.mark.parametrize("attack", ATTACKS, ids=repr)
without_chance = pytest.mark.parametrize("attack", WITHOUT_CHANCE, ids=repr)


@every
def test_result_is_inside_the_threat_model(call):
    delta = (call() - call.x).flatten(1)
    threat = call.attack.threat
    order = {Linf: torch.inf, L2: 2, L1: 1}[type(threat)]
    size = torch.linalg.vector_norm(delta, order, dim=1)
    assert (size <= threat.eps * (1 + 1e-5)).all()
    assert (size > 0).any()


@every
def test_result_is_an_image(call):
    x_adv = call()
    assert x_adv.min() >= 0
    assert x_adv.max() <= 1
    assert (x_adv.shape, x_adv.dtype, x_adv.device) == (call.x.shape, call.x.dtype, call.x.device)
    assert not x_adv.requires_grad


@every
def test_result_is_never_worse_than_the_clean_image(call):
    (loss, success), (loss_adv, success_adv) = call.score(call.x), call.score(call())
    assert (success_adv >= success).all()
    assert ((loss_adv >= loss - 1e-5) | (success_adv > success)).all()
    assert (loss_adv > loss).any()


@every
def test_double_precision_is_kept(call):
    call.model.double()
    call.x = call.x.double()
    assert call().dtype == torch.float64


@every
def test_no_trace_is_left_on_the_model(call):
    model = call.model.train()
    model.backbone[1].eval()  # a frozen BatchNorm in a network that is being trained
    model.head.bias.requires_grad_(False)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = deepcopy(model)
    call()
    for ours, theirs in zip(model.state_dict().values(), before.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert all((parameter.grad == 1).all() for parameter in model.parameters())
    assert [p.requires_grad for p in model.parameters()] == [p.requires_grad for p in before.parameters()]
    assert [module.training for module in model.modules()] == [module.training for module in before.modules()]


@every
def test_a_model_in_training_mode_is_attacked_in_evaluation_mode(call):
    expected = call()
    call.model.train()
    assert torch.equal(call(), expected)


@every
def test_inputs_are_not_modified(call):
    before = [call.x.clone(), call.y.clone(), (call.y if call.target is None else call.target).clone()]
    call.x.requires_grad_()
    call()
    after = [call.x, call.y, call.y if call.target is None else call.target]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(after, before, strict=True))
    assert call.x.grad is None


@every
def test_the_callers_random_numbers_are_left_alone_when_a_generator_is_given(call):
    state = torch.get_rng_state()
    call()
    assert torch.equal(torch.get_rng_state(), state)


@every
def test_same_seed_gives_the_same_result(call):
    assert torch.equal(call(seed=3), call(seed=3))


@every
def test_it_works_where_gradients_are_off(call):
    expected = call()
    with torch.no_grad():
        assert torch.equal(call(), expected)
    with torch.inference_mode():
        call.x, call.y = call.x + 0, call.y + 0  # tensors born under inference_mode
        x_adv = call()
    assert torch.equal(x_adv, expected)
    assert not x_adv.is_inference()


@without_chance
def test_an_image_alone_fares_as_in_a_batch(call):
    together = call()
    for i in range(len(call.x)):
        target = None if call.target is None else call.target[i : i + 1]
        alone = call.attack(call.model, call.x[i : i + 1], call.y[i : i + 1], target)
        torch.testing.assert_close(alone, together[i : i + 1], rtol=0, atol=1e-5)


@without_chance
def test_neighbours_in_the_batch_change_nothing(call):
    expected = call()[0]
    call.x = torch.cat([call.x[:1], call.x[1:].flip(0).flip(3)])
    torch.testing.assert_close(call()[0], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("attack", DRAWING, ids=repr)
def test_another_seed_starts_elsewhere(attack, tiny, x, y):
    first, second = (attack.search(Misclassify(tiny, y), x, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert not torch.equal(first, second)


class Rounded(nn.Module):
    """A model that bfloat16 breaks: under autocast it gives another answer, whatever the image."""

    def __init__(self, model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        logits = self.model(x)
        other = nn.functional.one_hot((logits.argmax(1) + 1) % 5, 5)
        return logits + 1e3 * other * torch.is_autocast_enabled("cpu")


def test_bf16_is_for_the_search_and_float32_for_the_verdicts(tiny, x, y):
    low_precision = []
    tiny.register_forward_pre_hook(lambda *_: low_precision.append(torch.is_autocast_enabled("cpu")))
    FGSM(LINF, bf16=True, stop_when_fooled=False).run(Misclassify(tiny, y), x)
    assert low_precision == [False, True, False]  # clean, the gradient, what was found


@pytest.mark.parametrize("bf16", [True, False], ids=["asked for", "around the call"])
def test_a_success_counts_only_when_full_precision_confirms_it(bf16, tiny, x, y):
    attack = PGD(Linf(1e-4), steps=2, bf16=bf16)
    with torch.autocast("cpu", torch.bfloat16, enabled=not bf16):
        x_adv = attack(Rounded(tiny), x, y)
    assert torch.equal(tiny(x_adv).argmax(1) != y, tiny(x).argmax(1) != y)
    assert (x_adv != x).any()


@pytest.mark.parametrize("attack", WITHOUT_CHANCE, ids=repr)
def test_an_autocast_around_the_call_changes_nothing(attack, tiny, x, y):
    expected = attack(tiny, x, y)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(attack(tiny, x, y), expected)


def test_a_success_that_full_precision_denies_does_not_end_the_search(tiny, x, y):
    goal = Recorded(Misclassify(Rounded(tiny), y), torch.arange(len(x)))
    PGD(Linf(1e-4), steps=5, bf16=True).run(goal, x)
    assert goal.backwards == 5 * 7  # of eight images the fixture gets one wrong


def test_an_image_that_is_misclassified_already_is_left_alone(tiny, x, y):
    """Unless the strongest loss is asked for; the fixture gets the first image wrong."""
    left_alone = (FGSM(LINF)(tiny, x, y) == x).flatten(1).all(1)
    assert left_alone.tolist() == [True] + [False] * 7
    assert not (FGSM(LINF, stop_when_fooled=False)(tiny, x, y) == x).flatten(1).all(1).any()


FROM_WORST_TO_BEST = [(1.0, False), (9.0, False), (1.0, True), (9.0, True)]  # loss and success


@pytest.mark.parametrize("held", FROM_WORST_TO_BEST)
@pytest.mark.parametrize("offered", FROM_WORST_TO_BEST)
def test_a_success_is_better_than_a_failure_and_then_the_loss_decides(held, offered):
    score, challenge = (Score(torch.tensor([loss]), torch.tensor([success])) for loss, success in (held, offered))
    best = Best(torch.zeros(1, 3, 2, 2), score)
    best.offer(torch.tensor([0]), torch.ones(1, 3, 2, 2), challenge)
    better = FROM_WORST_TO_BEST.index(offered) > FROM_WORST_TO_BEST.index(held)
    assert best.x.any() == better
    assert (best.loss.item(), best.success.item()) == (offered if better else held)


def test_run_takes_the_same_care_as_a_call(tiny, x, y):
    tiny.train()
    with torch.inference_mode():
        x_adv = PGD(LINF, random_start=False).run(Reach(tiny, (y + 1) % 5), x + 0)
    assert tiny.training
    assert torch.equal(x_adv, PGD(LINF, random_start=False)(tiny, x, y, (y + 1) % 5))
