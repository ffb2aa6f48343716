"""What the minimum-norm attacks share: distances that are what they say, and a boundary found along a line."""

from dataclasses import dataclass, field

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import CW, FMN, DeepFool, HopSkipJump, MinimumNorm
from seminar_lib.attacks.base import LowPrecision
from seminar_lib.goals import Goal, Misclassify, Recorded, Score
from seminar_lib.losses import margin
from seminar_lib.threat import L1, L2, Linf

pytestmark = pytest.mark.usefixtures("in_bf16")

LENGTH = {Linf: lambda d: d.abs().max(), L2: lambda d: d.square().sum().sqrt(), L1: lambda d: d.abs().sum()}
SEARCHES = [
    CW(L2(0.2), binary_steps=2, steps=20, initial_const=1.0),
    DeepFool(Linf(0.05)),
    FMN(L1(3.0), steps=30),
    HopSkipJump(L2(0.2), steps=3, samples=20),
    FMN(L2(0.2), steps=20, bf16=True),
    CW(L2(0.2), binary_steps=2, steps=20, initial_const=1.0, bf16=True),
]
every = pytest.mark.parametrize("attack", SEARCHES, ids=repr)
seeded = torch.Generator().manual_seed


@dataclass(frozen=True, repr=False)
class Told(MinimumNorm):
    """Finds what it is told to find, and remembers what it was asked."""

    found: torch.Tensor | None = None
    asked: list = field(default_factory=list)

    def approach(self, goal, x, generator=None, enough=0.0):
        self.asked.append((goal, x, generator, enough))
        return self.found


def towards_the_boundary(oracle, threat, share):
    """Images at some share of the exact distance from their boundary."""
    first, second, _ = oracle.model[1].weight.detach().view(3, 1, *oracle.x.shape[1:])
    slope = torch.where(oracle.y[:, None, None, None] == 0, second - first, first - second)
    return oracle.x + share * oracle.distance(threat)[:, None, None, None] * threat.steepest(slope)


@every
@pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])
def test_distances_are_those_of_the_images_and_none_is_claimed_without_a_success(attack, targeted, tiny, x, y):
    target = (y + 1) % 5 if targeted else None
    near = attack.nearest(tiny, x, y, target, seeded(0))
    answer = tiny(near.x_adv).argmax(1)
    assert torch.equal(near.success, answer != y if target is None else answer == target)
    for x_adv, clean, distance, success in zip(near.x_adv, x, near.distance, near.success, strict=True):
        expected = LENGTH[type(attack.threat)](x_adv - clean) if success else torch.tensor(torch.inf)
        torch.testing.assert_close(distance, expected)
    assert near.success.sum() >= 6
    assert near.x_adv.min() >= 0
    assert near.x_adv.max() <= 1


@pytest.mark.parametrize("attack", SEARCHES[:3], ids=repr)  # the others draw or round otherwise
def test_what_is_within_eps_falls_to_a_call(attack, tiny, x, y):
    near = attack.nearest(tiny, x, y)
    eps = 1.02 * near.distance.median().item()
    fallen = tiny(attack.within(type(attack.threat)(eps))(tiny, x, y)).argmax(1) != y
    assert (fallen >= (near.distance <= eps)).all()
    assert 4 <= fallen.sum() < 8


@every
def test_what_is_wrong_already_is_its_own_nearest(attack, tiny, x, y):
    near = attack.nearest(tiny, x, y, generator=seeded(0))  # the fixture gets the first image wrong
    assert near.distance[0] == 0
    assert torch.equal(near.x_adv[0], x[0])
    assert (near.distance[1:] > 0).all()


SHORT = [kind(threat, steps=5) for kind in (DeepFool, FMN) for threat in (Linf(8 / 255), L2(0.5))]


