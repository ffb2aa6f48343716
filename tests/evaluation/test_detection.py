"""The report of a detector: counted by hand, its verdicts on the real detector, and what it refuses."""

import json
from dataclasses import replace

import pytest
import torch
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score

from seminar_lib.attacks import FGSM, PGD, OrthogonalPGD
from seminar_lib.data.dataset import Split
from seminar_lib.detection import REJECT, FeatureSqueezing, Guarded
from seminar_lib.evaluation import Accuracy, DetectionReport, evaluate_detector
from seminar_lib.masking import Quantise
from seminar_lib.threat import Linf

THREAT = Linf(6 / 255)
OBLIVIOUS, ADAPTIVE = PGD(THREAT, steps=4), OrthogonalPGD(THREAT, steps=20)


def counted(**changes) -> DetectionReport:
    """Ten images of class 0; clean one is wrong and one rejected."""
    first = torch.arange(10)
    scores = {
        "clean": torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.5]),
        "oblivious": torch.tensor([2.0] * 6 + [0.5] * 4),
        "adaptive": torch.tensor([0.9] * 8 + [3.0] * 2),
    }
    answers = {"clean": (first == 0).long(), "oblivious": (first < 8).long(), "adaptive": (first < 9).long()}
    settings = {"threshold": 1.0, "detector": "Toy", "seed": 0, "seconds": {"clean": 0.1}, "device": "a machine"}
    attacks = {"oblivious": OBLIVIOUS, "adaptive": ADAPTIVE}
    parts = {"scores": scores, "answers": answers, "labels": torch.zeros(10, dtype=torch.long), "attacks": attacks}
    return DetectionReport(**{**parts, **settings, **changes})


# --- DetectionReport ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "wrong", "rejected", "caught", "served", "safe"),
    [("clean", 1, 1, 0, 8, 9), ("oblivious", 8, 6, 6, 2, 8), ("adaptive", 9, 2, 1, 0, 2)],
)
def test_outcomes_are_those_counted_by_hand(row, wrong, rejected, caught, served, safe):
    report = counted()
    assert report.wrong(row).sum() == wrong
    assert report.rejected(row).sum() == rejected
    assert report.caught(row) == Accuracy.of(torch.arange(wrong) < caught)
    assert report.served(row).sum() == served
    assert report.safe(row).sum() == safe


def test_robust_is_who_is_served_clean_and_safe_attacked():
    """Oblivious: images 6 and 7 are harmed, image 0 was wrong before and image 9 rejected."""
    report = counted()
    assert report.robust("oblivious").nonzero().squeeze(1).tolist() == [1, 2, 3, 4, 5, 8]
    assert report.robust("adaptive").nonzero().squeeze(1).tolist() == [8]


def test_the_auroc_is_given_for_all_and_for_those_with_a_wrong_label():
    report = counted()
    clean, attacked = report.scores["clean"], report.scores["oblivious"]
    for rows, found in ((slice(None), report.auroc("oblivious")), (slice(8), report.auroc("oblivious", True))):
        truth = [0] * 10 + [1] * len(attacked[rows])
        assert found.auroc == pytest.approx(roc_auc_score(truth, torch.cat([clean, attacked[rows]]).numpy()))
    assert report.auroc("oblivious").auroc != report.auroc("oblivious", True).auroc


def test_the_table_says_all_that_a_reader_needs():
    report = counted()
    table = report.table()
    eighth, tenth = Accuracy.of(torch.arange(8) < 6), Accuracy.of(torch.arange(10) < 6)
    assert f"| {tenth} | {eighth} | {report.auroc('oblivious')} | {report.auroc('oblivious', True)} |" in table
    assert f"| adaptive | {Accuracy.of(torch.arange(10) < 0)} | {Accuracy.of(torch.arange(10) < 2)} |" in table
    assert "n = 10, 95 % intervals, seed 0; Toy, threshold 1" in table
    assert "- adaptive: `OrthogonalPGD(Linf(6/255), steps=20)`" in table
    assert report._repr_markdown_() == repr(report) == table
    assert "its AUROC says little" in table
    to_the_end = {"oblivious": OBLIVIOUS, "adaptive": replace(ADAPTIVE, stop_when_fooled=False)}
    assert "says little" not in counted(attacks=to_the_end).table()


def test_an_attack_without_a_wrong_label_is_said_to_be_one():
    right = torch.zeros(10, dtype=torch.long)
    report = counted(answers=dict.fromkeys(("clean", "oblivious", "adaptive"), right))
    assert report.table().count("none wrong") == 5
    assert report.as_dict()["rows"]["adaptive"]["caught"] is None
    assert len(report.roc(Figure().subplots()).lines) == 1  # the diagonal


