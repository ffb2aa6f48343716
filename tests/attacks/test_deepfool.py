"""DeepFool: exact on linear models, the loop of its paper on others, and beside two peers."""

import re
import warnings
from dataclasses import dataclass, field, replace

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks.deepfool import DeepFool
from seminar_lib.attacks.hyperplane import shortest_way
from seminar_lib.goals import Diverge, Misclassify, Recorded
from seminar_lib.losses import margin
from seminar_lib.threat import L1, L2, Linf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    foolbox = pytest.importorskip("foolbox")
    torchattacks = pytest.importorskip("torchattacks")

both = pytest.mark.parametrize("threat", [Linf(8 / 255), L2(0.5)], ids=["Linf", "L2"])


@dataclass(frozen=True, eq=False)
class Counted(Misclassify):
    """Takes down how many images were linearised, and how many classes each had."""

    asked: list = field(default_factory=list)

    def gaps(self, x, count):
        self.asked.append((len(x), count))
        return super().gaps(x, count)


@both
@pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])
def test_it_finds_the_exact_distance_of_a_linear_model(threat, targeted, oracle):
    target = 1 - oracle.y if targeted else None
    near = DeepFool(threat).nearest(oracle.model, oracle.x, oracle.y, target)
    assert near.success.all()
    torch.testing.assert_close(near.distance, oracle.distance(threat), rtol=2e-3, atol=0)


@both
def test_as_in_the_paper_it_ends_beyond_the_boundary_by_the_overshoot(threat, oracle):
    near = DeepFool(threat, overshoot=0.1, refinements=0).nearest(oracle.model, oracle.x, oracle.y)
    torch.testing.assert_close(near.distance, 1.1 * oracle.distance(threat), rtol=1e-4, atol=0)


@both
def test_among_many_classes_the_nearest_boundary_is_taken(threat):
    """Not the class with the largest logit, but that with the largest logit for its slope."""
    weight = torch.randn(6, 48) * torch.tensor([1, 1, 0.3, 3, 0.1, 1])[:, None]
    bias = torch.tensor([6.0, 0, 0, -3, 1, 0])
    x, y = torch.rand(20, 3, 4, 4) * 0.2 + 0.4, torch.zeros(20, dtype=torch.int64)
    model = lambda x: (x.flatten(1) - 0.5) @ weight.T + bias  # noqa: E731
    gaps, slopes = (model(x) - model(x)[:, :1])[:, 1:], (weight - weight[0])[1:]
    dual = torch.linalg.vector_norm(slopes, 1 if isinstance(threat, Linf) else 2, dim=1)
    distances = -gaps / dual
    assert (gaps.argmax(1) != distances.argmin(1)).any()
    near = DeepFool(threat, classes=5).nearest(model, x, y)
    torch.testing.assert_close(near.distance, distances.amin(1), rtol=2e-3, atol=0)


@both
def test_each_image_walks_as_it_would_alone(threat, tiny, x, y):
    """Algorithm 2 for one image, with every gradient taken by itself."""
    tiny, x = tiny.double(), x.double().clamp(0.2, 0.8)
    attack = DeepFool(threat, steps=20, classes=3, refinements=0)
    found = attack.approach(Misclassify(tiny, y, margin), x)
    for i in range(len(x)):
        x_adv = x[i : i + 1]
        for classes in [3] + 19 * [2]:
            if tiny(x_adv).argmax(1) != y[i]:
                break
            x_adv = x_adv.detach().requires_grad_()
            logits = tiny(x_adv)[0]
            wrong = [k for k in logits.argsort(descending=True).tolist() if k != y[i]][:classes]
            ways = []
            for k in wrong:
                gap = logits[k] - logits[y[i]]
                (w,) = torch.autograd.grad(gap, x_adv, retain_graph=True)
                if isinstance(threat, Linf):
                    ways.append((gap.abs().item() / w.abs().sum().item(), w.sign()))
                else:
                    ways.append((gap.abs().item() / w.norm().item(), w / w.norm()))
            distance, direction = min(ways, key=lambda way: way[0])
            so_far = (x_adv - x[i]).abs().max() if isinstance(threat, Linf) else (x_adv - x[i]).norm()
            x_adv = (x_adv + 1.02 * max(distance, 0.005 * so_far.item()) * direction).clamp(0, 1).detach()
        torch.testing.assert_close(found[i], x_adv[0], rtol=0, atol=1e-9)


@both
def test_pixels_at_the_edge_of_the_box_do_not_stop_it(threat, oracle):
    """Half of them cannot move, so each step covers half of the way; the walk crosses the boundary all the same."""
    x = oracle.x.round()
    y = oracle.model(x).argmax(1)
    near = DeepFool(threat).nearest(oracle.model, x, y)
    first, second, _ = oracle.model[1].weight.detach().view(3, 1, *x.shape[1:])
    slope = torch.where(y[:, None, None, None] == 0, second - first, first - second)
    exact = threat.norm(shortest_way(threat, x, margin(oracle.model(x), y).detach(), slope))
    assert near.success.all()
    assert (near.distance >= 0.999 * exact).all()
    assert (near.distance <= 1.01 * exact).all()