@pytest.mark.parametrize("attack", [*SHORT, FMN(L1(4.0), steps=5)], ids=repr)
def test_an_image_that_is_never_fooled_stays_as_it_is(attack, tiny, x, y):
    """Whether the slopes are too small for the box, or zero: no image runs away, and none turns into NaN."""
    for slope in (1e-3, 0.0):
        model = lambda x, slope=slope: slope * tiny(x) + 1e2 * F.one_hot(y, 5)  # noqa: E731
        near = attack.nearest(model, x, y)
        assert torch.equal(near.x_adv, x)
        assert near.distance.isinf().all()


def test_the_search_is_not_asked_about_what_is_wrong_already(tiny, x, y):
    told = Told(found=x[1:])
    generator = seeded(0)
    near = told.nearest(tiny, x, y, generator=generator)
    ((goal, asked, given, enough),) = told.asked
    assert torch.equal(asked, x[1:])
    assert torch.equal(goal.y, y[1:])
    assert given is generator
    assert enough == 0
    assert near.success.tolist() == [True] + [False] * 7
    assert near.distance.tolist() == [0.0] + [float("inf")] * 7


@pytest.mark.parametrize("threat", [Linf(0.1), L2(0.5)], ids=repr)
@pytest.mark.parametrize(("share", "found"), [(0.9995, True), (0.99, False), (1.01, True)])
def test_a_hair_is_added_where_the_boundary_was_just_missed(share, found, threat, oracle):
    near = Told(threat, found=towards_the_boundary(oracle, threat, share)).nearest(oracle.model, oracle.x, oracle.y)
    assert (near.success == found).all()
    expected = max(share, 1.001 * share if share < 1 else share) * oracle.distance(threat)
    torch.testing.assert_close(
        near.distance, expected if found else torch.full_like(expected, torch.inf), rtol=1e-4, atol=0
    )
    assert found or torch.equal(near.x_adv, oracle.x), "where nothing was found, the clean image"


@pytest.mark.parametrize(("stop", "enough"), [(True, 0.1), (False, 0.0)])
def test_a_call_says_what_is_near_enough_and_pulls_the_rest_back(stop, enough, oracle):
    threat = Linf(0.1)
    told = Told(threat, stop_when_fooled=stop, found=oracle.x + 0.3)
    x_adv = told.search(Misclassify(oracle.model, oracle.y, margin), oracle.x, None)
    assert told.asked[0][3] == enough
    torch.testing.assert_close(x_adv, (oracle.x + 0.1).clamp(0, 1))


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("n", [8, 40])
def test_many_images_are_searched_on_a_copy_and_judged_on_the_original(n, bf16, tiny):
    x = torch.rand(n, 3, 8, 8)
    told = Told(found=x, bf16=bf16)
    told.nearest(tiny, x, tiny(x).argmax(1))
    goal = told.asked[0][0]
    assert isinstance(goal, LowPrecision) == bf16
    assert ((goal.goal if bf16 else goal).model is tiny) == (n == 8)


@pytest.mark.parametrize("threat", [Linf(0.1), L2(0.5)], ids=repr)
def test_on_a_straight_way_one_look_finds_the_boundary(threat, oracle):
    far = towards_the_boundary(oracle, threat, 1.5)
    drawn = Told(threat).draw_back(Misclassify(oracle.model, oracle.y, margin), oracle.x, far, 1)
    assert (oracle.model(drawn).argmax(1) != oracle.y).all()
    torch.testing.assert_close(threat.norm(drawn - oracle.x), 1.001 * oracle.distance(threat), rtol=1e-4, atol=0)


