"""Each number against a loop over its definition, and against embeddings for which it is known."""

import math

import pytest
import torch
from sklearn.metrics import silhouette_samples

from seminar_lib.embeddings import alignment, class_means, drift, neighbours, separation, uniformity

from .conftest import cloud

CLOUD = cloud(0)
Z, Z_ADV, Y = CLOUD.z, CLOUD.z_adv, CLOUD.y


def unit(row):
    return [float(value) / math.sqrt(sum(float(v) ** 2 for v in row)) for value in row]


def distance(a, b):
    return math.sqrt(sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)))


@pytest.mark.parametrize("alpha", [1, 2, 3.5])
def test_alignment_is_the_loop_over_its_definition(alpha):
    ways = [distance(unit(a), unit(b)) ** alpha for a, b in zip(Z, Z_ADV, strict=True)]
    assert alignment(Z, Z_ADV, alpha) == pytest.approx(sum(ways) / len(ways), rel=1e-5)


def test_alignment_of_known_views():
    assert alignment(Z, 3 * Z) == pytest.approx(0, abs=1e-9)
    assert alignment(Z, -Z) == pytest.approx(4, rel=1e-5)


@pytest.mark.parametrize("t", [0.5, 2, 50])
def test_uniformity_is_the_loop_over_all_pairs(t):
    rows = [unit(row) for row in Z]
    terms = [math.exp(-t * distance(a, b) ** 2) for i, a in enumerate(rows) for b in rows[:i]]
    assert uniformity(Z, t) == pytest.approx(math.log(sum(terms) / len(terms)), rel=1e-5)


def test_uniformity_of_known_clouds():
    """One place for all: log 1. Orthogonal directions: every squared distance is 2."""
    assert uniformity(torch.ones(5, 3)) == pytest.approx(0, abs=1e-6)
    assert uniformity(torch.eye(5)) == pytest.approx(-2 * 2, rel=1e-6)
    assert uniformity(Z) < uniformity(Z + 10), "the more even, the lower"
    for t in (2, 50, 1000):  # two opposite points: log exp(-4 t), where exp(-4000) is 0 in any float
        assert uniformity(torch.tensor([[1.0, 0], [-3, 0]]), t) == pytest.approx(-4 * t, rel=1e-6)


def test_separation_is_the_loop_over_its_definition():
    scores = []
    for i, row in enumerate(Z):
        ways = {k: [distance(row, other) for j, other in enumerate(Z) if j != i and Y[j] == k] for k in range(3)}
        means = {k: sum(way) / len(way) for k, way in ways.items()}
        a, b = means.pop(int(Y[i])), min(means[k] for k in means if k != int(Y[i]))
        scores.append((b - a) / max(a, b))
    assert separation(Z, Y) == pytest.approx(sum(scores) / len(scores), rel=1e-4)
    assert separation(Z, Y) == pytest.approx(silhouette_samples(Z.numpy(), Y.numpy()).mean(), rel=1e-4)


def test_separation_of_known_clouds():
    y = torch.tensor([0, 0, 1, 1])
    points = torch.tensor([[0.0, 0], [0, 1e-4], [9, 0], [9, 1e-4]])
    assert separation(points, y) == pytest.approx(1, abs=1e-4)
    assert separation(points, torch.tensor([0, 1, 0, 1])) == pytest.approx(-0.5, abs=1e-4), "9 to one's own, 4.5 away"


def test_drift_is_the_loop_over_its_definition():
    u, u_adv = ([unit(row) for row in z] for z in (Z, Z_ADV))
    middles = []
    for k in range(3):
        members = [row for row, label in zip(u, Y.tolist(), strict=True) if label == k]
        middles.append([sum(column) / len(members) for column in zip(*members, strict=True)])
    typical = sum(distance(middles[i], middles[j]) for i, j in ((0, 1), (0, 2), (1, 2))) / 3
    expected = [distance(a, b) / typical for a, b in zip(u, u_adv, strict=True)]
    torch.testing.assert_close(drift(Z, Z_ADV, Y), torch.tensor(expected))


def test_drift_from_one_class_to_the_next_is_one_and_lengths_are_no_way():
    z, y = torch.tensor([[1.0, 0], [5, 0], [0, 3], [0, 0.1]]), torch.tensor([2, 2, 5, 5])
    for scale in (1, 1000):
        torch.testing.assert_close(drift(z, scale * z.roll(2, 0), y), torch.ones(4))
        torch.testing.assert_close(drift(z, scale * z, y), torch.zeros(4))


