"""The contrastive losses, against loops over their definition, two libraries, and the properties that name them."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from seminar_lib.contrastive import hard_positive_sup_con, nt_xent, positive_weights, sup_con

TEMPERATURES = [0.05, 0.1, 0.5, 1.0]
Y = torch.tensor([0, 1, 0, 2, 1, 0, 2, 0])


@pytest.fixture
def z() -> Tensor:
    """Eight embeddings in double precision, of any length."""
    return torch.randn(8, 5, dtype=torch.float64)


def naive(z: Tensor, y: Tensor, temperature: float, beta: float) -> Tensor:
    """Word for word, one pair at a time; differentiable."""

    def cosine(i, j):
        return (z[i] * z[j]).sum() / (z[i].square().sum().sqrt() * z[j].square().sum().sqrt())

    losses = []
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if y[p] == y[i]]
        hardness = {p: math.exp(-beta * cosine(i, p).item()) for p in positives}
        total = sum((cosine(i, a) / temperature).exp() for a in others)
        terms = [
            -hardness[p] / sum(hardness.values()) * ((cosine(i, p) / temperature).exp() / total).log()
            for p in positives
        ]
        losses.append(sum(terms, z[i].sum() * 0))
    return torch.stack(losses)


def naive_sup_con(z: Tensor, y: Tensor, temperature: float) -> Tensor:
    """Eq. 2 of its paper, which knows no weights."""
    z = z / z.norm(dim=1, keepdim=True)
    losses = []
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        log_total = torch.stack([z[i] @ z[a] / temperature for a in others]).logsumexp(0)
        logs = [z[i] @ z[p] / temperature - log_total for p in others if y[p] == y[i]]
        losses.append(-sum(logs) / len(logs))
    return torch.stack(losses)


def slope(loss, *z: Tensor) -> Tensor:
    """The gradient of the mean, for all views in one tensor."""
    leaves = [view.detach().clone().requires_grad_() for view in z]
    return torch.cat(torch.autograd.grad(loss(*leaves).mean(), leaves))


# --- the definition -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("beta", [0, 1, 5])
def test_it_is_the_loop_over_its_definition(beta, temperature, z):
    expected = naive(z, Y, temperature, beta)
    found = hard_positive_sup_con(z.float(), Y, temperature, beta)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(hard_positive_sup_con(z, Y, temperature, beta), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("beta", [0, 1, 5])
def test_its_gradient_is_the_loops(beta, temperature, z):
    """The loop's weights are numbers, so this also says that no gradient passes through ours."""
    expected = slope(lambda leaf: naive(leaf, Y, temperature, beta), z)
    found = slope(lambda leaf: hard_positive_sup_con(leaf, Y, temperature, beta), z.float())
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    found = slope(lambda leaf: hard_positive_sup_con(leaf, Y, temperature, beta), z)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_without_hardness_it_is_sup_con(temperature, z):
    torch.testing.assert_close(sup_con(z, Y, temperature), naive_sup_con(z, Y, temperature))
    assert torch.equal(sup_con(z, Y, temperature), hard_positive_sup_con(z, Y, temperature, beta=0))


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_nt_xent_is_the_cross_entropy_of_finding_the_other_view(temperature, z):
    """Which is also sup_con with the number of the image for a label."""
    first, second = z.chunk(2)
    unit = F.normalize(z)
    logits = (unit @ unit.T / temperature).fill_diagonal_(-math.inf)
    partner = torch.arange(8).roll(4)
    each = F.cross_entropy(logits, partner, reduction="none")
    torch.testing.assert_close(nt_xent(first, second, temperature), each.view(2, 4).mean(0))
    torch.testing.assert_close(nt_xent(first, second, temperature, symmetric=False), each[:4])
    torch.testing.assert_close(sup_con(z, torch.arange(4).repeat(2), temperature), each)


