"""Every number that the questions ask for, computed by the library or from its definition."""

import math

import pytest
import torch
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score
from torch import nn

import seminar_lib as sl
from seminar_lib import embeddings, losses, quiz
from seminar_lib.contrastive import positive_weights
from seminar_lib.detection.base import quantile
from seminar_lib.quiz import Number
from seminar_lib.smoothing.bounds import lower_bound, radius

GREY = torch.full((1, 3, 32, 32), 0.5)
LABEL = torch.tensor([0])


class Plane(nn.Module):
    """Logits that are linear in an image of a few values: biases + (x - 0.5) . rows."""

    def __init__(self, biases, rows):
        super().__init__()
        self.biases, self.rows = torch.tensor(biases), torch.tensor(rows)

    def forward(self, x):
        return self.biases + (x.flatten(1) - 0.5) @ self.rows.T


def l2_of_the_corner():
    steep = Plane([0.0, 0.0], [[1.0] * 3072, [-1.0] * 3072])
    return sl.L2().norm(sl.FGSM(sl.Linf(8 / 255), stop_when_fooled=False)(steep, GREY, LABEL) - GREY)


def linear_increase():
    x, slope = torch.full((1, 1, 1, 4), 0.5), [0.5, -2.0, 0.0, 1.0]
    model = Plane([0.0, -9.0], [[0.0] * 4, slope])
    x_adv = sl.FGSM(sl.Linf(0.1), loss=losses.margin, stop_when_fooled=False)(model, x, LABEL)
    return losses.margin(model(x_adv), LABEL) - losses.margin(model(x), LABEL)


def project_l2():
    moved = GREY.clone()
    moved[0, 0, 0, :2] += torch.tensor([0.3, 0.4])
    return (sl.L2(0.25).project(moved, GREY) - GREY)[0, 0, 0, 0]


def nearest_mistake():
    model = Plane([0.0, -0.6, -0.5], [[0.0, 0.0], [2.0, 1.0], [0.5, 0.5]])
    return sl.DeepFool(sl.Linf()).nearest(model, torch.full((1, 1, 1, 2), 0.5), LABEL).distance


def worst_case():
    broken = torch.zeros(3, 10, dtype=torch.bool)
    for row, images in enumerate([(1, 2, 3), (3, 4), (1, 5)]):
        broken[row, [image - 1 for image in images]] = True
    return 100 * (~broken).all(0).float().mean()