def test_a_report_survives_json():
    report = counted()
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures == report.as_dict()
    assert figures["rows"]["oblivious"]["auroc"] == vars(report.auroc("oblivious"))
    assert (figures["n"], figures["threshold"], figures["eps"]["adaptive"]) == (10, 1.0, 6 / 255)


def test_the_histogram_counts_every_image_and_marks_the_threshold():
    ax = counted().plot(Figure().subplots())
    (line,) = ax.lines
    assert list(line.get_xdata()) == [1.0, 1.0]
    for patch in ax.patches:  # outlines, which go up and down: a step has two corners
        assert patch.get_xy()[1:-1:2, 1].sum() == 10


def test_the_curve_goes_through_its_working_point():
    ax = counted().roc(Figure().subplots())
    _, curve, point, *_ = ax.lines
    ((x,), (y,)) = point.get_data()
    assert (x, y) == (0.1, 6 / 8)
    assert (x, y) in zip(*curve.get_data(), strict=True)
    assert "oblivious: AUROC" in curve.get_label()


# --- evaluate_detector ----------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(tiny, x) -> Guarded:
    detector = FeatureSqueezing(tiny, (Quantise(3),))
    return Guarded(tiny, detector, float(detector.scores(x).sort().values[5]))


@pytest.fixture
def split(x, y) -> Split:
    return Split((255 * x).round().to(torch.uint8), y)


def test_it_judges_what_the_attacks_return_by_the_detector_as_it_is(guarded, tiny, split):
    report = evaluate_detector(guarded, split, OBLIVIOUS, ADAPTIVE, seed=3, progress=False)
    stream = [torch.Generator().manual_seed(3) for _ in range(2)]
    images = {
        "clean": split.x,
        "oblivious": OBLIVIOUS(tiny, split.x, split.y, generator=stream[0]),
        "adaptive": ADAPTIVE.run(guarded.evade(split.y), split.x, stream[1]),
    }
    for row, x in images.items():
        torch.testing.assert_close(report.scores[row], guarded.detector.scores(x))
        assert torch.equal(report.answers[row], tiny(x).argmax(1))
        predicted = guarded.predict(x)
        assert torch.equal(report.safe(row), (predicted == split.y) | (predicted == REJECT))
        assert torch.equal(report.served(row), predicted == split.y)


def test_the_adversary_who_knows_does_more_harm(guarded, split):
    report = evaluate_detector(guarded, split, OBLIVIOUS, ADAPTIVE, progress=False)
    assert report.safe("adaptive").sum() < report.safe("oblivious").sum()


def test_small_batches_and_large_ones_look_at_the_same_images(guarded, split):
    whole, parts = (
        evaluate_detector(guarded, split, FGSM(THREAT), PGD(THREAT, random_start=False), size, progress=False)
        for size in (8, 3)
    )
    for row in whole.scores:
        torch.testing.assert_close(whole.scores[row], parts.scores[row], rtol=1e-3, atol=1e-4)


class Leaving(PGD):
    """An attack that leaves its threat model."""

    def run(self, goal, x, generator=None):
        return 1 - x


REFUSED = {
    "a detector alone": (lambda g, d: evaluate_detector(g.detector, d, OBLIVIOUS, ADAPTIVE), "got FeatureSqueezing"),
    "no images": (lambda g, d: evaluate_detector(g, d[:0], OBLIVIOUS, ADAPTIVE), "one at a time; got 0 images"),
    "batches of none": (lambda g, d: evaluate_detector(g, d, OBLIVIOUS, ADAPTIVE, 0), "8 images and batch_size=0"),
    "labels of another task": (
        lambda g, d: evaluate_detector(g, Split(d.images, d.labels + 5), OBLIVIOUS, ADAPTIVE),
        "the model has 5 classes, 0 to 4",
    ),
    "one goal for two": (lambda g, d: evaluate_detector(g, d, ADAPTIVE, ADAPTIVE), "For one goal take PGD"),
    "an attack that leaves": (
        lambda g, d: evaluate_detector(g, d, OBLIVIOUS, Leaving(THREAT)),
        "adaptive returned images outside its threat model",
    ),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("as_users_call_it")
def test_bad_input_is_refused_in_a_sentence(call, words, guarded, split):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(guarded, split)
    assert words in str(caught.value)