@pytest.mark.parametrize("symmetric", [True, False])
def test_nt_xent_has_the_gradient_of_the_loop(symmetric, z):
    anchors, image = 8 if symmetric else 4, torch.arange(4).repeat(2)
    found = slope(lambda a, b: nt_xent(a, b, 0.1, symmetric=symmetric), *z.chunk(2))
    expected = slope(lambda leaf: naive(leaf, image, 0.1, 0)[:anchors], z)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_two_views_of_one_image_leave_nothing_to_search(z):
    assert nt_xent(z[:1], z[1:2], 0.1).tolist() == [0]


# --- other libraries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_sup_con_agrees_with_pytorch_metric_learning(temperature, z):
    theirs = pytest.importorskip("pytorch_metric_learning.losses").SupConLoss(temperature)
    z = z.float()
    torch.testing.assert_close(sup_con(z, Y, temperature).mean(), theirs(z, Y), rtol=1e-5, atol=1e-5)
    found = slope(lambda leaf: sup_con(leaf, Y, temperature), z)
    torch.testing.assert_close(found, slope(lambda leaf: theirs(leaf, Y), z), rtol=1e-4, atol=1e-5)


def test_an_anchor_without_a_positive_counts_in_our_mean_and_not_in_theirs(z):
    """Ours is the mean over all anchors; theirs leaves out those whose loss is 0."""
    theirs = pytest.importorskip("pytorch_metric_learning.losses").SupConLoss(0.1)
    y = torch.tensor([0, 1, 0, 2, 1, 0, 3, 0])  # two that are alone
    ours = sup_con(z, y, 0.1)
    torch.testing.assert_close(ours[ours != 0].mean(), theirs(z, y))
    torch.testing.assert_close(ours.mean(), theirs(z, y) * 6 / 8)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("library", ["pytorch_metric_learning", "lightly"])
def test_nt_xent_agrees_with(library, temperature, z):
    if library == "lightly":
        theirs = pytest.importorskip("lightly.loss").NTXentLoss(temperature)
    else:
        peer = pytest.importorskip("pytorch_metric_learning.losses").NTXentLoss(temperature)

        def theirs(a, b):
            return peer(torch.cat([a, b]), torch.arange(len(a)).repeat(2))

    views = z.float().chunk(2)
    torch.testing.assert_close(nt_xent(*views, temperature).mean(), theirs(*views), rtol=1e-5, atol=1e-5)
    found = slope(lambda a, b: nt_xent(a, b, temperature), *views)
    torch.testing.assert_close(found, slope(theirs, *views), rtol=1e-4, atol=1e-5)


# --- what must not matter -------------------------------------------------------------------------------------------


@given(order=st.permutations(range(8)), names=st.permutations(range(3)))
def test_neither_the_order_of_the_batch_nor_the_names_of_the_classes_matter(order, names):
    z = torch.randn(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    moved = hard_positive_sup_con(z[order], torch.tensor(names)[Y][order], 0.1, 2)
    torch.testing.assert_close(moved, hard_positive_sup_con(z, Y, 0.1, 2)[order])


def test_only_directions_matter(z):
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    lengths = torch.rand(8, 1, dtype=torch.float64) * 100 + 0.01
    torch.testing.assert_close(
        hard_positive_sup_con(lengths * z @ turn, Y, 0.1, 2), hard_positive_sup_con(z, Y, 0.1, 2)
    )


def test_both_views_are_equal_where_both_are_anchors(z):
    first, second = z.chunk(2)
    torch.testing.assert_close(nt_xent(first, second, 0.1), nt_xent(second, first, 0.1))
    both = nt_xent(first, second, 0.1, symmetric=False) + nt_xent(second, first, 0.1, symmetric=False)
    torch.testing.assert_close(nt_xent(first, second, 0.1), both / 2)


# --- the hardest positive -------------------------------------------------------------------------------------------


@given(
    angles=st.lists(st.floats(0, 2 * math.pi), min_size=2, max_size=9),
    classes=st.integers(1, 4),
    beta=st.floats(0, 1e6),
)
def test_weights_sum_to_one_over_the_positives(angles, classes, beta):
    z = torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles])
    y = torch.arange(len(z)) % classes
    positive = (y[:, None] == y) & ~torch.eye(len(z)).bool()
    weights = positive_weights(z @ z.T, positive, beta)
    torch.testing.assert_close(weights.sum(1), positive.any(1).float())
    assert not weights[~positive].any()
    assert weights.min() >= 0