def four_times_narrower():
    def half(n):
        accuracy = sl.Accuracy.of(torch.arange(n) < n // 2)
        return (accuracy.high - accuracy.low) / 2

    assert half(400) == pytest.approx(0.05, abs=0.002)
    assert half(6400) == pytest.approx(half(400) / 4, rel=0.01)
    return 400 * 16


def which_score():
    scores = torch.arange(200.0)
    return 1 + (scores > quantile(scores, 0.02)).sum()


def faint_features():
    """By drawing examples."""
    generator = torch.Generator().manual_seed(0)
    features = 0.2 + torch.randn(50_000, 100, generator=generator)
    return 100 * ((features - 0.4).mean(1) > 0).double().mean()


def trades_loss():
    clean, attacked = (torch.tensor([p]).log() for p in ([0.9, 0.1], [0.6, 0.4]))
    return losses.cross_entropy(clean, LABEL) + 6 * losses.divergence(clean, attacked)


def nt_xent_two():
    views = torch.eye(2)
    return sl.nt_xent(views, views, 1.0).mean()


def mean_of_logs():
    """Shares of 0.5 and 0.1, and one stranger with the rest: the cosines are those differences of logarithms."""
    logs = torch.tensor([0.5, 0.1, 0.4]).log()
    temperature = 0.5
    cosines = temperature * (logs - logs.max())
    others = torch.stack([cosines, (1 - cosines**2).sqrt()], 1)
    return sl.sup_con(torch.cat([torch.tensor([[1.0, 0.0]]), others]), torch.tensor([0, 0, 0, 1]), temperature)[0]


def hardest_weight():
    cosine = torch.tensor([[1.0, 0.9, 0.2], [0.9, 1.0, 0.5], [0.2, 0.5, 1.0]])
    y = torch.zeros(3, dtype=torch.int64)
    return positive_weights(cosine, (y[:, None] == y) & ~torch.eye(3, dtype=torch.bool), 2.0)[0, 2]


def correlation_loss():
    squares = (torch.tensor([[1, 0.5], [0.5, 0.8]]) - torch.eye(2)).square()
    return squares.diagonal().sum() + 0.1 * (squares.sum() - squares.diagonal().sum())


def all_agree():
    bound = float(lower_bound(100, 100, 0.001))
    assert binom.sf(99, 100, bound) == pytest.approx(0.001)
    return bound


def count_pairs(images, classes, same_class):
    """Of the first embedding of a batch with two views of each image: how many others are of its class, or are not."""
    image = torch.arange(images).repeat(2)
    label = image % classes
    others = torch.arange(2 * images) != 0
    return int((((label == label[0]) == same_class) & others).sum())


COMPUTED = {
    "01_fgsm l2-of-the-corner": l2_of_the_corner,
    "01_fgsm linear-increase": linear_increase,
    "01_fgsm normalised-eps": lambda: 255 * (8 / 255 * 0.25),
    "02_pgd project-l2": project_l2,
    "02_pgd shortest-useful-step": lambda: 255 * 2 * (8 / 255) / 20,
    "02_pgd nearest-mistake": nearest_mistake,
    "03_evaluation worst-case": worst_case,
    "03_evaluation zero-of-hundred": lambda: 100 * sl.Accuracy.of(torch.zeros(100, dtype=torch.bool)).high,
    "03_evaluation four-times-narrower": four_times_narrower,
    "03_evaluation dlr": lambda: sl.dlr(torch.tensor([[5.0, 2, 1, -1]]), LABEL),
    "04_adversarial_training cost": lambda: sl.PGD().steps + 1,
    "04_adversarial_training faint-features": faint_features,
    "04_adversarial_training trades-loss": trades_loss,
    "05_clead nt-xent-two": nt_xent_two,
    "05_clead collapse": lambda: sl.nt_xent(torch.ones(8, 3), torch.ones(8, 3), 0.5).mean(),
    "05_clead how-many-pushed": lambda: count_pairs(64, 64, same_class=False),
    "06_anchor mean-of-logs": mean_of_logs,
    "06_anchor hardest-weight": hardest_weight,
    "06_anchor how-many-positives": lambda: count_pairs(64, 16, same_class=True),
    "07_lisard variance": lambda: 255 * math.sqrt(8 / 255),
    "07_lisard correlation-loss": correlation_loss,
    "08_embedding_space alignment": lambda: embeddings.alignment(torch.tensor([[3.0, 0]]), torch.tensor([[0.0, 5]])),
    "08_embedding_space cosine-to-distance": lambda: embeddings.alignment(
        torch.tensor([[1.0, 0]]), torch.tensor([[0.7, math.sqrt(1 - 0.49)]])
    ),
    "09_smoothing radius": lambda: radius(0.9, 0.5),
    "09_smoothing all-agree": all_agree,
    "09_smoothing linf-inside": lambda: 255 * 0.5 / sl.L2().norm(torch.ones_like(GREY)),
    "09_smoothing unlucky": lambda: 5000 * 0.001,
    "10_purification weight-of-the-noise": lambda: math.sqrt(1 - 0.91),
    "10_purification worst-of-ten": lambda: 0.9**10,
    "10_purification majority-of-three": lambda: binom.sf(1, 3, 0.6),
    "11_detection which-score": which_score,
    "11_detection pairs": lambda: roc_auc_score([0, 0, 0, 1, 1, 1], [1, 2, 4, 2, 3, 5]),
    "11_detection rare-attacks": lambda: 0.9 / (0.9 + 999 * 0.05),
    "12_masking looks": lambda: 0.8 / math.sqrt(16),
    "12_masking lucky-draw": lambda: binom.sf(0, 10, 0.2),
}
ASKED = {
    f"{lesson} {question.name}": question
    for lesson in quiz.lessons()
    for question in quiz.read(lesson).questions
    if isinstance(question, Number)
}


def test_every_number_asked_for_is_computed_here():
    assert COMPUTED.keys() == ASKED.keys()


@pytest.mark.parametrize("name", ASKED)
def test_the_number_is_right(name):
    """Well inside the tolerance, so that rounding does not cost a student the answer."""
    question = ASKED[name]
    assert abs(float(COMPUTED[name]()) - question.number) <= question.tolerance / 2


TRAPS = {
    ("01_fgsm l2-of-the-corner", 0): lambda: 8 / 255,
    ("01_fgsm l2-of-the-corner", 1): lambda: 8 / 255 * 3072,
    ("01_fgsm l2-of-the-corner", 2): lambda: 8 / 255 * 32,
    ("01_fgsm linear-increase", 1): lambda: 0.1 * math.sqrt(0.25 + 4 + 1),
    ("02_pgd nearest-mistake", 1): lambda: 0.6 / math.sqrt(5),
    ("04_adversarial_training faint-features", 0): lambda: 100 * norm.cdf(2),
    ("04_adversarial_training faint-features", 1): lambda: 100 * norm.cdf(-0.2),
    ("04_adversarial_training trades-loss", 0): lambda: (
        -math.log(0.9) + 6 * (0.6 * math.log(0.6 / 0.9) + 0.4 * math.log(0.4 / 0.1))
    ),
    ("04_adversarial_training trades-loss", 2): lambda: (
        -math.log(0.6) + 6 * (0.9 * math.log(0.9 / 0.6) + 0.1 * math.log(0.1 / 0.4))
    ),
    ("05_clead nt-xent-two", 0): lambda: math.log(2 + 2 / math.e),
    ("05_clead nt-xent-two", 2): lambda: math.log(1 + 1 / math.e),
    ("05_clead collapse", 1): lambda: math.log(16),
    ("05_clead collapse", 2): lambda: math.log(7),
    ("06_anchor mean-of-logs", 0): lambda: -math.log(0.3),
    ("06_anchor hardest-weight", 1): lambda: 1 / (1 + math.exp(-0.7)),
    ("07_lisard variance", 1): lambda: math.sqrt(8),
    ("07_lisard correlation-loss", 2): lambda: 1 + 0.8**2 + 0.1 * 0.5,
    ("10_purification weight-of-the-noise", 1): lambda: 1 - math.sqrt(0.91),
    ("10_purification weight-of-the-noise", 2): lambda: math.sqrt(0.91),
    ("10_purification worst-of-ten", 1): lambda: 1 - 0.9**10,
    ("10_purification majority-of-three", 1): lambda: 0.6**3,
    ("10_purification majority-of-three", 2): lambda: 1 - 0.4**3,
    ("11_detection pairs", 0): lambda: 6 / 9,
    ("11_detection pairs", 1): lambda: 7 / 9,
    ("12_masking lucky-draw", 1): lambda: 0.8**10,
}


@pytest.mark.parametrize(("name", "place"), TRAPS)
def test_a_trap_is_where_its_mistake_leads(name, place):
    question = ASKED[name]
    assert abs(TRAPS[name, place]() - question.traps[place].number) <= question.tolerance / 2