@both
def test_two_classes_are_enough(threat, tiny, x):
    model = lambda x: tiny(x)[:, :2]  # noqa: E731
    y = model(x).argmax(1)
    near = DeepFool(threat).nearest(model, x, y)
    assert near.success.all()
    assert (model(near.x_adv).argmax(1) != y).all()


def test_steps_that_are_not_enough_leave_the_image_alone(tiny, x, y):
    few, many = (DeepFool(L2(0.5), steps=steps, refinements=0).nearest(tiny, x, y) for steps in (1, 50))
    assert 0 < few.success.sum() < many.success.sum()
    assert torch.equal(few.x_adv[~few.success], x[~few.success])
    assert torch.equal(few.x_adv[few.success], many.x_adv[few.success])


def test_only_survivors_are_linearised_and_only_for_the_likeliest_classes(tiny, x, y):
    goal = Counted(tiny, y, margin)
    DeepFool(L2(0.5), classes=3).approach(goal, x)
    assert [count for _, count in goal.asked] == [3, *(2 for _ in goal.asked[1:])]
    sizes = [size for size, _ in goal.asked]
    assert sizes[0] == 7  # the fixture gets one image wrong
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 7


@both
def test_being_drawn_back_only_ever_helps(threat, tiny):
    x = torch.rand(32, 3, 8, 8)
    y = tiny(x).argmax(1)
    plain, drawn = (DeepFool(threat, refinements=n).nearest(tiny, x, y) for n in (0, 4))
    assert torch.equal(plain.success, drawn.success)
    assert (drawn.distance <= plain.distance * 1.001).all()
    assert drawn.distance.mean() < plain.distance.mean()


@both
def test_it_is_as_near_as_its_peers(threat, as_users_call_it):
    """On the shipped robust network, image by image a little nearer; torchattacks knows L2 alone."""
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(32)
    x, y = data.x.contiguous(), data.y
    ours = DeepFool(threat).nearest(model, x, y)
    peer = foolbox.attacks.LinfDeepFoolAttack if isinstance(threat, Linf) else foolbox.attacks.L2DeepFoolAttack
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [peer(steps=50, candidates=5)(foolbox.PyTorchModel(model, bounds=(0, 1)), x, y, epsilons=None)[1]]
    if isinstance(threat, L2):
        theirs.append(torchattacks.DeepFool(model, steps=50)(x, y))
    for x_adv in theirs:
        success = model(x_adv).argmax(1) != y
        distance = threat.norm(x_adv - x).masked_fill(~success, torch.inf)
        assert ours.success.sum() >= success.sum()
        assert ours.distance.median() <= distance.median()


def test_the_boundary_is_never_searched_in_bfloat16():
    assert DeepFool(bf16=True) == DeepFool()


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda logits: logits.detach(), ValueError, "no gradient with respect to the image"),
        (lambda logits: logits + 0 * (logits - logits).sqrt(), FloatingPointError, "NaN or infinity"),
    ],
)
def test_a_model_without_usable_gradients_is_refused(spoil, error, words, tiny, x, y):
    with pytest.raises(error, match=words):
        DeepFool()(lambda x: spoil(tiny(x)), x, y)


def test_a_goal_without_classes_is_refused(tiny, x):
    with pytest.raises(TypeError, match="Diverge has no boundary"):
        DeepFool().run(Diverge(tiny, tiny(x).detach()), x)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: DeepFool(steps=0), ValueError, "at least one step and one class; got steps=0"),
        (lambda: DeepFool(classes=0), ValueError, "got steps=50, classes=0"),
        (lambda: DeepFool(overshoot=0.0), ValueError, "an overshoot in (0, 1), to cross the boundary; got 0.0"),
        (lambda: DeepFool(refinements=-1), ValueError, "refinements >= 0; got -1"),
        (lambda: DeepFool(L1(2.0)), TypeError, "Linf or L2; got L1(2)"),
    ],
)
def test_hyperparameters_are_checked(make, error, words):
    with pytest.raises(error, match=re.escape(words)):
        make()


@both
def test_a_record_of_it_changes_nothing_and_counts_each_backward_pass(threat, tiny, x, y):
    plain = Counted(tiny, y, margin)
    goal = Recorded(replace(plain), torch.arange(8))
    attack = DeepFool(threat, classes=3)
    assert torch.equal(attack.approach(goal, x), attack.approach(plain, x))
    asked = plain.asked[: len(plain.asked) // 2]  # both goals note what they are asked in one list
    assert goal.backwards == sum(images * classes for images, classes in asked)
    first = next(look for look in goal.looks if look.passes)
    assert torch.equal(first.score.loss, margin(tiny(first.x), y[first.rows]))
    image = first.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(margin(tiny(image), y[first.rows]).sum(), image)
    torch.testing.assert_close(first.grad_norm, slope.flatten(1).norm(dim=1))