def test_the_weights_are_exponential_in_the_cosine():
    cosine = torch.tensor([[1, 0.5, -0.5], [0.5, 1, 0.0], [-0.5, 0.0, 1]])
    weights = positive_weights(cosine, ~torch.eye(3).bool(), beta=2)
    easy, hard = math.exp(-2 * 0.5), math.exp(2 * 0.5)
    torch.testing.assert_close(weights[0], torch.tensor([0, easy, hard]) / (easy + hard))


def test_the_gradient_pulls_the_hardest_positive_most_as_beta_grows():
    """d loss_i / d s_ip = -(w_ip - q_ip) / tau, where q_ip is the share of p in the softmax.

    Moved along the sphere, an embedding changes its cosine with the anchor by 1 - s^2.
    """
    angles = torch.tensor([0.0, 0.3, 0.9, 1.5, 3.0], dtype=torch.float64)  # the anchor, three positives, a negative
    y, temperature = torch.tensor([0, 0, 0, 0, 1]), 0.5
    z = torch.stack([angles.cos(), angles.sin()], dim=1).requires_grad_()
    cosine = angles[1:4].cos()
    share = (angles[1:].cos() / temperature).softmax(0)[:3]
    pulls = []
    for beta in (0, 1, 2, 5, 20):
        loss = hard_positive_sup_con(z, y, temperature, beta)[0]
        (grad,) = torch.autograd.grad(loss, z)
        pulls.append(-(grad[1:4] @ z[0].detach()) / (1 - cosine.square()))
        torch.testing.assert_close(pulls[-1], ((-beta * cosine).softmax(0) - share) / temperature)
    easiest, _, hardest = torch.stack(pulls).T
    assert (hardest.diff() > 0).all()
    assert (easiest.diff() < 0).all()
    assert all(pull.argmax() == 2 for pull in pulls)


def test_a_large_beta_leaves_the_hardest_positive_alone(z):
    cosine = F.normalize(z) @ F.normalize(z).T
    log_share = (cosine / 0.1).fill_diagonal_(-math.inf).log_softmax(1)
    hardest = cosine.masked_fill((Y[:, None] != Y) | torch.eye(8).bool(), math.inf).argmin(1)
    expected = -log_share.gather(1, hardest[:, None]).squeeze(1)
    torch.testing.assert_close(hard_positive_sup_con(z, Y, 0.1, beta=1e5), expected)


# --- edges ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0, 3])
def test_an_anchor_without_a_positive_costs_nothing_but_pushes_others_away(beta, z):
    y = torch.tensor([0, 0, 0, 1, 1, 1, 1, 2])
    z.requires_grad_()
    loss = hard_positive_sup_con(z, y, 0.1, beta)
    torch.testing.assert_close(loss, naive(z, y, 0.1, beta))
    assert loss[7] == 0
    assert not torch.autograd.grad(loss[7], z, retain_graph=True)[0].any()
    (grad,) = torch.autograd.grad(loss.mean(), z)
    assert grad.isfinite().all()
    assert grad[7].any()


@pytest.mark.parametrize("count", [1, 4])
def test_without_any_positive_the_loss_is_zero(count, z):
    z = z[:count].requires_grad_()
    loss = sup_con(z, torch.arange(count), 0.1)
    assert torch.equal(loss, torch.zeros(count, dtype=torch.float64))
    assert not torch.autograd.grad(loss.mean(), z)[0].any()


def test_a_small_temperature_keeps_loss_and_gradient_finite(z):
    """The exponentials alone would overflow: exp(1 / 0.001)."""
    found, expected = sup_con(z.float(), Y, 1e-3), sup_con(z, Y, 1e-3)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)
    assert slope(lambda leaf: sup_con(leaf, Y, 1e-3), z.float()).isfinite().all()