@pytest.mark.parametrize("k", [1, 5, 24])
def test_the_vote_is_a_loop_over_distances(k):
    queries, labels = Z_ADV + 1, Y
    expected = []
    for row, label in zip(queries, labels, strict=True):
        nearest = sorted(range(len(Z)), key=lambda j: distance(row, Z[j]))[:k]
        votes = [int(Y[j]) for j in nearest]
        expected.append(min(set(votes), key=lambda c: (-votes.count(c), c)) == int(label))
    assert neighbours(queries, labels, Z, Y, k).tolist() == expected
    assert k > 1 or neighbours(Z, Y, Z, Y, 1).all(), "everyone is their own nearest neighbour"


def test_class_means_are_of_the_classes_that_occur():
    labels, means = class_means(torch.tensor([[1.0], [3], [7]]), torch.tensor([4, 4, 2]))
    assert labels.tolist() == [2, 4]
    assert means.tolist() == [[7], [2]]


def test_embeddings_that_carry_gradients_are_measured_as_they_are():
    z, z_adv = Z.clone().requires_grad_(), 2 * Z_ADV.clone().requires_grad_()
    assert alignment(z, z_adv) == pytest.approx(alignment(Z, Z_ADV), rel=1e-6)
    assert uniformity(z) == uniformity(Z)
    assert separation(z, Y) == separation(Z, Y)
    assert torch.equal(neighbours(z_adv / 2, Y, z, Y), neighbours(Z_ADV, Y, Z, Y))


def test_coarse_embeddings_are_measured_as_what_they_stand_for():
    z, z_adv = Z.bfloat16(), Z_ADV.bfloat16()
    fine, fine_adv = z.float(), z_adv.float()
    assert uniformity(z) == uniformity(fine)
    assert separation(z, Y) == separation(fine, Y)
    assert torch.equal(drift(z, z_adv, Y), drift(fine, fine_adv, Y))
    assert torch.equal(neighbours(z_adv, Y, z, Y), neighbours(fine_adv, Y, fine, Y))


BROKEN = Z.clone()
BROKEN[5, 2], BROKEN[9, 0] = math.nan, math.inf

BAD = {
    "alignment of NaN": (lambda: alignment(BROKEN, Z), "hold NaN or infinity, first in row 5"),
    "alignment with NaN": (lambda: alignment(Z, BROKEN), "hold NaN or infinity, first in row 5"),
    "uniformity of infinity": (lambda: uniformity(BROKEN[6:]), "first in row 3. Did the network's training diverge?"),
    "drift from NaN": (lambda: drift(BROKEN, Z_ADV, Y), "first in row 5"),
    "drift to NaN": (lambda: drift(Z, BROKEN, Y), "first in row 5"),
    "separation of NaN": (lambda: separation(BROKEN, Y), "first in row 5"),
    "neighbours of NaN": (lambda: neighbours(BROKEN, Y, Z, Y), "first in row 5"),
    "neighbours among NaN": (lambda: neighbours(Z, Y, BROKEN, Y), "first in row 5"),
    "alignment of others": (lambda: alignment(Z, Z[:3]), "got shapes (24, 6) and (3, 6)"),
    "alpha 0": (lambda: alignment(Z, Z, 0), "alpha of alignment is finite and above 0; got 0"),
    "uniformity of one": (lambda: uniformity(Z[:1]), "at least two embeddings; got one"),
    "uniformity of maps": (lambda: uniformity(Z[None]), "must be a batch of embeddings (B, D)"),
    "t NaN": (lambda: uniformity(Z, math.nan), "t of uniformity is finite and above 0; got nan"),
    "one class": (
        lambda: separation(Z, 0 * Y),
        "at least two classes and more images than classes; got 24 images of 1",
    ),
    "all alone": (lambda: separation(Z[:3], torch.arange(3)), "got 3 images of 3"),
    "labels too few": (lambda: separation(Z, Y[:3]), "one label for each of 24 embeddings"),
    "drift of one class": (lambda: drift(Z, Z, 0 * Y), "at least two classes; got one"),
    "drift of a collapse": (lambda: drift(0 * Z, Z, Y), "Has the network collapsed?"),
    "drift of one up to rounding": (lambda: drift(1 + 1e-8 * Z, Z, Y), "Has the network collapsed?"),
    "no neighbours": (lambda: neighbours(Z, Y, Z, Y, 0), "1 to 24 neighbours, as many as there are; got k=0"),
    "too many neighbours": (lambda: neighbours(Z, Y, Z, Y, 25), "got k=25"),
    "another network's": (
        lambda: neighbours(Z, Y, Z[:, :4], Y),
        "z has 6 features but z_train has 4. Embed both with the same network",
    ),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_a_sentence(call, words):
    with pytest.raises(ValueError, match=r"[.?]$") as caught:
        call()
    assert words in str(caught.value)