def test_the_boundary_is_searched_as_by_hand(tiny, x, y):
    """By false position, in floats and loops; the loss bends on the way."""
    tiny, x = tiny.double(), x.double()
    goal = Misclassify(tiny, y, margin)
    far = x.flip(0)
    drawn = Told(L2(0.5)).draw_back(goal, x, far, 5)
    moved = 0
    for i in range(len(x)):
        loss = lambda image, i=i: margin(tiny(image), y[i : i + 1]).item()  # noqa: E731
        clean, found = x[i : i + 1], far[i : i + 1]
        behind = (clean + 1.1 * (found - clean)).clamp(0, 1)
        if loss(found) <= 0 < loss(behind):
            found = behind
        low, high = 0.0, 1.0
        if loss(found) > 0:
            for _ in range(5):
                lead_low, lead_high = (loss(clean + share * (found - clean)) for share in (low, high))
                zero = 1.001 * lead_low / (lead_low - lead_high)
                middle = low + (high - low) * min(max(zero, 0.1), 0.9)
                low, high = (low, middle) if loss(clean + middle * (found - clean)) > 0 else (middle, high)
        torch.testing.assert_close(drawn[i : i + 1], clean + high * (found - clean))
        moved += high < 1
    assert moved >= 3


def test_failures_and_what_is_near_enough_stay_where_they_are(oracle):
    threat = L2(0.5)
    shares = torch.tensor([0.5, 1.5] * 8)[:, None, None, None]
    far = towards_the_boundary(oracle, threat, shares)
    goal = Recorded(Misclassify(oracle.model, oracle.y, margin), torch.arange(16))
    enough = threat.norm(far - oracle.x).median().item()
    drawn = Told(threat).draw_back(goal, oracle.x, far, 4, enough)
    stays = (oracle.model(far).argmax(1) == oracle.y) | (threat.norm(far - oracle.x) <= enough)
    assert 8 < stays.sum() < 16
    assert torch.equal((drawn == far).flatten(1).all(1), stays)
    assert goal.forwards == 16 + 8 + 5 * (~stays).sum()  # the eight failures are looked at a little farther out, too
    assert torch.equal(Told(threat).draw_back(goal, oracle.x, far, 0), far)


@dataclass(frozen=True, eq=False)
class Hasty(Goal):
    """A goal that claims every image, and is another one when asked precisely."""

    goal: Goal

    def __call__(self, x):
        loss, success = self.goal(x)
        return Score(loss + 10, torch.ones_like(success))

    @property
    def precise(self):
        return self.goal


@pytest.mark.parametrize("passes", [0, 4])
@pytest.mark.parametrize(("share", "found"), [(0.95, True), (0.85, False), (1.3, True)])
def test_a_hasty_success_is_judged_precisely_and_looked_for_a_little_farther_out(share, found, passes, oracle):
    threat = L2(0.5)
    claimed = towards_the_boundary(oracle, threat, share)
    drawn = Told(threat).draw_back(Hasty(Misclassify(oracle.model, oracle.y, margin)), oracle.x, claimed, passes)
    assert ((oracle.model(drawn).argmax(1) != oracle.y) == found).all()
    ratio = threat.norm(drawn - oracle.x) / oracle.distance(threat)
    if found and passes:
        assert (ratio > 1 - 1e-5).all()  # how float32 rounds the sum of a margin moves the boundary by millionths
        assert (ratio < 1.0011).all()
    else:
        expected = 1.1 * share if share < 1 and found else share
        torch.testing.assert_close(ratio, torch.full_like(ratio, expected), rtol=1e-4, atol=0)


@pytest.mark.parametrize("attack", [DeepFool(Linf(0.1)), FMN(L2(0.5)), FMN(Linf(0.1))], ids=repr)
@pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])
def test_success_begins_at_the_exact_distance(attack, targeted, oracle):
    for i, distance in enumerate(oracle.distance(attack.threat)[:4].tolist()):
        x, y = oracle.x[i : i + 1], oracle.y[i : i + 1]
        for share, wins in ((1.03, True), (0.97, False)):
            here = attack.within(type(attack.threat)(share * distance))
            x_adv = here(oracle.model, x, y, 1 - y if targeted else None)
            assert (oracle.model(x_adv).argmax(1) != y).item() == wins