def test_collapsed_embeddings_cost_the_logarithm_of_the_others():
    loss = sup_con(torch.ones(8, 5), Y, 0.1)
    torch.testing.assert_close(loss, torch.full((8,), math.log(7)))
    assert slope(lambda leaf: sup_con(leaf, Y, 0.1), torch.ones(8, 5)).isfinite().all()


def test_autocast_changes_nothing(z):
    z = z.float()
    with torch.autocast("cpu", torch.bfloat16):
        supervised, views = sup_con(z, Y, 0.05), nt_xent(*z.chunk(2), 0.05)
    assert torch.equal(supervised, sup_con(z, Y, 0.05))
    assert torch.equal(views, nt_xent(*z.chunk(2), 0.05))


def test_half_precision_is_left_at_once(z):
    half = z.bfloat16()
    assert torch.equal(sup_con(half, Y, 0.05), sup_con(half.float(), Y, 0.05))


def test_a_nan_is_not_hidden(z):
    z[3, 0] = math.nan
    assert sup_con(z, Y, 0.1).isnan().all()


# --- bad input ------------------------------------------------------------------------------------------------------

Z = torch.eye(8)
BAD = {
    "views in a third dimension": (
        lambda: sup_con(Z.view(4, 2, 8), Y[:4], 0.1),
        "got shape (4, 2, 8). Two views stand",
    ),
    "one embedding": (lambda: sup_con(Z[0], Y, 0.1), "z must be a batch of embeddings (B, D); got shape (8,)"),
    "no embeddings": (lambda: sup_con(Z[:0], Y[:0], 0.1), "got shape (0, 8)"),
    "labels of one view": (
        lambda: sup_con(Z, Y[:4], 0.1),
        "shape (8,); got shape (4,). Two views take the labels twice",
    ),
    "one-hot labels": (lambda: sup_con(Z, F.one_hot(Y), 0.1), "one label for each of 8 embeddings"),
    "temperature 0": (lambda: sup_con(Z, Y, 0.0), "it is finite and above 0; got 0.0. Usual are 0.05 to 0.5."),
    "temperature negative": (lambda: nt_xent(Z, Z, -0.1), "got -0.1"),
    "temperature infinite": (lambda: sup_con(Z, Y, math.inf), "got inf"),
    "temperature NaN": (lambda: sup_con(Z, Y, math.nan), "got nan"),
    "beta negative": (lambda: hard_positive_sup_con(Z, Y, 0.1, -1.0), "got -1.0. Below 0 the easiest positives would"),
    "beta infinite": (lambda: hard_positive_sup_con(Z, Y, 0.1, math.inf), "beta is finite and 0 or more; got inf"),
    "views of other images": (lambda: nt_xent(Z, Z[:4], 0.1), "row by row; got shapes (8, 8) and (4, 8). Embed both"),
    "views of other networks": (lambda: nt_xent(Z, Z[:, :4], 0.1), "got shapes (8, 8) and (8, 4)"),
    "views of one image": (lambda: nt_xent(Z[0], Z[1], 0.1), "z and z2 must be embeddings (B, D) of two views"),
    "views of nothing": (lambda: nt_xent(Z[:0], Z[:0], 0.1), "got shapes (0, 8) and (0, 8)"),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_a_sentence(call, words):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sup_con(Z.numpy(), Y, 0.1), "z must be a torch.Tensor of embeddings; got ndarray"),
        (lambda: sup_con(Z, Y.tolist(), 0.1), "y must be a torch.Tensor of labels; got list"),
        (lambda: nt_xent(Z, Z.tolist(), 0.1), "z2 must be a torch.Tensor of embeddings; got list"),
    ],
)
def test_what_is_no_tensor_is_refused(call, words):
    with pytest.raises(TypeError, match=f"{words}. Try torch.as_tensor"):
        call()
